#include "aceward/ace/params/token_hash.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "aceward/crypto/hash.h"

namespace aceward::ace {

namespace {

constexpr std::uint8_t sha256_suite = 1;  // RFC 6920 section 9.4

/// RFC 4648 section 5, without padding.
std::string base64url(BytesView octets) {
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string text;
  text.reserve((octets.size() * 4 + 2) / 3);
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (const std::uint8_t octet : octets) {
    bits = (bits << 8 | octet) & 0xffffU;
    held += 8;
    while (held >= 6) {
      held -= 6;
      text.push_back(alphabet[bits >> held & 0x3fU]);
    }
  }
  if (held != 0) text.push_back(alphabet[bits << (6 - held) & 0x3fU]);
  return text;
}

}  // namespace

Bytes token_hash(BytesView access_token) {
  const auto digest = crypto::sha256(as_bytes(base64url(access_token)));
  Bytes hash{sha256_suite};
  hash.insert(hash.end(), digest.begin(), digest.end());
  return hash;
}

Bytes token_digest(BytesView token) {
  const auto digest = crypto::sha256(token);
  return {digest.begin(), digest.end()};
}

}  // namespace aceward::ace
