#include "aceward/tls/certificates.h"

#include <algorithm>

#include "aceward/crypto/hash.h"
#include "aceward/tls/gnutls_clock.h"
#include "aceward/tls/reasons.h"

namespace aceward::tls {
namespace {

constexpr std::size_t max_chain = 6;
constexpr unsigned max_authorities = 64;
constexpr unsigned max_names = 16;
constexpr std::size_t max_name = 255;
constexpr std::size_t max_certificate = 8'192;

struct FreesCertificate {
  void operator()(gnutls_x509_crt_t certificate) const { gnutls_x509_crt_deinit(certificate); }
};
using X509Handle = std::unique_ptr<std::remove_pointer_t<gnutls_x509_crt_t>, FreesCertificate>;

struct Allocated {
  gnutls_datum_t datum{nullptr, 0};
  Allocated() = default;
  Allocated(const Allocated&) = delete;
  Allocated& operator=(const Allocated&) = delete;
  ~Allocated() { gnutls_free(datum.data); }
};

/// A certificate and what is needed of it.
struct ReadCertificate {
  X509Handle handle;
  Bytes spki;
};

/// Only of a P-256 key.
Result<Bytes> read_spki(gnutls_x509_crt_t certificate) {
  gnutls_pubkey_t raw = nullptr;
  if (gnutls_pubkey_init(&raw) < 0) return fail(reason::tls_setup_failed, "public key");
  const detail::PublicKeyHandle key(raw);
  Allocated spki;
  if (gnutls_pubkey_import_x509(raw, certificate, 0) < 0 ||
      gnutls_pubkey_export2(raw, GNUTLS_X509_FMT_DER, &spki.datum) < 0) {
    return fail(reason::certificate_unsupported, "public key");
  }
  Bytes der = to_bytes(detail::view(spki.datum));
  if (!parse_spki(der)) return fail(reason::certificate_unsupported, "not a P-256 key");
  return der;
}

Result<ReadCertificate> read_kind(const gnutls_datum_t& der) {
  gnutls_x509_crt_t raw = nullptr;
  if (der.size > max_certificate) return fail(reason::certificate_unsupported, "too long");
  if (gnutls_x509_crt_init(&raw) < 0) return fail(reason::tls_setup_failed, "certificate");
  ReadCertificate read{X509Handle(raw), {}};
  if (gnutls_x509_crt_import(raw, &der, GNUTLS_X509_FMT_DER) < 0) {
    return fail(reason::certificate_unsupported, "not a certificate");
  }
  if (gnutls_x509_crt_get_version(raw) != 3) return fail(reason::certificate_unsupported, "not version 3");
  if (gnutls_x509_crt_get_signature_algorithm(raw) != GNUTLS_SIGN_ECDSA_SHA256) {
    return fail(reason::certificate_unsupported, "not signed with ecdsa-with-SHA256");
  }
  read.spki = ACEWARD_TRY(read_spki(raw));
  return read;
}

bool is_text(std::string_view name) {
  return !name.empty() &&
         std::ranges::none_of(name, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

std::string in_lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

Result<std::vector<std::string>> read_names(gnutls_x509_crt_t certificate) {
  std::vector<std::string> names;
  std::array<char, max_name + 1> text{};
  for (unsigned i = 0;; ++i) {
    std::size_t size = text.size();
    unsigned type = 0;
    const int code = gnutls_x509_crt_get_subject_alt_name2(certificate, i, text.data(), &size, &type, nullptr);
    if (code == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE) break;
    if (code < 0 || i == max_names) return fail(reason::certificate_unsupported, "subjectAltName");
    if (type != GNUTLS_SAN_DNSNAME && type != GNUTLS_SAN_URI) continue;
    const std::string_view name(text.data(), size);
    if (!is_text(name)) return fail(reason::certificate_unsupported, "a name that is no text");
    names.push_back(type == GNUTLS_SAN_DNSNAME ? in_lower_case(name) : std::string(name));
  }
  if (!names.empty()) return names;
  std::size_t size = text.size();
  const int code = gnutls_x509_crt_get_dn_by_oid(certificate, GNUTLS_OID_X520_COMMON_NAME, 0, 0, text.data(), &size);
  if (code == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE) return names;
  if (code < 0 || !is_text({text.data(), size})) return fail(reason::certificate_unsupported, "common name");
  names.emplace_back(text.data(), size);
  return names;
}

std::string_view why_untrusted(unsigned status) {
  if ((status & (GNUTLS_CERT_EXPIRED | GNUTLS_CERT_NOT_ACTIVATED)) != 0) return detail::expired;
  if ((status & GNUTLS_CERT_PURPOSE_MISMATCH) != 0) return "for another purpose";
  if ((status & GNUTLS_CERT_SIGNER_NOT_FOUND) != 0) return detail::unknown_authority;
  return "the chain does not hold";
}

}  // namespace

Result<Certificate> detail::verify_chain(const Authorities& authorities, std::span<const gnutls_datum_t> chain,
                                         Purpose purpose, WallTime at) {
  if (chain.empty() || chain.size() > max_chain) return fail(reason::certificate_unsupported, "length of the chain");
  std::vector<ReadCertificate> read;
  std::vector<gnutls_x509_crt_t> handles;
  for (const gnutls_datum_t& der : chain) {
    read.push_back(ACEWARD_TRY(read_kind(der)));
    handles.push_back(read.back().handle.get());
  }
  unsigned usage = 0;
  const int has_usage = gnutls_x509_crt_get_key_usage(handles.front(), &usage, nullptr);
  if (has_usage != GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE &&
      (has_usage < 0 || (usage & GNUTLS_KEY_DIGITAL_SIGNATURE) == 0)) {
    return fail(reason::certificate_untrusted, "its key is not for signatures");
  }
  static constexpr char for_servers[] = GNUTLS_KP_TLS_WWW_SERVER;
  static constexpr char for_clients[] = GNUTLS_KP_TLS_WWW_CLIENT;
  const char* const purpose_oid = purpose == Purpose::server ? for_servers : for_clients;
  gnutls_typed_vdata_st wanted{GNUTLS_DT_KEY_PURPOSE_OID,
                               reinterpret_cast<unsigned char*>(const_cast<char*>(purpose_oid)), 0};
  const CivilTimeScope clock(at);
  unsigned status = 0;
  if (gnutls_x509_trust_list_verify_crt2(authorities.material().list.get(), handles.data(),
                                         static_cast<unsigned>(handles.size()), &wanted, 1,
                                         GNUTLS_VERIFY_DO_NOT_ALLOW_X509_V1_CA_CRT, &status, nullptr) < 0) {
    return fail(reason::certificate_untrusted, "it cannot be verified");
  }
  if (status != 0) return fail(reason::certificate_untrusted, why_untrusted(status));
  return Certificate{.der = to_bytes(view(chain.front())),
                     .spki = std::move(read.front().spki),
                     .names = ACEWARD_TRY(read_names(handles.front()))};
}

bool detail::is_certificate_of(const Certificate& certificate, std::string_view server_name) {
  if (certificate.has_name(server_name)) return true;
  const std::string host = in_lower_case(server_name);
  return certificate.has_name(host) || certificate.has_name("coaps://" + host);
}

std::array<std::uint8_t, 32> detail::digest_of(const ClientCredentials& credentials) {
  Bytes text;
  const auto add = [&text](BytesView part) {
    for (int shift = 24; shift >= 0; shift -= 8) text.push_back(static_cast<std::uint8_t>(part.size() >> shift));
    text.insert(text.end(), part.begin(), part.end());
  };
  const auto add_server = [&add](const ExpectedServer& server) {
    if (const auto* spki = std::get_if<Bytes>(&server)) {
      add(as_bytes("key"));
      add(*spki);
      return;
    }
    const auto& named = std::get<NamedServer>(server);
    add(as_bytes("name"));
    add(named.authorities.material().digest);
    add(as_bytes(named.name));
  };
  if (const auto* psk = std::get_if<PskClient>(&credentials)) {
    add(as_bytes("psk"));
    add(psk->identity);
    add(psk->key.expose());
  } else if (const auto* raw = std::get_if<RawKeyClient>(&credentials)) {
    add(as_bytes("raw"));
    add(raw->key.spki());
    add_server(raw->server);
  } else if (const auto* certified = std::get_if<CertificateClient>(&credentials)) {
    add(as_bytes("x509"));
    add(certified->chain.certificate().der);
    add_server(certified->server);
  } else {
    add(as_bytes("none"));
    add_server(std::get<AnonymousClient>(credentials).server);
  }
  const auto digest = crypto::sha256(text);
  wipe(text);
  return digest;
}

Result<CertificateChain> CertificateChain::from_pem(std::string_view chain, const RawKeyPair& key) {
  const gnutls_datum_t pem = detail::borrow(as_bytes(chain));
  gnutls_x509_crt_t* list = nullptr;
  unsigned count = 0;
  if (gnutls_x509_crt_list_import2(&list, &count, &pem, GNUTLS_X509_FMT_PEM, GNUTLS_X509_CRT_LIST_FAIL_IF_UNSORTED) <
      0) {
    return fail(reason::certificate_chain_malformed, "PEM");
  }
  std::vector<X509Handle> owners;
  owners.reserve(count);
  for (unsigned i = 0; i < count; ++i) owners.emplace_back(list[i]);
  gnutls_free(list);
  if (count == 0 || count > max_chain) return fail(reason::certificate_chain_malformed, "length");
  Material material{.certificate = {}, .ders = {}, .key = key};
  for (const auto& owner : owners) {
    Allocated der;
    if (gnutls_x509_crt_export2(owner.get(), GNUTLS_X509_FMT_DER, &der.datum) < 0) {
      return fail(reason::certificate_chain_malformed, "DER");
    }
    auto read = read_kind(der.datum);
    if (!read) return fail(reason::certificate_chain_malformed, read.error().detail());
    if (material.ders.empty()) {
      auto names = read_names(owner.get());
      if (!names) return fail(reason::certificate_chain_malformed, names.error().detail());
      material.certificate = {to_bytes(detail::view(der.datum)), std::move(read->spki), std::move(*names)};
    }
    material.ders.push_back(to_bytes(detail::view(der.datum)));
  }
  if (!equal(material.certificate.spki, key.spki())) {
    return fail(reason::certificate_chain_malformed, "the key is another one's");
  }
  return CertificateChain(std::make_shared<const Material>(std::move(material)));
}

const Certificate& CertificateChain::certificate() const { return material_->certificate; }

Result<Authorities> Authorities::from_pem(std::string_view certificates) {
  gnutls_x509_trust_list_t raw = nullptr;
  if (gnutls_x509_trust_list_init(&raw, 0) < 0) return fail(reason::tls_setup_failed, "authorities");
  auto material = std::make_shared<Material>();
  material->list.reset(raw);
  const gnutls_datum_t pem = detail::borrow(as_bytes(certificates));
  gnutls_x509_crt_t* list = nullptr;
  unsigned count = 0;
  if (gnutls_x509_crt_list_import2(&list, &count, &pem, GNUTLS_X509_FMT_PEM, 0) < 0) {
    return fail(reason::authorities_malformed, "PEM");
  }
  // The trust list takes the certificates over, and frees the array's members with itself.
  const bool sound = count > 0 && count <= max_authorities && std::ranges::all_of(std::span(list, count), [](auto one) {
                       return gnutls_x509_crt_get_ca_status(one, nullptr) > 0 && read_spki(one).has_value();
                     });
  if (!sound) {
    for (unsigned i = 0; i < count; ++i) gnutls_x509_crt_deinit(list[i]);
    gnutls_free(list);
    return fail(reason::authorities_malformed, "not 1 to 64 CA certificates with P-256 keys");
  }
  gnutls_x509_trust_list_add_cas(raw, list, count, 0);
  gnutls_free(list);
  material->digest = crypto::sha256(as_bytes(certificates));
  return Authorities(std::move(material));
}

bool ResumptionTicket::belongs_to(const ClientCredentials& credentials) const {
  return equal_constant_time(detail::digest_of(credentials), material_->credentials_digest);
}

Result<TicketKey> TicketKey::generate() {
  Allocated key;
  if (gnutls_session_ticket_key_generate(&key.datum) < 0) return fail(reason::tls_setup_failed, "ticket key");
  auto octets = std::make_shared<const Secret>(Secret::copy_of(detail::view(key.datum)));
  wipe({key.datum.data, key.datum.size});
  return TicketKey(std::move(octets));
}

Result<void> ServerCredentials::certificate(const Certificate&) { return fail(reason::certificate_refused); }
Result<void> ServerCredentials::resume(const PeerIdentity&) { return fail(reason::resumption_refused); }

}  // namespace aceward::tls
