#include "aceward/crypto/key.h"

#include <openssl/obj_mac.h>
#include <sodium.h>

#include <algorithm>

#include "aceward/crypto/openssl/curve.h"
#include "aceward/crypto/reasons.h"

namespace aceward::crypto {

namespace openssl {

const EC_GROUP* p256_group() {
  static const Group group(EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1));
  require(group != nullptr, "P-256");
  return group.get();
}

Point p256_point(BytesView encoded) {
  const ErrorScope errors;
  Point point(EC_POINT_new(p256_group()));
  require(point != nullptr, "P-256 point");
  // Checks the range of the coordinates and the curve's equation; the cofactor is 1.
  if (EC_POINT_oct2point(p256_group(), point.get(), encoded.data(), encoded.size(), nullptr) != 1 ||
      EC_POINT_is_at_infinity(p256_group(), point.get()) != 0) {
    return nullptr;
  }
  return point;
}

void p256_coordinates(const EC_POINT* point, std::span<std::uint8_t, 64> xy) {
  std::array<std::uint8_t, 65> encoded{};
  require(EC_POINT_point2oct(p256_group(), point, POINT_CONVERSION_UNCOMPRESSED, encoded.data(), encoded.size(),
                             nullptr) == encoded.size(),
          "P-256 encoding");
  std::copy(encoded.begin() + 1, encoded.end(), xy.begin());
  wipe(encoded);
}

void prepare_sodium() {
  static const bool ready = sodium_init() >= 0;
  require(ready, "libsodium");
}

}  // namespace openssl

namespace {

constexpr std::size_t key_size = 32;

// A scalar in [1, n-1], or null.
openssl::Number p256_scalar(BytesView d) {
  openssl::Number scalar(BN_secure_new());
  openssl::require(scalar && BN_bin2bn(d.data(), static_cast<int>(d.size()), scalar.get()) != nullptr, "scalar");
  BN_set_flags(scalar.get(), BN_FLG_CONSTTIME);
  if (BN_is_zero(scalar.get()) || BN_cmp(scalar.get(), EC_GROUP_get0_order(openssl::p256_group())) >= 0) {
    return nullptr;
  }
  return scalar;
}

Result<std::array<std::uint8_t, 64>> p256_public_octets(BytesView d) {
  const auto scalar = p256_scalar(d);
  if (!scalar) return fail(reason::crypto_key_invalid, "scalar out of range");
  const openssl::Point point(EC_POINT_new(openssl::p256_group()));
  openssl::require(
      point && EC_POINT_mul(openssl::p256_group(), point.get(), scalar.get(), nullptr, nullptr, nullptr) == 1,
      "P-256 public key");
  std::array<std::uint8_t, 64> xy{};
  openssl::p256_coordinates(point.get(), xy);
  return xy;
}

}  // namespace

PublicKey::PublicKey(Curve curve, BytesView x, BytesView y) : curve_(curve) {
  std::copy(x.begin(), x.end(), octets_.begin());
  std::copy(y.begin(), y.end(), octets_.begin() + 32);
}

Result<PublicKey> PublicKey::p256(BytesView x, BytesView y) {
  if (x.size() != key_size || y.size() != key_size) return fail(reason::crypto_length_wrong, "P-256 coordinate");
  std::array<std::uint8_t, 65> encoded{0x04};
  std::copy(x.begin(), x.end(), encoded.begin() + 1);
  std::copy(y.begin(), y.end(), encoded.begin() + 33);
  if (!openssl::p256_point(encoded)) return fail(reason::crypto_key_invalid, "point not on P-256");
  return PublicKey(Curve::p256, x, y);
}

Result<PublicKey> PublicKey::p256_compressed(BytesView x, bool y_is_odd) {
  if (x.size() != key_size) return fail(reason::crypto_length_wrong, "P-256 coordinate");
  std::array<std::uint8_t, 33> encoded{static_cast<std::uint8_t>(y_is_odd ? 0x03 : 0x02)};
  std::copy(x.begin(), x.end(), encoded.begin() + 1);
  const auto point = openssl::p256_point(encoded);
  if (!point) return fail(reason::crypto_key_invalid, "point not on P-256");
  std::array<std::uint8_t, 64> xy{};
  openssl::p256_coordinates(point.get(), xy);
  return PublicKey(Curve::p256, BytesView(xy).first(32), BytesView(xy).last(32));
}

Result<PublicKey> PublicKey::ed25519(BytesView x) {
  if (x.size() != key_size) return fail(reason::crypto_length_wrong, "Ed25519 public key");
  openssl::prepare_sodium();
  if (crypto_core_ed25519_is_valid_point(x.data()) != 1) return fail(reason::crypto_key_invalid, "Ed25519 point");
  return PublicKey(Curve::ed25519, x, {});
}

Result<PublicKey> PublicKey::x25519(BytesView u) {
  if (u.size() != key_size) return fail(reason::crypto_length_wrong, "X25519 public key");
  return PublicKey(Curve::x25519, u, {});
}

Result<PrivateKey> PrivateKey::generate(Curve curve, Random& random) {
  std::array<std::uint8_t, key_size> d{};
  // For P-256 a draw falls outside [1, n-1] once in four thousand million; many in a row are a broken source.
  for (int attempt = 0; attempt < 64; ++attempt) {
    random.fill(d);
    auto key = from_octets(curve, d);
    wipe(d);
    if (key) return key;
  }
  return fail(reason::crypto_failed, "key generation");
}

Result<PrivateKey> PrivateKey::from_octets(Curve curve, BytesView d) {
  if (d.size() != key_size) return fail(reason::crypto_length_wrong, "private key");
  switch (curve) {
    case Curve::p256: {
      const auto xy = ACEWARD_TRY(p256_public_octets(d));
      return PrivateKey(Secret::copy_of(d), PublicKey(curve, BytesView(xy).first(32), BytesView(xy).last(32)));
    }
    case Curve::ed25519: {
      openssl::prepare_sodium();
      std::array<std::uint8_t, crypto_sign_PUBLICKEYBYTES> x{};
      std::array<std::uint8_t, crypto_sign_SECRETKEYBYTES> expanded{};
      crypto_sign_seed_keypair(x.data(), expanded.data(), d.data());
      wipe(expanded);
      return PrivateKey(Secret::copy_of(d), PublicKey(curve, x, {}));
    }
    case Curve::x25519: {
      openssl::prepare_sodium();
      std::array<std::uint8_t, crypto_scalarmult_BYTES> u{};
      if (crypto_scalarmult_base(u.data(), d.data()) != 0) return fail(reason::crypto_key_invalid, "X25519 scalar");
      return PrivateKey(Secret::copy_of(d), PublicKey(curve, u, {}));
    }
  }
  return fail(reason::crypto_key_unsuitable, "curve");
}

Result<Secret> ecdh(const PrivateKey& own, const PublicKey& peer) {
  if (own.curve() != peer.curve()) return fail(reason::crypto_key_unsuitable, "curves differ");
  switch (own.curve()) {
    case Curve::p256: {
      std::array<std::uint8_t, 65> encoded{0x04};
      std::copy(peer.x().begin(), peer.x().end(), encoded.begin() + 1);
      std::copy(peer.y().begin(), peer.y().end(), encoded.begin() + 33);
      const auto point = openssl::p256_point(encoded);
      const auto scalar = p256_scalar(own.d().expose());
      const openssl::SecretPoint shared(EC_POINT_new(openssl::p256_group()));
      openssl::require(point && scalar && shared, "P-256 agreement");
      // n is prime and the peer's point is not infinity, so neither is the product.
      openssl::require(
          EC_POINT_mul(openssl::p256_group(), shared.get(), nullptr, point.get(), scalar.get(), nullptr) == 1,
          "P-256 agreement");
      std::array<std::uint8_t, 64> xy{};
      openssl::p256_coordinates(shared.get(), xy);
      Secret x = Secret::copy_of(BytesView(xy).first(32));
      wipe(xy);
      return x;
    }
    case Curve::x25519: {
      openssl::prepare_sodium();
      Bytes shared(crypto_scalarmult_BYTES);
      // Fails when the result is all zero, which is the check of RFC 7748 section 6.1.
      if (crypto_scalarmult(shared.data(), own.d().expose().data(), peer.x().data()) != 0) {
        return fail(reason::crypto_key_invalid, "low-order point");
      }
      return Secret(std::move(shared));
    }
    case Curve::ed25519: break;
  }
  return fail(reason::crypto_key_unsuitable, "signature key in an agreement");
}

}  // namespace aceward::crypto
