#include "tests/plugtest/wire.h"

namespace aceward::plugtest {
namespace {

const Address server_address = Address::v4(192, 0, 2, 1, 5683);
const Address client_address = Address::v4(192, 0, 2, 20, 49152);

coap::ServerConfig server_config() {
  coap::ServerConfig config;
  config.limits.unverified_answer = 0;
  return config;
}

coap::ClientConfig client_config() {
  coap::ClientConfig config;
  config.cache = coap::CacheLimits{};
  return config;
}

}  // namespace

Wire::Wire() : client(random, client_config()) { restart_server(); }

void Wire::restart_server() {
  resources.reset();
  server = std::make_unique<coap::Server>(random, server_config());
  resources = std::make_unique<Resources>(server->router(), server->observations());
}

void Wire::ask(coap::Code method, const std::string& path, const std::string& payload, coap::Reliability reliability,
               const std::function<void(coap::Request&)>& adjust) {
  const auto uri = coap::parse_uri("coap://192.0.2.1" + path).value();
  coap::Request request = coap::make_request(method, uri, server_address).value();
  request.payload = to_bytes(payload);
  if (!payload.empty()) request.options.set_content_format(coap::content_format::text_plain);
  if (adjust) adjust(request);
  const auto asked = client.request(server_address, std::move(request),
                                    [this](Result<coap::Response> outcome) { outcomes.push_back(std::move(outcome)); },
                                    now, {reliability, {}, {}});
  ASSERT_TRUE(asked) << asked.error().id();
  client.on_timeout(now);
  settle();
}

coap::ExchangeId Wire::observe(const std::string& path, coap::Reliability reliability) {
  const auto uri = coap::parse_uri("coap://192.0.2.1" + path).value();
  const auto id = client.observe(server_address, coap::make_request(coap::code::get, uri, server_address).value(),
                                 [this](const Result<coap::Response>& state, bool last) {
                                   observation_over = last;
                                   if (state) notified.emplace_back(as_text(state->payload));
                                 },
                                 now, {reliability, {}, {}});
  EXPECT_TRUE(id);
  settle();
  return id.value_or(coap::ExchangeId{});
}

bool Wire::step() {
  const bool from_client = [&] {
    auto out = client.next_datagram();
    if (!out) return false;
    Seen one{true, coap::parse(out->datagram).value(), out->datagram.size(), now, false};
    one.lost = lose && lose(one);
    seen.push_back(one);
    if (!one.lost && !foreign_server) server->receive(client_address, server_address, out->datagram, now);
    return true;
  }();
  auto out = server->next_datagram();
  if (!out) return from_client;
  EXPECT_EQ(out->to.local, server_address);
  Seen one{false, coap::parse(out->datagram).value(), out->datagram.size(), now, false};
  one.lost = lose && lose(one);
  seen.push_back(one);
  if (!one.lost && !foreign_client) client.receive(server_address, client_address, out->datagram, now);
  return true;
}

void Wire::settle() {
  while (step()) continue;
}

void Wire::wait(std::chrono::milliseconds time) {
  const Instant end = now + time;
  for (;;) {
    std::optional<Instant> next;
    for (const auto one : {client.next_timeout(), server->next_timeout(), resources->next_timeout()}) {
      if (one && (!next || *one < *next)) next = one;
    }
    if (!next || *next > end) break;
    now = std::max(now, *next);
    resources->on_timeout(now);
    server->on_timeout(now);
    client.on_timeout(now);
    settle();
  }
  now = end;
}

void Wire::from_foreign_client(const coap::Message& message) {
  const Bytes datagram = coap::serialize(message);
  seen.push_back({true, message, datagram.size(), now, false});
  foreign_client = true;
  server->receive(client_address, server_address, datagram, now);
  settle();
}

void Wire::from_foreign_server(const coap::Message& message) {
  const Bytes datagram = coap::serialize(message);
  seen.push_back({false, message, datagram.size(), now, false});
  foreign_server = true;
  client.receive(server_address, client_address, datagram, now);
  settle();
}

std::vector<Seen> Wire::of_client(std::size_t from) const {
  std::vector<Seen> out;
  for (std::size_t i = from; i < seen.size(); ++i) {
    if (seen[i].of_client && !seen[i].lost) out.push_back(seen[i]);
  }
  return out;
}

std::vector<Seen> Wire::of_server(std::size_t from) const {
  std::vector<Seen> out;
  for (std::size_t i = from; i < seen.size(); ++i) {
    if (!seen[i].of_client && !seen[i].lost) out.push_back(seen[i]);
  }
  return out;
}

const coap::Response& Wire::last_response() const {
  static const coap::Response none{coap::code::empty, {}, {}};
  if (outcomes.empty() || !outcomes.back()) {
    ADD_FAILURE() << "no response\n" << story();
    return none;
  }
  return *outcomes.back();
}

std::string Wire::story() const {
  std::string out;
  for (const Seen& one : seen) {
    out += (one.of_client ? "C> " : "S> ") + coap::pretty(one.message) + (one.lost ? " (lost)\n" : "\n");
  }
  return out;
}

void expect_request(const Seen& request, coap::Type type, coap::Code method, const std::vector<std::string>& path) {
  EXPECT_TRUE(request.of_client);
  EXPECT_EQ(request.message.type, type);
  EXPECT_EQ(request.message.code, method);
  const auto segments = request.options().path();
  EXPECT_EQ(std::vector<std::string>(segments.begin(), segments.end()), path);
}

void expect_answer(const Seen& answer, const Seen& request, coap::Type type, coap::Code code) {
  EXPECT_FALSE(answer.of_client);
  EXPECT_EQ(answer.message.type, type);
  EXPECT_EQ(answer.message.code, code) << answer.message.code.number();
  EXPECT_EQ(answer.message.token, request.message.token);
  if (type == coap::Type::acknowledgement) {
    EXPECT_EQ(answer.message.message_id, request.message.message_id);
  }
  const bool success = code.code_class() == 2;
  EXPECT_TRUE(!success || answer.message.payload.empty() || answer.options().content_format());
}

}  // namespace aceward::plugtest
