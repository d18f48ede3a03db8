// X.509 certificates, raw public keys beside them (RFC 7250), and clients that have neither (RFC 7925 section 4).
#include <gtest/gtest.h>

#include "aceward/tls/reasons.h"
#include "aceward/tls/test_certificates.h"
#include "aceward/tls/test_network.h"

namespace aceward::tls {
namespace {

using testing::CertificateSpec;
using testing::client_address;
using testing::key_of_client;
using testing::key_of_server;
using testing::Rig;
using testing::TestAuthority;

const TestAuthority& root() {
  static const TestAuthority authority("Root");
  return authority;
}

CertificateSpec server_spec() { return {.dns_names = {"door.example"}, .purposes = {GNUTLS_KP_TLS_WWW_SERVER}}; }
CertificateSpec client_spec() {
  return {.common_name = "01-23-45-67-89-AB-CD-EF", .purposes = {GNUTLS_KP_TLS_WWW_CLIENT}};
}
NamedServer door() { return {root().authorities(), "door.example"}; }

/// A server with a raw key and a certificate, which knows a client by the name in its certificate.
struct CertifiedRig {
  explicit CertifiedRig(const std::function<void(ServerConfig&)>& change = {})
      : rig([&] {
          ServerConfig config{.raw_key = key_of_server(),
                              .certificate = root().chain(server_spec(), key_of_server()),
                              .client_authorities = root().authorities(),
                              .clock = &wall};
          if (change) change(config);
          return config;
        }()) {
    rig.credentials.certificate_names = {"01-23-45-67-89-AB-CD-EF"};
  }
  const Client& connect(ClientCredentials with) {
    return rig.connect(std::move(with), client_address(), {.clock = &wall});
  }
  bool establishes(ClientCredentials with) { return rig.settle(connect(std::move(with))); }
  /// Connects in vain; what the server or the client says of it.
  HandshakeFailed server_says(ClientCredentials with) {
    connect(std::move(with));
    rig.network.run([&] { return rig.network.at_server<HandshakeFailed>() != nullptr; });
    if (rig.network.at_server<HandshakeFailed>() == nullptr) throw std::runtime_error("no failure at the server");
    // Time for the alert to arrive.
    rig.network.run([&] { return rig.network.at_client<HandshakeFailed>(client_address()) != nullptr; });
    return *rig.network.at_server<HandshakeFailed>();
  }
  HandshakeFailed client_says(ClientCredentials with) {
    connect(std::move(with));
    rig.network.run([&] { return rig.network.at_client<HandshakeFailed>(client_address()) != nullptr; });
    if (rig.network.at_client<HandshakeFailed>(client_address()) == nullptr) throw std::runtime_error("no failure");
    return *rig.network.at_client<HandshakeFailed>(client_address());
  }
  std::optional<Alert> alert_at_client() {
    const auto* failure = rig.network.at_client<HandshakeFailed>(client_address());
    return failure == nullptr ? std::nullopt : failure->alert_received;
  }

  ManualClock wall;
  Rig rig;
};

CertificateClient certified(const CertificateSpec& spec = client_spec(), const TestAuthority& authority = root()) {
  return {authority.chain(spec, key_of_client()), door()};
}

TEST(DtlsCertificate, BothSidesProveTheirCertificates) {
  CertifiedRig bench;
  ASSERT_TRUE(bench.establishes(certified()));
  const auto* at_server = bench.rig.network.at_server<Established>();
  const auto* peer = std::get_if<CertificateIdentity>(&at_server->peer);
  ASSERT_NE(peer, nullptr);
  EXPECT_EQ(peer->certificate().names, std::vector<std::string>{"01-23-45-67-89-AB-CD-EF"});
  EXPECT_EQ(peer->certificate().spki, to_bytes(key_of_client().spki()));
  EXPECT_EQ(describe(at_server->peer), "x509:01-23-45-67-89-AB-CD-EF");
  EXPECT_EQ(at_server->info.cipher_suite, "TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8");
  const auto* at_client = bench.rig.network.at_client<Established>(client_address());
  const auto* server = std::get_if<CertificateIdentity>(&at_client->peer);
  ASSERT_NE(server, nullptr);
  EXPECT_TRUE(server->certificate().has_name("door.example"));
  EXPECT_EQ(bench.rig.credentials.certificates_asked, 1);
}

// RFC 7250: each side's type of certificate is negotiated by itself.
TEST(DtlsCertificate, RawKeysAndCertificatesGoTogetherInEveryCombination) {
  const Bytes spki = to_bytes(key_of_server().spki());
  const CertificateChain chain = root().chain(client_spec(), key_of_client());
  struct Case {
    ClientCredentials with;
    std::size_t at_server;  ///< index in PeerIdentity
    std::size_t at_client;
  };
  const Case cases[] = {{RawKeyClient{key_of_client(), spki}, 1, 1},
                        {RawKeyClient{key_of_client(), door()}, 1, 2},
                        {CertificateClient{chain, spki}, 2, 1},
                        {CertificateClient{chain, door()}, 2, 2},
                        {AnonymousClient{spki}, 3, 1},
                        {AnonymousClient{door()}, 3, 2}};
  for (const auto& one : cases) {
    CertifiedRig bench;
    bench.rig.credentials.anybody = true;
    SCOPED_TRACE(std::to_string(one.at_server) + "/" + std::to_string(one.at_client));
    ASSERT_TRUE(bench.establishes(std::visit(
        [](const auto& credentials) -> ClientCredentials {
          if constexpr (std::is_copy_constructible_v<std::decay_t<decltype(credentials)>>) {
            return credentials;
          } else {
            throw std::logic_error("not here");
          }
        },
        one.with)));
    EXPECT_EQ(bench.rig.network.at_server<Established>()->peer.index(), one.at_server);
    EXPECT_EQ(bench.rig.network.at_client<Established>(client_address())->peer.index(), one.at_client);
  }
}

TEST(DtlsCertificate, AServerWithACertificateAloneTakesRawKeysOfClients) {
  CertifiedRig bench([](ServerConfig& config) { config.raw_key.reset(); });
  EXPECT_TRUE(bench.establishes(RawKeyClient{key_of_client(), door()}));
}

TEST(DtlsCertificate, AChainThroughAnIntermediateHolds) {
  const TestAuthority intermediate("Intermediate", &root());
  CertifiedRig bench;
  const auto chain = CertificateChain::from_pem(intermediate.issue(client_spec(), key_of_client()) + intermediate.pem(),
                                                key_of_client());
  ASSERT_TRUE(chain.has_value());
  EXPECT_TRUE(bench.establishes(CertificateClient{*chain, door()}));
}

TEST(DtlsCertificate, RefusesAClientOfAnotherAuthority) {
  const TestAuthority stranger("Stranger");
  CertifiedRig bench;
  const auto failure = bench.server_says(certified(client_spec(), stranger));
  EXPECT_EQ(failure.why, reason::certificate_untrusted);
  EXPECT_EQ(failure.alert_sent, Alert::unknown_ca);
  EXPECT_EQ(bench.alert_at_client(), Alert::unknown_ca);
  EXPECT_EQ(bench.rig.credentials.certificates_asked, 0);
}

TEST(DtlsCertificate, RefusesAnAuthorityOfTheSameNameWithAnotherKey) {
  const TestAuthority impostor("Root");
  CertifiedRig bench;
  EXPECT_EQ(bench.server_says(certified(client_spec(), impostor)).why, reason::certificate_untrusted);
}

TEST(DtlsCertificate, ACertificateOfAClientIssuesNone) {
  CertifiedRig bench;
  const auto middle = RawKeyPair::generate().value();
  // Signed by the key of a certificate that is no CA's: TestAuthority's own would be one.
  const TestAuthority forger("Forger");
  const std::string chain = forger.issue(client_spec(), key_of_client()) + root().issue(client_spec(), middle);
  const auto made = CertificateChain::from_pem(chain, key_of_client());
  EXPECT_EQ(made.error(), reason::certificate_chain_malformed);
}

TEST(DtlsCertificate, RefusesACertificateOutsideItsTime) {
  for (const auto at : {1'689'999'999, 1'790'000'001}) {
    CertifiedRig bench;
    bench.wall.set_wall(WallTime(std::chrono::seconds(at)));
    const auto failure = bench.server_says(
        CertificateClient{root().chain(client_spec(), key_of_client()), to_bytes(key_of_server().spki())});
    EXPECT_EQ(failure.why, reason::certificate_untrusted);
    EXPECT_EQ(failure.alert_sent, Alert::certificate_expired);
    EXPECT_EQ(bench.alert_at_client(), Alert::certificate_expired);
  }
}

TEST(DtlsCertificate, RefusesACertificateForAnotherPurpose) {
  CertifiedRig bench;
  auto spec = client_spec();
  spec.purposes = {GNUTLS_KP_TLS_WWW_SERVER};
  const auto failure = bench.server_says(certified(spec));
  EXPECT_EQ(failure.why, reason::certificate_untrusted);
  EXPECT_EQ(failure.alert_sent, Alert::bad_certificate);
}

TEST(DtlsCertificate, RefusesAKeyThatIsNotForSignatures) {
  CertifiedRig bench;
  auto spec = client_spec();
  spec.key_usage = GNUTLS_KEY_KEY_AGREEMENT;
  EXPECT_EQ(bench.client_says(certified(spec)).why.id().empty(), false);
  EXPECT_EQ(bench.rig.network.at_server<Established>(), nullptr);
}

TEST(DtlsCertificate, RefusesACertificateWhoseNameNobodyKnows) {
  CertifiedRig bench;
  auto spec = client_spec();
  spec.common_name = "01-23-45-67-89-AB-CD-EE";
  const auto failure = bench.server_says(certified(spec));
  EXPECT_EQ(failure.why.id(), "test_certificate_refused");
  EXPECT_EQ(failure.alert_sent, Alert::bad_certificate);
}

TEST(DtlsCertificate, AServerWithoutAuthoritiesTakesNoCertificate) {
  CertifiedRig bench([](ServerConfig& config) { config.client_authorities.reset(); });
  EXPECT_EQ(bench.server_says(certified()).why, reason::certificate_untrusted);
}

TEST(DtlsCertificate, TheCommonNameIsNoNameBesideASubjectAltName) {
  CertifiedRig bench;
  auto spec = client_spec();
  spec.dns_names = {"Lamp.Example"};
  spec.uris = {"urn:dev:lamp"};
  bench.rig.credentials.certificate_names.push_back("urn:dev:lamp");
  ASSERT_TRUE(bench.establishes(certified(spec)));
  const auto& peer = std::get<CertificateIdentity>(bench.rig.network.at_server<Established>()->peer);
  EXPECT_EQ(peer.certificate().names, (std::vector<std::string>{"lamp.example", "urn:dev:lamp"}));
}

TEST(DtlsCertificate, TheClientRefusesAServerOfAnotherName) {
  for (const std::string name : {"window.example", "oor.example", "example", "coaps://door.example"}) {
    CertifiedRig bench;
    auto with = certified();
    with.server = NamedServer{root().authorities(), name};
    const auto failure = bench.client_says(with);
    EXPECT_EQ(failure.why, reason::certificate_name_unexpected) << name;
    EXPECT_EQ(failure.alert_sent, Alert::bad_certificate);
  }
}

TEST(DtlsCertificate, AUriWithTheSchemeCoapsNamesAServer) {
  CertifiedRig bench([](ServerConfig& config) {
    auto spec = server_spec();
    spec.dns_names.clear();
    spec.uris = {"coaps://door.example"};
    config.certificate = root().chain(spec, key_of_server());
  });
  EXPECT_TRUE(bench.establishes(certified()));
}

TEST(DtlsCertificate, TheClientRefusesAServerOfAnotherAuthority) {
  const TestAuthority stranger("Stranger");
  CertifiedRig bench;
  auto with = certified();
  with.server = NamedServer{stranger.authorities(), "door.example"};
  const auto failure = bench.client_says(with);
  EXPECT_EQ(failure.why, reason::certificate_untrusted);
  EXPECT_EQ(failure.alert_sent, Alert::unknown_ca);
}

TEST(DtlsCertificate, TheClientRefusesAServerWithTheCertificateOfAClient) {
  CertifiedRig bench([](ServerConfig& config) {
    auto spec = client_spec();
    spec.dns_names = {"door.example"};
    config.certificate = root().chain(spec, key_of_server());
  });
  EXPECT_EQ(bench.client_says(certified()).why, reason::certificate_untrusted);
}

TEST(DtlsCertificate, TheClientsClockCounts) {
  CertifiedRig bench;
  ManualClock late;
  late.set_wall(WallTime(std::chrono::seconds(1'790'000'001)));
  bench.rig.connect(certified(), client_address(), {.clock = &late});
  bench.rig.network.run([&] { return bench.rig.network.at_client<HandshakeFailed>(client_address()) != nullptr; });
  const auto* failure = bench.rig.network.at_client<HandshakeFailed>(client_address());
  ASSERT_NE(failure, nullptr);
  EXPECT_EQ(failure->why, reason::certificate_untrusted);
  EXPECT_EQ(failure->alert_sent, Alert::certificate_expired);
}

TEST(DtlsCertificate, AChainIsForTheKeyThatItNames) {
  const auto other = RawKeyPair::generate().value();
  EXPECT_EQ(CertificateChain::from_pem(root().issue(client_spec(), key_of_client()), other).error(),
            reason::certificate_chain_malformed);
  EXPECT_EQ(CertificateChain::from_pem("no PEM", key_of_client()).error(), reason::certificate_chain_malformed);
  auto spec = client_spec();
  spec.digest = GNUTLS_DIG_SHA384;
  EXPECT_EQ(CertificateChain::from_pem(root().issue(spec, key_of_client()), key_of_client()).error(),
            reason::certificate_chain_malformed);
}

TEST(DtlsCertificate, AuthoritiesAreCaCertificates) {
  EXPECT_EQ(Authorities::from_pem("").error(), reason::authorities_malformed);
  EXPECT_EQ(Authorities::from_pem(root().issue(client_spec(), key_of_client())).error(), reason::authorities_malformed);
  EXPECT_TRUE(Authorities::from_pem(root().pem()).has_value());
}

// RFC 7252 section 9.1.3.3: certificates are signed with keys on secp256r1.
TEST(DtlsCertificate, AnAuthorityOnAnotherCurveIsNone) {
  constexpr std::string_view p384 = R"(-----BEGIN CERTIFICATE-----
MIIBwzCCAUqgAwIBAgIUIl1b1VGIdHLOo0xOKJ1mtjdTwMIwCgYIKoZIzj0EAwIw
EDEOMAwGA1UEAwwFUC0zODQwIBcNMjYxMTIyMDMzNTU5WhgPMjEyNjEwMjkwMzM1
NTlaMBAxDjAMBgNVBAMMBVAtMzg0MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEkZYy
HREoySKCTUd7iNUp941Avn6LZE1PDz+HIpCk5dJC+u1bacwTvtHp5AJz5YtFz1mi
qWgsHP1AJfm/Zo60BYzYqbek/mzy2KfQmWbEkJoCY0LCh49lNi4LJ8fFbmJ+o2Mw
YTAdBgNVHQ4EFgQUTPrJXocP6kq1hJSy9y2EPPdwQsQwHwYDVR0jBBgwFoAUTPrJ
XocP6kq1hJSy9y2EPPdwQsQwDwYDVR0TAQH/BAUwAwEB/zAOBgNVHQ8BAf8EBAMC
AgQwCgYIKoZIzj0EAwIDZwAwZAIwPzny2w6/+2cIhfNVXZLTv0izv7tKVN39PeQX
Magr2Yq5Wg2GaGK9OJrN9B8S9XanAjA/DEBe/bRCU6TzbDampFfB4MNj0j5NNYnf
KGfbDJVzKIdhN19kiq2OicMcwBxGD98=
-----END CERTIFICATE-----
)";
  EXPECT_EQ(Authorities::from_pem(p384).error(), reason::authorities_malformed);
}

TEST(DtlsCertificate, WithoutAClockThereAreNoAuthorities) {
  testing::ListedCredentials credentials;
  SeededRandom random(1);
  EXPECT_EQ(
      Server::create({.raw_key = key_of_server(), .client_authorities = root().authorities()}, credentials, random)
          .error(),
      reason::tls_setup_failed);
  EXPECT_EQ(Client::create(SessionId(1), testing::server_address, certified()).error(), reason::tls_setup_failed);
}

TEST(DtlsNoIdentity, AServerThatDoesNotAllowItRefuses) {
  CertifiedRig bench;
  const auto failure = bench.server_says(AnonymousClient{to_bytes(key_of_server().spki())});
  EXPECT_EQ(failure.why, reason::client_unauthenticated);
  EXPECT_EQ(failure.alert_sent, Alert::handshake_failure);
  EXPECT_EQ(bench.alert_at_client(), Alert::handshake_failure);
}

TEST(DtlsNoIdentity, TheServerProvesItsKeyAllTheSame) {
  CertifiedRig bench;
  bench.rig.credentials.anybody = true;
  const auto other = RawKeyPair::generate().value();
  EXPECT_EQ(bench.client_says(AnonymousClient{to_bytes(other.spki())}).why, reason::server_key_unexpected);
}

TEST(DtlsNoIdentity, WhoShowsAKeyIsJudgedByIt) {
  CertifiedRig bench;
  bench.rig.credentials.anybody = true;
  const auto unknown = RawKeyPair::generate().value();
  EXPECT_EQ(bench.server_says(RawKeyClient{unknown, to_bytes(key_of_server().spki())}).why.id(),
            "test_raw_key_refused");
}

}  // namespace
}  // namespace aceward::tls
