#include "bench/bare_gnutls.h"

#include <gnutls/dtls.h>
#include <gnutls/gnutls.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <deque>
#include <string>

#include "aceward/crypto/encoding.h"
#include "bench/harness.h"

namespace aceward::bench {

namespace {

void must(int code, const char* what) {
  if (code < 0) give_up(std::string("GnuTLS: ") + what + ": " + gnutls_strerror(code));
}

gnutls_datum_t datum(BytesView octets) {
  return {const_cast<unsigned char*>(octets.data()), static_cast<unsigned>(octets.size())};
}

/// One side of a session, and what waits for it.
struct Side {
  gnutls_session_t session = nullptr;
  std::deque<Bytes> inbox;
  Side* other = nullptr;

  Side() = default;
  Side(const Side&) = delete;
  Side& operator=(const Side&) = delete;
  ~Side() {
    if (session != nullptr) gnutls_deinit(session);
  }

  static ssize_t push(gnutls_transport_ptr_t self, const void* data, size_t size) {
    const auto* octets = static_cast<const std::uint8_t*>(data);
    static_cast<Side*>(self)->other->inbox.emplace_back(octets, octets + size);
    return static_cast<ssize_t>(size);
  }
  static ssize_t pull(gnutls_transport_ptr_t self, void* data, size_t size) {
    auto& side = *static_cast<Side*>(self);
    if (side.inbox.empty()) {
      gnutls_transport_set_errno(side.session, EAGAIN);
      return -1;
    }
    const std::size_t taken = std::min(size, side.inbox.front().size());
    std::memcpy(data, side.inbox.front().data(), taken);
    side.inbox.pop_front();
    return static_cast<ssize_t>(taken);
  }
  static int wait(gnutls_transport_ptr_t self, unsigned) { return static_cast<Side*>(self)->inbox.empty() ? 0 : 1; }
};

struct Credentials {
  gnutls_priority_t priority = nullptr;
  gnutls_psk_server_credentials_t psk_server = nullptr;
  gnutls_psk_client_credentials_t psk_client = nullptr;
  gnutls_certificate_credentials_t raw_server = nullptr;
  gnutls_certificate_credentials_t raw_client = nullptr;

  Credentials() = default;
  Credentials(const Credentials&) = delete;
  Credentials& operator=(const Credentials&) = delete;
  ~Credentials() {
    if (priority != nullptr) gnutls_priority_deinit(priority);
    if (psk_server != nullptr) gnutls_psk_free_server_credentials(psk_server);
    if (psk_client != nullptr) gnutls_psk_free_client_credentials(psk_client);
    if (raw_server != nullptr) gnutls_certificate_free_credentials(raw_server);
    if (raw_client != nullptr) gnutls_certificate_free_credentials(raw_client);
  }
};

int accept_any_raw_key(gnutls_session_t) { return 0; }

void set_raw_key(gnutls_certificate_credentials_t& credentials, const crypto::PrivateKey& key) {
  must(gnutls_certificate_allocate_credentials(&credentials), "credentials");
  const Bytes spki = crypto::spki_der(key.public_key());
  const Secret pkcs8 = crypto::pkcs8_der(key);
  const gnutls_datum_t public_part = datum(spki);
  const gnutls_datum_t private_part = datum(pkcs8.expose());
  must(gnutls_certificate_set_rawpk_key_mem(credentials, &public_part, &private_part, GNUTLS_X509_FMT_DER, nullptr, 0,
                                            nullptr, 0, 0),
       "raw public key");
  gnutls_certificate_set_verify_function(credentials, &accept_any_raw_key);
}

}  // namespace

struct BareGnutls::Impl {
  Credentials credentials;
  Bytes psk;
  std::unique_ptr<Side> client;
  std::unique_ptr<Side> server;

  static int psk_of(gnutls_session_t session, const char*, gnutls_datum_t* key) {
    const auto& self = *static_cast<Impl*>(gnutls_session_get_ptr(session));
    key->data = static_cast<unsigned char*>(gnutls_malloc(self.psk.size()));
    std::memcpy(key->data, self.psk.data(), self.psk.size());
    key->size = static_cast<unsigned>(self.psk.size());
    return 0;
  }

  std::unique_ptr<Side> make_side(unsigned role) {
    auto side = std::make_unique<Side>();
    must(
        gnutls_init(&side->session, role | GNUTLS_DATAGRAM | GNUTLS_NONBLOCK | GNUTLS_ENABLE_RAWPK | GNUTLS_NO_TICKETS),
        "session");
    gnutls_session_set_ptr(side->session, this);
    must(gnutls_priority_set(side->session, credentials.priority), "priority");
    const bool is_server = role == GNUTLS_SERVER;
    if (auto* raw = is_server ? credentials.raw_server : credentials.raw_client; raw != nullptr) {
      must(gnutls_credentials_set(side->session, GNUTLS_CRD_CERTIFICATE, raw), "certificate");
    } else {
      void* psk_credentials = is_server ? static_cast<void*>(credentials.psk_server) : credentials.psk_client;
      must(gnutls_credentials_set(side->session, GNUTLS_CRD_PSK, psk_credentials), "pre-shared key");
    }
    if (is_server) gnutls_certificate_server_set_request(side->session, GNUTLS_CERT_REQUIRE);
    gnutls_dtls_set_mtu(side->session, 1280);
    gnutls_transport_set_ptr(side->session, side.get());
    gnutls_transport_set_push_function(side->session, &Side::push);
    gnutls_transport_set_pull_function(side->session, &Side::pull);
    gnutls_transport_set_pull_timeout_function(side->session, &Side::wait);
    return side;
  }

  static void carry(Side& from, Side& to, BytesView data) {
    must(static_cast<int>(gnutls_record_send(from.session, data.data(), data.size())), "send");
    std::uint8_t room[2048];
    const ssize_t got = gnutls_record_recv(to.session, room, sizeof room);
    if (got != static_cast<ssize_t>(data.size())) give_up("GnuTLS: a record was not received");
    keep(room);
  }
};

BareGnutls::BareGnutls(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
BareGnutls::BareGnutls(BareGnutls&&) noexcept = default;
BareGnutls::~BareGnutls() = default;

BareGnutls BareGnutls::with_psk(BytesView identity, BytesView key) {
  auto impl = std::make_unique<Impl>();
  Credentials& credentials = impl->credentials;
  must(gnutls_priority_init(&credentials.priority,
                            "NONE:+VERS-DTLS1.2:+AES-128-CCM-8:+AEAD:+COMP-NULL:+PSK:+CTYPE-X509:+GROUP-X25519:"
                            "+GROUP-SECP256R1:+SIGN-ECDSA-SHA256",
                            nullptr),
       "priority");
  impl->psk = to_bytes(key);
  must(gnutls_psk_allocate_server_credentials(&credentials.psk_server), "credentials");
  gnutls_psk_set_server_credentials_function(credentials.psk_server, &Impl::psk_of);
  must(gnutls_psk_allocate_client_credentials(&credentials.psk_client), "credentials");
  const gnutls_datum_t name = datum(identity);
  const gnutls_datum_t secret = datum(impl->psk);
  must(gnutls_psk_set_client_credentials2(credentials.psk_client, &name, &secret, GNUTLS_PSK_KEY_RAW), "credentials");
  return BareGnutls(std::move(impl));
}

BareGnutls BareGnutls::with_raw_keys(const crypto::PrivateKey& server, const crypto::PrivateKey& client) {
  auto impl = std::make_unique<Impl>();
  must(gnutls_priority_init(&impl->credentials.priority,
                            "NONE:+VERS-DTLS1.2:+AES-128-CCM-8:+AEAD:+COMP-NULL:+ECDHE-ECDSA:+SIGN-ECDSA-SHA256:"
                            "+GROUP-X25519:+GROUP-SECP256R1:+CTYPE-CLI-RAWPK:+CTYPE-SRV-RAWPK",
                            nullptr),
       "priority");
  set_raw_key(impl->credentials.raw_server, server);
  set_raw_key(impl->credentials.raw_client, client);
  return BareGnutls(std::move(impl));
}

void BareGnutls::handshake() {
  impl_->client = impl_->make_side(GNUTLS_CLIENT);
  impl_->server = impl_->make_side(GNUTLS_SERVER);
  impl_->client->other = impl_->server.get();
  impl_->server->other = impl_->client.get();
  const auto step = [](Side& side, bool& done) {
    if (done) return;
    const int code = gnutls_handshake(side.session);
    if (code < 0 && gnutls_error_is_fatal(code) != 0) must(code, "handshake");
    done = code == 0;
  };
  bool client_done = false;
  bool server_done = false;
  for (int turns = 0; !client_done || !server_done; ++turns) {
    if (turns > 100) give_up("GnuTLS: the handshake does not end");
    step(*impl_->client, client_done);
    step(*impl_->server, server_done);
  }
}

void BareGnutls::round_trip(BytesView request, BytesView response) {
  Impl::carry(*impl_->client, *impl_->server, request);
  Impl::carry(*impl_->server, *impl_->client, response);
}

}  // namespace aceward::bench
