#include "tests/flow/world.h"

#include <algorithm>

#include "aceward/ace/client/reasons.h"
#include "aceward/crypto/encoding.h"
#include "aceward/crypto/key.h"

namespace aceward::tests {

namespace {

cose::Key fresh_key(Random& random) {
  return cose::Key::from_private(crypto::PrivateKey::generate(crypto::Curve::p256, random).value());
}

tls::RawKeyPair pair_of(const cose::Key& key) { return tls::RawKeyPair::from_key(key.private_key().value()).value(); }

const Bytes token_key_octets = from_hex("101112131415161718191a1b1c1d1e1f").value();

}  // namespace

World::World(std::uint64_t seed)
    : random(seed), as_channel_key(fresh_key(random)), as_signing_key(fresh_key(random)), rs_key(fresh_key(random)) {
  ace::as::ServerRecord server;
  server.id = 1;
  server.name = "house";
  server.audience = "house";
  server.public_key = to_bytes(rs_key.public_part().value().serialize().expose());
  server.token_key = Secret::copy_of(token_key_octets);
  server.token_key_id = {0x01};
  servers.push_back(std::move(server));

  start_as();
  start_rs();
}

void World::start_as() {
  ace::dtls::AsServiceConfig config;
  config.tokens.issuer = "coaps://10.0.0.1";
  config.signing_keys.push_back(as_signing_key.clone());
  config.stack.dtls.emplace();
  config.stack.dtls->raw_key = pair_of(as_channel_key);
  if (adjust_as) adjust_as(config);
  as = ace::dtls::AsService::create(std::move(config), {ledger}, clock, random).value();
  publish();
}

void World::start_rs() {
  ace::dtls::RsServiceConfig config;
  ace::TrustedIssuer issuer;
  issuer.iss = "coaps://10.0.0.1";
  issuer.verifying_keys.push_back(as_signing_key.public_part().value());
  cose::Key token_key = cose::Key::symmetric(Secret::copy_of(token_key_octets)).value();
  token_key.kid = Bytes{0x01};
  issuer.token_keys.push_back(std::move(token_key));
  config.tokens.issuers.push_back(std::move(issuer));
  config.tokens.audiences = {"house"};
  config.tokens.text_scopes["rTemp"] = ace::Aif::parse_text("/temp=GET").value();
  config.tokens.text_scopes["rwLed"] = ace::Aif::parse_text("/led=GET,PUT").value();
  config.tokens.text_scopes["rConfig"] = ace::Aif::parse_text("/config=GET").value();
  config.tokens.text_scopes["wDoor"] = ace::Aif::parse_text("/door=POST").value();
  config.server.hints.as_uri = hint_as_uri;
  config.server.hints.audience = "house";
  config.server.hints.suggest_scope = ace::rs::HintsConfig::SuggestScope::text;
  config.stack.dtls.emplace();
  config.stack.dtls->raw_key = pair_of(rs_key);
  if (adjust_rs) adjust_rs(config);
  rs = ace::dtls::RsService::create(std::move(config), clock, random).value();
  things.clear();
  for (const char* path : {"temp", "led", "config", "door"}) {
    things.push_back(std::make_unique<Thing>(path, served));
    rs->server().add(path, *things.back());
  }
}

void World::link_servers(const std::function<void(ace::dtls::RsServiceConfig&)>& adjust) {
  const auto thumbprint = rs_key.thumbprint();
  servers[0].key_thumbprint = Bytes(thumbprint.begin(), thumbprint.end());
  publish();
  adjust_rs = [this, adjust](ace::dtls::RsServiceConfig& config) {
    config.as_link.emplace();
    config.as_link->iss = "coaps://10.0.0.1";
    config.as_link->address = as_address;
    config.as_link->credentials = [this] {
      return tls::RawKeyClient{pair_of(rs_key), crypto::spki_der(as_channel_key.public_key().value())};
    };
    adjust(config);
  };
}

ClientNode& World::add_client(const std::string& name, ace::client::PopKind kind,
                              const std::function<void(ace::dtls::AccessClientConfig&)>& adjust) {
  ace::as::ClientRecord record;
  record.id = static_cast<std::int64_t>(clients.size() + 1);
  record.name = name;
  ace::dtls::AccessClientConfig config;
  config.key = fresh_key(random);
  record.public_key = to_bytes(config.key->public_part().value().serialize().expose());
  const auto thumbprint = config.key->thumbprint();
  record.key_thumbprint = Bytes(thumbprint.begin(), thumbprint.end());
  clients.push_back(std::move(record));
  publish();

  config.authorization_servers.push_back({.entry = {.token_uri = "coaps://10.0.0.1/token", .address = as_address},
                                          .credentials = ace::dtls::AsRawKey{as_channel_key.public_part().value()}});
  ace::dtls::ServerAccess server;
  server.entry = {.name = "house", .plain = rs_plain, .secure = rs_secure, .audience = "house"};
  server.kind = kind;
  config.servers.push_back(std::move(server));
  if (adjust) adjust(config);

  ClientNode node;
  node.address = Address::v4(10, 0, 1, static_cast<std::uint8_t>(nodes.size() + 1), 40000);
  coaps::ClientStackConfig stack;
  stack.dtls.clock = &clock;
  node.stack = std::make_unique<coaps::ClientStack>(std::move(stack), random);
  node.access = ace::dtls::AccessClient::create(std::move(config), *node.stack, random).value();
  nodes.push_back(std::move(node));
  return nodes.back();
}

void World::allow(const std::string& client, const std::string& scope, std::optional<std::chrono::seconds> lifetime) {
  ace::as::PolicyRule rule;
  rule.id = static_cast<std::int64_t>(rules.size() + 1);
  rule.name = client + "-" + std::to_string(rule.id);
  rule.client = client;
  rule.server = "house";
  rule.text_scope = scope;
  rule.lifetime = lifetime;
  rules.push_back(std::move(rule));
  publish();
}

void World::publish() {
  std::vector<ace::as::ClientRecord> client_copies;
  for (const auto& client : clients) client_copies.push_back(clone(client));
  std::vector<ace::as::ServerRecord> server_copies;
  for (const auto& server : servers) server_copies.push_back(clone(server));
  const auto registry =
      std::make_shared<const ace::as::Registry>(1, std::move(client_copies), std::move(server_copies), rules);
  as->set_registry(registry);
}

ace::dtls::Completed World::ask(ClientNode& client, coap::Code method, std::string_view path, Bytes payload,
                                bool plain_answer_allowed) {
  ace::dtls::Operation operation;
  operation.request.method = method;
  operation.request.options.add_path(path);
  operation.request.payload = std::move(payload);
  operation.plain_answer_allowed = plain_answer_allowed;
  const auto id = client.access->submit(0, std::move(operation), clock.now());
  run();
  auto completed = client.access->next_completed();
  if (!completed || completed->id != id) return {id, ace::dtls::Stage::probe, fail(reason::operation_canceled), {}, {}};
  return std::move(*completed);
}

void World::pump() {
  const Instant now = clock.now();
  as->pump(now);
  rs->pump(now);
  for (ClientNode& node : nodes) node.access->pump(now);
}

void World::collect() {
  const Instant now = clock.now();
  const auto send = [this](const Flying& datagram) {
    seen.push_back(datagram);
    const int count = copies ? copies(datagram) : 1;
    for (int i = 0; i < count; ++i) wire.push_back(datagram);
  };
  while (auto out = as->next_datagram(now)) send({as_address, out->to, std::move(out->datagram)});
  while (auto out = rs->next_datagram(now)) {
    send({out->kind == coaps::ListenerKind::plain ? rs_plain : rs_secure, out->to, std::move(out->datagram)});
  }
  if (ace::dtls::AsLink* link = rs->as_link()) {
    while (auto out = link->stack().next_datagram(now)) {
      Address from = rs_link;
      from.port = static_cast<std::uint16_t>(from.port + out->channel);
      send({from, out->to, std::move(out->datagram)});
    }
  }
  for (ClientNode& node : nodes) {
    while (auto out = node.stack->next_datagram(now)) {
      Address from = node.address;
      from.port = static_cast<std::uint16_t>(from.port + out->channel);
      send({from, out->to, std::move(out->datagram)});
    }
  }
}

void World::deliver(const Flying& datagram) {
  const Instant now = clock.now();
  if (datagram.to == as_address) {
    as->receive(datagram.from, datagram.to, datagram.octets, now);
  } else if (datagram.to == rs_plain || datagram.to == rs_secure) {
    rs->receive(datagram.to == rs_plain ? coaps::ListenerKind::plain : coaps::ListenerKind::secure, datagram.from,
                datagram.to, datagram.octets, now);
  } else if (datagram.to.ip == rs_link.ip && rs->as_link() != nullptr) {
    rs->as_link()->stack().receive(static_cast<coaps::Channel>(datagram.to.port - rs_link.port), datagram.from,
                                   datagram.octets, now);
  } else {
    for (ClientNode& node : nodes) {
      if (node.address.ip != datagram.to.ip) continue;
      node.stack->receive(static_cast<coaps::Channel>(datagram.to.port - node.address.port), datagram.from,
                          datagram.octets, now);
    }
  }
}

std::optional<Instant> World::next_timeout(Until until) const {
  std::optional<Instant> next;
  const auto consider = [&next](std::optional<Instant> at) {
    if (at) next = next ? std::min(*next, *at) : *at;
  };
  for (const ClientNode& node : nodes) {
    consider(node.access->next_timeout());
    if (until == Until::end) consider(node.access->next_renewal());
    consider(node.stack->next_timeout());
  }
  consider(as->next_timeout());
  consider(rs->next_timeout());
  if (rs->as_link() != nullptr) consider(rs->as_link()->stack().next_timeout());
  return next;
}

void World::on_timeout() {
  const Instant now = clock.now();
  as->on_timeout(now);
  if (rs->as_link() != nullptr) rs->as_link()->stack().on_timeout(now);
  rs->on_timeout(now);
  for (ClientNode& node : nodes) {
    node.stack->on_timeout(now);
    node.access->on_timeout(now);
  }
}

void World::run(std::chrono::nanoseconds at_most) { proceed(clock.now() + at_most, Until::operations_are_done); }

void World::pass(std::chrono::nanoseconds length) {
  const Instant end = clock.now() + length;
  proceed(end, Until::end);
  if (clock.now() < end) clock.advance(end - clock.now());
}

void World::proceed(Instant end, Until until) {
  const auto all_done = [this] {
    return std::ranges::none_of(nodes, [](const ClientNode& node) { return node.access->next_timeout().has_value(); });
  };
  for (;;) {
    pump();
    collect();
    if (before_each_step) before_each_step();
    if (!wire.empty()) {
      const Flying datagram = std::move(wire.front());
      wire.pop_front();
      clock.advance(std::chrono::microseconds(500));
      deliver(datagram);
      continue;
    }
    if (until == Until::operations_are_done && all_done()) return;
    const auto next = next_timeout(until);
    if (!next || *next > end) return;
    clock.advance(std::max(*next - clock.now(), std::chrono::nanoseconds(1)));
    on_timeout();
  }
}

}  // namespace aceward::tests
