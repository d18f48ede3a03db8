// The life of a session after its handshake, and what a new handshake on the same addresses does to it.
#include <gnutls/dtls.h>
#include <gnutls/gnutls.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <filesystem>
#include <regex>

#include "aceward/tls/gnutls_clock.h"
#include "aceward/tls/reasons.h"
#include "aceward/tls/test_network.h"

namespace aceward::tls {
namespace {

using testing::client_address;
using testing::psk_of;
using testing::Rig;
using testing::server_address;

/// All Closed events that the server emitted.
std::vector<Closed> closed_at(const Rig& rig) {
  std::vector<Closed> out;
  for (const auto& event : rig.network.server_events) {
    if (const auto* closed = std::get_if<Closed>(&event)) out.push_back(*closed);
  }
  return out;
}

/// Whether a message of the client still reaches the server in its session.
bool reaches_server(Rig& rig, Client& client, std::string_view text) {
  if (!client.send(as_bytes(text), rig.network.clock.now())) return false;
  return rig.network.run(
      [&] {
        const auto* data = rig.network.at_server<Data>();
        return data != nullptr && as_text(data->octets) == text;
      },
      std::chrono::seconds(1));
}

TEST(DtlsSession, CloseNotifyFromTheClient) {
  Rig rig;
  Client& client = rig.connect_psk();
  ASSERT_TRUE(rig.settle(client));
  const SessionId id = rig.network.at_server<Established>()->id;
  client.close(rig.network.clock.now());
  ASSERT_TRUE(rig.network.run([&] { return rig.network.at_server<Closed>() != nullptr; }));
  EXPECT_EQ(rig.network.at_server<Closed>()->id, id);
  EXPECT_EQ(rig.network.at_server<Closed>()->why, reason::session_closed_by_peer);
  EXPECT_EQ(rig.network.at_client<Closed>(client_address())->why, reason::session_closed_here);
  EXPECT_EQ(rig.server.session_count(), 0U);
  EXPECT_EQ(rig.server.send(id, as_bytes("x"), rig.network.clock.now()).error(), reason::session_unknown);
  EXPECT_EQ(client.send(as_bytes("x"), rig.network.clock.now()).error(), reason::session_unknown);
}

TEST(DtlsSession, CloseNotifyFromTheServer) {
  Rig rig;
  Client& client = rig.connect_psk();
  ASSERT_TRUE(rig.settle(client));
  const SessionId id = rig.network.at_server<Established>()->id;
  rig.server.close(id, rig.network.clock.now());
  rig.server.close(id, rig.network.clock.now());
  ASSERT_TRUE(rig.network.run([&] { return rig.network.at_client<Closed>(client_address()) != nullptr; }));
  EXPECT_EQ(rig.network.at_client<Closed>(client_address())->why, reason::session_closed_by_peer);
  ASSERT_EQ(closed_at(rig).size(), 1U);
  EXPECT_EQ(closed_at(rig)[0].why, reason::session_closed_here);
}

TEST(DtlsSession, ClosingAHandshakeIsAFailureOfIt) {
  Rig rig;
  Client& client = rig.connect_psk();
  EXPECT_EQ(client.send(as_bytes("x"), rig.network.clock.now()).error(), reason::session_not_established);
  client.close(rig.network.clock.now());
  rig.network.idle(std::chrono::milliseconds(1));
  ASSERT_NE(rig.network.at_client<HandshakeFailed>(client_address()), nullptr);
  EXPECT_EQ(rig.network.at_client<HandshakeFailed>(client_address())->why, reason::handshake_canceled);
  EXPECT_FALSE(client.next_timeout());
}

TEST(DtlsSession, AReplayedRecordIsDropped) {
  Rig rig;
  Client& client = rig.connect_psk();
  ASSERT_TRUE(rig.settle(client));
  Bytes record;
  rig.network.on_send = [&](const Address&, const Address&, Bytes& datagram) {
    record = datagram;
    return true;
  };
  ASSERT_TRUE(reaches_server(rig, client, "once"));
  rig.network.server_events.clear();
  rig.server.receive(client_address(), server_address, record, rig.network.clock.now());
  EXPECT_FALSE(rig.server.next_event());
  EXPECT_EQ(rig.server.counters().undecryptable, 1U);
}

TEST(DtlsSession, AForgedRecordIsDropped) {
  Rig rig;
  Client& client = rig.connect_psk();
  ASSERT_TRUE(rig.settle(client));
  rig.network.on_send = [](const Address&, const Address&, Bytes& datagram) {
    datagram.back() ^= 1;
    return true;
  };
  EXPECT_FALSE(reaches_server(rig, client, "bent"));
  EXPECT_EQ(rig.server.counters().undecryptable, 1U);
  rig.network.on_send = nullptr;
  EXPECT_TRUE(reaches_server(rig, client, "straight"));
}

TEST(DtlsSession, MaxDataFitsTheMtuAndOneMoreDoesNot) {
  Rig rig;
  Client& client = rig.connect_psk();
  ASSERT_TRUE(rig.settle(client));
  const SessionId id = rig.network.at_server<Established>()->id;
  std::size_t largest = 0;
  rig.network.on_send = [&](const Address&, const Address&, Bytes& datagram) {
    largest = std::max(largest, datagram.size());
    return true;
  };
  EXPECT_GE(client.max_data(), 1232U);  // the largest message that coap/ sends
  EXPECT_EQ(client.max_data(), rig.server.max_data(id));
  ASSERT_TRUE(client.send(Bytes(client.max_data(), 7), rig.network.clock.now()));
  ASSERT_TRUE(rig.network.run([&] { return rig.network.at_server<Data>() != nullptr; }));
  EXPECT_EQ(rig.network.at_server<Data>()->octets.size(), client.max_data());
  EXPECT_LE(largest, 1280U);
  const auto too_large = client.send(Bytes(client.max_data() + 1, 7), rig.network.clock.now());
  ASSERT_FALSE(too_large);
  EXPECT_EQ(too_large.error(), reason::dtls_data_too_large);
}

TEST(DtlsSession, AnUnauthenticatedAlertDoesNotEndIt) {
  Rig rig;
  Client& client = rig.connect_psk();
  ASSERT_TRUE(rig.settle(client));
  const Bytes close_notify = from_hex("15fefd00000000000000ff00020100").value();
  const Bytes fatal = from_hex("15fefd00000000000000fe00020228").value();
  for (const Bytes& alert : {close_notify, fatal}) {
    rig.server.receive(client_address(), server_address, alert, rig.network.clock.now());
    client.receive(alert, rig.network.clock.now());
  }
  EXPECT_EQ(rig.server.session_count(), 1U);
  EXPECT_TRUE(client.established());
  EXPECT_TRUE(reaches_server(rig, client, "still here"));
}

// RFC 6347 section 4.2.8.

TEST(DtlsNewHandshake, ReplacesTheSessionWhenItCompletes) {
  Rig rig;
  Client& before = rig.connect_psk();
  ASSERT_TRUE(rig.settle(before));
  const SessionId old_id = rig.network.at_server<Established>()->id;
  // The client restarts on the same port, without a word.
  Client& after = rig.connect_psk();
  ASSERT_TRUE(rig.network.run([&] { return after.established(); }));
  ASSERT_EQ(closed_at(rig).size(), 1U);
  EXPECT_EQ(closed_at(rig)[0].id, old_id);
  EXPECT_EQ(closed_at(rig)[0].why, reason::session_replaced);
  EXPECT_NE(rig.network.at_server<Established>()->id, old_id);
  EXPECT_EQ(rig.server.session_count(), 1U);
  EXPECT_TRUE(reaches_server(rig, after, "anew"));
  EXPECT_EQ(rig.network.at_server<Data>()->id, rig.network.at_server<Established>()->id);
}

TEST(DtlsNewHandshake, WithoutCookieDoesNotTouchTheSession) {
  Rig rig;
  Client& client = rig.connect_psk();
  ASSERT_TRUE(rig.settle(client));
  auto forger = Client::create(SessionId(99), server_address, psk_of(as_bytes("x"), as_bytes("y"))).value();
  forger.start(rig.network.clock.now());
  rig.server.receive(client_address(), server_address, forger.next_datagram()->datagram, rig.network.clock.now());
  EXPECT_EQ(rig.server.half_open_count(), 0U);
  EXPECT_TRUE(reaches_server(rig, client, "untouched"));
}

TEST(DtlsNewHandshake, ThatNeverCompletesLeavesTheSessionInUse) {
  Rig rig;
  Client& client = rig.connect_psk();
  ASSERT_TRUE(rig.settle(client));
  const SessionId id = rig.network.at_server<Established>()->id;
  // Somebody who can read and write on the path begins a handshake and stops before the Finished.
  auto intruder =
      Client::create(SessionId(99), server_address, psk_of(as_bytes("alice"), as_bytes("guessed wrongly!"))).value();
  intruder.start(rig.network.clock.now());
  for (int turn = 0; turn < 4; ++turn) {
    while (auto out = intruder.next_datagram()) {
      rig.server.receive(client_address(), server_address, out->datagram, rig.network.clock.now());
    }
    while (auto out = rig.server.next_datagram()) intruder.receive(out->datagram, rig.network.clock.now());
  }
  ASSERT_EQ(rig.server.half_open_count(), 1U);
  EXPECT_TRUE(reaches_server(rig, client, "during"));
  EXPECT_EQ(rig.network.at_server<Data>()->id, id);
  rig.network.idle(std::chrono::seconds(15));
  EXPECT_EQ(rig.server.half_open_count(), 0U);
  EXPECT_EQ(rig.network.at_server<HandshakeFailed>()->why, reason::handshake_timed_out);
  EXPECT_TRUE(closed_at(rig).empty());
  EXPECT_TRUE(reaches_server(rig, client, "afterwards"));
}

TEST(DtlsNewHandshake, ThatIsRefusedLeavesTheSessionInUse) {
  Rig rig;
  Client& client = rig.connect_psk();
  ASSERT_TRUE(rig.settle(client));
  auto intruder = Client::create(SessionId(99), server_address, psk_of(as_bytes("mallory"), as_bytes("k"))).value();
  intruder.start(rig.network.clock.now());
  for (int turn = 0; turn < 4; ++turn) {
    while (auto out = intruder.next_datagram()) {
      rig.server.receive(client_address(), server_address, out->datagram, rig.network.clock.now());
    }
    while (auto out = rig.server.next_datagram()) intruder.receive(out->datagram, rig.network.clock.now());
  }
  rig.network.idle(std::chrono::milliseconds(1));
  ASSERT_NE(rig.network.at_server<HandshakeFailed>(), nullptr);
  EXPECT_TRUE(reaches_server(rig, client, "untouched"));
  EXPECT_TRUE(closed_at(rig).empty());
}

TEST(DtlsNewHandshake, SupersedesOneThatIsHalfOpen) {
  Rig rig;
  rig.connect_psk();
  ASSERT_TRUE(rig.network.run([&] { return rig.server.half_open_count() == 1; }));
  // The client restarts; what was under way to it is gone by then.
  rig.network.detach(client_address());
  rig.network.idle(std::chrono::milliseconds(100));
  Client& again = rig.connect_psk();
  ASSERT_TRUE(rig.settle(again));
  EXPECT_EQ(rig.network.at_server<HandshakeFailed>()->why, reason::handshake_superseded);
  EXPECT_EQ(rig.server.session_count(), 1U);
  EXPECT_EQ(rig.server.half_open_count(), 0U);
}

/// A client made of GnuTLS alone, for what our own would never do.
class BareClient {
 public:
  explicit BareClient(std::string_view priority) {
    // The first scope in a process changes the clock under sessions that there are.
    {
      const detail::ClockScope first(Instant{});
    }
    gnutls_init(&session_, GNUTLS_CLIENT | GNUTLS_DATAGRAM | GNUTLS_NONBLOCK | GNUTLS_ENABLE_RAWPK);
    gnutls_priority_set_direct(session_, std::string(priority).c_str(), nullptr);
    gnutls_transport_set_ptr(session_, this);
    gnutls_transport_set_push_function(session_, [](gnutls_transport_ptr_t self, const void* data, size_t size) {
      const auto* octets = static_cast<const std::uint8_t*>(data);
      static_cast<BareClient*>(self)->out_.emplace_back(octets, octets + size);
      return static_cast<ssize_t>(size);
    });
    gnutls_transport_set_pull_function(session_, [](gnutls_transport_ptr_t self, void* data, size_t size) -> ssize_t {
      auto& client = *static_cast<BareClient*>(self);
      if (client.in_.empty()) {
        gnutls_transport_set_errno(client.session_, EAGAIN);
        return -1;
      }
      const Bytes datagram = client.in_.front();
      client.in_.pop_front();
      std::memcpy(data, datagram.data(), std::min(size, datagram.size()));
      return static_cast<ssize_t>(std::min(size, datagram.size()));
    });
    gnutls_transport_set_pull_timeout_function(session_, [](gnutls_transport_ptr_t self, unsigned) {
      return static_cast<BareClient*>(self)->in_.empty() ? 0 : 1;
    });
  }
  BareClient(const BareClient&) = delete;
  BareClient& operator=(const BareClient&) = delete;
  ~BareClient() {
    gnutls_deinit(session_);
    if (psk_ != nullptr) gnutls_psk_free_client_credentials(psk_);
    if (certificate_ != nullptr) gnutls_certificate_free_credentials(certificate_);
  }

  void use_psk() {
    gnutls_psk_allocate_client_credentials(&psk_);
    const gnutls_datum_t key{reinterpret_cast<unsigned char*>(const_cast<char*>("0123456789abcdef")), 16};
    gnutls_psk_set_client_credentials(psk_, "alice", &key, GNUTLS_PSK_KEY_RAW);
    gnutls_credentials_set(session_, GNUTLS_CRD_PSK, psk_);
  }
  void use_no_key() {
    gnutls_certificate_allocate_credentials(&certificate_);
    gnutls_credentials_set(session_, GNUTLS_CRD_CERTIFICATE, certificate_);
  }

  /// Calls gnutls_handshake and carries datagrams until nothing moves; returns its last result.
  int handshake(Server& server, Instant now) {
    int code = GNUTLS_E_AGAIN;
    for (int turn = 0; turn < 12 && code != GNUTLS_E_SUCCESS; ++turn) {
      code = gnutls_handshake(session_);
      for (const Bytes& datagram : out_) server.receive(client_address(), server_address, datagram, now);
      out_.clear();
      while (auto out = server.next_datagram()) in_.push_back(std::move(out->datagram));
      if (code < 0 && gnutls_error_is_fatal(code) != 0) break;
      if (code == GNUTLS_E_WARNING_ALERT_RECEIVED) break;
    }
    return code;
  }
  int alert() const { return gnutls_alert_get(session_); }
  gnutls_session_t gnutls() const { return session_; }

 private:
  gnutls_session_t session_ = nullptr;
  gnutls_psk_client_credentials_t psk_ = nullptr;
  gnutls_certificate_credentials_t certificate_ = nullptr;
  std::deque<Bytes> in_;
  std::vector<Bytes> out_;
};

TEST(DtlsSession, RenegotiationIsRefusedAndTheSessionStays) {
  Rig rig;
  BareClient client("NORMAL:-VERS-ALL:+VERS-DTLS1.2:+AES-128-CCM-8:-KX-ALL:+PSK");
  client.use_psk();
  ASSERT_EQ(client.handshake(rig.server, rig.network.clock.now()), GNUTLS_E_SUCCESS);
  ASSERT_EQ(rig.server.session_count(), 1U);
  EXPECT_NE(client.handshake(rig.server, rig.network.clock.now()), GNUTLS_E_SUCCESS);
  EXPECT_EQ(client.alert(), GNUTLS_A_NO_RENEGOTIATION);
  EXPECT_EQ(rig.server.counters().renegotiations_refused, 1U);
  EXPECT_EQ(rig.server.session_count(), 1U);
  EXPECT_EQ(rig.server.counters().handshakes_started, 1U);
}

/// RFC 9202 section 7.1: who resumed a session would not prove possession of its key again.
TEST(DtlsSession, NoTicketIsGivenAndNoSessionResumed) {
  Rig rig;
  constexpr std::string_view priority = "NORMAL:-VERS-ALL:+VERS-DTLS1.2:+AES-128-CCM-8:-KX-ALL:+PSK";
  BareClient first(priority);
  first.use_psk();
  ASSERT_EQ(first.handshake(rig.server, rig.network.clock.now()), GNUTLS_E_SUCCESS);
  EXPECT_EQ(gnutls_session_get_flags(first.gnutls()) & GNUTLS_SFLAGS_SESSION_TICKET, 0U);
  gnutls_datum_t kept{};
  ASSERT_EQ(gnutls_session_get_data2(first.gnutls(), &kept), GNUTLS_E_SUCCESS);
  BareClient again(priority);
  again.use_psk();
  gnutls_session_set_data(again.gnutls(), kept.data, kept.size);
  gnutls_free(kept.data);
  const int asked_before = rig.credentials.psk_asked;
  ASSERT_EQ(again.handshake(rig.server, rig.network.clock.now()), GNUTLS_E_SUCCESS);
  EXPECT_EQ(gnutls_session_is_resumed(again.gnutls()), 0);
  EXPECT_GT(rig.credentials.psk_asked, asked_before);
}

TEST(DtlsSession, ARawKeySuiteWithoutAClientKeyIsRefused) {
  Rig rig;
  BareClient client(
      "NONE:+VERS-DTLS1.2:+AES-128-CCM-8:+AEAD:+ECDHE-ECDSA:+GROUP-SECP256R1:+SIGN-ECDSA-SHA256:+COMP-NULL:"
      "+CTYPE-SRV-RAWPK:+CTYPE-CLI-RAWPK");
  client.use_no_key();
  EXPECT_NE(client.handshake(rig.server, rig.network.clock.now()), GNUTLS_E_SUCCESS);
  EXPECT_EQ(rig.server.session_count(), 0U);
  EXPECT_EQ(rig.server.counters().handshakes_failed, 1U);
  EXPECT_EQ(rig.credentials.raw_asked, 0);
}

TEST(DtlsSession, AClientThatSpeaksX509OnlyIsRefused) {
  Rig rig;
  BareClient client("NORMAL:-VERS-ALL:+VERS-DTLS1.2:+AES-128-CCM-8");
  client.use_no_key();
  EXPECT_NE(client.handshake(rig.server, rig.network.clock.now()), GNUTLS_E_SUCCESS);
  EXPECT_EQ(rig.server.session_count(), 0U);
}

TEST(DtlsSession, Dtls10IsRefused) {
  Rig rig;
  BareClient client("NORMAL:-VERS-ALL:+VERS-DTLS1.0:-KX-ALL:+PSK:%COMPAT");
  client.use_psk();
  EXPECT_NE(client.handshake(rig.server, rig.network.clock.now()), GNUTLS_E_SUCCESS);
  EXPECT_EQ(rig.server.session_count(), 0U);
}

TEST(DtlsSession, TheCcm8SuiteAndP256AreTakenFromAMinimalClient) {
  // RFC 7252 section 9.1.3.2 and RFC 9202 section 3.2: what every constrained client has, and nothing else.
  Rig rig;
  BareClient client("NONE:+VERS-DTLS1.2:+AES-128-CCM-8:+AEAD:+PSK:+COMP-NULL:+SIGN-ALL:+GROUP-SECP256R1:+CTYPE-X509");
  client.use_psk();
  EXPECT_EQ(client.handshake(rig.server, rig.network.clock.now()), GNUTLS_E_SUCCESS);
}

TEST(DtlsSessionDeathTest, KeysAreNotWrittenToSslKeyLogFile) {
  // GnuTLS looks at the environment once, so the handshakes happen in a process of their own; it runs this test from
  // the start and must keep the path that its parent chose.
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto path = std::filesystem::temp_directory_path() / ("aceward-keylog-" + std::to_string(::getpid()));
  ASSERT_EQ(::setenv("SSLKEYLOGFILE", path.c_str(), 0), 0);
  const auto handshake = [] {
    Rig rig;
    Client& psk = rig.connect_psk(client_address(1));
    Client& raw = rig.connect_raw(client_address(2));
    const bool done = rig.network.run([&] { return psk.established() && raw.established(); });
    ::_exit(done ? 0 : 1);
  };
  EXPECT_EXIT(handshake(), ::testing::ExitedWithCode(0), "");
  EXPECT_FALSE(std::filesystem::exists(path));
  ::unsetenv("SSLKEYLOGFILE");
  std::filesystem::remove(path);
}

TEST(DtlsSession, BothEndsTellTheSameKeysToWhoeverWasAskedToLogThem) {
  std::vector<std::string> at_server;
  std::vector<std::string> at_client;
  Rig rig(
      {.raw_key = testing::key_of_server(), .key_log = [&](std::string_view line) { at_server.emplace_back(line); }});
  const ClientConfig config{.key_log = [&](std::string_view line) { at_client.emplace_back(line); }};
  const Client& psk = rig.connect(psk_of(as_bytes("alice"), as_bytes("0123456789abcdef")), client_address(1), config);
  ASSERT_TRUE(rig.settle(psk));
  const Client& raw = rig.connect(RawKeyClient{testing::key_of_client(), to_bytes(testing::key_of_server().spki())},
                                  client_address(2), config);
  ASSERT_TRUE(rig.network.run([&] { return raw.established() && at_server.size() == 2; }));
  EXPECT_EQ(at_client, at_server);
  EXPECT_NE(at_client[0], at_client[1]);
  for (const std::string& line : at_client) {
    EXPECT_TRUE(std::regex_match(line, std::regex("CLIENT_RANDOM [0-9a-f]{64} [0-9a-f]{96}"))) << line;
  }
}

TEST(DtlsSession, IdsAreNeverReused) {
  Rig rig;
  std::vector<SessionId> seen;
  for (int i = 0; i < 5; ++i) {
    Client& client = rig.connect_psk();
    rig.network.server_events.clear();
    ASSERT_TRUE(rig.network.run([&] { return client.established(); }));
    const SessionId id = rig.network.at_server<Established>()->id;
    EXPECT_EQ(std::ranges::find(seen, id), seen.end());
    seen.push_back(id);
    client.close(rig.network.clock.now());
    rig.network.run([&] { return rig.server.session_count() == 0; });
  }
}

TEST(PeerIdentity, IsDescribedWithoutTheKey) {
  Rig rig;
  Client& client = rig.connect_psk();
  ASSERT_TRUE(rig.settle(client));
  EXPECT_EQ(describe(rig.network.at_server<Established>()->peer), "psk:616c696365");
}

}  // namespace
}  // namespace aceward::tls
