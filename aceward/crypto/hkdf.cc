#include "aceward/crypto/hkdf.h"

#include <algorithm>

#include "aceward/crypto/mac.h"
#include "aceward/crypto/reasons.h"

namespace aceward::crypto {

Secret hkdf_extract(HashAlgorithm hash, BytesView salt, BytesView ikm) {
  // HMAC pads a short key with zeros, so an empty salt is the salt of zeros that section 2.2 asks for.
  return Secret(hmac(hash, salt, ikm));
}

Result<Secret> hkdf_expand(HashAlgorithm hash, BytesView prk, BytesView info, std::size_t length) {
  const std::size_t size = size_of(hash);
  if (length == 0 || length > 255 * size) return fail(reason::crypto_length_wrong, "hkdf output");
  if (prk.size() < size) return fail(reason::crypto_length_wrong, "hkdf prk");
  const auto mac = make_hmac(hash, prk);
  Bytes out(length);
  std::array<std::uint8_t, max_hash_size> block{};
  std::size_t block_used = 0;  // T(0) is empty
  std::uint8_t counter = 0;
  for (std::size_t done = 0; done < length; done += size) {
    ++counter;
    const BytesView parts[] = {BytesView(block).first(block_used), info, BytesView(&counter, 1)};
    mac->compute(parts, std::span(block).first(size));
    block_used = size;
    std::copy_n(block.begin(), std::min(size, length - done), out.begin() + static_cast<std::ptrdiff_t>(done));
  }
  wipe(block);
  return Secret(std::move(out));
}

Result<Secret> hkdf(HashAlgorithm hash, BytesView salt, BytesView ikm, BytesView info, std::size_t length) {
  const Secret prk = hkdf_extract(hash, salt, ikm);
  return hkdf_expand(hash, prk.expose(), info, length);
}

}  // namespace aceward::crypto
