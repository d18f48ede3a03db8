// What diagnostics call the members of ACE messages, tokens and keys, so that a trace reads like the figures of
// RFC 9200 and RFC 9202. Secrets are named as such and never shown.
#pragma once

#include <cstdint>
#include <string>

#include "aceward/base/bytes.h"
#include "aceward/cbor/names.h"

namespace aceward::ace {

/// What a CBOR item is taken for.
enum class Message : std::uint8_t {
  token_request,
  access_information,
  token_error,
  creation_hints,
  token,         ///< a CWT: COSE_Sign1, COSE_Mac0 or COSE_Encrypt0, with or without tag 61
  claims,        ///< the claims set of a CWT; also what names a key in a PSK identity (RFC 9202 figure 9)
  confirmation,  ///< a cnf map
  cose_key,
  cose_headers,  ///< a header map, protected or not
};

/// The names for one item of that kind. What label -1 of a COSE_Key means depends on its kty, so the item itself is
/// looked at; one that does not parse gets the names of an asymmetric key. The octets of `k`, `d`, client_secret and
/// the like are marked secret.
cbor::Names names_for(Message message, BytesView octets);

/// Which message a payload of Content-Format application/ace+cbor is: requests go to a token endpoint, successful
/// responses come from one, and of the others those with an `error` are token errors and those without are hints.
Message message_in_response(bool is_success, BytesView payload);

/// The item in diagnostic notation with its names, on one line or indented. Holds no secret.
std::string to_text(Message message, BytesView octets, bool indented = false);

}  // namespace aceward::ace
