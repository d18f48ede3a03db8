#include "aceward/ace/profile/dtls/psk_identity.h"

#include <gtest/gtest.h>

#include "aceward/ace/profile/dtls/reasons.h"

namespace aceward::ace::dtls {
namespace {

using IdentityForm = std::variant<KidIdentity, TokenIdentity>;

Result<IdentityForm> parse_identity_hex(std::string_view hex) { return parse_psk_identity(*from_hex(hex)); }

void expect_malformed(std::string_view hex) {
  const auto parsed = parse_identity_hex(hex);
  ASSERT_FALSE(parsed.has_value()) << hex;
  EXPECT_EQ(parsed.error(), reason::psk_identity_malformed) << hex;
}

TEST(PskIdentity, SerializesTheOctetsOfFigure9) {
  EXPECT_EQ(to_hex(serialize_kid_identity(*from_hex("3d027833fc6267ce"))), "a108a101a2010402483d027833fc6267ce");
}

TEST(PskIdentity, ReadsTheOctetsOfFigure9) {
  const auto parsed = parse_identity_hex("A1 08 A1 01 A2 01 04 02 48 3D 02 78 33 FC 62 67 CE");
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(*parsed, IdentityForm(KidIdentity{*from_hex("3d027833fc6267ce")}));
}

TEST(PskIdentity, TakesTheMembersInAnyOrder) {
  EXPECT_EQ(parse_identity_hex("a108a101a202410a0104"), IdentityForm(KidIdentity{Bytes{0x0a}}));
}

TEST(PskIdentity, KeepsKidsOfAnyLength) {
  for (const std::size_t size : {0U, 1U, 23U, 24U, 255U, 256U, 4000U}) {
    const Bytes kid(size, 0x00);
    EXPECT_EQ(parse_psk_identity(serialize_kid_identity(kid)), IdentityForm(KidIdentity{kid})) << size;
  }
}

TEST(PskIdentity, TakesTaggedAndUntaggedArraysForTokens) {
  for (const std::string_view hex : {"d28440a04040", "d08340a040", "d18440a04040", "d83dd28440a04040", "8440a04040"}) {
    EXPECT_EQ(parse_identity_hex(hex), IdentityForm(TokenIdentity{*from_hex(hex)})) << hex;
  }
}

TEST(PskIdentity, RefusesWhatIsNotOneWellFormedItem) {
  expect_malformed("");
  expect_malformed("a1");
  expect_malformed("a108a101a2010402483d027833fc6267");      // ends within the kid
  expect_malformed("a108a101a2010402483d027833fc6267ce00");  // one octet more
  expect_malformed("d28440a0404000");
  expect_malformed("d28440a040");
  expect_malformed("bf08a101a20104024101ff");  // indefinite length
  expect_malformed("a11808a101a20104024101");  // key 8 in two octets
}

TEST(PskIdentity, RefusesOtherMapsThanThatOfFigure9) {
  expect_malformed("a0");
  expect_malformed("a108a0");
  expect_malformed("a108a101a0");
  expect_malformed("a108a101a10104");              // no kid
  expect_malformed("a108a101a1024101");            // no kty
  expect_malformed("a108a101a20102024101");        // kty EC2
  expect_malformed("a108a101a20104026101");        // kid is text
  expect_malformed("a108a101a301040241012041aa");  // k in the open
  expect_malformed("a108a102a20104024101");        // not COSE_Key
  expect_malformed("a208a101a201040241010900");    // a claim beside cnf
  expect_malformed("a108a101a301040241010241ff");  // two kids
  expect_malformed("a208a101a2010402410108a101a20104024102");
}

TEST(PskIdentity, RefusesScalars) {
  for (const std::string_view hex : {"00", "20", "4101", "6161", "f6", "f90000"}) expect_malformed(hex);
}

TEST(PskIdentity, RefusesMoreThan16384Octets) {
  Bytes large{0x81, 0x59, 0x40, 0x00};
  large.resize(4 + 0x4000);
  const auto parsed = parse_psk_identity(large);
  ASSERT_FALSE(parsed.has_value());
  EXPECT_EQ(parsed.error(), reason::psk_identity_malformed);
}

}  // namespace
}  // namespace aceward::ace::dtls
