#include "demo/scenery.h"

#include <stdlib.h>

#include <algorithm>
#include <string>
#include <system_error>

#include "aceward/store/reasons.h"

namespace aceward::demo {

namespace {

constexpr std::string_view server_name = "greenhouse";
constexpr std::string_view issuer_name = "as.example";
constexpr std::string_view forged_as = "coaps://192.0.2.66/token";

Address any_port() { return Address::v4(127, 0, 0, 1, 0); }

Result<cose::Key> fresh_key(Random& random, std::string_view kid) {
  cose::Key key = cose::Key::from_private(ACEWARD_TRY(crypto::PrivateKey::generate(crypto::Curve::p256, random)));
  key.kid = to_bytes(kid);
  return key;
}

Bytes public_octets(const cose::Key& key) {
  const auto part = key.public_part();
  return part ? to_bytes(part->serialize().expose()) : Bytes();
}

/// What each scope-token opens.
std::map<std::string, ace::Aif> scopes() {
  std::map<std::string, ace::Aif> scopes;
  scopes.emplace("rTempC", *ace::Aif::parse_text("/temp=GET"));
  scopes.emplace("wLed", *ace::Aif::parse_text("/led=GET,PUT"));
  return scopes;
}

}  // namespace

Result<std::unique_ptr<TemporaryDirectory>> TemporaryDirectory::make() {
  std::error_code error;
  std::string name = (std::filesystem::temp_directory_path(error) / "aceward-demo-XXXXXX").string();
  if (error || mkdtemp(name.data()) == nullptr) return fail(reason::store_unavailable, "no temporary directory");
  return std::unique_ptr<TemporaryDirectory>(new TemporaryDirectory(name));
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Scenery::Scenery(Random& random, cose::Key as_channel, cose::Key as_signing, cose::Key rs_channel, cose::Key client)
    : random_(random),
      as_channel_key_(std::move(as_channel)),
      as_signing_key_(std::move(as_signing)),
      rs_channel_key_(std::move(rs_channel)),
      client_a_key_(std::move(client)),
      token_key_(random.bytes(16)),
      client_b_psk_(random.bytes(16)) {}

Result<std::unique_ptr<Scenery>> Scenery::set(Random& random) {
  cose::Key as_channel = ACEWARD_TRY(fresh_key(random, "as"));
  cose::Key as_signing = ACEWARD_TRY(fresh_key(random, "as-sign"));
  cose::Key rs_channel = ACEWARD_TRY(fresh_key(random, "rs"));
  cose::Key client = ACEWARD_TRY(fresh_key(random, "a"));
  std::unique_ptr<Scenery> scenery(
      new Scenery(random, std::move(as_channel), std::move(as_signing), std::move(rs_channel), std::move(client)));
  scenery->directory_ = ACEWARD_TRY(TemporaryDirectory::make());
  ACEWARD_TRY(scenery->start_as());
  ACEWARD_TRY(scenery->start_rs());
  scenery->owner_ = ACEWARD_TRY(store::Store::open(scenery->directory_->path() / "as.db", {}, random));
  return scenery;
}

Scenery::~Scenery() {
  owner_.reset();
  as_thread_.call([this] { as_.reset(); });
  rs_thread_.call([this] {
    impostor_.reset();
    rs_.reset();
  });
}

Result<> Scenery::start_as() {
  return as_thread_.call([this]() -> Result<> {
    app::AsSettings settings{.listen = {any_port()},
                             .issuer = std::string(issuer_name),
                             .channel_key = as_channel_key_.clone(),
                             .signing_key = as_signing_key_.clone(),
                             .database = directory_->path() / "as.db",
                             .store = {},
                             .dtls = {},
                             .audit = {}};
    as_ = ACEWARD_TRY(app::AsRole::start(as_thread_.loop(), std::move(settings), random_));
    as_address_ = as_->addresses().front();
    return {};
  });
}

std::string Scenery::token_uri() const { return "coaps://" + as_address_.to_string() + "/token"; }

app::RsSettings Scenery::rs_settings(std::string as_uri) const {
  app::RsSettings settings{.listen = {},
                           .listen_plain = {any_port()},
                           .channel_key = rs_channel_key_.clone(),
                           .tokens = {},
                           .server = {},
                           .resources = {},
                           .dtls = {},
                           .on_decision = {}};
  ace::TrustedIssuer issuer{.iss = std::string(issuer_name), .verifying_keys = {}, .token_keys = {}};
  if (auto verifying = as_signing_key_.public_part()) {
    verifying->kid = as_signing_key_.kid;
    issuer.verifying_keys.push_back(std::move(*verifying));
  }
  if (auto shared = cose::Key::symmetric(token_key_.clone())) {
    shared->kid = to_bytes("rs-key");
    issuer.token_keys.push_back(std::move(*shared));
  }
  settings.tokens.issuers.push_back(std::move(issuer));
  settings.tokens.audiences = {std::string(audience)};
  settings.tokens.text_scopes = scopes();
  settings.server.hints.as_uri = std::move(as_uri);
  settings.server.hints.audience = std::string(audience);
  settings.server.hints.suggest_scope = ace::rs::HintsConfig::SuggestScope::text;
  settings.resources.push_back({"/temp", to_bytes("22.3 C")});
  settings.resources.push_back({"/led", to_bytes("off")});
  settings.resources.push_back({"/firmware", to_bytes("1.0.4")});
  return settings;
}

Result<> Scenery::start_rs() {
  return rs_thread_.call([this]() -> Result<> {
    app::RsSettings settings = rs_settings(token_uri());
    settings.listen = {any_port()};
    rs_ = ACEWARD_TRY(app::RsRole::start(rs_thread_.loop(), std::move(settings), random_));
    impostor_ = ACEWARD_TRY(app::RsRole::start(rs_thread_.loop(), rs_settings(std::string(forged_as)), random_));
    rs_secure_ = rs_->addresses().front();
    rs_plain_ = rs_->plain_addresses().front();
    impostor_address_ = impostor_->plain_addresses().front();
    return {};
  });
}

Result<> Scenery::register_all() {
  ace::as::ServerRecord server;
  server.name = std::string(server_name);
  server.audience = std::string(audience);
  server.public_key = public_octets(rs_channel_key_);
  server.token_key = token_key_.clone();
  server.token_key_id = to_bytes("rs-key");
  ACEWARD_TRY(owner_->add_server_now(std::move(server)));

  ace::as::ClientRecord a;
  a.name = "client-a";
  a.public_key = public_octets(client_a_key_);
  a.key_thumbprint = to_bytes(client_a_key_.thumbprint());
  ACEWARD_TRY(owner_->add_client_now(std::move(a)));
  ace::as::ClientRecord b;
  b.name = "client-b";
  b.psk_identity = to_bytes("client-b");
  b.psk = client_b_psk_.clone();
  ACEWARD_TRY(owner_->add_client_now(std::move(b)));

  ace::as::PolicyRule rule;
  rule.name = "a-reads-temp";
  rule.client = "client-a";
  rule.server = std::string(server_name);
  rule.text_scope = "rTempC";
  ACEWARD_TRY(owner_->add_rule_now(rule));
  rule.name = "b-reads-temp";
  rule.client = "client-b";
  rule.lifetime = short_lifetime;
  ACEWARD_TRY(owner_->add_rule_now(rule));
  return {};
}

Result<> Scenery::allow_led() {
  ace::as::PolicyRule rule;
  rule.name = "a-sets-led";
  rule.client = "client-a";
  rule.server = std::string(server_name);
  rule.text_scope = "wLed";
  ACEWARD_TRY(owner_->add_rule_now(std::move(rule)));
  return {};
}

Result<> Scenery::take_back_client_b() { return owner_->remove_rule_now("b-reads-temp"); }

ace::dtls::AsAccess Scenery::as_access(bool raw_key) const {
  ace::dtls::AsAccess access{{token_uri(), as_address_}, ace::dtls::AsPsk{to_bytes("client-b"), client_b_psk_.clone()}};
  if (auto key = as_channel_key_.public_part(); key && raw_key) {
    access.credentials = ace::dtls::AsRawKey{std::move(*key)};
  }
  return access;
}

ace::dtls::AccessClientConfig Scenery::client_a() {
  ace::dtls::AccessClientConfig config;
  config.key = client_a_key_.clone();
  config.authorization_servers.push_back(as_access(true));
  config.servers.emplace_back().entry = {"greenhouse", rs_plain_, rs_secure_, std::string(audience)};
  config.servers.emplace_back().entry = {"shed", impostor_address_, impostor_address_, std::string(audience)};
  return config;
}

ace::dtls::AccessClientConfig Scenery::client_b() {
  ace::dtls::AccessClientConfig config;
  config.authorization_servers.push_back(as_access(false));
  for (const auto transport : {ace::dtls::TokenTransport::authz_info, ace::dtls::TokenTransport::psk_identity}) {
    ace::dtls::ServerAccess& server = config.servers.emplace_back();
    server.entry = {"greenhouse", rs_plain_, rs_secure_, std::string(audience)};
    server.kind = ace::client::PopKind::pre_shared_key;
    server.transport = transport;
  }
  return config;
}

std::string Scenery::name_of(const Address& address) const {
  if (address == as_address_) return "AS";
  if (address == rs_plain_ || address == rs_secure_) return "RS";
  if (address == impostor_address_) return "impostor";
  return "";
}

std::vector<Secret> Scenery::secrets() const {
  std::vector<Secret> secrets;
  for (const cose::Key* key : {&as_channel_key_, &as_signing_key_, &rs_channel_key_, &client_a_key_}) {
    if (const auto private_key = key->private_key()) secrets.push_back(private_key->d().clone());
  }
  secrets.push_back(token_key_.clone());
  secrets.push_back(client_b_psk_.clone());
  return secrets;
}

}  // namespace aceward::demo
