#include "aceward/cbor/writer.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <stdexcept>

namespace aceward::cbor {
namespace {

TEST(CborWriter, UsesTheShortestHead) {
  Writer writer;
  for (const std::uint64_t value : {std::uint64_t{0}, std::uint64_t{23}, std::uint64_t{24}, std::uint64_t{255},
                                    std::uint64_t{256}, std::uint64_t{65535}, std::uint64_t{65536},
                                    std::uint64_t{0xffffffff}, std::uint64_t{0x100000000}, UINT64_MAX}) {
    writer.unsigned_integer(value);
  }
  EXPECT_EQ(to_hex(writer.take()),
            "00"
            "17"
            "1818"
            "18ff"
            "190100"
            "19ffff"
            "1a00010000"
            "1affffffff"
            "1b0000000100000000"
            "1bffffffffffffffff");
  writer.integer(-1).integer(-24).integer(-25).integer(INT64_MIN).negative_integer(UINT64_MAX);
  EXPECT_EQ(to_hex(writer.take()),
            "20"
            "37"
            "3818"
            "3b7fffffffffffffff"
            "3bffffffffffffffff");
  EXPECT_TRUE(writer.view().empty());
}

TEST(CborWriter, WritesEveryKind) {
  Writer writer;
  const Bytes octets{1, 2};
  writer.array(10).byte_string(octets).text_string("ü").map(0).tag(32).boolean(true).boolean(false).null();
  writer.undefined().simple(32).floating(-4.1).raw(octets);
  EXPECT_EQ(to_hex(writer.take()),
            "8a"
            "420102"
            "62c3bc"
            "a0"
            "d820f5"
            "f4"
            "f6"
            "f7"
            "f820"
            "fbc010666666666666"
            "0102");
  writer.byte_string_head(2).octets(octets);
  EXPECT_EQ(to_hex(writer.take()), "420102");
}

TEST(CborWriter, ChoosesTheShortestFloatThatKeepsTheValue) {
  const auto written = [](double value) {
    Writer writer;
    return to_hex(writer.floating(value).view());
  };
  EXPECT_EQ(written(0.0), "f90000");
  EXPECT_EQ(written(-0.0), "f98000");
  EXPECT_EQ(written(65504.0), "f97bff");
  EXPECT_EQ(written(65505.0), "fa477fe100");
  EXPECT_EQ(written(65536.0), "fa47800000");
  EXPECT_EQ(written(0x1p-24), "f90001");
  EXPECT_EQ(written(0x1p-25), "fa33000000");
  EXPECT_EQ(written(0x1.8p-24), "fa33c00000");
  EXPECT_EQ(written(0x1p-14), "f90400");
  EXPECT_EQ(written(0x1p-149), "fa00000001");
  EXPECT_EQ(written(0x1p-150), "fb3690000000000000");
  EXPECT_EQ(written(0x1.fffffep127), "fa7f7fffff");
  EXPECT_EQ(written(0x1p128), "fb47f0000000000000");
  EXPECT_EQ(written(std::numeric_limits<double>::infinity()), "f97c00");
  EXPECT_EQ(written(-std::numeric_limits<double>::infinity()), "f9fc00");
  EXPECT_EQ(written(std::numeric_limits<double>::quiet_NaN()), "f97e00");
}

TEST(CborWriter, AppendsToOctetsOfTheCaller) {
  Bytes out{0xaa};
  Writer writer(out);
  writer.array(1).integer(7);
  EXPECT_EQ(to_hex(out), "aa8107");
  EXPECT_EQ(writer.size(), 2u);
}

TEST(CborWriter, FillsABufferAndSaysWhenItIsTooSmall) {
  std::array<std::uint8_t, 4> buffer{};
  Writer fits(buffer);
  fits.array(1).byte_string(Bytes{1, 2});
  EXPECT_FALSE(fits.overflowed());
  EXPECT_EQ(to_hex(fits.view()), "81420102");

  Writer over(buffer);
  over.array(2).byte_string(Bytes{1, 2}).null();
  EXPECT_TRUE(over.overflowed());
  EXPECT_EQ(over.size(), 5u);
  EXPECT_TRUE(over.view().empty());
}

TEST(CborWriter, RefusesSimpleValuesThatDoNotExist) {
  Writer writer;
  for (std::uint8_t value = 24; value < 32; ++value) EXPECT_THROW(writer.simple(value), std::invalid_argument);
  EXPECT_EQ(writer.size(), 0u);
}

TEST(CborSortedMap, SortsByTheOctetsOfTheKeys) {
  // The example of RFC 8949 section 4.2.1, in another order.
  SortedMap map;
  map.entry("aa").null();
  map.entry_raw(Bytes{0xf4}).null();
  map.entry_raw(Bytes{0x81, 0x18, 0x64}).null();
  map.entry(-1).null();
  map.entry("z").null();
  map.entry(100).null();
  map.entry_raw(Bytes{0x81, 0x20}).null();
  map.entry(10).null();
  Writer writer;
  map.write_to(writer);
  EXPECT_EQ(to_hex(writer.take()),
            "a8"
            "0af6"
            "1864f6"
            "20f6"
            "617af6"
            "626161f6"
            "811864f6"
            "8120f6"
            "f4f6");
}

TEST(CborSortedMap, LetsTheLaterValueOfAKeyStand) {
  SortedMap map;
  map.entry(1).integer(10);
  map.entry(2).array(1).integer(20);
  map.entry(1).integer(11);
  Writer writer;
  map.write_to(writer);
  EXPECT_EQ(to_hex(writer.take()), "a2010b028114");
}

TEST(CborSortedMap, WritesAnEmptyMap) {
  SortedMap map;
  Writer writer;
  map.write_to(writer);
  EXPECT_EQ(to_hex(writer.take()), "a0");
}

}  // namespace
}  // namespace aceward::cbor
