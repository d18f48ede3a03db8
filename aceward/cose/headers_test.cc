#include "aceward/cose/headers.h"

#include <gtest/gtest.h>

#include "aceward/cbor/reasons.h"
#include "aceward/cose/reasons.h"

namespace aceward::cose {
namespace {

Bytes header_bytes(std::string_view hex) { return from_hex(hex).value(); }

Result<Headers> headers_of(std::string_view protected_hex, std::string_view unprotected_hex,
                           std::span<const Label> understood = {}) {
  return Headers::parse(header_bytes(protected_hex), header_bytes(unprotected_hex), understood);
}

TEST(CoseHeaders, AcceptsBothFormsOfAnEmptyProtectedMap) {
  const auto none = headers_of("", "a0");
  const auto empty = headers_of("a0", "a0");
  ASSERT_TRUE(none && empty);
  // Both are the empty byte string in what is signed (RFC 9052 section 4.4).
  EXPECT_TRUE(none->protected_octets().empty());
  EXPECT_TRUE(empty->protected_octets().empty());
}

TEST(CoseHeaders, KeepsTheProtectedOctetsVerbatim) {
  // Keys out of deterministic order: parsing and writing again would change them.
  const auto headers = headers_of(
      "a204413101"
      "26",
      "a0");
  ASSERT_TRUE(headers);
  EXPECT_EQ(to_hex(headers->protected_octets()), "a20441310126");
  EXPECT_EQ(to_hex(headers->protected_map.serialize()), "a20126044131");
}

TEST(CoseHeaders, ReadsAndWritesEveryCommonParameterAndKeepsTheRest) {
  const std::string text =
      "a7"
      "010a"
      "028105"
      "03183d"
      "04423131"
      "05420102"
      "18212a"
      "6161f6";
  const auto map = HeaderMap::parse(header_bytes(text));
  ASSERT_TRUE(map);
  EXPECT_EQ(map->alg, alg::aes_ccm_16_64_128);
  EXPECT_EQ(map->crit, std::vector<Label>{Label(5)});
  EXPECT_EQ(std::get<std::uint64_t>(*map->content_type), 61U);
  EXPECT_EQ(as_text(*map->kid), "11");
  EXPECT_EQ(to_hex(*map->iv), "0102");
  ASSERT_NE(map->other(33), nullptr);
  EXPECT_EQ(map->other(33)->value, Bytes{0x2a});
  EXPECT_NE(map->other(std::string("a")), nullptr);
  EXPECT_EQ(to_hex(map->serialize()), text);
}

TEST(CoseHeaders, PrefersTheProtectedBucket) {
  const auto headers = headers_of("a10442aaaa", "a10126");
  ASSERT_TRUE(headers);
  EXPECT_EQ(headers->alg(), alg::es256);
  EXPECT_EQ(to_hex(*headers->kid()), "aaaa");
}

TEST(CoseHeaders, RefusesALabelInBothBuckets) {
  EXPECT_EQ(headers_of("a10126", "a10126").error(), reason::cose_header_malformed);
  EXPECT_EQ(headers_of("a1182001", "a1182001").error(), reason::cose_header_malformed);
  EXPECT_EQ(headers_of("a161"
                       "6101",
                       "a161"
                       "6101")
                .error(),
            reason::cose_header_malformed);
}

TEST(CoseHeaders, RefusesALabelTwiceInOneBucket) {
  EXPECT_EQ(headers_of("a201260126", "a0").error(), reason::cbor_duplicate_key);
  EXPECT_EQ(headers_of("", "a2044101044102").error(), reason::cbor_duplicate_key);
}

TEST(CoseHeaders, RefusesWrongTypes) {
  EXPECT_EQ(headers_of("a10141"
                       "26",
                       "a0")
                .error(),
            reason::cose_header_malformed);  // alg bytes
  EXPECT_EQ(headers_of("a1016345"
                       "5332",
                       "a0")
                .error(),
            reason::cose_algorithm_unsupported);
  EXPECT_EQ(headers_of("", "a10401").error(), reason::cose_header_malformed);    // kid integer
  EXPECT_EQ(headers_of("", "a10501").error(), reason::cose_header_malformed);    // IV integer
  EXPECT_EQ(headers_of("", "a10601").error(), reason::cose_header_malformed);    // Partial IV integer
  EXPECT_EQ(headers_of("a10320", "a0").error(), reason::cose_header_malformed);  // content type negative
  EXPECT_EQ(headers_of("a103"
                       "6120",
                       "a0")
                .error(),
            reason::cose_header_malformed);  // content type " "
  EXPECT_TRUE(
      headers_of("a103"
                 "63612f62",
                 "a0"));  // "a/b"
  EXPECT_EQ(headers_of("a103"
                       "64612f6220",
                       "a0")
                .error(),
            reason::cose_header_malformed);  // "a/b "
  EXPECT_EQ(headers_of("a14101"
                       "01",
                       "a0")
                .error(),
            reason::cose_header_malformed);  // label of bytes
  EXPECT_FALSE(headers_of("01", "a0"));      // no map
  EXPECT_FALSE(headers_of("a0a0", "a0"));    // two maps
}

TEST(CoseHeaders, RefusesIvBesidePartialIv) {
  EXPECT_EQ(headers_of("", "a2054101064101").error(), reason::cose_header_malformed);
  EXPECT_EQ(headers_of("a1054101", "a1064101").error(), reason::cose_header_malformed);
}

TEST(CoseHeaders, HonoursCrit) {
  EXPECT_TRUE(
      headers_of("a2012602"
                 "8101",
                 "a0"));
  // Label 33 is critical: only for an application that declares it.
  EXPECT_EQ(headers_of("a2028118211821"
                       "01",
                       "a0")
                .error(),
            reason::cose_critical_unknown);
  const Label understood[] = {Label(33)};
  EXPECT_TRUE(headers_of("a202811821182101", "a0", understood));
  // Unprotected, empty, of a wrong type, or naming what is not in the protected bucket.
  EXPECT_EQ(headers_of("",
                       "a202810101"
                       "26")
                .error(),
            reason::cose_header_malformed);
  EXPECT_EQ(headers_of("a10280", "a0").error(), reason::cose_header_malformed);
  EXPECT_EQ(headers_of("a10201", "a0").error(), reason::cose_header_malformed);
  EXPECT_EQ(headers_of("a102811821", "a1182101", understood).error(), reason::cose_header_malformed);
  EXPECT_EQ(headers_of("a1028104", "a1044101").error(), reason::cose_header_malformed);
}

TEST(CoseHeaders, DoesNotSendWhatItWouldRefuse) {
  Headers headers;
  headers.protected_map.kid = Bytes{1};
  EXPECT_TRUE(headers.check());
  headers.unprotected_map.kid = Bytes{1};
  EXPECT_EQ(headers.check().error(), reason::cose_header_malformed);
  headers.unprotected_map.kid.reset();
  headers.protected_map.others.push_back({Label(4), {0x41, 0x02}});
  EXPECT_EQ(headers.check().error(), reason::cose_header_malformed);
}

}  // namespace
}  // namespace aceward::cose
