// The examples of RFC 8949: appendix A (well-formed) and appendix F.1 (not well-formed).
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "aceward/cbor/diagnostic.h"
#include "aceward/cbor/value.h"

namespace aceward::cbor {
namespace {

struct Example {
  std::string_view diagnostic;
  std::string_view hex;
  std::string_view ours;  // what we write, where the encoding is not the preferred one; else empty
};

constexpr auto appendix_a = std::to_array<Example>({
    {"0", "00", ""},
    {"1", "01", ""},
    {"10", "0a", ""},
    {"23", "17", ""},
    {"24", "1818", ""},
    {"25", "1819", ""},
    {"100", "1864", ""},
    {"1000", "1903e8", ""},
    {"1000000", "1a000f4240", ""},
    {"1000000000000", "1b000000e8d4a51000", ""},
    {"18446744073709551615", "1bffffffffffffffff", ""},
    {"18446744073709551616", "c249010000000000000000", ""},
    {"-18446744073709551616", "3bffffffffffffffff", ""},
    {"-18446744073709551617", "c349010000000000000000", ""},
    {"-1", "20", ""},
    {"-10", "29", ""},
    {"-100", "3863", ""},
    {"-1000", "3903e7", ""},
    {"0.0", "f90000", ""},
    {"-0.0", "f98000", ""},
    {"1.0", "f93c00", ""},
    {"1.1", "fb3ff199999999999a", ""},
    {"1.5", "f93e00", ""},
    {"65504.0", "f97bff", ""},
    {"100000.0", "fa47c35000", ""},
    {"3.4028234663852886e+38", "fa7f7fffff", ""},
    {"1.0e+300", "fb7e37e43c8800759c", ""},
    {"5.960464477539063e-8", "f90001", ""},
    {"0.00006103515625", "f90400", ""},
    {"-4.0", "f9c400", ""},
    {"-4.1", "fbc010666666666666", ""},
    {"Infinity", "f97c00", ""},
    {"NaN", "f97e00", ""},
    {"-Infinity", "f9fc00", ""},
    {"Infinity", "fa7f800000", "Infinity_2"},
    {"NaN", "fa7fc00000", "NaN_2"},
    {"-Infinity", "faff800000", "-Infinity_2"},
    {"Infinity", "fb7ff0000000000000", "Infinity_3"},
    {"NaN", "fb7ff8000000000000", "NaN_3"},
    {"-Infinity", "fbfff0000000000000", "-Infinity_3"},
    {"false", "f4", ""},
    {"true", "f5", ""},
    {"null", "f6", ""},
    {"undefined", "f7", ""},
    {"simple(16)", "f0", ""},
    {"simple(255)", "f8ff", ""},
    {"0(\"2013-03-21T20:04:00Z\")", "c074323031332d30332d32315432303a30343a30305a", ""},
    {"1(1363896240)", "c11a514b67b0", ""},
    {"1(1363896240.5)", "c1fb41d452d9ec200000", ""},
    {"23(h'01020304')", "d74401020304", ""},
    {"24(h'6449455446')", "d818456449455446", ""},
    {"32(\"http://www.example.com\")", "d82076687474703a2f2f7777772e6578616d706c652e636f6d", ""},
    {"h''", "40", ""},
    {"h'01020304'", "4401020304", ""},
    {"\"\"", "60", ""},
    {"\"a\"", "6161", ""},
    {"\"IETF\"", "6449455446", ""},
    {"\"\\\"\\\\\"", "62225c", ""},
    {"\"\\u00fc\"", "62c3bc", ""},
    {"\"\\u6c34\"", "63e6b0b4", ""},
    {"\"\\ud800\\udd51\"", "64f0908591", ""},
    {"[]", "80", ""},
    {"[1, 2, 3]", "83010203", ""},
    {"[1, [2, 3], [4, 5]]", "8301820203820405", ""},
    {"[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25]",
     "98190102030405060708090a0b0c0d0e0f101112131415161718181819", ""},
    {"{}", "a0", ""},
    {"{1: 2, 3: 4}", "a201020304", ""},
    {"{\"a\": 1, \"b\": [2, 3]}", "a26161016162820203", ""},
    {"[\"a\", {\"b\": \"c\"}]", "826161a161626163", ""},
    {"{\"a\": \"A\", \"b\": \"B\", \"c\": \"C\", \"d\": \"D\", \"e\": \"E\"}",
     "a56161614161626142616361436164614461656145", ""},
    {"(_ h'0102', h'030405')", "5f42010243030405ff", ""},
    {"(_ \"strea\", \"ming\")", "7f657374726561646d696e67ff", ""},
    {"[_ ]", "9fff", ""},
    {"[_ 1, [2, 3], [_ 4, 5]]", "9f018202039f0405ffff", ""},
    {"[_ 1, [2, 3], [4, 5]]", "9f01820203820405ff", ""},
    {"[1, [2, 3], [_ 4, 5]]", "83018202039f0405ff", ""},
    {"[1, [_ 2, 3], [4, 5]]", "83019f0203ff820405", ""},
    {"[_ 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25]",
     "9f0102030405060708090a0b0c0d0e0f101112131415161718181819ff", ""},
    {"{_ \"a\": 1, \"b\": [_ 2, 3]}", "bf61610161629f0203ffff", ""},
    {"[\"a\", {_ \"b\": \"c\"}]", "826161bf61626163ff", ""},
    {"{_ \"Fun\": true, \"Amt\": -2}", "bf6346756ef563416d7421ff", ""},
});

constexpr auto appendix_f = std::to_array<std::string_view>({
    "18",
    "19",
    "1a",
    "1b",
    "1901",
    "1a0102",
    "1b01020304050607",
    "38",
    "58",
    "78",
    "98",
    "9a01ff00",
    "b8",
    "d8",
    "f8",
    "f900",
    "fa0000",
    "fb000000",
    "41",
    "61",
    "5affffffff00",
    "5bffffffffffffffff010203",
    "7affffffff00",
    "7b7fffffffffffffff010203",
    "81",
    "818181818181818181",
    "8200",
    "a1",
    "a20102",
    "a100",
    "a2000000",
    "c0",
    "5f4100",
    "7f6100",
    "9f",
    "9f0102",
    "bf",
    "bf01020102",
    "819f",
    "9f8000",
    "9f9f9f9f9fffffffff",
    "9f819f819f9fffffff",
    "1c",
    "1d",
    "1e",
    "3c",
    "3d",
    "3e",
    "5c",
    "5d",
    "5e",
    "7c",
    "7d",
    "7e",
    "9c",
    "9d",
    "9e",
    "bc",
    "bd",
    "be",
    "dc",
    "dd",
    "de",
    "fc",
    "fd",
    "fe",
    "f800",
    "f801",
    "f818",
    "f81f",
    "5f00ff",
    "5f21ff",
    "5f6100ff",
    "5f80ff",
    "5fa0ff",
    "5fc000ff",
    "5fe0ff",
    "7f4100ff",
    "5f5f4100ffff",
    "7f7f6100ffff",
    "ff",
    "81ff",
    "8200ff",
    "a1ff",
    "a1ff00",
    "a100ff",
    "a20000ff",
    "9f81ff",
    "9f829f819f9fffffffff",
    "bf00ff",
    "bf000000ff",
    "1f",
    "3f",
    "df",
});

Bytes example_octets(std::string_view hex) { return from_hex(hex).value(); }

bool is_preferred_example(const Example& example) {
  return example.ours.empty() && example.diagnostic.find('_') == std::string_view::npos;
}

TEST(Rfc8949AppendixA, IsWrittenInDiagnosticNotationAsThere) {
  for (const auto& example : appendix_a) {
    const std::string_view expected = example.ours.empty() ? example.diagnostic : example.ours;
    EXPECT_EQ(to_diagnostic(example_octets(example.hex)), expected) << example.hex;
  }
}

TEST(Rfc8949AppendixA, IsReadFromDiagnosticNotation) {
  for (const auto& example : appendix_a) {
    const auto octets = from_diagnostic(example.ours.empty() ? example.diagnostic : example.ours);
    ASSERT_TRUE(octets) << example.diagnostic << ": " << octets.error().detail();
    EXPECT_EQ(to_hex(*octets), example.hex) << example.diagnostic;
  }
}

TEST(Rfc8949AppendixA, IsWellFormedToTheLastOctetAndNotBefore) {
  for (const auto& example : appendix_a) {
    const Bytes octets = example_octets(example.hex);
    Reader reader(octets, {}, Strictness::well_formed);
    EXPECT_TRUE(reader.skip()) << example.hex;
    EXPECT_TRUE(reader.finish()) << example.hex;
    for (std::size_t size = 0; size < octets.size(); ++size) {
      Reader cut(BytesView(octets).first(size), {}, Strictness::well_formed);
      const auto item = cut.skip();
      ASSERT_FALSE(item) << example.hex << " cut to " << size;
      EXPECT_EQ(item.error(), reason::cbor_truncated);
    }
  }
}

TEST(Rfc8949AppendixA, PreferredStrictnessTakesExactlyThePreferredEncodings) {
  for (const auto& example : appendix_a) {
    const auto value = Value::parse(example_octets(example.hex));
    if (is_preferred_example(example)) {
      ASSERT_TRUE(value) << example.hex << ": " << value.error().id();
      EXPECT_EQ(to_hex(value->serialize()), example.hex);
    } else {
      ASSERT_FALSE(value) << example.hex;
      EXPECT_EQ(value.error(), reason::cbor_not_preferred) << example.hex;
    }
  }
}

TEST(Rfc8949AppendixA, ValuesOfOtherEncodingsSerializePreferred) {
  for (const auto& example : appendix_a) {
    const auto value = Value::parse(example_octets(example.hex), {}, Strictness::well_formed);
    ASSERT_TRUE(value) << example.hex;
    const auto again = Value::parse(value->serialize());
    ASSERT_TRUE(again) << example.hex;
    EXPECT_EQ(*again, *value) << example.hex;
  }
}

TEST(Rfc8949AppendixF, IsRefusedWithEitherStrictness) {
  for (const auto hex : appendix_f) {
    const Bytes octets = example_octets(hex);
    for (const auto strictness : {Strictness::preferred, Strictness::well_formed}) {
      Reader reader(octets, {}, strictness);
      EXPECT_FALSE(reader.skip()) << hex;
      EXPECT_FALSE(Value::parse(octets, {}, strictness)) << hex;
    }
  }
}

TEST(Rfc8949AppendixF, IsShownUpToTheFault) {
  for (const auto hex : appendix_f) {
    const std::string text = to_diagnostic(example_octets(hex));
    EXPECT_NE(text.find("at octet"), std::string::npos) << hex << ": " << text;
  }
  EXPECT_EQ(to_diagnostic(example_octets("8200ff")), "[0,  / cbor_not_well_formed at octet 2, rest h'ff' /");
}

}  // namespace
}  // namespace aceward::cbor
