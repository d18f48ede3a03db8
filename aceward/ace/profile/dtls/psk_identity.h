// The psk_identity of a DTLS handshake: which access token the client means (RFC 9202 section 3.3.2).
#pragma once

#include <variant>

#include "aceward/base/bytes.h"
#include "aceward/base/result.h"

namespace aceward::ace::dtls {

/// The client means a token that it has uploaded before:
///
///   psk-identity = { 8 => { 1 => { 1 => 4, 2 => bstr } } }    ; cnf: COSE_Key: kty Symmetric, kid
struct KidIdentity {
  Bytes kid;
  friend bool operator==(const KidIdentity&, const KidIdentity&) = default;
};

/// The identity is the access token itself, exactly as the AS gave it. Not verified.
struct TokenIdentity {
  Bytes token;
  friend bool operator==(const TokenIdentity&, const TokenIdentity&) = default;
};

/// RFC 9202 figure 9, in deterministic CBOR. For the other form the identity is the token, octet by octet.
Bytes serialize_kid_identity(BytesView kid);

/// A map must be that of KidIdentity and hold nothing else; the order of its keys is free. One well-formed CBOR array,
/// tagged or not, is taken for a token, to be verified like any other. No more than 16384 octets, nothing after the
/// item. Errors: `psk_identity_malformed`.
Result<std::variant<KidIdentity, TokenIdentity>> parse_psk_identity(BytesView identity);

}  // namespace aceward::ace::dtls
