#include "aceward/cbor/value.h"

#include <gtest/gtest.h>

#include "aceward/cbor/diagnostic.h"
#include "aceward/cbor/random_value.h"

namespace aceward::cbor {
namespace {

TEST(CborValue, RandomValuesSurviveEncodingAndDiagnosticNotation) {
  SeededRandom random(8949);
  for (int i = 0; i < 1000; ++i) {
    const Value value = random_value(random, 4);
    const Bytes octets = value.serialize();
    const auto again = Value::parse(octets);
    ASSERT_TRUE(again) << to_hex(octets) << ": " << again.error().id();
    ASSERT_EQ(*again, value);
    ASSERT_EQ(again->serialize(), octets);
    for (const bool indented : {false, true}) {
      const std::string text = to_diagnostic(octets, {.indented = indented});
      const auto read = from_diagnostic(text);
      ASSERT_TRUE(read) << text << ": " << read.error().detail();
      ASSERT_EQ(to_hex(*read), to_hex(octets)) << text;
    }
  }
}

TEST(CborValue, JoinsTheChunksOfIndefiniteStrings) {
  const auto bytes = Value::parse(from_hex("5f42010243030405ff").value(), {}, Strictness::well_formed);
  EXPECT_EQ(bytes, (Value{Bytes{1, 2, 3, 4, 5}}));
  const auto text = Value::parse(from_hex("7f657374726561646d696e67ff").value(), {}, Strictness::well_formed);
  EXPECT_EQ(text, Value{std::string("streaming")});
}

TEST(CborValue, RefusesACharacterSplitBetweenChunks) {
  const auto text = Value::parse(from_hex("7f61c361bcff").value(), {}, Strictness::well_formed);
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error(), reason::cbor_not_utf8);
}

TEST(CborValue, IgnoresTheOrderOfPairsWhenCompared) {
  EXPECT_EQ(Value::parse(from_hex("a201000200").value()), Value::parse(from_hex("a202000100").value()));
  EXPECT_NE(Value::parse(from_hex("a201000200").value()), Value::parse(from_hex("a202000101").value()));
  EXPECT_NE(Value::integer(1), Value{1.0});
  EXPECT_EQ(Value::integer(-5), Value{Value::Negative{4}});
}

TEST(CborValue, SerializesMapsSorted) {
  EXPECT_EQ(to_hex(Value::parse(from_hex("a3617a00200005a0").value())->serialize()), "a305a02000617a00");
}

TEST(CborValue, RefusesTrailingOctets) {
  const auto value = Value::parse(from_hex("0000").value());
  ASSERT_FALSE(value);
  EXPECT_EQ(value.error(), reason::cbor_trailing_bytes);
}

}  // namespace
}  // namespace aceward::cbor
