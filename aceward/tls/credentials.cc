#include "aceward/tls/credentials.h"

#include <algorithm>
#include <utility>

#include "aceward/tls/raw_key.h"
#include "aceward/tls/reasons.h"

namespace aceward::tls {
namespace {

constexpr std::size_t p256_octets = 32;

/// Takes over (and frees) what GnuTLS allocated; numbers come without their leading zeros.
struct ExportedNumber {
  gnutls_datum_t datum{nullptr, 0};
  ExportedNumber() = default;
  ExportedNumber(const ExportedNumber&) = delete;
  ExportedNumber& operator=(const ExportedNumber&) = delete;
  ~ExportedNumber() {
    if (datum.data != nullptr) wipe({datum.data, datum.size});
    gnutls_free(datum.data);
  }
  bool put_into(std::span<std::uint8_t> out) const {
    BytesView number = detail::view(datum);
    while (!number.empty() && number.front() == 0) number = number.subspan(1);
    if (number.size() > out.size()) return false;
    std::ranges::fill(out, std::uint8_t{0});
    std::ranges::copy(number, out.end() - static_cast<std::ptrdiff_t>(number.size()));
    return true;
  }
};

Result<RawKeyPair::Material> export_material(gnutls_privkey_t key) {
  gnutls_ecc_curve_t curve = GNUTLS_ECC_CURVE_INVALID;
  ExportedNumber x;
  ExportedNumber y;
  ExportedNumber d;
  if (gnutls_privkey_export_ecc_raw2(key, &curve, &x.datum, &y.datum, &d.datum, 0) < 0 ||
      curve != GNUTLS_ECC_CURVE_SECP256R1) {
    return fail(reason::raw_key_malformed, "not a P-256 key");
  }
  RawKeyPair::Material material;
  Bytes scalar(p256_octets);
  if (!x.put_into(material.point.x) || !y.put_into(material.point.y) || !d.put_into(scalar)) {
    wipe(scalar);
    return fail(reason::raw_key_malformed, "coordinate too long");
  }
  material.d = Secret(std::move(scalar));
  material.spki = serialize_spki(material.point);
  return material;
}

Result<detail::PrivateKeyHandle> empty_private_key() {
  gnutls_privkey_t key = nullptr;
  if (gnutls_privkey_init(&key) < 0) return fail(reason::tls_setup_failed, "private key");
  return detail::PrivateKeyHandle(key);
}

}  // namespace

Result<detail::PrivateKeyHandle> detail::make_private_key(const RawKeyPair::Material& material) {
  auto key = ACEWARD_TRY(empty_private_key());
  const gnutls_datum_t x = borrow(material.point.x);
  const gnutls_datum_t y = borrow(material.point.y);
  const gnutls_datum_t d = borrow(material.d.expose());
  if (gnutls_privkey_import_ecc_raw(key.get(), GNUTLS_ECC_CURVE_SECP256R1, &x, &y, &d) < 0) {
    return fail(reason::raw_key_malformed, "coordinates");
  }
  return key;
}

Result<detail::CertificateHandle> detail::make_certificate(const RawKeyPair& pair) {
  auto key = ACEWARD_TRY(make_private_key(pair.material()));
  gnutls_certificate_credentials_t raw = nullptr;
  if (gnutls_certificate_allocate_credentials(&raw) < 0) return fail(reason::tls_setup_failed, "credentials");
  CertificateHandle credentials(raw);
  const gnutls_datum_t spki = borrow(pair.spki());
  gnutls_pcert_st certificate{};
  if (gnutls_pcert_import_rawpk_raw(&certificate, &spki, GNUTLS_X509_FMT_DER, 0, 0) < 0) {
    return fail(reason::tls_setup_failed, "raw public key");
  }
  if (gnutls_certificate_set_key(credentials.get(), nullptr, 0, &certificate, 1, key.get()) < 0) {
    gnutls_pcert_deinit(&certificate);
    return fail(reason::tls_setup_failed, "raw key pair");
  }
  // From here on the credentials own both.
  [[maybe_unused]] auto* owned = key.release();
  return credentials;
}

Result<RawKeyPair> RawKeyPair::from_pem(const Secret& pem) {
  auto key = ACEWARD_TRY(empty_private_key());
  const gnutls_datum_t text = detail::borrow(pem.expose());
  if (gnutls_privkey_import_x509_raw(key.get(), &text, GNUTLS_X509_FMT_PEM, nullptr, 0) < 0) {
    return fail(reason::raw_key_malformed, "PEM");
  }
  if (gnutls_privkey_verify_params(key.get()) < 0) return fail(reason::raw_key_malformed, "halves do not match");
  return RawKeyPair(std::make_shared<const Material>(ACEWARD_TRY(export_material(key.get()))));
}

Result<RawKeyPair> RawKeyPair::from_coordinates(const P256Point& point, BytesView d) {
  if (d.size() != p256_octets) return fail(reason::raw_key_malformed, "d");
  Material material{.point = point, .d = Secret::copy_of(d), .spki = serialize_spki(point)};
  const auto key = ACEWARD_TRY(detail::make_private_key(material));
  if (gnutls_privkey_verify_params(key.get()) < 0) return fail(reason::raw_key_malformed, "halves do not match");
  return RawKeyPair(std::make_shared<const Material>(std::move(material)));
}

Result<RawKeyPair> RawKeyPair::from_key(const crypto::PrivateKey& key) {
  if (key.curve() != crypto::Curve::p256) return fail(reason::raw_key_malformed, "not P-256");
  P256Point point;
  std::ranges::copy(key.public_key().x(), point.x.begin());
  std::ranges::copy(key.public_key().y(), point.y.begin());
  return from_coordinates(point, key.d().expose());
}

Result<RawKeyPair> RawKeyPair::generate() {
  auto key = ACEWARD_TRY(empty_private_key());
  if (gnutls_privkey_generate2(key.get(), GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0, nullptr,
                               0) < 0) {
    return fail(reason::tls_setup_failed, "key generation");
  }
  return RawKeyPair(std::make_shared<const Material>(ACEWARD_TRY(export_material(key.get()))));
}

BytesView RawKeyPair::spki() const { return material_->spki; }
const P256Point& RawKeyPair::point() const { return material_->point; }

}  // namespace aceward::tls
