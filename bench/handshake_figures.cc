// What a DTLS handshake costs both sides together.
#include "aceward/base/time.h"
#include "aceward/crypto/encoding.h"
#include "aceward/crypto/openssl/random.h"
#include "aceward/tls/client.h"
#include "aceward/tls/server.h"
#include "bench/bare_gnutls.h"
#include "bench/harness.h"

namespace aceward::bench {

namespace {

constexpr std::string_view psk_identity = "client";
const Bytes psk_key(16, 0x5a);

class OneOfEach final : public tls::ServerCredentials {
 public:
  explicit OneOfEach(Bytes spki) : spki_(std::move(spki)) {}
  Result<tls::PskCredential> psk(BytesView) override { return tls::PskCredential{Secret::copy_of(psk_key), 0}; }
  Result<void> raw_public_key(BytesView spki) override {
    if (!equal(spki, spki_)) give_up("another raw public key");
    return {};
  }

 private:
  Bytes spki_;
};

tls::RawKeyPair raw_key_pair(const crypto::PrivateKey& key) { return need(tls::RawKeyPair::from_key(key), "raw key"); }

/// A server, and one client after the other that shakes hands with it and leaves. The cookie exchange included.
class HandshakeRig {
 public:
  HandshakeRig(const crypto::PrivateKey& server, const crypto::PrivateKey& client)
      : server_key_(raw_key_pair(server)),
        client_key_(raw_key_pair(client)),
        credentials_(to_bytes(client_key_.spki())),
        server_(need(tls::Server::create({.raw_key = server_key_}, credentials_, random_), "server")) {}

  void shake_hands(bool with_psk) {
    clock_.advance(std::chrono::milliseconds(1));
    const Instant now = clock_.now();
    tls::ClientCredentials credentials = tls::PskClient{to_bytes(psk_identity), Secret::copy_of(psk_key)};
    if (!with_psk) credentials = tls::RawKeyClient{client_key_, to_bytes(server_key_.spki())};
    auto client = need(tls::Client::create(tls::SessionId(1), server_address, std::move(credentials)), "client");
    client.start(now);
    tls::SessionId session;
    for (bool moved = true; moved;) {
      moved = false;
      while (const auto out = client.next_datagram()) {
        server_.receive(client_address, server_address, out->datagram, now);
        moved = true;
      }
      while (const auto event = server_.next_event()) {
        if (const auto* established = std::get_if<tls::Established>(&*event)) session = established->id;
      }
      while (const auto out = server_.next_datagram()) {
        client.receive(out->datagram, now);
        moved = true;
      }
    }
    if (!client.established() || session == tls::SessionId{}) give_up("the handshake does not end");
    server_.close(session, now);
    while (server_.next_datagram()) continue;
    while (server_.next_event()) continue;
  }

 private:
  const Address server_address = Address::v4(192, 0, 2, 1, 5684);
  const Address client_address = Address::v4(198, 51, 100, 7, 40'000);
  ManualClock clock_;
  crypto::openssl::SystemRandom random_;
  tls::RawKeyPair server_key_;
  tls::RawKeyPair client_key_;
  OneOfEach credentials_;
  tls::Server server_;
};

}  // namespace

void measure_handshakes(Report& report) {
  crypto::openssl::SystemRandom random;
  const auto server = need(crypto::PrivateKey::generate(crypto::Curve::p256, random), "key");
  const auto client = need(crypto::PrivateKey::generate(crypto::Curve::p256, random), "key");
  HandshakeRig rig(server, client);
  auto bare_psk = BareGnutls::with_psk(as_bytes(psk_identity), psk_key);
  auto bare_raw = BareGnutls::with_raw_keys(server, client);
  report.measure({{"GnuTLS handshake, PSK, no cookie", [&] { bare_psk.handshake(); }},
                  {"DTLS handshake, PSK, both sides", [&] { rig.shake_hands(true); }}},
                 {{1, 0, 1.5}});
  report.measure({{"GnuTLS handshake, raw public keys, no cookie", [&] { bare_raw.handshake(); }},
                  {"DTLS handshake, raw public keys, both sides", [&] { rig.shake_hands(false); }}},
                 {{1, 0, 1 / 0.9}});
}

}  // namespace aceward::bench
