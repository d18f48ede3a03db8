// A ledger that forgets everything at the end: for tests, the fuzzer and the simulator.
#pragma once

#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "aceward/ace/as/ledger.h"
#include "aceward/ace/as/reasons.h"

namespace aceward::ace::as {

inline IssuedToken clone(const IssuedToken& token) {
  IssuedToken copy;
  copy.number = token.number;
  copy.client_id = token.client_id;
  copy.server_id = token.server_id;
  copy.more_servers = token.more_servers;
  copy.client = token.client;
  copy.server = token.server;
  copy.audience = token.audience;
  copy.scope = token.scope;
  copy.key_id = token.key_id;
  copy.key_thumbprint = token.key_thumbprint;
  copy.pop_key = token.pop_key.clone();
  copy.token_digest = token.token_digest;
  copy.token_hash = token.token_hash;
  copy.profile = token.profile;
  copy.cnonce = token.cnonce;
  copy.exi = token.exi;
  copy.issued_at = token.issued_at;
  copy.expires_at = token.expires_at;
  copy.refresh_digest = token.refresh_digest;
  copy.refresh_until = token.refresh_until;
  copy.origin = token.origin;
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

  Result<std::optional<IssuedToken>> find(TokenNumber number) override {
    if (look_up_error) return std::unexpected(*look_up_error);
    for (const IssuedToken& token : tokens)
      if (token.number == number) return clone(token);
    return std::nullopt;
  }

  Result<std::vector<RevokedToken>> revoked(WallTime now, std::size_t limit) override {
    if (look_up_error) return std::unexpected(*look_up_error);
    std::vector<RevokedToken> found;
    for (const TokenNumber number : revoked_in_order_) {
      for (const IssuedToken& token : tokens) {
        if (token.number != number || token.expires_at <= now || found.size() == limit) continue;
        std::vector<std::int64_t> servers{token.server_id};
        servers.insert(servers.end(), token.more_servers.begin(), token.more_servers.end());
        found.push_back({token.number, token.client_id, std::move(servers), token.token_hash, token.expires_at});
      }
    }
    return found;
  }

  /// Revokes a recorded token, and ends its refresh token and that of its origin.
  void revoke(TokenNumber number) {
    for (IssuedToken& token : tokens) {
      if (token.number != number) continue;
      if (!token.revoked) revoked_in_order_.push_back(number);
      token.revoked = true;
      token.refresh_digest.clear();
      for (IssuedToken& origin : tokens)
        if (token.origin.value != 0 && origin.number == token.origin) origin.refresh_digest.clear();
    }
  }

  std::size_t waiting() const { return waiting_.size(); }
  /// Completes the oldest record that waits; false when none does.
  bool complete_next() {
    if (waiting_.empty()) return false;
    auto [token, done] = std::move(waiting_.front());
    waiting_.pop_front();
    if (record_error) {
      done(std::unexpected(*record_error));
    } else if (has_lost_origin(token)) {
      done(fail(reason::refresh_token_invalid, "it has ended meanwhile"));
    } else {
      tokens.push_back(std::move(token));
      done({});
    }
    return true;
  }

 private:
  bool has_lost_origin(const IssuedToken& token) const {
    if (token.origin.value == 0) return false;
    for (const IssuedToken& origin : tokens)
      if (origin.number == token.origin) return origin.revoked || origin.refresh_digest.empty();
    return true;
  }

  std::int64_t last_number_ = 0;
  std::vector<TokenNumber> revoked_in_order_;
  std::deque<std::pair<IssuedToken, Recorded>> waiting_;
};

}  // namespace aceward::ace::as
