// Echo values and the addresses that sent theirs back.
#include "aceward/coap/reliability/reachability.h"

#include <gtest/gtest.h>

#include <set>

namespace aceward::coap {
namespace {

using namespace std::chrono_literals;

const Instant noon{std::chrono::hours(12)};
const Address one = Address::v4(192, 0, 2, 1, 5683);

TEST(CoapSipHash, IsThatOfThePaper) {  // appendix A of the paper, with its key and 8 octets of the input
  const SipKey key{0x0706050403020100U, 0x0f0e0d0c0b0a0908U};
  SipHash hash(key);
  EXPECT_EQ(hash.finish(), 0x726fdb47dd0e0e31U);
  SipHash of_eight(key);
  of_eight.add(std::uint64_t{0x0706050403020100U});
  EXPECT_EQ(of_eight.finish(), 0x93f5f5799a932462U);
}

TEST(CoapReachability, AValueIsGoodForItsAddressAndNoOther) {
  SeededRandom random(1);
  const Reachability reachability(10, random);
  const auto value = reachability.mint(one, noon);
  EXPECT_TRUE(reachability.verify(one, value, noon));
  auto port = one;
  ++port.port;
  EXPECT_FALSE(reachability.verify(port, value, noon));
  auto scope = one;
  scope.scope = 2;
  EXPECT_FALSE(reachability.verify(scope, value, noon));
  EXPECT_FALSE(reachability.verify(Address::v4(192, 0, 2, 2, 5683), value, noon));
  EXPECT_FALSE(reachability.verify(one, BytesView(value).first(7), noon));
  EXPECT_FALSE(reachability.verify(one, {}, noon));
  for (std::size_t i = 0; i < value.size(); ++i) {
    auto changed = value;
    changed[i] ^= 1;
    EXPECT_FALSE(reachability.verify(one, changed, noon)) << i;
  }
  const Reachability other(10, random);
  EXPECT_FALSE(other.verify(one, value, noon)) << "each endpoint has a key of its own";
}

TEST(CoapReachability, AValueIsGoodForTwoToFourMinutes) {
  SeededRandom random(1);
  const Reachability reachability(10, random);
  for (const auto offset : {0s, 1s, 60s, 119s}) {
    const auto at = noon + offset;
    const auto value = reachability.mint(one, at);
    EXPECT_TRUE(reachability.verify(one, value, at + 2min)) << offset.count();
    EXPECT_FALSE(reachability.verify(one, value, at + 4min)) << offset.count();
  }
}

TEST(CoapReachability, KnowsAnAddressForFourHours) {
  SeededRandom random(1);
  Reachability reachability(10, random);
  EXPECT_FALSE(reachability.known(one, noon));
  EXPECT_TRUE(reachability.admit(one, noon));
  EXPECT_FALSE(reachability.admit(one, noon + 1h)) << "which also begins the four hours anew";
  EXPECT_TRUE(reachability.known(one, noon + 5h - 1ns));
  EXPECT_FALSE(reachability.known(one, noon + 5h));
  EXPECT_TRUE(reachability.admit(one, noon + 5h));
  EXPECT_EQ(reachability.size(), 1U);
}

TEST(CoapReachability, TheOldestMakesRoom) {
  SeededRandom random(1);
  Reachability reachability(3, random);
  const auto address = [](std::uint16_t port) { return Address::v4(192, 0, 2, 1, port); };
  for (std::uint16_t port = 1; port <= 100; ++port) {
    EXPECT_TRUE(reachability.admit(address(port), noon));
    EXPECT_LE(reachability.size(), 3U);
    EXPECT_TRUE(reachability.known(address(port), noon));
  }
  EXPECT_FALSE(reachability.known(address(97), noon));
  EXPECT_TRUE(reachability.known(address(98), noon));
}

}  // namespace
}  // namespace aceward::coap
