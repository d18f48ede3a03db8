// What a GET through DTLS costs in allocations of our own once everything is warm: none. A program of its own, since it
// counts what operator new is asked for; what the DTLS library takes by malloc is its own affair.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "aceward/coap/message/message.h"
#include "aceward/coap/resource/router.h"
#include "aceward/coaps/server_stack.h"
#include "aceward/tls/client.h"
#include "aceward/tls/test_network.h"

namespace {

std::size_t allocations = 0;

void* counted(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}

}  // namespace

void* operator new(std::size_t size) { return counted(size); }
void* operator new[](std::size_t size) { return counted(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

namespace aceward::coaps {
namespace {

using namespace std::chrono_literals;

class SixOctets final : public coap::Resource {
 public:
  void handle(coap::ExchangeId id, const coap::Peer&, const coap::Request&, coap::Responder& responder) override {
    auto response = responder.spare();
    response.code = coap::code::content;
    const auto text = as_bytes("22.3 C");
    response.payload.assign(text.begin(), text.end());
    responder.respond(id, std::move(response));
  }
  std::span<const coap::Code> methods() const override {
    static constexpr coap::Code only[] = {coap::code::get};
    return only;
  }
};

TEST(CoapsAllocations, AGetInASessionMakesNoneAtTheServer) {
  const Address server_address = Address::v4(192, 0, 2, 1, 5684);
  const Address client_address = Address::v4(198, 51, 100, 7, 40'000);
  SeededRandom random(1);
  tls::testing::ListedCredentials credentials;
  credentials.keys[to_bytes("alice")] = to_bytes("0123456789abcdef");
  ServerStackConfig config;
  config.dtls = tls::ServerConfig{};
  const auto server = ServerStack::create(std::move(config), &credentials, random).value();
  coap::Router router(server->layer());
  SixOctets resource;
  router.add("/temperature", resource);
  auto client = tls::Client::create(tls::SessionId(1), server_address,
                                    tls::testing::psk_of(as_bytes("alice"), as_bytes("0123456789abcdef")), {})
                    .value();
  Instant now(1000s);
  std::size_t answers = 0;
  std::size_t at_server = 0;
  const auto carry = [&] {
    for (bool moved = true; moved;) {
      moved = false;
      while (const auto out = client.next_datagram()) {
        moved = true;
        const auto before = allocations;
        server->receive(ListenerKind::secure, client_address, server_address, out->datagram, now);
        at_server += allocations - before;
      }
      auto before = allocations;
      while (router.next_event(now)) continue;
      while (auto out = server->next_datagram(now)) {
        moved = true;
        at_server += allocations - before;
        client.receive(out->datagram, now);
        before = allocations;
        server->endpoint().recycle(std::move(out->datagram));  // as the host does once it is sent
      }
      if (const auto due = server->next_timeout(); due && *due <= now) server->on_timeout(now);
      at_server += allocations - before;
      while (const auto event = client.next_event()) answers += std::holds_alternative<tls::Data>(*event) ? 1 : 0;
    }
  };
  client.start(now);
  carry();
  ASSERT_TRUE(client.established());
  while (server->next_session_event()) continue;

  coap::Message message{coap::Type::confirmable, coap::code::get, 0, coap::Token(Bytes{1, 2, 3, 4}), {}, {}};
  message.options.add_path("/temperature");
  Bytes request = coap::serialize(message);
  const auto ask = [&](int times) {
    for (int i = 0; i < times; ++i) {
      now += 10ms;
      if (++request[3] == 0) ++request[2];
      ASSERT_TRUE(client.send(request, now));
      carry();
    }
  };
  ask(100);
  answers = at_server = 0;
  ask(1'000);
  EXPECT_EQ(answers, 1'000U);
  EXPECT_EQ(at_server, 0U);
}

}  // namespace
}  // namespace aceward::coaps
