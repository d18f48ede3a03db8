// A token's number as octets: in `cti`, and in the tokens that mean something to the authorization server alone.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "aceward/ace/as/ledger.h"
#include "aceward/base/random.h"

namespace aceward::ace::as {

inline constexpr std::size_t token_number_size = 8;
/// A reference token or a refresh token: the number, then random octets that nobody can guess.
inline constexpr std::size_t opaque_token_size = token_number_size + 16;

/// 8 octets in network byte order: the `cti` of a token with `exp`.
inline Bytes octets_of(TokenNumber number) {
  Bytes octets(token_number_size);
  for (std::size_t i = 0; i < octets.size(); ++i)
    octets[i] = static_cast<std::uint8_t>(static_cast<std::uint64_t>(number.value) >> (8 * (octets.size() - 1 - i)));
  return octets;
}

/// The `cti` of a token with `exi`: the audience, which names the resource server, then the number (RFC 9200 section
/// 5.10.3). The numbers of one server's tokens grow, with gaps.
inline Bytes sequence_octets_of(std::string_view audience, TokenNumber number) {
  Bytes octets = to_bytes(audience);
  const Bytes sequence = octets_of(number);
  octets.insert(octets.end(), sequence.begin(), sequence.end());
  return octets;
}

/// The number in the last 8 octets of a `cti`; nothing where it is shorter, or where no number of ours stands there.
inline std::optional<TokenNumber> number_in(BytesView cti) {
  if (cti.size() < token_number_size) return std::nullopt;
  std::uint64_t value = 0;
  for (const std::uint8_t octet : cti.last(token_number_size)) value = value << 8 | octet;
  if (value == 0 || value > static_cast<std::uint64_t>(INT64_MAX)) return std::nullopt;
  return TokenNumber(static_cast<std::int64_t>(value));
}

/// A new reference token or refresh token. Only its SHA-256 is kept (IssuedToken::token_digest, refresh_digest).
inline Bytes make_opaque_token(TokenNumber number, Random& random) {
  Bytes octets = octets_of(number);
  const Bytes secret = random.bytes(opaque_token_size - token_number_size);
  octets.insert(octets.end(), secret.begin(), secret.end());
  return octets;
}

/// The number that an opaque token names; nothing for octets of another length. Proves nothing: the digest does.
inline std::optional<TokenNumber> number_in_opaque(BytesView token) {
  if (token.size() != opaque_token_size) return std::nullopt;
  return number_in(token.first(token_number_size));
}

}  // namespace aceward::ace::as
