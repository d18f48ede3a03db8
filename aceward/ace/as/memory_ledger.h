// A ledger that forgets everything at the end: for tests, the fuzzer and the simulator.
#pragma once

#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "aceward/ace/as/ledger.h"

namespace aceward::ace::as {

inline IssuedToken clone(const IssuedToken& token) {
  IssuedToken copy;
  copy.number = token.number;
  copy.client_id = token.client_id;
  copy.server_id = token.server_id;
  copy.client = token.client;
  copy.server = token.server;
  copy.scope = token.scope;
  copy.key_id = token.key_id;
  copy.key_thumbprint = token.key_thumbprint;
  copy.pop_key = token.pop_key.clone();
  copy.issued_at = token.issued_at;
  copy.expires_at = token.expires_at;
  copy.revoked = token.revoked;
  return copy;
}

class MemoryLedger final : public Ledger {
 public:
  enum class Completion : std::uint8_t {
    at_once,
    when_asked,  ///< by `complete_next`
    never,       ///< the completion is destroyed uncalled
  };

  Completion completion = Completion::at_once;
  std::optional<Error> record_error;   ///< what recording fails with
  std::optional<Error> number_error;   ///< what reserve_number fails with
  std::optional<Error> look_up_error;  ///< what find_by_key_id fails with
  std::vector<IssuedToken> tokens;     ///< recorded, in that order

  Result<TokenNumber> reserve_number() override {
    if (number_error) return std::unexpected(*number_error);
    return TokenNumber(++last_number_);
  }

  void record(IssuedToken token, Recorded done) override {
    if (completion == Completion::never) return;
    waiting_.emplace_back(std::move(token), std::move(done));
    if (completion == Completion::at_once) complete_next();
  }

  Result<std::optional<IssuedToken>> find_by_key_id(std::int64_t client_id, std::int64_t server_id, BytesView key_id,
                                                    WallTime now) override {
    if (look_up_error) return std::unexpected(*look_up_error);
    for (auto token = tokens.rbegin(); token != tokens.rend(); ++token) {
      if (token->client_id == client_id && token->server_id == server_id && equal(token->key_id, key_id) &&
          now < token->expires_at && !token->revoked)
        return clone(*token);
    }
    return std::nullopt;
  }

  std::size_t waiting() const { return waiting_.size(); }
  /// Completes the oldest record that waits; false when none does.
  bool complete_next() {
    if (waiting_.empty()) return false;
    auto [token, done] = std::move(waiting_.front());
    waiting_.pop_front();
    if (record_error) {
      done(std::unexpected(*record_error));
    } else {
      tokens.push_back(std::move(token));
      done({});
    }
    return true;
  }

 private:
  std::int64_t last_number_ = 0;
  std::deque<std::pair<IssuedToken, Recorded>> waiting_;
};

}  // namespace aceward::ace::as
