// What the fast path promises: a plain GET is routed and answered without the heap.
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <new>

#include "aceward/coap/freshness/freshness.h"
#include "aceward/coap/resource/stored_resource.h"

namespace {
std::size_t allocations = 0;
}

void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace aceward::coap {
namespace {

// Hands out one request after the other, and the memory of the answers again.
class RecyclingLayer final : public Layer {
 public:
  Result<ExchangeId> request(const Peer&, Request request, Delivery, Instant) override {
    sent = std::move(request);
    return ExchangeId(++ids);
  }
  void respond(ExchangeId, Response response, Delivery, Instant) override { answer = std::move(response); }
  void cancel(ExchangeId) override {}
  std::optional<Event> next_event(Instant) override { return std::exchange(next, std::nullopt); }
  Response spare_response() override {
    Response spare = std::move(answer);
    spare.options.clear();
    spare.payload.clear();
    return spare;
  }
  void give_back(Options&& options, Bytes&& payload) override {
    spare_options = std::move(options);
    spare_payload = std::move(payload);
  }

  std::uint64_t ids = 0;
  std::optional<Event> next;
  Request sent;
  Response answer;
  Options spare_options;
  Bytes spare_payload;
};

TEST(CoapResourceAllocation, APlainGetTakesNothingFromTheHeap) {
  RecyclingLayer layer;
  Router router(layer);
  StoredResource stored("some content that is longer than a small string");
  StoredResource other("other");
  router.add("/a/b/c", stored);
  router.add("/a/b", other);
  router.add("h.example", "/a/b", other);
  router.add_tree({"t"}, other);
  const auto get = [&] {
    Request request{code::get, std::move(layer.spare_options), std::move(layer.spare_payload)};
    request.options.clear();
    request.options.add_path("/a/b/c");
    layer.next = RequestArrived{ExchangeId(++layer.ids), {}, std::move(request), Reliability::confirmable};
    EXPECT_FALSE(router.next_event({}));
    EXPECT_EQ(layer.answer.code, code::content);
  };
  for (int i = 0; i < 3; ++i) get();
  const auto before = allocations;
  for (int i = 0; i < 100; ++i) get();
  EXPECT_EQ(allocations, before);
  EXPECT_EQ(layer.answer.payload, stored.representation()->content);
}

TEST(CoapResourceAllocation, OrdinaryRequestsPassFreshnessWithoutTheHeap) {
  RecyclingLayer layer;
  Freshness freshness(layer);
  const auto exchange = [&] {
    Request request = std::move(layer.sent);
    request.options.clear();
    request.options.add_path("/a/b/c");
    const auto id = freshness.request({}, std::move(request), {}, {});
    ASSERT_TRUE(id);
    layer.next = ResponseArrived{*id, {}, std::move(layer.answer), std::nullopt, true};
    auto event = freshness.next_event({});
    ASSERT_TRUE(event);
    layer.answer = std::move(std::get<ResponseArrived>(*event).response);
  };
  for (int i = 0; i < 3; ++i) exchange();
  const auto before = allocations;
  for (int i = 0; i < 100; ++i) exchange();
  EXPECT_EQ(allocations, before);
  EXPECT_EQ(freshness.occupancy().requests, 0U);
}

}  // namespace
}  // namespace aceward::coap
