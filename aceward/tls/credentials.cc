#include "aceward/tls/credentials.h"

#include <algorithm>
#include <utility>

#include "aceward/tls/certificates.h"
#include "aceward/tls/connection.h"
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

namespace {

/// Puts the private key and what the peer sees of it into the credentials, which own both from then on.
Result<void> add_key(gnutls_certificate_credentials_t credentials, const RawKeyPair& pair,
                     std::vector<gnutls_pcert_st>& shown) {
  auto key = ACEWARD_TRY(detail::make_private_key(pair.material()));
  if (gnutls_certificate_set_key(credentials, nullptr, 0, shown.data(), static_cast<int>(shown.size()), key.get()) <
      0) {
    for (auto& one : shown) gnutls_pcert_deinit(&one);
    return fail(reason::tls_setup_failed, "key pair");
  }
  [[maybe_unused]] auto* owned = key.release();
  return {};
}

Result<void> add_raw_key(gnutls_certificate_credentials_t credentials, const RawKeyPair& pair) {
  const gnutls_datum_t spki = detail::borrow(pair.spki());
  std::vector<gnutls_pcert_st> shown(1);
  if (gnutls_pcert_import_rawpk_raw(shown.data(), &spki, GNUTLS_X509_FMT_DER, 0, 0) < 0) {
    return fail(reason::tls_setup_failed, "raw public key");
  }
  return add_key(credentials, pair, shown);
}

Result<void> add_chain(gnutls_certificate_credentials_t credentials, const CertificateChain& chain) {
  std::vector<gnutls_pcert_st> shown;
  for (const Bytes& der : chain.material().ders) {
    const gnutls_datum_t datum = detail::borrow(der);
    gnutls_pcert_st one{};
    if (gnutls_pcert_import_x509_raw(&one, &datum, GNUTLS_X509_FMT_DER, 0) < 0) {
      for (auto& imported : shown) gnutls_pcert_deinit(&imported);
      return fail(reason::tls_setup_failed, "certificate chain");
    }
    shown.push_back(one);
  }
  return add_key(credentials, chain.material().key, shown);
}

Result<detail::SharedCertificate> build_certificate(const RawKeyPair* pair, const CertificateChain* chain) {
  gnutls_certificate_credentials_t raw = nullptr;
  if (gnutls_certificate_allocate_credentials(&raw) < 0) return fail(reason::tls_setup_failed, "credentials");
  detail::SharedCertificate credentials(raw, &gnutls_certificate_free_credentials);
  if (pair != nullptr) ACEWARD_TRY(add_raw_key(raw, *pair));
  if (chain != nullptr) ACEWARD_TRY(add_chain(raw, *chain));
  gnutls_certificate_set_verify_function(raw, &detail::check_peer);
  return credentials;
}

}  // namespace

Result<detail::SharedCertificate> detail::make_certificate(const RawKeyPair* pair, const CertificateChain* chain) {
  if ((pair == nullptr) == (chain == nullptr)) return build_certificate(pair, chain);
  CredentialCache& cache = pair != nullptr ? *pair->material().cache : *chain->material().cache;
  const std::lock_guard lock(cache.mutex);
  if (cache.certificate == nullptr) cache.certificate = ACEWARD_TRY(build_certificate(pair, chain));
  return cache.certificate;
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
