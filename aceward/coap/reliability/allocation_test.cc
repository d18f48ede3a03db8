// What a GET costs in allocations once everything is warm: none (architecture, contract 10). A program of its own,
// since it counts what operator new is asked for.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "aceward/coap/reliability/endpoint.h"
#include "aceward/coap/resource/router.h"

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

namespace aceward::coap {
namespace {

using namespace std::chrono_literals;

class Thermometer final : public Resource {
 public:
  void handle(ExchangeId id, const Peer&, const Request&, Responder& responder) override {
    auto response = responder.spare();
    response.code = code::content;
    response.options.set_content_format(content_format::text_plain);
    const auto text = as_bytes("22.3 C");
    response.payload.assign(text.begin(), text.end());
    responder.respond(id, std::move(response));
  }
  std::span<const Code> methods() const override {
    static constexpr Code only[] = {code::get};
    return only;
  }
};

class CoapAllocations : public ::testing::Test {
 protected:
  CoapAllocations() { router.add("/sensors/temperature", resource); }

  void ask(Type type, Transport transport) {
    now += 10ms;
    for (std::uint16_t host = 0; host < 32; ++host) {
      Peer peer;
      peer.transport = transport;
      peer.session = transport == Transport::dtls ? host + 1U : 0U;
      peer.remote = Address::v4(192, 0, 2, 1, static_cast<std::uint16_t>(1000 + host));
      request[0] = static_cast<std::uint8_t>((request[0] & 0xcfU) | static_cast<unsigned>(type) << 4);
      if (++request[3] == 0) ++request[2];
      endpoint.receive(peer, request, now);
    }
    while (router.next_event(now)) continue;
    while (auto out = endpoint.next_datagram()) {
      ++answers;
      octets += out->datagram.size();
      endpoint.recycle(std::move(out->datagram));
    }
    if (const auto due = endpoint.next_timeout(); due && *due <= now) endpoint.on_timeout(now);
  }
  void expect_none(Type type, Transport transport) {
    for (int i = 0; i < 100; ++i) ask(type, transport);
    answers = 0;
    const auto before = allocations;
    for (int i = 0; i < 200; ++i) ask(type, transport);
    EXPECT_EQ(allocations - before, 0U);
    EXPECT_EQ(answers, 6'400U);
  }

  SeededRandom random{1};
  Instant now{1000s};
  Endpoint endpoint{Parameters{}, Limits{}, random};
  Router router{endpoint};
  Thermometer resource;
  Bytes request = [] {
    Message message{Type::confirmable, code::get, 0, Token(Bytes{1, 2, 3, 4, 5, 6, 7, 8}), {}, {}};
    message.options.add_path("/sensors/temperature");
    message.options.add(option::uri_query, "unit=c");
    message.options.set_accept(content_format::text_plain);
    return serialize(message);
  }();
  std::size_t answers = 0;
  std::size_t octets = 0;
};

TEST_F(CoapAllocations, APlainGetMakesNone) { expect_none(Type::confirmable, Transport::udp); }

TEST_F(CoapAllocations, ANonConfirmableGetMakesNoneOnceMessageIdsGoRound) {
  for (int i = 0; i < 600; ++i) {
    now += 500ms;
    ask(Type::non_confirmable, Transport::udp);
  }
  expect_none(Type::non_confirmable, Transport::udp);
}

TEST_F(CoapAllocations, AGetInASessionMakesNone) { expect_none(Type::confirmable, Transport::dtls); }

TEST_F(CoapAllocations, TheCountIsOfThisProgram) {
  const auto before = allocations;
  Bytes some(100);
  EXPECT_GE(allocations, before + 1 + some.size() / 200);
}

}  // namespace
}  // namespace aceward::coap
