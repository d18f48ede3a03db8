// A small world for the tests of the authorization server: two clients, six resource servers and the owner's rules.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "aceward/ace/as/authentication_mint.h"
#include "aceward/ace/as/memory_ledger.h"
#include "aceward/ace/as/token_endpoint.h"
#include "aceward/ace/params/access_information.h"
#include "aceward/ace/params/token_request.h"
#include "aceward/base/random.h"
#include "aceward/coap/resource/router.h"
#include "aceward/cose/cwt/token.h"
#include "aceward/cose/usable_key.h"

namespace aceward::ace::as {

inline cose::Key make_test_key(std::uint64_t seed, crypto::Curve curve = crypto::Curve::p256) {
  SeededRandom random(seed);
  return cose::Key::from_private(crypto::PrivateKey::generate(curve, random).value());
}

inline Bytes public_octets(const cose::Key& key) { return to_bytes(key.public_part().value().serialize().expose()); }

inline Bytes thumbprint_octets(const cose::Key& key) {
  const auto thumbprint = key.thumbprint();
  return to_bytes(thumbprint);
}

/// What the resource servers of the world hold to open their tokens.
class TestKeySource final : public cwt::KeySource {
 public:
  std::vector<cose::VerifyingKey> verifying;
  std::vector<cose::ContentKey> content;

  void candidates(const Query& query, std::vector<Candidate>& out) override {
    if (query.protection == cwt::Protection::signature)
      for (const auto& key : verifying) out.push_back({&key, cwt::IssuerId(1)});
    if (query.protection == cwt::Protection::encryption)
      for (const auto& key : content) out.push_back({&key, cwt::IssuerId(1)});
  }
};

/// Records are kept so that a test can change them and call `publish` again.
struct TokenWorld {
  static constexpr WallTime now{std::chrono::seconds(1'700'000'000)};

  SeededRandom random{7};
  MemoryLedger ledger;
  cose::Key as_key = make_test_key(1);
  cose::Key alice_key = make_test_key(2);
  cose::Key bob_key = make_test_key(3);
  cose::Key server_key = make_test_key(4);
  Bytes token_key = from_hex("000102030405060708090a0b0c0d0e0f").value();

  std::vector<ClientRecord> clients;
  std::vector<ServerRecord> servers;
  std::vector<PolicyRule> rules;
  std::vector<AuditRecord> audited;
  TokenEndpoint endpoint;

  TokenWorld() : endpoint(TokenEndpoint::create(configuration(), named(as_key, {0xa5}), random, ledger).value()) {
    alice_key.kid = Bytes{0x11};
    // Both have chosen the same kid: nothing forbids it (RFC 9200 section 5.8.2).
    bob_key.kid = Bytes{0x11};
    add_client("alice", alice_key, "alice@as");
    add_client("bob", bob_key, "bob@as");
    add_server("thermometer", ScopeFormat::text);
    add_server("valve", ScopeFormat::aif);
    add_server("encrypted", ScopeFormat::text).protection = TokenProtection::encrypted_cwt;
    add_server("shared-keys-only", ScopeFormat::text).accepts_asymmetric = false;
    ServerRecord& raw = add_server("raw-keys-only", ScopeFormat::text);
    raw.accepts_symmetric = false;
    raw.token_key = Secret();
    add_server("secret-server", ScopeFormat::text);
    for (const char* server : {"thermometer", "encrypted", "shared-keys-only", "raw-keys-only"})
      add_rule("alice", server, "read write");
    add_aif_rule("alice", "valve", "/open=POST /state=GET,PUT");
    add_rule("bob", "thermometer", "read");
    publish();
    endpoint.set_audit([this](const AuditRecord& record) { audited.push_back(record); });
  }

  /// Without the limits on what one client gets: a test, a fuzzer or a measurement asks more often than a client.
  static TokenEndpointConfig configuration() {
    return {.issuer = "coaps://as.example.com", .requests = {.per_client = 0}, .live_tokens_per_client = 0};
  }

  static cose::Key named(const cose::Key& key, Bytes kid) {
    cose::Key copy = key.clone();
    copy.kid = std::move(kid);
    return copy;
  }

  void add_client(std::string name, const cose::Key& key, std::string_view identity) {
    ClientRecord record;
    record.id = static_cast<std::int64_t>(clients.size()) + 1;
    record.name = std::move(name);
    record.public_key = public_octets(key);
    record.key_thumbprint = thumbprint_octets(key);
    record.psk_identity = to_bytes(identity);
    record.psk = Secret(Bytes(16, static_cast<std::uint8_t>(record.id)));
    clients.push_back(std::move(record));
  }

  ServerRecord& add_server(std::string name, ScopeFormat format) {
    ServerRecord record;
    record.id = static_cast<std::int64_t>(servers.size()) + 101;
    record.audience = name + ".example";
    record.name = std::move(name);
    record.public_key = public_octets(server_key);
    record.token_key = Secret::copy_of(token_key);
    record.token_key_id = Bytes{0x7e};
    record.scope_format = format;
    return servers.emplace_back(std::move(record));
  }

  PolicyRule& add_rule(std::string client, std::string server, std::string scope) {
    PolicyRule rule;
    rule.id = static_cast<std::int64_t>(rules.size()) + 1;
    rule.client = std::move(client);
    rule.server = std::move(server);
    rule.text_scope = std::move(scope);
    return rules.emplace_back(std::move(rule));
  }

  PolicyRule& add_aif_rule(std::string client, std::string server, std::string_view aif) {
    PolicyRule& rule = add_rule(std::move(client), std::move(server), "");
    rule.aif_scope = Aif::parse_text(aif).value().serialize();
    return rule;
  }

  ServerRecord& server(std::string_view name) {
    for (ServerRecord& record : servers)
      if (record.name == name) return record;
    throw std::out_of_range("no such server");
  }

  /// Hands the records as they are now to the endpoint.
  RegistrySnapshot publish() {
    std::vector<ClientRecord> client_copies;
    for (const ClientRecord& record : clients) client_copies.push_back(clone(record));
    std::vector<ServerRecord> server_copies;
    for (const ServerRecord& record : servers) server_copies.push_back(clone(record));
    auto snapshot = std::make_shared<const Registry>(++version_, std::move(client_copies), std::move(server_copies),
                                                     std::vector<PolicyRule>(rules));
    endpoint.set_registry(snapshot);
    return snapshot;
  }

  AuthenticatedClient by_raw_key(std::size_t client = 0) const {
    return AuthenticationMint::with_raw_public_key(clients.at(client));
  }
  AuthenticatedClient by_psk(std::size_t client = 0) const {
    return AuthenticationMint::with_pre_shared_key(clients.at(client));
  }

  static coap::Request post(Bytes payload) {
    coap::Request request;
    request.method = coap::code::post;
    request.options.add_path("/token");
    request.options.set_content_format(coap::content_format::ace_cbor);
    request.payload = std::move(payload);
    return request;
  }

  /// The answer, which must come within the call.
  coap::Response ask(const AuthenticatedClient& client, const coap::Request& request, WallTime at = now) {
    std::optional<coap::Response> answer;
    int answers = 0;
    endpoint.process(client, request, at, [&](coap::Response response) {
      answer = std::move(response);
      ++answers;
    });
    if (answers != 1) throw std::logic_error("not answered exactly once");
    return std::move(*answer);
  }
  coap::Response ask(const AuthenticatedClient& client, const TokenRequest& request, WallTime at = now) {
    return ask(client, post(cbor::serialize(request)), at);
  }

  /// Opens a token as its resource server would.
  Result<cwt::OpenedToken> open(BytesView token) {
    TestKeySource keys;
    keys.verifying.push_back(cose::VerifyingKey::from(as_key.public_part().value()).value());
    cose::Key shared = cose::Key::symmetric(Secret::copy_of(token_key)).value();
    keys.content.push_back(cose::ContentKey::from(shared, cose::alg::aes_ccm_16_64_128).value());
    return cwt::open(token, keys);
  }

 private:
  std::uint64_t version_ = 0;
};

}  // namespace aceward::ace::as
