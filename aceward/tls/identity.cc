#include "aceward/tls/identity.h"

#include <algorithm>

#include "aceward/tls/reasons.h"

namespace aceward::tls {
namespace {

// SEQUENCE { SEQUENCE { id-ecPublicKey, prime256v1 }, BIT STRING { 04 …
constexpr std::array<std::uint8_t, 27> p256_spki_prefix{0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
                                                        0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                                        0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04};

}  // namespace

Bytes serialize_spki(const P256Point& point) {
  Bytes out(p256_spki_prefix.begin(), p256_spki_prefix.end());
  out.insert(out.end(), point.x.begin(), point.x.end());
  out.insert(out.end(), point.y.begin(), point.y.end());
  return out;
}

Result<P256Point> parse_spki(BytesView spki_der) {
  P256Point point;
  const std::size_t prefix = p256_spki_prefix.size();
  if (spki_der.size() != prefix + point.x.size() + point.y.size() || !equal(spki_der.first(prefix), p256_spki_prefix)) {
    return fail(reason::spki_malformed);
  }
  std::ranges::copy(spki_der.subspan(prefix, point.x.size()), point.x.begin());
  std::ranges::copy(spki_der.subspan(prefix + point.x.size()), point.y.begin());
  return point;
}

std::string describe(const PeerIdentity& identity) {
  constexpr std::size_t shown = 12;
  if (const auto* psk = std::get_if<PskIdentity>(&identity)) {
    const BytesView octets = psk->identity();
    std::string out = "psk:" + to_hex(octets.first(std::min(shown, octets.size())));
    if (octets.size() > shown) out += "...(" + std::to_string(octets.size()) + " octets)";
    return out;
  }
  if (const auto* raw = std::get_if<RawPublicKey>(&identity)) {
    const BytesView spki = raw->spki();
    return "rpk:" + to_hex(spki.last(std::min(shown, spki.size())));
  }
  if (const auto* certified = std::get_if<CertificateIdentity>(&identity)) {
    const auto& names = certified->certificate().names;
    return "x509:" + (names.empty() ? std::string("(no name)") : names.front());
  }
  return "none";
}

bool Certificate::has_name(std::string_view name) const {
  return !name.empty() && std::ranges::find(names, name) != names.end();
}

}  // namespace aceward::tls
