// A client that obtains its access by itself (RFC 9200 section 4, RFC 9202 sections 2 to 4).
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "aceward/ace/client/exchange.h"
#include "aceward/ace/client/token_cache.h"
#include "aceward/ace/client/trust.h"
#include "aceward/ace/revocation/follower.h"
#include "aceward/coaps/client_stack.h"
#include "aceward/cose/key.h"

namespace aceward::ace::dtls {

/// How the client and an authorization server authenticate to each other.
struct AsPsk {
  Bytes identity;
  Secret key;
};
struct AsRawKey {
  cose::Key as_key;  ///< what the authorization server must prove to hold; the client uses its own raw key
};

struct AsCertificate {
  tls::CertificateChain chain;  ///< the client's own
  tls::ExpectedServer server;   ///< its raw public key, or its name under the authorities that vouch for it
};
/// The client says who it is in the request alone (RFC 6749 section 2.3.1); the channel proves the server.
struct AsSecret {
  std::string client_id;
  Secret secret;
  tls::ExpectedServer server;
};

struct AsAccess {
  client::AuthorizationServerEntry entry;
  std::variant<AsPsk, AsRawKey, AsCertificate, AsSecret> credentials;
  /// Its list of revoked tokens is followed while observations run under its tokens (RFC 9770); absent: it is not. Not
  /// with AsSecret either: the list is for whom the channel authenticates.
  std::optional<revocation::FollowerSettings> revocations = std::nullopt;
  /// Then also while there are none, as long as a token of it is held.
  bool follows_without_observations = false;
};

/// How a pre-shared-key token reaches the resource server (RFC 9202 section 3.3.2). A raw-key token is always uploaded.
enum class TokenTransport : std::uint8_t { authz_info, psk_identity };

struct ServerAccess {
  client::ServerEntry entry;
  std::size_t as = 0;  ///< index into AccessClientConfig::authorization_servers: the one that is allowed
  client::PopKind kind = client::PopKind::raw_public_key;
  TokenTransport transport = TokenTransport::authz_info;
  std::optional<Scope> scope;  ///< what to ask for; absent: what the hints suggest, else all that policy grants
  /// The server's public key, where its owner told it: used where the authorization server names none, which it does
  /// not for a group of servers (RFC 9201 section 3.2). A key that it does name must be this one.
  std::optional<cose::Key> server_key = std::nullopt;
};

struct AccessClientConfig {
  std::optional<cose::Key> key;  ///< the client's P-256 key pair; gets a kid if it has none
  std::vector<AsAccess> authorization_servers;
  std::vector<ServerAccess> servers;
  /// After 4.03 or 4.05 in a session: ask once for what was missing, and repeat the request.
  bool extend_rights = true;
  /// In the last fifth of its life, but not longer before its end than this, a token is renewed before it is used, and
  /// while an observation needs it. An authorization server that does not answer is waited for a moment alone: the old
  /// token goes on as long as it lives. 0: tokens are renewed when they have ended.
  std::chrono::seconds renew_before{60};
};

/// How far an operation got: for messages to people.
enum class Stage : std::uint8_t { probe, token, upload, access };
std::string_view name_of(Stage stage);

using OperationId = Strong<struct OperationIdTag, std::uint64_t>;

struct Operation {
  coap::Request request;  ///< with the URI options; sent as it is
  /// Whether an answer that came without DTLS may be the result: true for coap URIs, false for coaps ones.
  bool plain_answer_allowed = false;
  coap::Reliability reliability = coap::Reliability::automatic;
  std::chrono::nanoseconds timeout{std::chrono::seconds(90)};  ///< for all steps together
  /// An observation at the same server whose token this request takes over, to renew it or to end it (RFC 7641 sections
  /// 3.3.1 and 3.6): it is over then, as after cancel(). 0: none.
  OperationId renews{};
};

struct Completed {
  OperationId id;
  Stage stage = Stage::access;
  /// The resource's answer, also when it is an error. An Error where there is none: a reason of coap/, tls/ or
  /// ace/client.
  Result<coap::Response> result;
  /// With `as_refused`: what the authorization server said. Also beside a 4.03 or 4.05 that it would not mend.
  std::optional<ErrorResponse> refusal;
  /// With `token_refused`: the code that the resource server gave. With `as_refused`: that of the authorization server.
  std::optional<coap::Code> refused_with;
  /// With `approval_pending` and `as_refused`: when the authorization server wants to be asked again, if it says so.
  std::optional<std::chrono::seconds> retry_after = std::nullopt;
};

/// What a client keeps for a server, to be stored.
struct KeptToken {
  const client::HeldToken* token;  ///< may have ended, and be kept for its refresh token
  const std::optional<Scope>* asked;
  bool uploaded;
};

/// One notification of an operation whose request has Observe with value 0 (RFC 7641), the first response included.
struct Notified {
  OperationId id;
  coap::Response response;
  /// Orders the notifications of one registration: see coap::ResponseArrived.
  std::optional<std::uint64_t> order;
};

/// Sans-IO, on a ClientStack that it shares with nobody. Operations at one server are done one after the other, those
/// at several servers side by side; an observation goes on beside them once its first response has come.
///
/// A session on which a request was retransmitted twice without any answer gives way to a fresh one beside it, since
/// the server may have been restarted. A GET, a FETCH, or a request for a token is repeated there, and the first answer
/// counts. Anything else is not repeated: it goes on waiting on the old session, while the operations behind it use the
/// fresh one. An observation whose session is lost is registered again, and so is one that ends with 4.01, or with 4.03
/// or 4.05 because another token for the same key took the place of this one's. A token that meets a busy server
/// (4.29, 5.03) is uploaded again when the server said.
///
/// A token is renewed with its refresh token where it has one, else by a request that names its key; either way key and
/// session stay (RFC 9202 section 4). A token that the server does not know any more (4.01, or a handshake that it
/// refuses) is uploaded once more before another one is asked for. A server that proves another key than the token was
/// issued with leads to one request for a new token: it may have been given a new key.
///
/// A token that turns out to be revoked is dropped with its refresh token and its session, and observations under it
/// end with `held_token_revoked`: whether there is to be another one is for the user to say. A single request that is
/// under way asks for another one, which its authorization server grants or refuses. Where the list is followed, it is
/// read before an observation that ended with 4.01 is registered again with another token (RFC 9770 section 14.4).
/// Not thread-safe.
class AccessClient {
 public:
  /// `stack` and `random` outlive the client. Errors: those of tls::RawKeyPair::from_key.
  static Result<std::unique_ptr<AccessClient>> create(AccessClientConfig config, coaps::ClientStack& stack,
                                                      Random& random);
  ~AccessClient();

  /// The server whose plain or secure address it is. Errors: `server_unknown`.
  Result<std::size_t> server_at(const Address& address) const;

  /// Queues a request. Exactly one Completed follows.
  OperationId submit(std::size_t server, Operation operation, Instant now);
  /// Gets a token (anew) and does nothing with it: `token()` has it once Completed has come with 2.01.
  OperationId obtain_token(std::size_t server, std::chrono::nanoseconds timeout, Instant now);

  /// Takes what the stack has; call it after the stack has received or timed out.
  void pump(Instant now);
  std::optional<Completed> next_completed();
  /// Before the operation's Completed, which comes when the observation ends: with the server's last response, or with
  /// the error that kept it from being registered again.
  std::optional<Notified> next_notification();
  /// Forgets an operation: nothing follows, not even Completed. What it did at the server stays done; the next
  /// notification of an observation is answered with a Reset (RFC 7641 section 3.6).
  void cancel(OperationId id, Instant now);
  /// Of the operations' time-outs; the stack has its own.
  std::optional<Instant> next_timeout() const;
  /// When on_timeout() renews the token of an observation, or looks at a list of revoked tokens. For whoever waits for
  /// operations alone this is no reason to wait.
  std::optional<Instant> next_renewal() const;
  void on_timeout(Instant now);

  /// The token for a server; null without one.
  const client::HeldToken* token(std::size_t server) const;
  /// What is worth keeping beyond this program's end; nothing without a token or a refresh token.
  std::optional<KeptToken> kept(std::size_t server) const;
  /// Another number whenever kept() says something else than before.
  std::uint64_t revision(std::size_t server) const;
  /// What a stored token must be bound to.
  client::CacheBinding cache_binding(std::size_t server) const;
  /// Takes a stored token over, in the place of any other. False, and nothing happens: it is not for what the
  /// configuration wants now (kind of key, key of the server, scope), it has ended and cannot be refreshed, or it is
  /// known to be revoked.
  bool restore(std::size_t server, client::CachedToken cached, Instant now);
  /// Ends the tokens with this hash (token_hash.h), their sessions and the observations under them. For who learns of
  /// it elsewhere than from the followed list. False: there is none.
  bool forget_revoked(BytesView token_hash, Instant now);
  /// What is known of the list of an authorization server (index into AccessClientConfig); null where it is not
  /// followed.
  const revocation::Follower* follower(std::size_t as) const;
  /// The session with a server; 0 without one.
  std::uint64_t session(std::size_t server) const;
  /// Closes the sessions with a server and with its authorization server; the token is kept.
  void close_session(std::size_t server, Instant now);
  /// Forgets the token and closes the session.
  void forget(std::size_t server, Instant now);
  /// From the next request for a token on.
  void set_scope(std::size_t server, std::optional<Scope> scope);

 private:
  struct State;
  explicit AccessClient(std::unique_ptr<State> state);
  void take_events(Instant now);
  std::unique_ptr<State> state_;
};

}  // namespace aceward::ace::dtls
