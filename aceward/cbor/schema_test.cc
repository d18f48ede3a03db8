#include "aceward/cbor/schema.h"

#include <gtest/gtest.h>

#include <limits>

#include "aceward/cbor/names.h"

namespace aceward::cbor_test {

using cbor::Nullable;

enum class Colour : std::int32_t { red = 1, blue = -2 };
using Port = Strong<struct PortTag, std::uint16_t>;

// point = [ x: int, y: int, ? label: tstr ]
struct Point {
  int x = 0;
  int y = 0;
  std::optional<std::string> label;
};

// everything = { 1: tstr, ? -1: bstr, ? "n": tstr / null, 24: int / tstr, ? 5: [* point], ? 6: uint .default 7, ... }
struct Everything {
  std::string as;
  std::optional<Bytes> kid;
  std::optional<Nullable<std::string>> note;
  std::variant<std::int64_t, std::string> either;
  std::optional<std::vector<Point>> points;
  std::uint8_t retries = 7;
  std::optional<Secret> key;
  std::optional<Colour> colour;
  std::optional<Port> port;
};

struct Keeping {
  std::int64_t known = 0;
  cbor::UnknownPairs rest;
};

struct Rejecting {
  std::optional<bool> known;
};

struct Nested {
  Rejecting inner;
};

}  // namespace aceward::cbor_test

namespace aceward::cbor {

using cbor_test::Colour;
using cbor_test::Everything;
using cbor_test::Keeping;
using cbor_test::Nested;
using cbor_test::Point;
using cbor_test::Port;
using cbor_test::Rejecting;

template <>
struct Schema<Point> {
  static constexpr auto value = declare_array<Point>("point", element("x", &Point::x), element("y", &Point::y),
                                                     optional_element("label", &Point::label));
};

template <>
struct Schema<Everything> {
  using T = Everything;
  static constexpr auto value =
      declare<T>("everything", Unknown::ignore, required(24, "either", &T::either), required(1, "AS", &T::as),
                 optional(-1, "kid", &T::kid), optional("n", "note", &T::note), optional(5, "points", &T::points),
                 defaulted(6, "retries", &T::retries), optional(7, "key", &T::key),
                 optional(Colour::blue, "colour", &T::colour), optional(Port(1000), "port", &T::port));
};

template <>
struct Schema<Keeping> {
  using T = Keeping;
  static constexpr auto value = declare<T>("keeping", unknown_into(&T::rest), required(10, "known", &T::known));
};

template <>
struct Schema<Rejecting> {
  using T = Rejecting;
  static constexpr auto value = declare<T>("rejecting", Unknown::reject, optional(1, "known", &T::known));
};

template <>
struct Schema<Nested> {
  using T = Nested;
  static constexpr auto value = declare<T>("nested", Unknown::ignore, required(1, "inner", &T::inner));
};

namespace {

template <class T>
Result<T> parse_hex(std::string_view hex) {
  return parse<T>(from_hex(hex).value());
}

template <class T>
void expect_refusal(std::string_view hex, const Reason& reason, std::string_view detail) {
  const auto result = parse_hex<T>(hex);
  ASSERT_FALSE(result) << hex;
  EXPECT_EQ(result.error().id(), reason.id) << hex;
  EXPECT_EQ(result.error().detail(), detail) << hex;
}

TEST(CborSchema, RoundTripsAllMembersInDeterministicOrder) {
  Everything in;
  in.as = "x";
  in.kid = Bytes{9};
  in.note = Nullable<std::string>{};
  in.either = "y";
  in.points = std::vector<Point>{{1, -2, std::nullopt}, {3, 4, "z"}};
  in.retries = 8;
  in.key = Secret(Bytes{5});
  in.colour = Colour::red;
  in.port = Port(5683);
  const Bytes octets = serialize(in);
  EXPECT_EQ(to_hex(octets),
            "a9"
            "016178"
            "0582820121830304617a"
            "0608"
            "074105"
            "18186179"
            "1903e8191633"
            "204109"
            "2101"
            "616ef6");
  const auto out = parse<Everything>(octets);
  ASSERT_TRUE(out) << out.error().id() << ' ' << out.error().detail();
  EXPECT_EQ(out->as, "x");
  EXPECT_EQ(out->kid, Bytes{9});
  ASSERT_TRUE(out->note);
  EXPECT_FALSE(*out->note);
  EXPECT_EQ(std::get<std::string>(out->either), "y");
  ASSERT_EQ(out->points->size(), 2u);
  EXPECT_EQ(out->points->at(0).y, -2);
  EXPECT_EQ(out->points->at(1).label, "z");
  EXPECT_EQ(out->retries, 8);
  EXPECT_TRUE(out->key->equals(Bytes{5}));
  EXPECT_EQ(out->colour, Colour::red);
  EXPECT_EQ(out->port, Port(5683));
}

TEST(CborSchema, TakesKeysInAnyOrderAndLeavesOutWhatIsAbsent) {
  const auto out = parse_hex<Everything>("a21818386301616b");
  ASSERT_TRUE(out);
  EXPECT_EQ(std::get<std::int64_t>(out->either), -100);
  EXPECT_EQ(out->as, "k");
  EXPECT_FALSE(out->kid || out->note || out->points || out->key);
  EXPECT_EQ(out->retries, 7);
  EXPECT_EQ(to_hex(serialize(*out)), "a201616b18183863");
}

TEST(CborSchema, NamesTheMemberThatFails) {
  expect_refusal<Everything>("a101616b", reason::cbor_key_missing, "either");
  expect_refusal<Everything>("a1181801", reason::cbor_key_missing, "AS");
  expect_refusal<Everything>("a2010118180a", reason::cbor_unexpected_kind, "AS");
  expect_refusal<Everything>("a301616b180018180000", reason::cbor_not_preferred, "");
  expect_refusal<Everything>("a301616b181800061903e8", reason::cbor_out_of_range, "retries");
  expect_refusal<Everything>("a1181840", reason::cbor_unexpected_kind, "either");
  expect_refusal<Everything>("a3016161181800058183010261ff", reason::cbor_not_utf8, "label");
  expect_refusal<Nested>("a101a10101", reason::cbor_unexpected_kind, "known");
}

TEST(CborSchema, RefusesDuplicatesAmongKnownAndUnknownKeys) {
  expect_refusal<Everything>("a30161610161621818 00", reason::cbor_duplicate_key, "AS");
  expect_refusal<Everything>("a4016161181800 0b00 0b01", reason::cbor_duplicate_key, "");
  expect_refusal<Everything>("a40161611818004101004101f6", reason::cbor_duplicate_key, "");
  expect_refusal<Everything>("a3016161181800 0ba201000100", reason::cbor_duplicate_key, "");
}

TEST(CborSchema, RefusesTrailingOctetsAndWhatPassesTheLimits) {
  expect_refusal<Everything>("a201616118180000", reason::cbor_trailing_bytes, "");
  const auto deep = parse<Everything>(from_hex("a30161611818000b8180").value(), {.max_depth = 2});
  ASSERT_FALSE(deep);
  EXPECT_EQ(deep.error(), reason::cbor_too_deep);
  EXPECT_TRUE(parse<Everything>(from_hex("a30161611818000b8180").value(), {.max_depth = 3}));
}

TEST(CborSchema, IgnoresUnknownPairsButChecksThem) {
  EXPECT_TRUE(parse_hex<Everything>("a50161611818000b818200010c00f600"));
  expect_refusal<Everything>("a30161611818000b61ff", reason::cbor_not_utf8, "");
}

TEST(CborSchema, TakesKeysBeyond64BitsForUnknown) {
  EXPECT_TRUE(parse_hex<Everything>("a40161611818001bffffffffffffffff003bffffffffffffffff00"));
}

TEST(CborSchema, KeepsUnknownPairsAndWritesThemSorted) {
  const auto out = parse_hex<Keeping>(
      "a3617a820102"
      "0a05"
      "0141ff");
  ASSERT_TRUE(out);
  EXPECT_EQ(out->known, 5);
  ASSERT_EQ(out->rest.size(), 2u);
  EXPECT_EQ(to_hex(out->rest[0].second.octets), "820102");
  EXPECT_EQ(to_hex(serialize(*out)), "a30141ff0a05617a820102");
}

TEST(CborSchema, LetsADeclaredMemberWinOverAKeptPair) {
  Keeping in{5, {}};
  in.rest.emplace_back(Raw{{0x0a}}, Raw{{0x06}});
  EXPECT_EQ(to_hex(serialize(in)), "a10a05");
}

TEST(CborSchema, RejectsUnknownKeysWhereTheMessageIsClosed) {
  EXPECT_TRUE(parse_hex<Rejecting>("a101f5"));
  expect_refusal<Rejecting>("a102f5", reason::cbor_key_unknown, "rejecting");
}

TEST(CborSchema, BoundsTheElementsOfAnArray) {
  EXPECT_TRUE(parse_hex<Point>("820102"));
  EXPECT_EQ(parse_hex<Point>("8301026161")->label, "a");
  expect_refusal<Point>("8101", reason::cbor_key_missing, "y");
  expect_refusal<Point>("84010261610a", reason::cbor_key_unknown, "point");
  expect_refusal<Point>("83010203", reason::cbor_unexpected_kind, "label");
}

TEST(CborSchema, NamesForDiagnosticsComeFromTheDeclaration) {
  const Names names = names_of<Everything>();
  EXPECT_EQ(names.keys.at(1).name, "AS");
  EXPECT_EQ(names.keys.at(-1).name, "kid");
  EXPECT_TRUE(names.keys.at(7).value->secret);
  EXPECT_EQ(names.keys.at(5).value->each->places.at(2).name, "label");
  EXPECT_TRUE(names.text_keys.contains("n"));
}

TEST(CborCodec, ChecksTheRangeOfNarrowIntegers) {
  EXPECT_EQ(parse_hex<std::int8_t>("387f"), -128);
  EXPECT_FALSE(parse_hex<std::int8_t>("3880"));
  EXPECT_FALSE(parse_hex<std::int8_t>("1880"));
  EXPECT_EQ(parse_hex<std::uint8_t>("18ff"), 255);
  EXPECT_EQ(parse_hex<std::uint8_t>("190100").error(), reason::cbor_out_of_range);
  EXPECT_EQ(parse_hex<std::uint8_t>("20").error(), reason::cbor_unexpected_kind);
  EXPECT_EQ(parse_hex<std::uint64_t>("1bffffffffffffffff"), UINT64_MAX);
  EXPECT_EQ(parse_hex<std::int64_t>("1bffffffffffffffff").error(), reason::cbor_out_of_range);
}

TEST(CborCodec, KeepsUnknownNumbersOfARegistry) {
  const auto colour = parse_hex<Colour>("1903e8");
  ASSERT_TRUE(colour);
  EXPECT_EQ(std::to_underlying(*colour), 1000);
  EXPECT_EQ(to_hex(serialize(*colour)), "1903e8");
  EXPECT_EQ(parse_hex<Colour>("1b0000000100000000").error(), reason::cbor_out_of_range);
}

TEST(CborCodec, KeepsTheReceivedOctetsOfRaw) {
  EXPECT_EQ(to_hex(parse_hex<Raw>("a202000100")->octets), "a202000100");
  EXPECT_EQ(parse_hex<Raw>("a201000100").error(), reason::cbor_duplicate_key);
}

TEST(CborCodec, ReadsTuplesPairsTagsAndEmbeddedItems) {
  using Row = std::tuple<int, std::string, bool>;
  EXPECT_EQ(parse_hex<Row>("83016161f5"), Row(1, "a", true));
  EXPECT_EQ(to_hex(serialize(Row(1, "a", true))), "83016161f5");
  EXPECT_EQ(parse_hex<Row>("82016161").error(), reason::cbor_out_of_range);
  using Couple = std::pair<int, Bytes>;
  EXPECT_EQ(parse_hex<Couple>("8201410a"), Couple(1, Bytes{10}));
  EXPECT_EQ(parse_hex<Couple>("8301410a00").error(), reason::cbor_out_of_range);
  using Dated = Tagged<1, std::int64_t>;
  EXPECT_EQ(parse_hex<Dated>("c11864")->value, 100);
  EXPECT_EQ(parse_hex<Dated>("c21864").error(), reason::cbor_unexpected_kind);
  EXPECT_EQ(parse_hex<Dated>("c16130").error(), reason::cbor_unexpected_kind);
  EXPECT_EQ(to_hex(serialize(Dated{100})), "c11864");
  EXPECT_EQ((parse_hex<Tagged<24, Embedded<int>>>("d818421864")->value.value), 100);
  EXPECT_EQ((parse_hex<Tagged<24, Embedded<int>>>("d8181864").error()), reason::cbor_unexpected_kind);
  EXPECT_EQ(parse_hex<Embedded<int>>("421864")->value, 100);
  EXPECT_EQ(parse_hex<Embedded<int>>("43186400").error(), reason::cbor_trailing_bytes);
  EXPECT_EQ(to_hex(serialize(Embedded<int>{100})), "421864");
}

TEST(CborCodec, ReadsMapsOfOneKindAndFixedOctets) {
  using Table = std::map<int, std::string>;
  EXPECT_EQ(parse_hex<Table>("a22061620161 61"), (Table{{-1, "b"}, {1, "a"}}));
  EXPECT_EQ(to_hex(serialize(Table{{-1, "b"}, {1, "a"}})), "a2016161206162");
  EXPECT_EQ(parse_hex<Table>("a2016161016162").error(), reason::cbor_duplicate_key);
  using Two = std::array<std::uint8_t, 2>;
  EXPECT_EQ(parse_hex<Two>("420102"), (Two{1, 2}));
  EXPECT_EQ(parse_hex<Two>("4101").error(), reason::cbor_out_of_range);
  EXPECT_TRUE(parse_hex<Null>("f6"));
  EXPECT_EQ(parse_hex<Null>("f7").error(), reason::cbor_unexpected_kind);
}

TEST(CborCodec, ChoosesTheAlternativeOfAUnionByKind) {
  using Time = std::variant<std::int64_t, double, std::vector<int>, Nullable<std::string>>;
  EXPECT_EQ(parse_hex<Time>("20")->index(), 0u);
  EXPECT_EQ(parse_hex<Time>("f93e00")->index(), 1u);
  EXPECT_EQ(parse_hex<Time>("8101")->index(), 2u);
  EXPECT_EQ(parse_hex<Time>("f6")->index(), 3u);
  EXPECT_EQ(parse_hex<Time>("40").error(), reason::cbor_unexpected_kind);
  EXPECT_EQ(to_hex(serialize(Time{1.5})), "f93e00");
}

}  // namespace
}  // namespace aceward::cbor
