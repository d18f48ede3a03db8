#include "aceward/ace/params/aif.h"

#include <gtest/gtest.h>

#include <string>

#include "aceward/ace/params/reasons.h"
#include "aceward/cbor/diagnostic.h"
#include "aceward/cbor/reasons.h"

namespace aceward::ace {
namespace {

Bytes aif_octets(std::string_view diagnostic) { return cbor::from_diagnostic(diagnostic).value(); }
Aif aif_text(std::string_view text) { return Aif::parse_text(text).value(); }

// RFC 9237 figure 5.
constexpr std::string_view figure_5 = "83 82 672f732f74656d70 01 82 662f612f6c6564 05 82 652f64746c73 02";

TEST(Aif, ReadsFigure5OfRfc9237) {
  const Bytes octets = from_hex(figure_5).value();
  ASSERT_EQ(octets.size(), 28U);
  const Aif aif = Aif::parse(octets).value();
  ASSERT_EQ(aif.entries().size(), 3U);
  EXPECT_TRUE(aif.entries().at("/s/temp").allows(1));
  EXPECT_FALSE(aif.entries().at("/s/temp").allows(2));
  EXPECT_EQ(aif.entries().at("/a/led").bits, 5U);
  EXPECT_TRUE(aif.entries().at("/dtls").allows(2));
  // Ours is sorted by path, so the octets differ from the figure's while the value does not.
  EXPECT_EQ(aif.serialize(), aif_octets(R"([["/a/led",5],["/dtls",2],["/s/temp",1]])"));
}

TEST(Aif, ReadsFigure3OfRfc9237) {
  EXPECT_EQ(Aif::parse(aif_octets(R"([["/s/temp",1],["/a/led",5],["/dtls",2]])")).value(),
            Aif::parse(from_hex(figure_5).value()).value());
}

TEST(Aif, Table1OfRfc9237AsText) {
  const Aif aif = Aif::parse(from_hex(figure_5).value()).value();
  EXPECT_EQ(aif.to_text(), "/a/led=GET,PUT /dtls=POST /s/temp=GET");
  EXPECT_EQ(aif_text("/s/temp=GET /a/led=PUT,GET /dtls=POST"), aif);
}

TEST(Aif, Table2OfRfc9237KeepsDynamicPermissions) {
  const Aif aif = aif_text("/a/make-coffee=POST,Dynamic-GET,Dynamic-DELETE");
  EXPECT_EQ(aif.entries().at("/a/make-coffee").bits, 2U | std::uint64_t{1} << 32 | std::uint64_t{1} << 35);
  EXPECT_EQ(Aif::parse(aif.serialize()).value(), aif);
  EXPECT_EQ(aif.to_text(), "/a/make-coffee=POST,Dynamic-GET,Dynamic-DELETE");
  // Dynamic-GET is no permission to GET the resource itself.
  EXPECT_FALSE(aif.entries().at("/a/make-coffee").allows(1));
}

TEST(Aif, EveryBitOfFigure4HasItsName) {
  const std::string_view names[] = {"GET", "POST", "PUT", "DELETE", "FETCH", "PATCH", "iPATCH"};
  for (unsigned i = 0; i < 7; ++i) {
    EXPECT_EQ(aif_text("/x=" + std::string(names[i])).entries().at("/x").bits, std::uint64_t{1} << i);
    EXPECT_EQ(aif_text("/x=Dynamic-" + std::string(names[i])).entries().at("/x").bits, std::uint64_t{1} << (32 + i));
    EXPECT_EQ(method_name(i + 1), names[i]);
  }
  EXPECT_EQ(method_name(0), "");
  EXPECT_EQ(method_name(8), "");
}

TEST(Aif, MergesEntriesWithTheSamePath) {
  EXPECT_EQ(Aif::parse(aif_octets(R"([["/a",1],["/b",2],["/a",4]])")).value(), aif_text("/a=GET,PUT /b=POST"));
}

TEST(Aif, KeepsBitsWithoutAMethod) {
  Aif aif;
  ASSERT_TRUE(aif.add("/x", MethodSet{UINT64_MAX}));
  EXPECT_EQ(Aif::parse(aif.serialize()).value(), aif);
  EXPECT_EQ(Aif::parse_text(aif.to_text()).value(), aif);
}

TEST(Aif, AMethodIsAllowedByItsOwnBitAlone) {
  for (unsigned method = 1; method <= 32; ++method) {
    MethodSet set;
    set.add(method);
    for (unsigned other = 0; other <= 70; ++other) EXPECT_EQ(set.allows(other), other == method);
  }
  MethodSet none;
  none.add(0);
  none.add(33);
  EXPECT_TRUE(none.empty());
}

TEST(Aif, AQueryMayHoldAnEqualsSign) {
  EXPECT_TRUE(aif_text("/s/temp?unit=celsius=GET").entries().at("/s/temp?unit=celsius").allows(1));
}

TEST(Aif, RefusesWhatIsNoAif) {
  for (const char* text : {R"({"/a":1})", "1", R"([["/a"]])", R"([["/a",1,2]])", R"([["/a",-1]])", R"([["/a","GET"]])",
                           R"([[h'2f61',1]])", R"([["a",1]])", R"([["",1]])", R"([["/a b",1]])", R"([["/a",1.0]])",
                           R"([["/a",1]],1)", R"([["/a",18446744073709551616]])", R"(["/a",1])"})
    EXPECT_FALSE(Aif::parse(aif_octets(text))) << text;
  EXPECT_EQ(Aif::parse(aif_octets(R"([["a",1]])")).error(), reason::scope_malformed);
  EXPECT_EQ(Aif::parse(aif_octets(R"([["/a",1]],1)")).error(), reason::cbor_trailing_bytes);
  for (const char* text : {"", "/a", "/a=", "a=GET", "/a=get", "/a=GET,", "/a=GET  /b=GET", "/a=M0", "/a=M33", "/a=M1x",
                           "/a=Dynamic-", "=GET"})
    EXPECT_EQ(Aif::parse_text(text).error(), reason::scope_malformed) << text;
}

TEST(Aif, AnEmptyListIsReadAndAllowsNothing) {
  const Aif aif = Aif::parse(aif_octets("[]")).value();
  EXPECT_TRUE(aif.empty());
  EXPECT_EQ(to_hex(aif.serialize()), "80");
}

TEST(Aif, IsBounded) {
  Aif aif;
  EXPECT_TRUE(aif.add("/" + std::string(254, 'a'), MethodSet{1}));
  EXPECT_FALSE(aif.add("/" + std::string(255, 'a'), MethodSet{1}));
  for (int i = 1; i < 256; ++i) ASSERT_TRUE(aif.add("/" + std::to_string(i), MethodSet{1}));
  EXPECT_EQ(aif.add("/one-more", MethodSet{1}).error(), reason::scope_malformed);
  EXPECT_TRUE(aif.add("/17", MethodSet{2}));  // merged, not added
}

TEST(Aif, UnionAndIntersectionGoPathByPath) {
  const Aif a = aif_text("/a=GET,PUT /b=POST /d=Dynamic-GET"), b = aif_text("/a=GET,POST /c=GET /d=Dynamic-GET,GET");
  EXPECT_EQ(a.union_with(b).to_text(), "/a=GET,POST,PUT /b=POST /c=GET /d=GET,Dynamic-GET");
  EXPECT_EQ(a.intersection_with(b).to_text(), "/a=GET /d=Dynamic-GET");
  EXPECT_TRUE(aif_text("/a=GET").intersection_with(aif_text("/a=POST")).empty());
}

TEST(Aif, PathsAreComparedOctetByOctet) {
  EXPECT_TRUE(aif_text("/a=GET").intersection_with(aif_text("/A=GET")).empty());
  EXPECT_TRUE(aif_text("/a=GET").intersection_with(aif_text("/a/=GET")).empty());
  EXPECT_TRUE(aif_text("/a=GET").intersection_with(aif_text("/%61=GET")).empty());
}

}  // namespace
}  // namespace aceward::ace
