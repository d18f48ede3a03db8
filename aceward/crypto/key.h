// Asymmetric keys as values, without a library's handle in them.
#pragma once

#include <array>
#include <cstdint>

#include "aceward/base/bytes.h"
#include "aceward/base/random.h"
#include "aceward/base/secret.h"

namespace aceward::crypto {

enum class Curve : std::uint8_t { p256, ed25519, x25519 };

/// A public key that has been checked: a P-256 point lies on the curve and is not infinity, an Ed25519 point is
/// canonical, on the curve and of the prime-order group. Any 32 octets are an X25519 key (RFC 7748 section 5); a
/// low-order one is refused by the key agreement. Copyable; safe to read from several threads.
class PublicKey {
 public:
  /// Big-endian coordinates of exactly 32 octets. Errors: `crypto_length_wrong`, `crypto_key_invalid`.
  static Result<PublicKey> p256(BytesView x, BytesView y);
  /// The x coordinate and the sign of y (SEC 1 section 2.3.4).
  static Result<PublicKey> p256_compressed(BytesView x, bool y_is_odd);
  /// When only x is known (EDHOC's G_X, RFC 9528 section 3.7): either y does for a key agreement, the even is taken.
  static Result<PublicKey> p256_x_only(BytesView x) { return p256_compressed(x, false); }
  static Result<PublicKey> ed25519(BytesView x);
  static Result<PublicKey> x25519(BytesView u);

  Curve curve() const { return curve_; }
  /// 32 octets: the x coordinate of P-256, or the encoded point of the others. Lives as long as this object.
  BytesView x() const { return BytesView(octets_).first(32); }
  /// 32 octets for P-256, empty for the others.
  BytesView y() const { return curve_ == Curve::p256 ? BytesView(octets_).last(32) : BytesView(); }
  bool y_is_odd() const { return curve_ == Curve::p256 && (octets_[63] & 1) != 0; }

  friend bool operator==(const PublicKey&, const PublicKey&) = default;

 private:
  friend class PrivateKey;
  PublicKey(Curve curve, BytesView x, BytesView y);

  Curve curve_;
  std::array<std::uint8_t, 64> octets_{};
};

/// A private key with its public key. Copying is explicit.
class PrivateKey {
 public:
  /// A fresh key drawn from `random`, the same for the same octets drawn. Errors: `crypto_failed`.
  static Result<PrivateKey> generate(Curve curve, Random& random);
  /// `d` has 32 octets: P-256's scalar in [1, n-1], big-endian (RFC 9053 section 7.1.1); Ed25519's seed (RFC 8032
  /// section 5.1.5); X25519's scalar before clamping. The public key is computed.
  /// Errors: `crypto_length_wrong`, `crypto_key_invalid`.
  static Result<PrivateKey> from_octets(Curve curve, BytesView d);

  PrivateKey clone() const { return {d_.clone(), public_key_}; }
  Curve curve() const { return public_key_.curve(); }
  const PublicKey& public_key() const { return public_key_; }
  const Secret& d() const { return d_; }

 private:
  PrivateKey(Secret d, const PublicKey& public_key) : d_(std::move(d)), public_key_(public_key) {}

  Secret d_;
  PublicKey public_key_;
};

/// The shared secret of a Diffie-Hellman agreement, 32 octets: P-256's x coordinate or X25519's output.
/// Errors: `crypto_key_unsuitable` (curves differ or cannot), `crypto_key_invalid` (low-order point, RFC 7748
/// section 6.1).
Result<Secret> ecdh(const PrivateKey& own, const PublicKey& peer);

}  // namespace aceward::crypto
