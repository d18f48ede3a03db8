#include "aceward/ace/token/client_nonces.h"

#include <cstdint>

#include "aceward/base/secret.h"
#include "aceward/crypto/mac.h"

namespace aceward::ace {
namespace {

constexpr std::size_t time_octets = 8;
constexpr std::size_t nonce_key_octets = 32;

}  // namespace

ClientNonces::ClientNonces(std::chrono::seconds lifetime, Random& random) : lifetime_(lifetime) {
  const Secret key(random.bytes(nonce_key_octets));
  mac_ = crypto::make_hmac(crypto::HashAlgorithm::sha256, key.expose());
}
ClientNonces::~ClientNonces() = default;

Bytes ClientNonces::give(WallTime now) const {
  Bytes nonce(size);
  auto seconds = static_cast<std::uint64_t>(now.time_since_epoch().count());
  for (std::size_t i = time_octets; i-- > 0; seconds >>= 8) nonce[i] = static_cast<std::uint8_t>(seconds);
  mac_->compute(BytesView(nonce).first(time_octets), std::span(nonce).subspan(time_octets));
  return nonce;
}

std::optional<WallTime> ClientNonces::given_at(BytesView nonce, WallTime now) const {
  if (nonce.size() != size) return std::nullopt;
  if (!mac_->verify(nonce.first(time_octets), nonce.subspan(time_octets), size - time_octets)) return std::nullopt;
  std::uint64_t seconds = 0;
  for (const std::uint8_t octet : nonce.first(time_octets)) seconds = seconds << 8 | octet;
  const WallTime given(std::chrono::seconds(static_cast<std::int64_t>(seconds)));
  if (given > now || now - given >= lifetime_) return std::nullopt;
  return given;
}

}  // namespace aceward::ace
