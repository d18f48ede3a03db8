// The endpoint that takes access tokens from anybody (RFC 9200 section 5.10.1).
#pragma once

#include <map>

#include "aceward/ace/rs/token_store.h"
#include "aceward/coap/layer.h"

namespace aceward::ace::rs {

/// Tokens verified within one second; more are answered 4.29 with Max-Age 1 (RFC 8516). Peers are told apart by IP
/// address without port; addresses beyond `peers` share one budget.
struct AuthzInfoLimits {
  unsigned per_peer = 10;
  unsigned in_all = 200;
  std::size_t peers = 1024;
};

/// Takes tokens: POST with Content-Format application/cwt, and nothing else. A missing Content-Format is refused like a
/// wrong one, as RFC 9200 section 5.10.1 demands one. Never asks who posts. Answers:
///   2.01 without payload; 4.00, 4.01, 4.03 (ace::wire_answer); 4.05 for other methods; 4.15 for other formats;
///   4.29 beyond AuthzInfoLimits; 5.03 when the store is full.
/// The wire tells the code alone, the counters and the log the reason. Not thread-safe.
class AuthzInfo {
 public:
  struct Counters {
    std::uint64_t accepted = 0;  ///< repeated and outdated ones included
    std::uint64_t refused = 0;   ///< did not verify, or could not be stored
    std::uint64_t limited = 0;   ///< not looked at: 4.29
  };
  struct Answer {
    coap::Response response;
    std::optional<Error> why;  ///< of a refusal
    std::optional<TokenStore::Outcome> outcome;
  };

  /// All outlive this object.
  AuthzInfo(TokenVerifier& verifier, TokenStore& store, AuthzInfoLimits limits = {});

  Answer handle(const coap::Peer& from, const coap::Request& request, Instant now, WallTime wall);
  /// The same for a token that came another way, such as a psk_identity, and so counts against `in_all` alone.
  /// With `only_symmetric`, a token that is bound to a public key is refused before anything is stored:
  /// `token_cnf_unusable`. Errors: those of TokenVerifier::verify and TokenStore::store, `authz_info_busy`.
  Result<TokenStore::Outcome> take(BytesView token, bool only_symmetric, Instant now, WallTime wall);

  const Counters& counters() const { return counters_; }

 private:
  bool admit(const Address* from, Instant now);
  Result<TokenStore::Outcome> verify_and_store(BytesView token, bool only_symmetric, WallTime wall);

  TokenVerifier& verifier_;
  TokenStore& store_;
  AuthzInfoLimits limits_;
  Counters counters_;
  Instant second_began_{};
  unsigned in_all_ = 0;
  unsigned shared_ = 0;
  std::map<std::array<std::uint8_t, 16>, unsigned> per_peer_;
};

}  // namespace aceward::ace::rs
