#include <gtest/gtest.h>

#include <type_traits>

#include "aceward/base/address.h"
#include "aceward/base/random.h"
#include "aceward/base/reasons.h"
#include "aceward/base/secret.h"
#include "aceward/base/strong.h"
#include "aceward/base/time.h"

namespace aceward {
namespace {

TEST(Bytes, HexGoesBothWays) {
  EXPECT_EQ(to_hex(Bytes{0x00, 0x7f, 0xff}), "007fff");
  EXPECT_EQ(from_hex("00 7F\nff").value(), (Bytes{0x00, 0x7f, 0xff}));
  EXPECT_EQ(from_hex("0").error(), reason::hex_malformed);
  EXPECT_EQ(from_hex("0 0").error(), reason::hex_malformed);
  EXPECT_EQ(from_hex("0g").error(), reason::hex_malformed);
}

TEST(Secret, MovesLeaveNothingBehind) {
  Secret secret = Secret::copy_of(as_bytes("opensesame"));
  Secret other = std::move(secret);
  EXPECT_TRUE(secret.empty());  // NOLINT(bugprone-use-after-move): that it is empty is the point
  EXPECT_TRUE(other.equals(as_bytes("opensesame")));
  EXPECT_FALSE(other.equals(as_bytes("opensesamf")));
  EXPECT_FALSE(other.equals(as_bytes("opensesam")));
  static_assert(!std::is_copy_constructible_v<Secret>);
}

TEST(Result, TryPassesTheErrorOn) {
  const auto length = [](std::string_view text) -> Result<std::size_t> { return ACEWARD_TRY(from_hex(text)).size(); };
  EXPECT_EQ(length("aabb").value(), 2U);
  EXPECT_EQ(length("aab").error(), reason::hex_malformed);
}

TEST(Address, LiteralsGoBothWays) {
  for (const char* text : {"127.0.0.1:5683", "[::1]:5684", "[2001:db8::1]:1", "[fe80::1%3]:5683"})
    EXPECT_EQ(Address::parse(text).value().to_string(), text);
  EXPECT_EQ(Address::parse("192.0.2.1", 5683).value().port, 5683);
  EXPECT_EQ(Address::parse("::1", 5684).value().to_string(), "[::1]:5684");
  EXPECT_TRUE(Address::parse("0.0.0.0:0").value().is_unspecified());
  EXPECT_TRUE(Address().is_unspecified());
  for (const char* text : {"", "localhost:1", "1.2.3:1", "[::1", "[::1]5", "1.2.3.4:65536", "1.2.3.4:", "1.2.3.4%1:1"})
    EXPECT_EQ(Address::parse(text).error(), reason::address_malformed) << text;
}

TEST(ManualClock, KeepsFractionsOfSeconds) {
  ManualClock clock;
  const WallTime start = clock.wall();
  clock.advance(std::chrono::milliseconds(600));
  EXPECT_EQ(clock.wall(), start);
  clock.advance(std::chrono::milliseconds(600));
  EXPECT_EQ(clock.wall(), start + std::chrono::seconds(1));
}

TEST(SeededRandom, RepeatsFromItsSeed) {
  EXPECT_EQ(SeededRandom(7).bytes(37), SeededRandom(7).bytes(37));
  EXPECT_NE(SeededRandom(7).bytes(37), SeededRandom(8).bytes(37));
  SeededRandom random(1);
  for (int i = 0; i < 1000; ++i) EXPECT_LT(random.below(3), 3U);
}

}  // namespace
}  // namespace aceward
