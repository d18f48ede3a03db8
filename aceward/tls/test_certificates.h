// Certificates for tests, made at run time.
#pragma once

#include <gnutls/x509.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "aceward/tls/raw_key.h"

namespace aceward::tls::testing {

struct CertificateSpec {
  std::string common_name{};
  std::vector<std::string> dns_names{};
  std::vector<std::string> uris{};
  std::vector<const char*> purposes{GNUTLS_KP_TLS_WWW_CLIENT, GNUTLS_KP_TLS_WWW_SERVER};
  unsigned key_usage = GNUTLS_KEY_DIGITAL_SIGNATURE;  ///< 0: no extension
  bool ca = false;
  // Around the time at which a ManualClock begins.
  std::time_t from = 1'690'000'000;
  std::time_t until = 1'790'000'000;
  gnutls_digest_algorithm_t digest = GNUTLS_DIG_SHA256;
};

/// Somebody who issues certificates, with a key of its own; itself issued by another one, or by itself.
class TestAuthority {
 public:
  explicit TestAuthority(const std::string& name, const TestAuthority* above = nullptr)
      : key_(RawKeyPair::generate().value()) {
    CertificateSpec spec{.common_name = name, .purposes = {}, .key_usage = GNUTLS_KEY_KEY_CERT_SIGN, .ca = true};
    if (above == nullptr) {
      need(gnutls_x509_crt_init(&certificate_));
      fill(certificate_, spec, key_);
      sign(certificate_, certificate_, key_, spec.digest);
      pem_ = export_pem(certificate_);
    } else {
      pem_ = above->issue(spec, key_);
      import(pem_);
    }
  }
  TestAuthority(const TestAuthority&) = delete;
  TestAuthority& operator=(const TestAuthority&) = delete;
  ~TestAuthority() { gnutls_x509_crt_deinit(certificate_); }

  const std::string& pem() const { return pem_; }
  Authorities authorities() const { return Authorities::from_pem(pem_).value(); }

  std::string issue(const CertificateSpec& spec, const RawKeyPair& subject) const {
    gnutls_x509_crt_t made = nullptr;
    need(gnutls_x509_crt_init(&made));
    fill(made, spec, subject);
    sign(made, certificate_, key_, spec.digest);
    std::string pem = export_pem(made);
    gnutls_x509_crt_deinit(made);
    return pem;
  }
  CertificateChain chain(const CertificateSpec& spec, const RawKeyPair& subject) const {
    return CertificateChain::from_pem(issue(spec, subject), subject).value();
  }

 private:
  static void need(int code) {
    if (code < 0) throw std::runtime_error(gnutls_strerror(code));
  }
  static void fill(gnutls_x509_crt_t made, const CertificateSpec& spec, const RawKeyPair& subject) {
    need(gnutls_x509_crt_set_version(made, 3));
    static std::uint8_t serial = 0;
    ++serial;
    const std::array<std::uint8_t, 2> number{1, serial};
    need(gnutls_x509_crt_set_serial(made, number.data(), number.size()));
    need(gnutls_x509_crt_set_activation_time(made, spec.from));
    need(gnutls_x509_crt_set_expiration_time(made, spec.until));
    if (!spec.common_name.empty()) {
      need(gnutls_x509_crt_set_dn_by_oid(made, GNUTLS_OID_X520_COMMON_NAME, 0, spec.common_name.data(),
                                         static_cast<unsigned>(spec.common_name.size())));
    }
    for (const auto& name : spec.dns_names) {
      need(gnutls_x509_crt_set_subject_alt_name(made, GNUTLS_SAN_DNSNAME, name.data(),
                                                static_cast<unsigned>(name.size()), GNUTLS_FSAN_APPEND));
    }
    for (const auto& uri : spec.uris) {
      need(gnutls_x509_crt_set_subject_alt_name(made, GNUTLS_SAN_URI, uri.data(), static_cast<unsigned>(uri.size()),
                                                GNUTLS_FSAN_APPEND));
    }
    for (const char* purpose : spec.purposes) need(gnutls_x509_crt_set_key_purpose_oid(made, purpose, 0));
    if (spec.key_usage != 0) need(gnutls_x509_crt_set_key_usage(made, spec.key_usage));
    need(gnutls_x509_crt_set_basic_constraints(made, spec.ca ? 1 : 0, -1));
    gnutls_pubkey_t key = nullptr;
    need(gnutls_pubkey_init(&key));
    const gnutls_datum_t x = detail::borrow(subject.point().x);
    const gnutls_datum_t y = detail::borrow(subject.point().y);
    need(gnutls_pubkey_import_ecc_raw(key, GNUTLS_ECC_CURVE_SECP256R1, &x, &y));
    need(gnutls_x509_crt_set_pubkey(made, key));
    gnutls_pubkey_deinit(key);
  }
  static void sign(gnutls_x509_crt_t made, gnutls_x509_crt_t issuer, const RawKeyPair& issuer_key,
                   gnutls_digest_algorithm_t digest) {
    const auto key = detail::make_private_key(issuer_key.material()).value();
    need(gnutls_x509_crt_privkey_sign(made, issuer, key.get(), digest, 0));
  }
  static std::string export_pem(gnutls_x509_crt_t made) {
    gnutls_datum_t out{nullptr, 0};
    need(gnutls_x509_crt_export2(made, GNUTLS_X509_FMT_PEM, &out));
    std::string pem(reinterpret_cast<const char*>(out.data), out.size);
    gnutls_free(out.data);
    return pem;
  }
  void import(const std::string& pem) {
    need(gnutls_x509_crt_init(&certificate_));
    const gnutls_datum_t text = detail::borrow(as_bytes(pem));
    need(gnutls_x509_crt_import(certificate_, &text, GNUTLS_X509_FMT_PEM));
  }

  RawKeyPair key_;
  gnutls_x509_crt_t certificate_ = nullptr;
  std::string pem_;
};

}  // namespace aceward::tls::testing
