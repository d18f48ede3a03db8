#include "aceward/crypto/encoding.h"

#include <openssl/core_names.h>
#include <openssl/x509.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <optional>

#include "aceward/crypto/openssl/curve.h"
#include "aceward/crypto/reasons.h"

namespace aceward::crypto {

namespace {

using Pkcs8 = std::unique_ptr<PKCS8_PRIV_KEY_INFO, openssl::Deleter<PKCS8_PRIV_KEY_INFO_free>>;

// Each encoding has a fixed length, so DER's one form for a key is a fixed prefix and the key's octets.
constexpr std::array<std::uint8_t, 27> spki_p256{0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                                 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                                 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04};
constexpr std::array<std::uint8_t, 26> spki_p256_compressed{0x30, 0x39, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                                            0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                                            0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x22, 0x00};
constexpr std::array<std::uint8_t, 12> spki_ed25519{0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
                                                    0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
constexpr std::array<std::uint8_t, 12> spki_x25519{0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
                                                   0x2b, 0x65, 0x6e, 0x03, 0x21, 0x00};
constexpr std::array<std::uint8_t, 36> pkcs8_p256{
    0x30, 0x81, 0x87, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
    0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x04, 0x6d, 0x30, 0x6b, 0x02, 0x01, 0x01, 0x04, 0x20};
constexpr std::array<std::uint8_t, 6> pkcs8_p256_public{0xa1, 0x44, 0x03, 0x42, 0x00, 0x04};
constexpr std::array<std::uint8_t, 16> pkcs8_ed25519{0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06,
                                                     0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20};
constexpr std::array<std::uint8_t, 16> pkcs8_x25519{0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06,
                                                    0x03, 0x2b, 0x65, 0x6e, 0x04, 0x22, 0x04, 0x20};

constexpr std::string_view public_label = "PUBLIC KEY";
constexpr std::string_view private_label = "PRIVATE KEY";
// Far above any key of ours; bounds what a file may make us hold.
constexpr std::size_t pem_limit = 65536;

void append(Bytes& out, BytesView more) { out.insert(out.end(), more.begin(), more.end()); }

// What follows `prefix`, if `der` is that and `size` octets.
std::optional<BytesView> after_prefix(BytesView der, BytesView prefix, std::size_t size) {
  if (der.size() != prefix.size() + size || !equal(der.first(prefix.size()), prefix)) return std::nullopt;
  return der.last(size);
}

// Is it one SEQUENCE with its whole length? Then it is another key than ours, rather than no key at all.
bool is_der_sequence(BytesView der) {
  const std::uint8_t* at = der.data();
  long length = 0;
  int tag = 0;
  int tag_class = 0;
  if (der.empty() || der.size() > pem_limit) return false;
  const openssl::ErrorScope errors;
  const int result = ASN1_get_object(&at, &length, &tag, &tag_class, static_cast<long>(der.size()));
  return (result & 0x80) == 0 && result != 0x21 && tag == V_ASN1_SEQUENCE && tag_class == V_ASN1_UNIVERSAL &&
         at + length == der.data() + der.size();
}

void armor(std::span<const std::uint8_t> der, std::string_view label, Bytes& out) {
  openssl::prepare_sodium();
  Bytes base64(sodium_base64_ENCODED_LEN(der.size(), sodium_base64_VARIANT_ORIGINAL));
  sodium_bin2base64(reinterpret_cast<char*>(base64.data()), base64.size(), der.data(), der.size(),
                    sodium_base64_VARIANT_ORIGINAL);
  const BytesView digits = BytesView(base64).first(base64.size() - 1);  // without the zero at the end
  const auto line = [&](std::string_view text) { append(out, as_bytes(text)); };
  // Reserved whole: a vector that grows would leave a copy of a private key behind.
  out.reserve(digits.size() + digits.size() / 64 + 1 + 2 * label.size() + 40);
  line("-----BEGIN ");
  line(label);
  line("-----\n");
  for (std::size_t at = 0; at < digits.size(); at += 64) {
    append(out, digits.subspan(at, std::min<std::size_t>(64, digits.size() - at)));
    line("\n");
  }
  line("-----END ");
  line(label);
  line("-----\n");
  wipe(base64);
}

Result<Secret> unarmor(std::string_view pem, std::string_view label) {
  if (pem.size() > pem_limit) return fail(reason::crypto_encoding_malformed, "PEM too large");
  const std::string begin = "-----BEGIN " + std::string(label) + "-----";
  const std::string end = "-----END " + std::string(label) + "-----";
  const std::size_t start = pem.find(begin);
  if (start == std::string_view::npos) return fail(reason::crypto_encoding_malformed, "PEM begin line");
  const std::size_t body = start + begin.size();
  const std::size_t stop = pem.find(end, body);
  if (stop == std::string_view::npos) return fail(reason::crypto_encoding_malformed, "PEM end line");
  const std::string_view digits = pem.substr(body, stop - body);
  // An empty vector has no data() that could be handed on.
  if (digits.empty()) return fail(reason::crypto_encoding_malformed, "PEM base64");
  openssl::prepare_sodium();
  Bytes der(digits.size());
  std::size_t length = 0;
  const char* last = nullptr;
  if (sodium_base642bin(der.data(), der.size(), digits.data(), digits.size(), " \t\r\n", &length, &last,
                        sodium_base64_VARIANT_ORIGINAL) != 0 ||
      last != digits.data() + digits.size()) {
    wipe(der);
    return fail(reason::crypto_encoding_malformed, "PEM base64");
  }
  Secret out = Secret::copy_of(BytesView(der).first(length));
  wipe(der);
  return out;
}

}  // namespace

Bytes spki_der(const PublicKey& key) {
  Bytes out;
  switch (key.curve()) {
    case Curve::p256:
      append(out, spki_p256);
      append(out, key.x());
      append(out, key.y());
      break;
    case Curve::ed25519:
      append(out, spki_ed25519);
      append(out, key.x());
      break;
    case Curve::x25519:
      append(out, spki_x25519);
      append(out, key.x());
      break;
  }
  return out;
}

Result<PublicKey> public_key_from_spki(BytesView der) {
  if (const auto point = after_prefix(der, spki_p256, 64)) return PublicKey::p256(point->first(32), point->last(32));
  if (const auto point = after_prefix(der, spki_p256_compressed, 33)) {
    const std::uint8_t form = point->front();
    if (form != 0x02 && form != 0x03) return fail(reason::crypto_encoding_malformed, "point form");
    return PublicKey::p256_compressed(point->last(32), form == 0x03);
  }
  if (const auto x = after_prefix(der, spki_ed25519, 32)) return PublicKey::ed25519(*x);
  if (const auto u = after_prefix(der, spki_x25519, 32)) return PublicKey::x25519(*u);
  if (is_der_sequence(der)) return fail(reason::crypto_key_unsuitable, "SPKI of another kind of key");
  return fail(reason::crypto_encoding_malformed, "SPKI");
}

Secret pkcs8_der(const PrivateKey& key) {
  Bytes out;
  out.reserve(pkcs8_p256.size() + 32 + pkcs8_p256_public.size() + 64);
  const BytesView d = key.d().expose();
  switch (key.curve()) {
    case Curve::p256:
      append(out, pkcs8_p256);
      append(out, d);
      append(out, pkcs8_p256_public);
      append(out, key.public_key().x());
      append(out, key.public_key().y());
      break;
    case Curve::ed25519:
      append(out, pkcs8_ed25519);
      append(out, d);
      break;
    case Curve::x25519:
      append(out, pkcs8_x25519);
      append(out, d);
      break;
  }
  return Secret(std::move(out));
}

Result<PrivateKey> private_key_from_pkcs8(BytesView der) {
  if (der.empty() || der.size() > pem_limit) return fail(reason::crypto_encoding_malformed, "PKCS#8");
  const openssl::ErrorScope errors;
  // Unlike SPKI, this has optional parts that producers fill differently (RFC 5958, RFC 5915): OpenSSL reads them.
  const std::uint8_t* at = der.data();
  const Pkcs8 info(d2i_PKCS8_PRIV_KEY_INFO(nullptr, &at, static_cast<long>(der.size())));
  if (!info || at != der.data() + der.size()) return fail(reason::crypto_encoding_malformed, "PKCS#8");
  const openssl::KeyHandle handle(EVP_PKCS82PKEY(info.get()));
  if (!handle) return fail(reason::crypto_encoding_malformed, "PKCS#8 key");

  std::array<std::uint8_t, 32> d{};
  Curve curve = Curve::p256;
  if (EVP_PKEY_is_a(handle.get(), "EC") == 1) {
    std::array<char, 32> group{};
    std::size_t length = 0;
    BIGNUM* number = nullptr;
    if (EVP_PKEY_get_utf8_string_param(handle.get(), OSSL_PKEY_PARAM_GROUP_NAME, group.data(), group.size(), &length) !=
            1 ||
        std::string_view(group.data()) != "prime256v1") {
      return fail(reason::crypto_key_unsuitable, "curve");
    }
    if (EVP_PKEY_get_bn_param(handle.get(), OSSL_PKEY_PARAM_PRIV_KEY, &number) != 1) {
      return fail(reason::crypto_encoding_malformed, "PKCS#8 scalar");
    }
    const openssl::Number scalar(number);
    if (BN_bn2binpad(scalar.get(), d.data(), static_cast<int>(d.size())) < 0) {
      return fail(reason::crypto_key_invalid, "scalar out of range");
    }
  } else if (EVP_PKEY_is_a(handle.get(), "ED25519") == 1 || EVP_PKEY_is_a(handle.get(), "X25519") == 1) {
    curve = EVP_PKEY_is_a(handle.get(), "ED25519") == 1 ? Curve::ed25519 : Curve::x25519;
    std::size_t length = d.size();
    if (EVP_PKEY_get_raw_private_key(handle.get(), d.data(), &length) != 1 || length != d.size()) {
      return fail(reason::crypto_encoding_malformed, "PKCS#8 key");
    }
  } else {
    return fail(reason::crypto_key_unsuitable, "PKCS#8 of another kind of key");
  }
  auto key = PrivateKey::from_octets(curve, d);
  wipe(d);
  return key;
}

std::string public_key_pem(const PublicKey& key) {
  Bytes out;
  armor(spki_der(key), public_label, out);
  return std::string(as_text(out));
}

Result<PublicKey> public_key_from_pem(std::string_view pem) {
  const Secret der = ACEWARD_TRY(unarmor(pem, public_label));
  return public_key_from_spki(der.expose());
}

Secret private_key_pem(const PrivateKey& key) {
  const Secret der = pkcs8_der(key);
  Bytes out;
  armor(der.expose(), private_label, out);
  return Secret(std::move(out));
}

Result<PrivateKey> private_key_from_pem(std::string_view pem) {
  const Secret der = ACEWARD_TRY(unarmor(pem, private_label));
  return private_key_from_pkcs8(der.expose());
}

}  // namespace aceward::crypto
