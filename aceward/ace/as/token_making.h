// From a decision to a token: the claims, their protection, the key, what the client hears and what the ledger keeps
// (RFC 9200 sections 5.8.2 and 6.1, RFC 9201 section 3.2, RFC 9202 sections 3.2.1 and 3.3.1).
#pragma once

#include <chrono>
#include <string>

#include "aceward/ace/as/ledger.h"
#include "aceward/ace/as/token_decision.h"
#include "aceward/base/random.h"
#include "aceward/base/result.h"
#include "aceward/coap/layer.h"
#include "aceward/cose/usable_key.h"

namespace aceward::ace::as {

struct MadeToken {
  IssuedToken record;
  coap::Response response;  ///< for when the record is durable
};

/// What the tokens of one authorization server have in common.
struct TokenMaker {
  const std::string& issuer;  ///< empty: no `iss`
  const cose::SigningKey& signing_key;
  Random& random;
  std::chrono::seconds arrival_allowance;

  /// `number` is the ledger's; `now` counts for the times, `issued_at` for `iat` alone.
  ///
  /// - One server with TokenProtection::reference: 24 opaque octets; the server gets the key by introspection.
  /// - A new symmetric key where the servers have a derivation key: the token names it alone, and is signed or
  ///   encrypted as the server is registered. The same key once more (a kid, a refresh): by value and encrypted where
  ///   there is a token key, else named, for a server that still knows it.
  /// - Any other symmetric key: in the token, which is encrypted; for several servers signed within, under a token key
  ///   that all of them have.
  /// - A public key: signed, or encrypted where the one server is registered so; for several servers always signed.
  /// Errors: `server_public_key_missing`, `server_token_key_missing`, `server_derivation_key_unusable`,
  /// `token_not_made`.
  Result<MadeToken> make(Grant grant, TokenNumber number, WallTime now, WallTime issued_at) const;
};

}  // namespace aceward::ace::as
