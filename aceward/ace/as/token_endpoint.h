// The token endpoint: decides what a client gets, and makes the token (RFC 9200 section 5.8, RFC 9201, RFC 9202).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "aceward/ace/as/audit.h"
#include "aceward/ace/as/authenticated_client.h"
#include "aceward/ace/as/client_secret.h"
#include "aceward/ace/as/ledger.h"
#include "aceward/ace/as/registry.h"
#include "aceward/ace/as/request_book.h"
#include "aceward/ace/as/request_limits.h"
#include "aceward/base/random.h"
#include "aceward/base/result.h"
#include "aceward/base/time.h"
#include "aceward/coap/layer.h"
#include "aceward/cose/key.h"

namespace aceward::ace::as {

struct TokenEndpointConfig {
  std::string issuer{};  ///< the claim `iss`; empty: the claim is left out
  /// No token lives longer, whatever the server's and the rules' lifetimes say.
  std::chrono::seconds maximum_lifetime{std::chrono::hours(24 * 30)};
  /// How long after its issue a token with exi may reach its server before the AS takes it for ended (IssuedToken::
  /// expires_at): until then, and for its lifetime, it can be revoked and introspected.
  std::chrono::seconds arrival_allowance{std::chrono::hours(24)};
  RequestLimits requests{};  ///< answered with 4.29 beyond them
  /// 0: no limit; see LiveTokens. Of refresh tokens too: a client that has as many gets its tokens without one.
  std::size_t live_tokens_per_client = 1000;
  SecretLimits secrets{};              ///< wrong ones, see SecretGate
  std::chrono::seconds come_back{60};  ///< Max-Age for a client whose request waits for the owner
  std::chrono::seconds request_kept{std::chrono::hours(24 * 7)};  ///< how long it waits after it was last asked
  RequestBookLimits request_book{};
};

/// Decides requests for tokens. Without any input or output of its own but the Ledger: a token is told of only when the
/// ledger has made it durable (architecture, contract 8). Belongs to one thread, that of the ledger's completions.
///
/// Every refusal has a Reason (reasons.h) that is counted and audited. The wire says what RFC 9200 section 5.8.3 asks
/// for: 4.00 with an error code; 4.01 for invalid_client; 4.15 and 4.06 for the wrong Content-Format; 4.29 with Max-Age
/// for a client that asks too often; 5.03 with Max-Age when the ledger is out of reach and when the request waits for
/// the owner; a bare 5.00 for every other fault of ours.
///
/// The `iat` of tokens does not go backwards when civil time is set back by up to 5 minutes: a resource server that
/// orders a key's tokens by it keeps taking the later one. After a larger step it follows the clock.
class TokenEndpoint {
 public:
  /// Called exactly once for each request: within `process`, or later when the ledger has answered. That may be after
  /// the endpoint is gone; a ledger that forgets its completion makes it a 5.03.
  using Done = std::move_only_function<void(coap::Response)>;

  struct Counters {
    std::uint64_t granted = 0;
    std::map<std::string_view, std::uint64_t> refused;  ///< by the Reason's id
  };

  /// `signing_key` is a P-256 or Ed25519 private key; its kid, or the first 8 octets of its thumbprint, stands in the
  /// tokens. `random` and `ledger` outlive the endpoint. Errors: those of cose::SigningKey::from.
  static Result<TokenEndpoint> create(TokenEndpointConfig config, const cose::Key& signing_key, Random& random,
                                      Ledger& ledger);
  TokenEndpoint(TokenEndpoint&&) noexcept;
  TokenEndpoint& operator=(TokenEndpoint&&) noexcept;
  ~TokenEndpoint();

  /// From the next request on. Until the first call nobody is known.
  void set_registry(RegistrySnapshot registry);
  /// Signs tokens from the next request on. Errors: those of cose::SigningKey::from.
  Result<> set_signing_key(const cose::Key& signing_key);
  /// The first signs; the others are keys that resource servers still trust, or already do, while keys change. All are
  /// checked; with an error everything stays as it was. Errors: those of cose::SigningKey::from; `signing_key_missing`.
  Result<> set_signing_keys(std::span<const cose::Key> signing_keys);
  /// Where requests wait for the owner of a server that has Undecided::ask_owner; it outlives the endpoint. Null:
  /// nobody is asked, such requests are refused.
  void set_request_book(RequestBook* book);
  /// Called at every decision, before the client hears of it. Must not call the endpoint.
  void set_audit(Audit audit);

  /// A POST to the token resource by a client whose channel is `client`. `now` becomes the token's `iat`.
  void process(const AuthenticatedClient& client, const coap::Request& request, WallTime now, Done done);
  /// A POST over a channel that is protected but authenticates the AS alone
  /// (ChannelDirectory::is_protected_without_identity): the client shows client_id and client_secret (RFC 6749 section
  /// 2.3.1). `peer` is where wrong secrets are counted, its port does not matter.
  void process_with_secret(const Address& peer, const coap::Request& request, WallTime now, Done done);
  /// The answer to a POST from a peer whose channel authenticates nobody: 4.01 invalid_client, whatever it asks.
  coap::Response refuse_unauthenticated(WallTime now);

  const Counters& counters() const;

 private:
  struct State;
  explicit TokenEndpoint(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace aceward::ace::as
