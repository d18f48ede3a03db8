// What block-wise transfer adds to a GET that needs no blocks, once everything is warm: no allocation. A program of its
// own, since it counts what operator new is asked for.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "aceward/coap/blockwise/blockwise.h"
#include "aceward/coap/message/message.h"
#include "aceward/coap/reliability/endpoint.h"
#include "aceward/coap/resource/router.h"

namespace {

std::size_t block_allocations = 0;

}  // namespace

void* operator new(std::size_t size) {
  ++block_allocations;
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace aceward::coap {
namespace {

class Gauge final : public Resource {
 public:
  void handle(ExchangeId id, const Peer&, const Request&, Responder& responder) override {
    auto response = responder.spare();
    response.code = code::content;
    response.options.set_content_format(content_format::text_plain);
    const auto text = as_bytes("1013.25 hPa");
    response.payload.assign(text.begin(), text.end());
    responder.respond(id, std::move(response));
  }
  std::span<const Code> methods() const override {
    static constexpr Code only[] = {code::get};
    return only;
  }
};

// How many allocations a hundred rounds of 32 peers make, after warming up.
std::size_t allocations_of(const Message& message) {
  SeededRandom random(1);
  Instant now{std::chrono::seconds(1000)};
  Endpoint endpoint(Parameters{}, Limits{}, random);
  auto requests = KnownOptions::in_requests();
  auto responses = KnownOptions::in_responses();
  Blockwise::add_known_options(requests);
  Blockwise::add_known_options(responses);
  endpoint.set_known_options(requests, responses);
  Blockwise blockwise(endpoint, {}, {}, random);
  Router router(blockwise);
  Gauge gauge;
  router.add("/pressure", gauge);
  auto request = serialize(message);
  std::size_t answers = 0;
  const auto round = [&] {
    now += std::chrono::milliseconds(10);
    for (std::uint16_t host = 0; host < 32; ++host) {
      Peer peer;
      peer.remote = Address::v4(192, 0, 2, 1, static_cast<std::uint16_t>(1000 + host));
      if (++request[3] == 0) ++request[2];
      endpoint.receive(peer, request, now);
    }
    while (router.next_event(now)) continue;
    while (auto out = endpoint.next_datagram()) {
      ++answers;
      endpoint.recycle(std::move(out->datagram));
    }
    blockwise.on_timeout(now);
  };
  for (int i = 0; i < 100; ++i) round();
  const auto before = block_allocations;
  answers = 0;
  for (int i = 0; i < 100; ++i) round();
  EXPECT_EQ(answers, 3200U);
  return block_allocations - before;
}

TEST(BlockwiseAllocations, AGetWithoutBlocksMakesNone) {
  Message message{Type::confirmable, code::get, 0, Token(Bytes{1, 2, 3, 4, 5, 6, 7, 8}), {}, {}};
  message.options.add_path("/pressure");
  EXPECT_EQ(allocations_of(message), 0U);
}

TEST(BlockwiseAllocations, AGetThatAsksForBlocksAndNeedsOnlyOneMakesNone) {
  Message message{Type::confirmable, code::get, 0, Token(Bytes{1, 2, 3, 4, 5, 6, 7, 8}), {}, {}};
  message.options.add_path("/pressure");
  set_block(message.options, option::block2, {0, false, Szx::fitting(64)});
  EXPECT_EQ(allocations_of(message), 0U);
}

TEST(BlockwiseAllocations, TheCountIsOfThisProgram) {
  const auto before = block_allocations;
  Bytes some(100);
  EXPECT_GE(block_allocations, before + 1 + some.size() / 200);
}

}  // namespace
}  // namespace aceward::coap
