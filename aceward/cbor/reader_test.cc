#include "aceward/cbor/reader.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>

#include "aceward/cbor/writer.h"

namespace aceward::cbor {
namespace {

// The octets live as long as the fixture's reader.
struct OfHex {
  Bytes octets;
  Reader reader;
  explicit OfHex(std::string_view hex, const Limits& limits = {}, Strictness strictness = Strictness::preferred)
      : octets(from_hex(hex).value()), reader(octets, limits, strictness) {}
  Reader* operator->() { return &reader; }
};

template <class T>
void expect_reason(const Result<T>& result, const Reason& reason) {
  ASSERT_FALSE(result) << "expected " << reason.id;
  EXPECT_EQ(result.error().id(), reason.id);
  EXPECT_TRUE(result.error().detail().empty());
}

TEST(CborReader, ReadsEveryKindOfItem) {
  OfHex in("182a 3863 4201ff 6161 8101 a10203 c100 f5 f6 f7 f8ff f93e00");
  EXPECT_EQ(in->peek(), Kind::unsigned_integer);
  EXPECT_EQ(in->unsigned_integer(), 42u);
  EXPECT_EQ(in->peek(), Kind::negative_integer);
  EXPECT_EQ(in->integer(), -100);
  EXPECT_EQ(in->peek(), Kind::byte_string);
  EXPECT_EQ(to_hex(in->byte_string().value()), "01ff");
  EXPECT_EQ(in->peek(), Kind::text_string);
  EXPECT_EQ(in->text_string(), "a");
  EXPECT_EQ(in->peek(), Kind::array);
  EXPECT_EQ(in->array(), 1u);
  EXPECT_EQ(in->integer(), 1);
  EXPECT_EQ(in->peek(), Kind::map);
  EXPECT_EQ(in->map(), 1u);
  EXPECT_EQ(in->integer(), 2);
  EXPECT_EQ(in->integer(), 3);
  EXPECT_EQ(in->peek(), Kind::tag);
  EXPECT_EQ(in->tag(), 1u);
  EXPECT_EQ(in->integer(), 0);
  EXPECT_EQ(in->peek(), Kind::boolean);
  EXPECT_EQ(in->boolean(), true);
  EXPECT_EQ(in->peek(), Kind::null);
  EXPECT_TRUE(in->null());
  EXPECT_EQ(in->peek(), Kind::undefined);
  EXPECT_TRUE(in->undefined());
  EXPECT_EQ(in->peek(), Kind::simple);
  EXPECT_EQ(in->simple(), 255);
  EXPECT_EQ(in->peek(), Kind::floating);
  EXPECT_FALSE(in->finish());
  EXPECT_EQ(in->floating(), 1.5);
  EXPECT_TRUE(in->finish());
  EXPECT_TRUE(in->at_end());
  expect_reason(in->peek(), reason::cbor_truncated);
}

TEST(CborReader, RefusesAnotherKindThanAskedFor) {
  for (const std::string_view hex : {"00", "20", "40", "60", "80", "a0", "c000", "f4", "f6", "f7", "e0", "f90000"}) {
    const Bytes octets = from_hex(hex).value();
    const Kind kind = Reader(octets).peek().value();
    int taken = 0;
    const auto attempt = [&](auto method, Kind right) {
      Reader reader(octets);
      const auto result = (reader.*method)();
      taken += result ? 1 : 0;
      if (kind != right) {
        expect_reason(result, reason::cbor_unexpected_kind);
      } else {
        EXPECT_TRUE(result) << hex;
      }
    };
    attempt(&Reader::unsigned_integer, Kind::unsigned_integer);
    attempt(&Reader::byte_string, Kind::byte_string);
    attempt(&Reader::text_string, Kind::text_string);
    attempt(&Reader::array, Kind::array);
    attempt(&Reader::map, Kind::map);
    attempt(&Reader::tag, Kind::tag);
    attempt(&Reader::boolean, Kind::boolean);
    attempt(&Reader::null, Kind::null);
    attempt(&Reader::undefined, Kind::undefined);
    attempt(&Reader::floating, Kind::floating);
    EXPECT_EQ(taken, kind == Kind::negative_integer || kind == Kind::simple ? 0 : 1) << hex;
  }
  expect_reason(OfHex("40")->integer(), reason::cbor_unexpected_kind);
  expect_reason(OfHex("40")->simple(), reason::cbor_unexpected_kind);
}

TEST(CborReader, ReadsIntegersToTheEndsOfTheirRange) {
  EXPECT_EQ(OfHex("1bffffffffffffffff")->unsigned_integer(), UINT64_MAX);
  EXPECT_EQ(OfHex("1b7fffffffffffffff")->integer(), INT64_MAX);
  EXPECT_EQ(OfHex("3b7fffffffffffffff")->integer(), INT64_MIN);
  expect_reason(OfHex("1b8000000000000000")->integer(), reason::cbor_out_of_range);
  expect_reason(OfHex("3b8000000000000000")->integer(), reason::cbor_out_of_range);
}

TEST(CborReader, RefusesLongerHeadsThanNeededUnlessOnlyWellFormednessIsAsked) {
  for (const std::string_view hex : {"1817", "190017", "1900ff", "1a0000ffff", "1b00000000ffffffff", "3817", "580100",
                                     "790000", "980100", "b800", "d80000"}) {
    expect_reason(OfHex(hex)->skip(), reason::cbor_not_preferred);
    EXPECT_TRUE(OfHex(hex, {}, Strictness::well_formed)->skip()) << hex;
  }
  EXPECT_EQ(OfHex("190017", {}, Strictness::well_formed)->integer(), 23);
}

TEST(CborReader, RefusesIndefiniteLengthsInProtocols) {
  for (const std::string_view hex : {"5fff", "7fff", "9fff", "bfff"}) {
    expect_reason(OfHex(hex)->skip(), reason::cbor_not_preferred);
    EXPECT_TRUE(OfHex(hex, {}, Strictness::well_formed)->skip()) << hex;
  }
  expect_reason(OfHex("5fff", {}, Strictness::well_formed)->byte_string(), reason::cbor_not_preferred);
  expect_reason(OfHex("9fff", {}, Strictness::well_formed)->array(), reason::cbor_not_preferred);
}

TEST(CborReader, TakesFloatsInTheirShortestFormOnly) {
  EXPECT_EQ(OfHex("fa47c35000")->floating(), 100000.0);
  EXPECT_EQ(OfHex("fb3ff199999999999a")->floating(), 1.1);
  expect_reason(OfHex("fa3fc00000")->floating(), reason::cbor_not_preferred);
  expect_reason(OfHex("fb3ff8000000000000")->floating(), reason::cbor_not_preferred);
  expect_reason(OfHex("fa7fc00000")->floating(), reason::cbor_not_preferred);
  EXPECT_EQ(OfHex("fb3ff8000000000000", {}, Strictness::well_formed)->floating(), 1.5);
}

TEST(CborReader, KeepsThePayloadOfNaN) {
  for (const std::string_view hex : {"f97c01", "f9fe00", "fa7f800001", "fb7ff0000000000001"}) {
    OfHex in(hex);
    const auto value = in->floating();
    ASSERT_TRUE(value) << hex;
    EXPECT_TRUE(std::isnan(*value));
    Writer writer;
    EXPECT_EQ(to_hex(writer.floating(*value).view()), hex);
  }
}

TEST(CborReader, ReadsEveryHalfPrecisionValueAsItsDefinition) {
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const Bytes octets{0xf9, static_cast<std::uint8_t>(bits >> 8), static_cast<std::uint8_t>(bits)};
    const double value = Reader(octets).floating().value();
    const auto exponent = static_cast<int>(bits >> 10 & 0x1f);
    const double mantissa = bits & 0x3ff;
    if (exponent != 31) {
      const double magnitude = exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(mantissa + 1024, exponent - 25);
      ASSERT_EQ(value, bits & 0x8000 ? -magnitude : magnitude) << bits;
    }
    Writer writer;
    ASSERT_EQ(to_hex(writer.floating(value).view()), to_hex(octets));
  }
}

TEST(CborReader, RefusesTextThatIsNotUtf8) {
  // Overlong, surrogate, beyond U+10FFFF, cut, lone continuation, octets that never occur.
  for (const std::string_view hex : {"62c080", "63e08080", "63eda080", "64f4908080", "61c3", "6180", "61ff",
                                     "64f5808080", "63e28228", "64f0808080"}) {
    expect_reason(OfHex(hex)->text_string(), reason::cbor_not_utf8);
    expect_reason(OfHex(hex)->skip(), reason::cbor_not_utf8);
    EXPECT_TRUE(OfHex(hex, {}, Strictness::well_formed)->skip()) << hex;
    expect_reason(OfHex(hex, {}, Strictness::well_formed)->text_string(), reason::cbor_not_utf8);
  }
  for (const std::string_view hex :
       {"62c280", "63e0a080", "63ed9fbf", "63ee8080", "64f0908080", "64f48fbfbf", "6100"}) {
    EXPECT_TRUE(OfHex(hex)->text_string()) << hex;
  }
}

TEST(CborReader, RefusesDuplicateKeysHoweverDeep) {
  expect_reason(OfHex("a201000100")->skip(), reason::cbor_duplicate_key);
  expect_reason(OfHex("a2616100616100")->skip(), reason::cbor_duplicate_key);
  expect_reason(OfHex("8181a1a20100010000")->skip(), reason::cbor_duplicate_key);
  expect_reason(OfHex("c1a101a201000100")->skip(), reason::cbor_duplicate_key);
  EXPECT_TRUE(OfHex("a301002000616100")->skip());
  EXPECT_TRUE(OfHex("a201000100", {}, Strictness::well_formed)->skip());
}

TEST(CborReader, ComparesKeysByValueNotByOctets) {
  expect_reason(OfHex("a2f9000000f9800000")->skip(), reason::cbor_duplicate_key);          // 0.0 and -0.0
  expect_reason(OfHex("a2f97e0000f9fe0000")->skip(), reason::cbor_duplicate_key);          // NaN of either sign
  expect_reason(OfHex("a2a20102030400a20304010200")->skip(), reason::cbor_duplicate_key);  // {1: 2, 3: 4} twice
  expect_reason(OfHex("a28181f9000000 8181f9800000")->skip(), reason::cbor_duplicate_key);
  expect_reason(OfHex("a2c1f9000000 c1f9800000")->skip(), reason::cbor_duplicate_key);
  EXPECT_TRUE(OfHex("a20100f93c0000")->skip());       // 1 and 1.0
  EXPECT_TRUE(OfHex("a2416100616100")->skip());       // h'61' and "a"
  EXPECT_TRUE(OfHex("a301 00c10100c20100")->skip());  // 1, tagged 1 and tagged 2
  EXPECT_TRUE(OfHex("a2f97e0000f97e0100")->skip());   // NaN with two payloads
  EXPECT_TRUE(OfHex("a2e20002f6")->skip());           // simple(2) and 2
}

TEST(CborReader, ComparesKeysWithinKeysInPolynomialTime) {
  Bytes octets;
  for (int i = 0; i < 60; ++i) octets.push_back(0xa1);
  octets.push_back(0x00);
  for (int i = 0; i < 60; ++i) octets.push_back(0x00);
  EXPECT_TRUE(Reader(octets, {.max_depth = 64}).skip());
}

TEST(CborReader, FindsADuplicateAmongManyUnsortedKeys) {
  for (const bool duplicate : {false, true}) {
    Writer writer;
    writer.map(1000);
    for (int i = 0; i < 1000; ++i) writer.integer(duplicate && i == 0 ? 1 : 999 - i).null();
    const Bytes octets = writer.take();
    const auto item = Reader(octets).skip();
    if (duplicate) {
      expect_reason(item, reason::cbor_duplicate_key);
    } else {
      EXPECT_TRUE(item);
    }
  }
}

TEST(CborReader, RefusesCountsThatTheInputCannotHold) {
  expect_reason(OfHex("9affffffff00")->array(), reason::cbor_truncated);
  expect_reason(OfHex("bbffffffffffffffff00")->map(), reason::cbor_truncated);
  expect_reason(OfHex("bb800000000000000000")->map(), reason::cbor_truncated);
  expect_reason(OfHex("a2000000")->map(), reason::cbor_truncated);
  expect_reason(OfHex("5bffffffffffffffff00")->byte_string(), reason::cbor_truncated);
  expect_reason(OfHex("9affffffff00")->skip(), reason::cbor_truncated);
}

TEST(CborReader, BoundsDepthWhetherSkippingOrEntering) {
  const Limits two{.max_depth = 2};
  EXPECT_TRUE(OfHex("818100", two)->skip());
  expect_reason(OfHex("81818100", two)->skip(), reason::cbor_too_deep);
  expect_reason(OfHex("81c1a0", two)->skip(), reason::cbor_too_deep);
  OfHex in("83 8101 8102 818103", two);
  EXPECT_EQ(in->array(), 3u);
  for (int i = 1; i <= 2; ++i) {
    EXPECT_EQ(in->array(), 1u);
    EXPECT_EQ(in->integer(), i);
  }
  EXPECT_EQ(in->array(), 1u);
  expect_reason(in->array(), reason::cbor_too_deep);

  OfHex chain("c1c1c1c100", {.max_depth = 3});
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(chain->tag());
  expect_reason(chain->tag(), reason::cbor_too_deep);

  OfHex entered("8181818100", {.max_depth = 3});
  EXPECT_TRUE(entered->array());
  EXPECT_TRUE(entered->array());
  expect_reason(entered->skip(), reason::cbor_too_deep);
}

TEST(CborReader, NeverNestsBeyondItsCapWhateverTheLimitSays) {
  const Bytes deep(100'000, 0x81);
  for (const auto strictness : {Strictness::preferred, Strictness::well_formed}) {
    Reader reader(deep, {.max_depth = 1'000'000, .max_items = 1'000'000}, strictness);
    expect_reason(reader.skip(), reason::cbor_too_deep);
  }
}

TEST(CborReader, BoundsItemsAndSize) {
  EXPECT_TRUE(OfHex("83010203", {.max_items = 4})->skip());
  expect_reason(OfHex("83010203", {.max_items = 3})->skip(), reason::cbor_too_many_items);
  EXPECT_TRUE(OfHex("83010203", {.max_size = 4})->skip());
  expect_reason(OfHex("83010203", {.max_size = 3})->skip(), reason::cbor_too_large);
}

TEST(CborReader, SkipReturnsTheWholeItemAndStandsBehindIt) {
  OfHex in("a1018202036161");
  EXPECT_EQ(to_hex(in->skip().value()), "a101820203");
  EXPECT_EQ(in->position(), 5u);
  EXPECT_EQ(in->remaining(), 2u);
  EXPECT_EQ(in->text_string(), "a");
}

TEST(CborReader, NamesTrailingOctets) {
  OfHex in("0001");
  EXPECT_TRUE(in->integer());
  expect_reason(in->finish(), reason::cbor_trailing_bytes);
}

TEST(CborReader, RefusesReservedAndMisplacedInitialOctets) {
  expect_reason(OfHex("1c")->unsigned_integer(), reason::cbor_not_well_formed);
  expect_reason(OfHex("ff")->peek(), reason::cbor_not_well_formed);
  expect_reason(OfHex("ff")->simple(), reason::cbor_not_well_formed);
  expect_reason(OfHex("f81f")->simple(), reason::cbor_not_well_formed);
  expect_reason(OfHex("1f", {}, Strictness::well_formed)->skip(), reason::cbor_not_well_formed);
}

TEST(CborReader, NamesEveryKind) {
  for (int kind = 0; kind <= static_cast<int>(Kind::floating); ++kind) {
    EXPECT_NE(name_of(static_cast<Kind>(kind)), "unknown");
  }
}

}  // namespace
}  // namespace aceward::cbor
