#include "aceward/tls/cookie.h"

#include "aceward/tls/gnutls_handles.h"

namespace aceward::tls::detail {
namespace {

Bytes client_data(const Address& from, const Address& local, const ClientHello& hello) {
  Bytes out;
  for (const Address* address : {&from, &local}) {
    out.insert(out.end(), address->ip.begin(), address->ip.end());
    out.push_back(static_cast<std::uint8_t>(address->port >> 8));
    out.push_back(static_cast<std::uint8_t>(address->port));
    for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<std::uint8_t>(address->scope >> shift));
  }
  out.insert(out.end(), hello.parameters.begin(), hello.parameters.end());
  return out;
}

ssize_t append_to(gnutls_transport_ptr_t out, const void* data, size_t size) {
  const auto* octets = static_cast<const std::uint8_t*>(data);
  auto& bytes = *static_cast<Bytes*>(out);
  bytes.insert(bytes.end(), octets, octets + size);
  return static_cast<ssize_t>(size);
}

Bytes random_key(Random& random) { return random.bytes(GNUTLS_COOKIE_KEY_SIZE); }

}  // namespace

void CookieJar::rotate(Instant now) {
  if (since_ && now - *since_ < lifetime_) return;
  const bool recent = since_ && now - *since_ < 2 * lifetime_;
  previous_ = recent ? std::move(current_) : Secret();
  current_ = Secret(random_key(random_));
  since_ = now;
}

std::optional<gnutls_dtls_prestate_st> CookieJar::verify(const Address& from, const Address& local,
                                                         const ClientHello& hello, BytesView record, Instant now) {
  rotate(now);
  if (hello.cookie.empty()) return std::nullopt;
  Bytes bound_to = client_data(from, local, hello);
  for (const Secret* key : {&current_, &previous_}) {
    if (key->empty()) continue;
    gnutls_datum_t datum = borrow(key->expose());
    gnutls_dtls_prestate_st prestate{};
    // GnuTLS only reads the message.
    if (gnutls_dtls_cookie_verify(&datum, bound_to.data(), bound_to.size(), const_cast<std::uint8_t*>(record.data()),
                                  record.size(), &prestate) >= 0) {
      return prestate;
    }
  }
  return std::nullopt;
}

Bytes CookieJar::challenge(const Address& from, const Address& local, const ClientHello& hello, BytesView record,
                           Instant now) {
  rotate(now);
  Bytes bound_to = client_data(from, local, hello);
  gnutls_datum_t datum = borrow(current_.expose());
  // A verification that fails leaves the sequence numbers that the answer must carry.
  gnutls_dtls_prestate_st prestate{};
  gnutls_dtls_cookie_verify(&datum, bound_to.data(), bound_to.size(), const_cast<std::uint8_t*>(record.data()),
                            record.size(), &prestate);
  Bytes out;
  if (gnutls_dtls_cookie_send(&datum, bound_to.data(), bound_to.size(), &prestate, &out, &append_to) < 0) out.clear();
  return out;
}

}  // namespace aceward::tls::detail
