// Which token of ours some octets claim to be. Proves nothing: the digest that the ledger keeps does.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "aceward/ace/as/ledger.h"
#include "aceward/base/bytes.h"
#include "aceward/base/secret.h"

namespace aceward::ace::as {

/// A key under which tokens may be encrypted.
struct TokenKeyView {
  const Secret* key = nullptr;
  BytesView kid;
};

/// What the outside of presented octets tells.
struct PresentedToken {
  enum class Kind : std::uint8_t { opaque, signed_cwt, encrypted_cwt };
  Kind kind = Kind::opaque;
  std::optional<Bytes> kid;  ///< of the header of an encrypted one
};

/// Nothing for octets that are none of the tokens that this authorization server makes: a reference token, or a CWT in
/// COSE_Sign1 or COSE_Encrypt0 with its tag, perhaps with tag 61 before it.
std::optional<PresentedToken> presented_token(BytesView token);

/// The number that stands in it. The signature is not verified: whoever asks has to compare the digest. An encrypted
/// token is decrypted under one of `keys`, of which `max_tried` whose kid fits are tried; nothing where none opens it.
inline constexpr std::size_t max_token_keys_tried = 4;
std::optional<TokenNumber> number_in_presented(BytesView token, const PresentedToken& presented,
                                               std::span<const TokenKeyView> keys);

}  // namespace aceward::ace::as
