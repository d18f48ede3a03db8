#include "sim/town.h"

#include <algorithm>

#include "aceward/crypto/key.h"

namespace aceward::sim {

namespace {

constexpr const char* issuer_name = "coaps://10.0.0.1";
constexpr const char* token_uri = "coaps://10.0.0.1/token";

struct ScopeToken {
  const char* name;
  const char* aif;
};
constexpr ScopeToken scope_tokens[] = {
    {"rTemp", "/temp=GET"}, {"rwLed", "/led=GET,PUT"}, {"wDoor", "/door=POST"}, {"rConfig", "/config=GET"}};

/// From which port on a resource server talks to the authorization server.
constexpr std::uint16_t link_port = 30000;

cose::Key fresh_key(Random& random) {
  return cose::Key::from_private(crypto::PrivateKey::generate(crypto::Curve::p256, random).value());
}

tls::RawKeyPair pair_of(const cose::Key& key) { return tls::RawKeyPair::from_key(key.private_key().value()).value(); }

Bytes public_octets(const cose::Key& key) { return to_bytes(key.public_part().value().serialize().expose()); }

Bytes thumbprint_of(const cose::Key& key) {
  const auto thumbprint = key.thumbprint();
  return {thumbprint.begin(), thumbprint.end()};
}

}  // namespace

class Town::Resource final : public ace::rs::GuardedResource {
 public:
  Resource(Town& town, std::size_t server, std::string path) : town_(town), server_(server), path_(std::move(path)) {}
  void handle(coap::ExchangeId id, const ace::rs::AuthorizedRequest& request, coap::Responder& responder) override {
    Town::Server& server = town_.servers[server_];
    const WallTime wall = town_.run.clock.wall();
    const auto* entry = server.service->server().tokens().find(request.entry(), wall);
    town_.run.require(entry != nullptr, "an authorized request has a live token");
    town_.served.push_back({server_, path_, request.request().method, request.peer().remote, thumbprint_of(entry->key),
                            request.request().payload, wall});
    coap::Response response;
    response.code = request.request().method == coap::code::get ? coap::code::content : coap::code::changed;
    response.payload = to_bytes(server.name + "/" + path_);
    responder.respond(id, std::move(response));
  }

 private:
  Town& town_;
  std::size_t server_;
  std::string path_;
};

class TownAsNode final : public Node {
 public:
  explicit TownAsNode(Town& town) : town_(town) {}
  void receive(const Datagram& datagram, Instant now) override {
    if (datagram.to == town_.as_address) town_.as_->receive(datagram.from, datagram.to, datagram.octets, now);
  }
  std::optional<Datagram> next_datagram(Instant now) override {
    town_.as_->pump(now);
    auto out = town_.as_->next_datagram(now);
    if (!out) return std::nullopt;
    return Datagram{town_.as_address, out->to, std::move(out->datagram)};
  }
  void on_timeout(Instant now) override { town_.as_->on_timeout(now); }
  std::optional<Instant> next_timeout() const override { return town_.as_->next_timeout(); }

 private:
  Town& town_;
};

class TownServerNode final : public Node {
 public:
  TownServerNode(Town& town, std::size_t index) : town_(town), index_(index) {}
  void receive(const Datagram& datagram, Instant now) override {
    const Town::Server& server = self();
    if (ace::dtls::AsLink* link = server.service->as_link(); link != nullptr && datagram.to.port >= link_port) {
      link->stack().receive(datagram.to.port - link_port, datagram.from, datagram.octets, now);
      return;
    }
    if (datagram.to != server.plain && datagram.to != server.secure) return;
    server.service->receive(datagram.to == server.plain ? coaps::ListenerKind::plain : coaps::ListenerKind::secure,
                            datagram.from, datagram.to, datagram.octets, now);
  }
  std::optional<Datagram> next_datagram(Instant now) override {
    const Town::Server& server = self();
    ace::dtls::AsLink* link = server.service->as_link();
    if (link != nullptr) link->pump(now);
    server.service->pump(now);
    if (link != nullptr) {
      link->pump(now);
      if (auto asked = link->stack().next_datagram(now)) {
        Address from = server.secure;
        from.port = static_cast<std::uint16_t>(link_port + asked->channel);
        return Datagram{from, asked->to, std::move(asked->datagram)};
      }
    }
    auto out = server.service->next_datagram(now);
    if (!out) return std::nullopt;
    return Datagram{out->kind == coaps::ListenerKind::plain ? server.plain : server.secure, out->to,
                    std::move(out->datagram)};
  }
  void on_timeout(Instant now) override {
    const Town::Server& server = self();
    if (ace::dtls::AsLink* link = server.service->as_link()) {
      link->stack().on_timeout(now);
      link->on_own_timeout(now);
    }
    server.service->on_timeout(now);
  }
  std::optional<Instant> next_timeout() const override {
    const Town::Server& server = self();
    auto next = server.service->next_timeout();
    if (ace::dtls::AsLink* link = server.service->as_link())
      next = earlier(next, earlier(link->stack().next_timeout(), link->next_own_timeout()));
    return next;
  }

 private:
  const Town::Server& self() const { return town_.servers[index_]; }
  Town& town_;
  std::size_t index_;
};

class TownClientNode final : public Node {
 public:
  TownClientNode(Town& town, std::size_t index) : town_(town), index_(index) {}
  void receive(const Datagram& datagram, Instant now) override {
    const Town::Client& client = self();
    if (datagram.to.port < client.address.port) return;
    client.stack->receive(datagram.to.port - client.address.port, datagram.from, datagram.octets, now);
  }
  std::optional<Datagram> next_datagram(Instant now) override {
    const Town::Client& client = self();
    client.access->pump(now);
    auto out = client.stack->next_datagram(now);
    if (!out) return std::nullopt;
    Address from = client.address;
    from.port = static_cast<std::uint16_t>(from.port + out->channel);
    return Datagram{from, out->to, std::move(out->datagram)};
  }
  void on_timeout(Instant now) override {
    const Town::Client& client = self();
    client.stack->on_timeout(now);
    client.access->on_timeout(now);
  }
  std::optional<Instant> next_timeout() const override {
    return earlier(self().stack->next_timeout(), self().access->next_timeout());
  }

 private:
  const Town::Client& self() const { return town_.clients[index_]; }
  Town& town_;
  std::size_t index_;
};

Town::Town(Run& run_in)
    : run(run_in),
      network(run_in),
      random(run_in.dice.next_u64()),
      as_channel_key(fresh_key(random)),
      as_signing_key(fresh_key(random)),
      as_probe_(run_in, "AS") {
  start_as();
  as_node_ = std::make_unique<TownAsNode>(*this);
  network.attach(as_address, *as_node_);
}

Town::~Town() = default;

void Town::start_as() {
  ace::dtls::AsServiceConfig config;
  config.tokens.issuer = issuer_name;
  config.signing_keys.push_back(as_signing_key.clone());
  config.stack.dtls.emplace();
  config.stack.dtls->raw_key = pair_of(as_channel_key);
  as_ = ace::dtls::AsService::create(std::move(config), {ledger}, run.clock, random).value();
  as_->stack().set_tap(&as_probe_);
  publish();
}

void Town::restart_as() { start_as(); }

void Town::publish() {
  std::vector<ace::as::ClientRecord> client_copies;
  for (const auto& record : client_records) client_copies.push_back(clone(record));
  std::vector<ace::as::ServerRecord> server_copies;
  for (const auto& record : server_records) server_copies.push_back(clone(record));
  as_->set_registry(
      std::make_shared<const ace::as::Registry>(++version_, std::move(client_copies), std::move(server_copies), rules));
}

std::size_t Town::add_server(const std::string& name) {
  const std::size_t index = servers.size();
  const auto host = static_cast<std::uint8_t>(index + 1);
  Server server{.name = name,
                .plain = Address::v4(10, 0, 2, host, 5683),
                .secure = Address::v4(10, 0, 2, host, 5684),
                .key = fresh_key(random),
                .token_key = random.bytes(16),
                .service = nullptr,
                .resources = {},
                .node = nullptr,
                .probe = std::make_unique<Probe>(run, name)};
  ace::as::ServerRecord record;
  record.id = static_cast<std::int64_t>(index + 1);
  record.name = name;
  record.audience = name;
  record.public_key = public_octets(server.key);
  record.key_thumbprint = thumbprint_of(server.key);
  record.token_key = Secret::copy_of(server.token_key);
  record.token_key_id = {host};
  server_records.push_back(std::move(record));
  servers.push_back(std::move(server));
  start_server(index);
  servers[index].node = std::make_unique<TownServerNode>(*this, index);
  network.attach(servers[index].plain, *servers[index].node);
  publish();
  return index;
}

void Town::start_server(std::size_t index) {
  Server& server = servers[index];
  ace::dtls::RsServiceConfig config;
  ace::TrustedIssuer issuer;
  issuer.iss = issuer_name;
  issuer.verifying_keys.push_back(as_signing_key.public_part().value());
  cose::Key token_key = cose::Key::symmetric(Secret::copy_of(server.token_key)).value();
  token_key.kid = server_records[index].token_key_id;
  issuer.token_keys.push_back(std::move(token_key));
  config.tokens.issuers.push_back(std::move(issuer));
  config.tokens.audiences = {server.name};
  for (const ScopeToken& token : scope_tokens)
    config.tokens.text_scopes[token.name] = ace::Aif::parse_text(token.aif).value();
  config.server.hints.as_uri = token_uri;
  config.server.hints.audience = server.name;
  config.server.hints.suggest_scope = ace::rs::HintsConfig::SuggestScope::text;
  config.stack.dtls.emplace();
  config.stack.dtls->raw_key = pair_of(server.key);
  if (adjust_server) adjust_server(index, config);
  server.service = ace::dtls::RsService::create(std::move(config), run.clock, random).value();
  server.service->stack().set_tap(server.probe.get());
  server.resources.clear();
  for (const char* path : {"temp", "led", "door", "config"}) {
    server.resources.push_back(std::make_unique<Resource>(*this, index, path));
    server.service->server().add(path, *server.resources.back());
  }
}

ace::dtls::AsLinkConfig Town::link_of(std::size_t index) {
  ace::dtls::AsLinkConfig link;
  link.iss = issuer_name;
  link.address = as_address;
  const tls::RawKeyPair own = pair_of(servers[index].key);
  const Bytes expected = to_bytes(pair_of(as_channel_key).spki());
  link.credentials = [own, expected]() -> tls::ClientCredentials { return tls::RawKeyClient{own, expected}; };
  return link;
}

void Town::revoke(std::size_t client) {
  const WallTime wall = run.clock.wall();
  for (const auto& token : ledger.tokens) {
    if (token.client_id == static_cast<std::int64_t>(client + 1)) revoked_at.try_emplace(token.number.value, wall);
  }
  for (const auto& [number, when] : revoked_at) ledger.revoke(ace::as::TokenNumber(number));
  const auto kept = std::ranges::stable_partition(
      rules, [&](const ace::as::PolicyRule& rule) { return rule.client != clients[client].name; });
  former_rules.insert(former_rules.end(), kept.begin(), kept.end());
  rules.erase(kept.begin(), kept.end());
  publish();
  as_->update_revocations();
}

void Town::restart_server(std::size_t server) { start_server(server); }

std::size_t Town::add_client(const std::string& name, ace::client::PopKind kind) {
  const std::size_t index = clients.size();
  Client client{.name = name,
                .address = Address::v4(10, 0, 1, static_cast<std::uint8_t>(index + 1), 40000),
                .key = fresh_key(random),
                .stack = nullptr,
                .access = nullptr,
                .node = nullptr,
                .probe = std::make_unique<Probe>(run, name),
                .operations = {}};
  ace::as::ClientRecord record;
  record.id = static_cast<std::int64_t>(index + 1);
  record.name = name;
  record.public_key = public_octets(client.key);
  record.key_thumbprint = thumbprint_of(client.key);
  client_records.push_back(std::move(record));
  publish();

  ace::dtls::AccessClientConfig config;
  config.key = client.key.clone();
  config.authorization_servers.push_back({.entry = {.token_uri = token_uri, .address = as_address},
                                          .credentials = ace::dtls::AsRawKey{as_channel_key.public_part().value()}});
  for (const Server& server : servers) {
    ace::dtls::ServerAccess access;
    access.entry.name = server.name;
    access.entry.plain = server.plain;
    access.entry.secure = server.secure;
    access.entry.audience = server.name;
    access.kind = kind;
    if (kind == ace::client::PopKind::pre_shared_key && run.chance(500))
      access.transport = ace::dtls::TokenTransport::psk_identity;
    config.servers.push_back(std::move(access));
  }
  if (adjust_client) adjust_client(config);
  client.stack = std::make_unique<coaps::ClientStack>(coaps::ClientStackConfig{}, random);
  client.access = ace::dtls::AccessClient::create(std::move(config), *client.stack, random).value();
  client.stack->set_tap(client.probe.get());
  clients.push_back(std::move(client));
  clients[index].node = std::make_unique<TownClientNode>(*this, index);
  network.attach(clients[index].address, *clients[index].node);
  return index;
}

void Town::allow(std::size_t client, std::size_t server, const std::string& scope,
                 std::optional<std::chrono::seconds> lifetime) {
  ace::as::PolicyRule rule;
  rule.id = static_cast<std::int64_t>(rules.size() + 1);
  rule.name = "rule-" + std::to_string(rule.id);
  rule.client = clients[client].name;
  rule.server = servers[server].name;
  rule.text_scope = scope;
  rule.lifetime = lifetime;
  rules.push_back(std::move(rule));
  publish();
}

std::size_t Town::wish(std::size_t client, std::size_t server, coap::Code method, std::string path) {
  ace::dtls::Operation operation;
  operation.request.method = method;
  operation.request.options.add_path(path);
  if (!coap::is_safe(method)) operation.request.payload = to_bytes("value " + std::to_string(wishes.size()));
  const auto id = clients[client].access->submit(server, std::move(operation), run.now());
  clients[client].operations[id.value] = wishes.size();
  wishes.push_back({client, server, std::move(path), method, run.now(), false, {}, {}});
  return wishes.size() - 1;
}

void Town::collect_results() {
  for (Client& client : clients) {
    while (const auto completed = client.access->next_completed()) {
      const auto found = client.operations.find(completed->id.value);
      run.require(found != client.operations.end(), "what completes was submitted");
      TownWish& one = wishes[found->second];
      run.require(!one.ended, "an operation completes once");
      one.ended = true;
      if (!completed->result) {
        one.error = completed->result.error().id();
        continue;
      }
      one.code = completed->result->code;
      if (one.code->is_success())
        run.require(completed->result->payload == to_bytes(servers[one.server].name + "/" + one.path),
                    "a success is the answer of the server that was asked");
    }
  }
}

bool Town::all_ended() const {
  return std::ranges::all_of(wishes, [](const TownWish& one) { return one.ended; });
}

void Town::settle() {
  const auto done = [this] {
    collect_results();
    return all_ended();
  };
  run.require(network.run(done, std::chrono::seconds(600)), "every operation ends in its time");
  for (const TownWish& one : wishes)
    run.reach(!one.code ? "no answer" : one.code->is_success() ? "succeeded" : "refused");
}

bool Town::may(std::size_t client, std::size_t server, coap::Code method, std::string_view path) const {
  const auto gives = [&](const ace::as::PolicyRule& rule) {
    if (rule.client != clients[client].name || rule.server != servers[server].name) return false;
    return std::ranges::any_of(scope_tokens, [&](const ScopeToken& token) {
      const std::string padded = " " + rule.text_scope + " ";
      if (padded.find(" " + std::string(token.name) + " ") == std::string::npos) return false;
      const std::string_view aif = token.aif;
      return aif.substr(1, aif.find('=') - 1) == path &&
             aif.substr(aif.find('=')).find(method.name()) != std::string_view::npos;
    });
  };
  return std::ranges::any_of(rules, gives) || std::ranges::any_of(former_rules, gives);
}

void Town::check_served(std::chrono::seconds revoked_serves) {
  const auto good_at = [&](const ace::as::IssuedToken& token, WallTime at) {
    const auto revoked = revoked_at.find(token.number.value);
    return token.issued_at <= at && at < token.expires_at &&
           (revoked == revoked_at.end() || at <= revoked->second + revoked_serves);
  };
  for (const TownServed& one : served) {
    const auto backing = std::ranges::find_if(ledger.tokens, [&](const ace::as::IssuedToken& token) {
      return equal(token.key_thumbprint, one.key_thumbprint) && token.server_id == server_records[one.server].id &&
             good_at(token, one.at);
    });
    run.require(backing != ledger.tokens.end(), "what is served was allowed by a token for this server");
    const auto client = static_cast<std::size_t>(backing->client_id - 1);
    run.require(one.from.ip == clients[client].address.ip, "a token serves the client that it was issued to");
    run.require(may(client, one.server, one.method, one.path), "no right that policy did not give");
  }
  run.reach("served", served.size());
}

void Town::check_limits() {
  for (const Server& server : servers) {
    run.require(server.service->server().tokens().size() <= ace::rs::TokenStoreLimits{}.tokens,
                "a server holds no more tokens than its limit");
    run.require(server.service->channel().bound_count() <= 4096, "nor more sessions");
  }
}

}  // namespace aceward::sim
