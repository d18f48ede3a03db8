#include "app/explain.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "aceward/cbor/diagnostic.h"
#include "aceward/coap/message/message.h"
#include "aceward/cose/cwt/rfc8392_figures.h"

namespace aceward::app {
namespace {

using testing::HasSubstr;
namespace figures = cwt::rfc8392;

Bytes hex(std::string_view text) { return *from_hex(text); }
Bytes cbor_of(std::string_view text) { return *cbor::from_diagnostic(text); }

TEST(KindOf, TellsTheMessagesOfTheFiguresApart) {
  EXPECT_EQ(kind_of(hex(figures::a_1_claims)), "claims");
  EXPECT_EQ(kind_of(hex(figures::a_2_1_key)), "cose-key");
  EXPECT_EQ(kind_of(hex(figures::a_2_3_key)), "cose-key");
  EXPECT_EQ(kind_of(hex(figures::a_3_signed)), "cwt");
  EXPECT_EQ(kind_of(hex(figures::a_4_maced)), "cwt");
  EXPECT_EQ(kind_of(hex(figures::a_6_nested)), "cwt");
  // RFC 9200 figures 3, 6, 9; RFC 9202 figure 9; RFC 9237.
  EXPECT_EQ(kind_of(cbor_of(R"({1: "coaps://as.example.com/token", 5: "coaps://rs", 9: "rTempC", 39: h'e0a1'})")),
            "hints");
  EXPECT_EQ(kind_of(cbor_of(R"({24: "myclient", 5: "tempSensor4711"})")), "token-request");
  EXPECT_EQ(kind_of(cbor_of(R"({4: {3: h'01'}, 5: "tempSensor4711"})")), "token-request");
  EXPECT_EQ(kind_of(cbor_of(R"({1: h'd08343', 38: 1, 2: 3600})")), "token-response");
  EXPECT_EQ(kind_of(cbor_of("{30: 6}")), "token-error");
  EXPECT_EQ(kind_of(cbor_of("{8: {1: {1: 4, 2: h'01'}}}")), "psk-identity");
  EXPECT_EQ(kind_of(cbor_of(R"([["/s/temp", 1], ["/dtls", 2]])")), "aif");
  EXPECT_EQ(kind_of(cbor_of("[1, 2]")), "cbor");
  EXPECT_EQ(kind_of(cbor_of("h'45010203'")), "cbor");
  EXPECT_EQ(kind_of(hex("44011234a1a2a3a4b474656d70")), "coap");
}

TEST(Explain, ShowsACoapMessageWithNames) {
  const auto explanation = explain("coap", hex("4401d20441424344b474656d70"), {});
  ASSERT_TRUE(explanation);
  EXPECT_THAT(explanation->text, HasSubstr("CON [MID=0xd204] GET"));
  EXPECT_THAT(explanation->text, HasSubstr("Uri-Path: \"temp\""));
}

TEST(Explain, VerifiesEachTokenOfRfc8392WithItsKey) {
  for (const auto& [token, key] :
       {std::pair(figures::a_3_signed, figures::a_2_3_key), std::pair(figures::a_4_maced, figures::a_2_2_key),
        std::pair(figures::a_5_encrypted, figures::a_2_1_key)}) {
    std::vector<cose::Key> keys;
    keys.push_back(*cose::Key::parse(hex(key)));
    // Appendix A.2.2 gives its key the algorithm of A.2.1's, with which nothing could be MACed.
    keys.back().alg.reset();
    const auto explanation = explain("cwt", hex(token), keys);
    ASSERT_TRUE(explanation);
    EXPECT_EQ(explanation->verified, true) << explanation->reason;
    EXPECT_THAT(explanation->text, HasSubstr("coap://light.example.com"));
  }
  std::vector<cose::Key> both;
  both.push_back(*cose::Key::parse(hex(figures::a_2_1_key)));
  both.push_back(*cose::Key::parse(hex(figures::a_2_3_key)));
  EXPECT_EQ(explain("cwt", hex(figures::a_6_nested), both)->verified, true);
}

TEST(Explain, SaysWhenATokenDoesNotVerify) {
  std::vector<cose::Key> keys;
  keys.push_back(*cose::Key::parse(hex(figures::a_2_3_key)));
  Bytes forged = hex(figures::a_3_signed);
  forged.back() ^= 1;
  const auto explanation = explain("cwt", forged, keys);
  ASSERT_TRUE(explanation);
  EXPECT_EQ(explanation->verified, false);
  EXPECT_EQ(explanation->reason, "cwt_verification_failed");
  EXPECT_THAT(explanation->text, HasSubstr("NOT VERIFIED"));
}

TEST(Explain, ShowsNoSecretOfAKey) {
  const auto explanation = explain("cose-key", hex(figures::a_2_2_key), {});
  ASSERT_TRUE(explanation);
  EXPECT_THAT(explanation->text, testing::Not(HasSubstr("403697de87")));
  EXPECT_THAT(explanation->text, HasSubstr("Symmetric"));
}

TEST(Explain, RefusesWhatIsNotOfTheKind) {
  for (const char* kind : {"coap", "cwt", "aif", "psk-identity", "claims", "cbor"}) {
    const auto explanation = explain(kind, hex("81"), {});
    ASSERT_FALSE(explanation) << kind;
    EXPECT_EQ(explanation.error().code, ExitCode::usage);
  }
  EXPECT_FALSE(explain("nonsense", hex("01"), {}));
}

TEST(Explain, TakesASequence) {
  const auto explanation = explain("cbor", hex("0102"), {});
  ASSERT_TRUE(explanation);
  EXPECT_EQ(explanation->kind, "cbor-seq");
}

TEST(OctetsFromText, TakesHexadecimalAndBase64url) {
  EXPECT_EQ(octets_from_text("01 ff\n"), (Bytes{1, 255}));
  EXPECT_EQ(octets_from_text("-_8="), (Bytes{0xfb, 0xff}));
  EXPECT_EQ(octets_from_text("+/8"), (Bytes{0xfb, 0xff}));
  EXPECT_FALSE(octets_from_text("a!"));
  EXPECT_FALSE(octets_from_text("QUJDR"));
  EXPECT_FALSE(octets_from_text(" "));
}

}  // namespace
}  // namespace aceward::app
