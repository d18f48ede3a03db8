// Which cipher suites are negotiated (RFC 7252 section 9, RFC 9202 section 7), and what is required of each handshake.
#include <gtest/gtest.h>

#include "aceward/tls/connection.h"
#include "aceward/tls/gnutls_handles.h"
#include "aceward/tls/reasons.h"
#include "aceward/tls/test_network.h"

namespace aceward::tls {
namespace {

using testing::client_address;
using testing::key_of_client;
using testing::key_of_server;
using testing::psk_of;
using testing::Rig;

std::string suite_of(SuitePreference server, SuitePreference client, bool psk) {
  Rig rig({.raw_key = key_of_server(), .suites = server});
  ClientCredentials with = psk_of(as_bytes("alice"), as_bytes("0123456789abcdef"));
  if (!psk) with = RawKeyClient{key_of_client(), to_bytes(key_of_server().spki())};
  if (!rig.settle(rig.connect(std::move(with), client_address(), {.suites = client}))) return "none";
  const auto& at_server = rig.network.at_server<Established>()->info;
  EXPECT_EQ(at_server.cipher_suite, rig.network.at_client<Established>(client_address())->info.cipher_suite);
  return at_server.cipher_suite;
}

TEST(DtlsSuites, ShortTagsComeFirst) {
  constexpr auto constrained = SuitePreference::constrained;
  EXPECT_EQ(suite_of(constrained, constrained, true), "TLS_PSK_WITH_AES_128_CCM_8");
  EXPECT_EQ(suite_of(constrained, constrained, false), "TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8");
}

TEST(DtlsSuites, ForLongLivedTokensForwardSecrecyAndLongTagsComeFirst) {
  constexpr auto constrained = SuitePreference::constrained;
  constexpr auto long_lived = SuitePreference::long_lived;
  EXPECT_EQ(suite_of(constrained, long_lived, true), "TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256");
  EXPECT_EQ(suite_of(long_lived, constrained, true), "TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256");
  EXPECT_EQ(suite_of(long_lived, long_lived, true), "TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256");
  EXPECT_EQ(suite_of(constrained, long_lived, false), "TLS_ECDHE_ECDSA_WITH_AES_128_CCM");
  EXPECT_EQ(suite_of(long_lived, constrained, false), "TLS_ECDHE_ECDSA_WITH_AES_128_CCM");
}

/// A client that is GnuTLS alone, with a priority string of its own.
class ForeignClient {
 public:
  ForeignClient(Rig& rig, const std::string& priority, std::string_view key = "0123456789abcdef",
                std::string_view identity = "alice", unsigned flags = 0)
      : rig_(rig) {
    gnutls_session_t raw = nullptr;
    gnutls_init(&raw, GNUTLS_CLIENT | GNUTLS_DATAGRAM | GNUTLS_NONBLOCK | GNUTLS_NO_TICKETS | flags);
    session_.reset(raw);
    gnutls_priority_set_direct(raw, priority.c_str(), nullptr);
    gnutls_psk_client_credentials_t credentials = nullptr;
    gnutls_psk_allocate_client_credentials(&credentials);
    credentials_.reset(credentials);
    const gnutls_datum_t name = detail::borrow(as_bytes(identity));
    const gnutls_datum_t secret = detail::borrow(as_bytes(key));
    gnutls_psk_set_client_credentials2(credentials, &name, &secret, GNUTLS_PSK_KEY_RAW);
    gnutls_credentials_set(raw, GNUTLS_CRD_PSK, credentials);
    gnutls_transport_set_ptr(raw, this);
    gnutls_transport_set_push_function(raw, [](gnutls_transport_ptr_t self, const void* data, size_t size) {
      const auto* octets = static_cast<const std::uint8_t*>(data);
      static_cast<ForeignClient*>(self)->out_.emplace_back(octets, octets + size);
      return static_cast<ssize_t>(size);
    });
    gnutls_transport_set_pull_function(raw, [](gnutls_transport_ptr_t self, void* data, size_t size) -> ssize_t {
      auto& client = *static_cast<ForeignClient*>(self);
      if (client.in_.empty()) {
        gnutls_transport_set_errno(client.session_.get(), EAGAIN);
        return -1;
      }
      const Bytes datagram = client.in_.front();
      client.in_.erase(client.in_.begin());
      const std::size_t taken = std::min(size, datagram.size());
      std::copy_n(datagram.begin(), taken, static_cast<std::uint8_t*>(data));
      return static_cast<ssize_t>(taken);
    });
    gnutls_transport_set_pull_timeout_function(raw, [](gnutls_transport_ptr_t self, unsigned) {
      return static_cast<ForeignClient*>(self)->in_.empty() ? 0 : 1;
    });
  }

  /// GnuTLS's last word: 0 for success.
  int shake_hands() {
    int code = GNUTLS_E_AGAIN;
    for (int turn = 0; turn < 50 && (code == GNUTLS_E_AGAIN || code == GNUTLS_E_WARNING_ALERT_RECEIVED); ++turn) {
      code = gnutls_handshake(session_.get());
      exchange();
    }
    return code;
  }
  std::string suite() const {
    const char* name = gnutls_ciphersuite_get(session_.get());
    return name == nullptr ? "" : name;
  }
  Alert alert() const { return static_cast<Alert>(gnutls_alert_get(session_.get())); }

 private:
  void exchange() {
    for (auto& datagram : std::exchange(out_, {})) {
      rig_.server.receive(client_address(), testing::server_address, datagram, rig_.network.clock.now());
    }
    while (auto out = rig_.server.next_datagram()) in_.push_back(std::move(out->datagram));
  }

  Rig& rig_;
  detail::PskClientHandle credentials_;
  detail::SessionHandle session_;
  std::vector<Bytes> out_;
  std::vector<Bytes> in_;
};

std::string priority_of(std::string_view cipher, std::string_view exchange) {
  return "NONE:+VERS-DTLS1.2:+AEAD:+COMP-NULL:+CTYPE-X509:+SIGN-ALL:+GROUP-SECP256R1:+GROUP-FFDHE2048:+" +
         std::string(cipher) + ":+" + std::string(exchange);
}

TEST(DtlsSuites, EverySuiteOfTheProfileIsTaken) {
  const std::pair<std::string, std::string> cases[] = {
      {priority_of("AES-128-CCM-8", "PSK"), "TLS_PSK_WITH_AES_128_CCM_8"},
      {priority_of("AES-128-CCM", "PSK"), "TLS_PSK_WITH_AES_128_CCM"},
      {priority_of("AES-128-CCM-8", "DHE-PSK"), "TLS_PSK_DHE_WITH_AES_128_CCM_8"},
      {priority_of("AES-128-CCM", "DHE-PSK"), "TLS_DHE_PSK_WITH_AES_128_CCM"},
      {priority_of("CHACHA20-POLY1305", "ECDHE-PSK"), "TLS_ECDHE_PSK_WITH_CHACHA20_POLY1305_SHA256"}};
  for (const auto& [priority, suite] : cases) {
    Rig rig;
    ForeignClient client(rig, priority);
    EXPECT_EQ(client.shake_hands(), 0) << suite;
    EXPECT_EQ(client.suite(), suite);
  }
}

// RFC 9202 section 3.3.2; seen by a client of another make.
TEST(DtlsSuites, AnUnknownIdentityIsAnsweredWithIllegalParameter) {
  Rig rig;
  ForeignClient client(rig, priority_of("AES-128-CCM-8", "PSK"), "0123456789abcdef", "mallory");
  EXPECT_EQ(client.shake_hands(), GNUTLS_E_FATAL_ALERT_RECEIVED);
  EXPECT_EQ(client.alert(), Alert::illegal_parameter);
}

// RFC 4279 section 2 leaves the alert open for an identity that is known: the Finished cannot be decrypted, and DTLS
// drops what cannot be (RFC 6347 section 4.1.2.7).
TEST(DtlsSuites, AWrongKeyIsMetWithSilence) {
  Rig rig;
  ForeignClient client(rig, priority_of("AES-128-CCM-8", "PSK"), "another key here");
  EXPECT_EQ(client.shake_hands(), GNUTLS_E_AGAIN);
  EXPECT_EQ(rig.server.session_count(), 0U);
}

// RFC 7627 section 5.3.
TEST(DtlsSuites, AClientWithoutTheExtendedMasterSecretIsRefused) {
  Rig rig;
  ForeignClient client(rig, priority_of("AES-128-CCM-8", "PSK") + ":%NO_SESSION_HASH");
  EXPECT_EQ(client.shake_hands(), GNUTLS_E_FATAL_ALERT_RECEIVED);
  EXPECT_EQ(client.alert(), Alert::handshake_failure);
  rig.network.run([&] { return rig.network.at_server<HandshakeFailed>() != nullptr; });
  ASSERT_NE(rig.network.at_server<HandshakeFailed>(), nullptr);
  EXPECT_EQ(rig.network.at_server<HandshakeFailed>()->why, reason::extended_master_secret_missing);
}

}  // namespace
}  // namespace aceward::tls
