// What a client asks the token endpoint for, and what it makes of the answer (RFC 9200 sections 5.8.1 and 5.8.2,
// RFC 9202 sections 3.2.1 and 3.3.1).
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "aceward/ace/params/access_information.h"
#include "aceward/ace/params/token_request.h"
#include "aceward/base/time.h"
#include "aceward/coap/layer.h"
#include "aceward/cose/key.h"

namespace aceward::ace::client {

enum class PopKind : std::uint8_t {
  raw_public_key,  ///< the client's own key pair
  pre_shared_key,  ///< a symmetric key that the authorization server makes
};

/// A token with what is needed to use it. Move-only: holds the symmetric key and the refresh token.
struct HeldToken {
  Bytes access_token;
  PopKind kind = PopKind::raw_public_key;
  std::optional<cose::Key> psk;     ///< pre_shared_key: with its kid
  std::optional<cose::Key> rs_key;  ///< raw_public_key: what the resource server must prove to hold
  std::optional<Scope> scope;       ///< what was granted, where known
  Instant expires_at;               ///< by the client's own clock; so do its keys (RFC 9200 section 5.10.4)
  std::optional<std::uint64_t> expires_in;

  /// `kid` of the proof-of-possession key, for an update (RFC 9202 section 4); empty: none.
  Bytes key_id;

  /// Gets the next token for the same key and audience without a new grant (RFC 6749 section 6, RFC 9200 section
  /// 5.8.1). For the authorization server alone.
  std::optional<Secret> refresh_token;
  Instant obtained_at;

  bool usable_at(Instant now) const { return now < expires_at; }
  /// From when on a new one is worth asking for: the last fifth of its life, at most `at_most`.
  Instant renew_at(std::chrono::nanoseconds at_most) const;
};

/// What to ask for.
struct Wish {
  std::string audience;
  std::optional<Scope> scope;
  std::optional<Bytes> cnonce;
  PopKind kind = PopKind::raw_public_key;
  /// The key of a running session, to widen its rights without a new one (RFC 9202 section 4).
  std::optional<Bytes> update_key_id;
  /// The lifetime of a token whose answer has no expires_in, as agreed with the authorization server.
  std::optional<std::chrono::seconds> default_lifetime;
  /// The refresh token of the token that is to be renewed. Key and audience are those of that token (RFC 9200 section
  /// 5.8.1), and so is the scope: neither is sent.
  std::optional<Secret> refresh_token = std::nullopt;
  /// The authorization server is to say which profile the token is for (RFC 9200 section 5.8.4.3); it must, then.
  bool ask_profile = false;
  /// How the client authenticates where the channel does not do it (RFC 6749 section 2.3.1).
  std::string client_id = {};
  std::optional<Secret> client_secret = std::nullopt;
  /// The resource server's public key as its owner configured it; null: the authorization server tells it. Outlives
  /// the wish.
  const cose::Key* server_key = nullptr;
};

/// The request to the token endpoint, its Uri-Path not included. `own_key` is the client's raw key, with a kid.
/// Errors: `client_key_missing`.
Result<coap::Request> token_request(const Wish& wish, const cose::Key* own_key);

/// Reads the answer to `wish`. `previous` is the token that an update replaces: its keys stay valid where the answer
/// does not repeat them, and its refresh token where a refresh brings no other (RFC 6749 section 6). A token of which
/// nobody can say when it ends is not used (RFC 9200 section 5.10.4). The key of the resource server is that of
/// `rs_cnf`; where that is absent (RFC 9201 section 3.2: the client can authenticate the server without it) it is the
/// configured one, then that of `previous`. Where there are both, configuration and authorization server must agree.
/// Errors: `as_refused` (with `refusal` filled in), `approval_pending`, `as_answer_malformed`, `as_answer_unusable`,
/// `server_key_conflict`.
Result<HeldToken> read_token_response(const coap::Response& response, const Wish& wish, const cose::Key* own_key,
                                      const HeldToken* previous, Instant now, std::optional<ErrorResponse>& refusal);

/// In how long the authorization server wants to be asked again: Max-Age of 5.03 (RFC 7252 section 5.9.3.4) and of 4.29
/// (RFC 8516). Empty: it does not say.
std::optional<std::chrono::seconds> retry_after(const coap::Response& response);

/// The path of the authz-info endpoint in a server's list of resources: the first link with the resource type `ace.ai`
/// (RFC 9200 section 8.1) that stays at the server, without the first slash. Empty: there is none.
std::optional<std::string> authz_info_in(const coap::Response& response);

/// Both scopes together, where they have one format; else `wanted`.
Scope widened(const std::optional<Scope>& held, const Scope& wanted);

}  // namespace aceward::ace::client
