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

/// A token with what is needed to use it. Move-only: holds the symmetric key.
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

  bool usable_at(Instant now) const { return now < expires_at; }
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
};

/// The request to the token endpoint, its Uri-Path not included. `own_key` is the client's raw key, with a kid.
/// Errors: `client_key_missing`.
Result<coap::Request> token_request(const Wish& wish, const cose::Key* own_key);

/// Reads the answer to `wish`. `previous` is the token that an update replaces: its keys stay valid where the answer
/// does not repeat them. A token of which nobody can say when it ends is not used (RFC 9200 section 5.10.4). Errors:
/// `as_refused` (with `refusal` filled in), `as_answer_malformed`, `as_answer_unusable`.
Result<HeldToken> read_token_response(const coap::Response& response, const Wish& wish, const cose::Key* own_key,
                                      const HeldToken* previous, Instant now, std::optional<ErrorResponse>& refusal);

/// Both scopes together, where they have one format; else `wanted`.
Scope widened(const std::optional<Scope>& held, const Scope& wanted);

}  // namespace aceward::ace::client
