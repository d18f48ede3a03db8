#include "aceward/ace/token/token_verifier.h"

#include <gtest/gtest.h>

#include <functional>

#include "aceward/ace/params/reasons.h"
#include "aceward/ace/token/reasons.h"
#include "aceward/ace/token/test_issuer.h"
#include "aceward/cbor/reasons.h"
#include "aceward/cbor/value.h"
#include "aceward/cose/cwt/reasons.h"
#include "aceward/cose/reasons.h"
#include "aceward/cose/sign1.h"

namespace aceward::ace {
namespace {

using testing::must;
using testing::p256_key;
using testing::p256_public_key;
using testing::symmetric_key;
using testing::test_now;
using testing::TestIssuer;

constexpr std::chrono::seconds one_second{1};

class TokenVerifierTest : public ::testing::Test {
 protected:
  TokenVerifierTest() : verifier_(must(TokenVerifier::create(testing::verifier_config(issuer_)))) {}

  cwt::Claims good() const { return issuer_.claims_for(p256_public_key(50)); }
  Result<VerifiedToken> verify(BytesView token) { return verifier_.verify(token, test_now); }

  void expect_refused(BytesView token, const Reason& reason, coap::Code answer) {
    const auto verified = verify(token);
    ASSERT_FALSE(verified.has_value()) << "not refused: " << reason.id;
    EXPECT_EQ(verified.error().id(), reason.id);
    EXPECT_EQ(wire_answer(verified.error()), answer) << verified.error().id();
  }

  /// Claims as the tests of their parser know them to be wrong, signed all the same.
  Bytes sign_raw(BytesView payload) const {
    const auto key = must(cose::SigningKey::from(issuer_.signing_key()));
    cose::Headers headers;
    headers.unprotected_map.kid = key.kid();
    return must(cose::Sign1::create(key, std::move(headers), payload));
  }

  TestIssuer issuer_;
  TokenVerifier verifier_;
};

TEST_F(TokenVerifierTest, AcceptsASignedTokenWithAPublicKey) {
  auto claims = good();
  claims.cti = Bytes{1, 2};
  const Bytes token = issuer_.sign(claims);
  const auto verified = verify(token);
  ASSERT_TRUE(verified.has_value()) << verified.error().id();
  EXPECT_EQ(verified->issuer(), "coaps://as.example");
  EXPECT_EQ(verified->cti(), (Bytes{1, 2}));
  EXPECT_EQ(verified->issued_at(), test_now);
  EXPECT_EQ(verified->expires_at(), test_now + std::chrono::seconds(600));
  EXPECT_TRUE(std::get<cose::Key>(verified->pop_key()).same_key(p256_public_key(50)));
  coap::Options options;
  options.add_path("/temp");
  EXPECT_EQ(verified->permissions().judge(options, coap::code::get), Verdict::allowed);
  EXPECT_EQ(verified->permissions().judge(options, coap::code::put), Verdict::method_not_covered);
}

TEST_F(TokenVerifierTest, AcceptsAnEncryptedTokenWithASymmetricKey) {
  const auto verified = verify(issuer_.encrypt(issuer_.claims_for(symmetric_key(7, "k1"))));
  ASSERT_TRUE(verified.has_value()) << verified.error().id();
  EXPECT_EQ(verified->kid(), to_bytes("k1"));
  EXPECT_EQ(std::get<cose::Key>(verified->pop_key()).k().size(), 16U);
}

TEST_F(TokenVerifierTest, AcceptsTheOtherProtections) {
  EXPECT_TRUE(verify(issuer_.mac(good())).has_value());
  EXPECT_TRUE(verify(issuer_.sign_then_encrypt(issuer_.claims_for(symmetric_key(7, "k1")))).has_value());
}

TEST_F(TokenVerifierTest, AcceptsAReferenceToAKey) {
  auto claims = issuer_.claims();
  claims.cnf = cwt::Confirmation(cwt::KeyId{to_bytes("k1")});
  const auto verified = verify(issuer_.sign(claims));
  ASSERT_TRUE(verified.has_value()) << verified.error().id();
  EXPECT_EQ(std::get<PopKeyReference>(verified->pop_key()), PopKeyReference{to_bytes("k1")});
  EXPECT_EQ(verified->kid(), to_bytes("k1"));
}

TEST_F(TokenVerifierTest, AcceptsAnEd25519Key) {
  SeededRandom random(9);
  const auto key = must(crypto::PrivateKey::generate(crypto::Curve::ed25519, random));
  EXPECT_TRUE(verify(issuer_.sign(issuer_.claims_for(cose::Key::from_public(key.public_key())))).has_value());
}

TEST_F(TokenVerifierTest, OpensAnEncryptedKeyWithTheKeysOfTheTokensIssuer) {
  SeededRandom random(11);
  auto claims = good();
  claims.cnf =
      cwt::Confirmation(must(cwt::EncryptedKey::encrypt(symmetric_key(7, "k1"), issuer_.content_key(), random)));
  const auto verified = verify(issuer_.sign(claims));
  ASSERT_TRUE(verified.has_value());
  const auto& key = std::get<cose::Key>(verified->pop_key());
  EXPECT_EQ(to_hex(key.k()), to_hex(symmetric_key(7, "k1").k()));
  EXPECT_EQ(verified->kid(), to_bytes("k1"));
  // Under a key that somebody else shares with somebody else.
  TestIssuer other("coaps://other", 77);
  claims.cnf = cwt::Confirmation(must(cwt::EncryptedKey::encrypt(symmetric_key(7, "k1"), other.content_key(), random)));
  expect_refused(issuer_.sign(claims), reason::token_cnf_unusable, coap::code::bad_request);
  // Eight octets are no key.
  claims.cnf =
      cwt::Confirmation(must(cwt::EncryptedKey::encrypt(symmetric_key(7, "k1", 8), issuer_.content_key(), random)));
  expect_refused(issuer_.sign(claims), reason::token_cnf_unusable, coap::code::bad_request);
}

TEST_F(TokenVerifierTest, RefusesAKeyThatIsNotForSignatures) {
  cose::Key for_agreement = p256_public_key(9);
  for_agreement.key_ops = {cose::key_op::derive_key};
  expect_refused(issuer_.sign(issuer_.claims_for(for_agreement)), reason::token_cnf_unusable, coap::code::bad_request);
  cose::Key of_another_algorithm = p256_public_key(9);
  of_another_algorithm.alg = cose::alg::eddsa;
  expect_refused(issuer_.sign(issuer_.claims_for(of_another_algorithm)), reason::token_cnf_unusable,
                 coap::code::bad_request);
  cose::Key for_signatures = p256_public_key(9);
  for_signatures.alg = cose::alg::es256;
  for_signatures.key_ops = {cose::key_op::verify};
  EXPECT_TRUE(verify(issuer_.sign(issuer_.claims_for(for_signatures))).has_value());
}

TEST_F(TokenVerifierTest, DoesNotNeedIss) {
  auto claims = good();
  claims.iss.reset();
  const auto verified = verify(issuer_.sign(claims));
  ASSERT_TRUE(verified.has_value());
  EXPECT_EQ(verified->issuer(), "coaps://as.example");
}

TEST_F(TokenVerifierTest, TakesOneOfSeveralAudiences) {
  auto claims = good();
  claims.aud = cwt::Audience();
  claims.aud->as_array = true;
  claims.aud->values = {"other", "rs-group"};
  EXPECT_TRUE(verify(issuer_.sign(claims)).has_value());
}

TEST_F(TokenVerifierTest, RefusesWhatIsNoToken) {
  for (const Bytes& octets : {Bytes{}, Bytes{0xff}, Bytes{0xf6}, Bytes{0xa0}, Bytes{0x80}, to_bytes("no token")}) {
    const auto verified = verify(octets);
    ASSERT_FALSE(verified.has_value());
    EXPECT_EQ(wire_answer(verified.error()), coap::code::bad_request) << verified.error().id();
  }
  const Bytes token = issuer_.sign(good());
  for (std::size_t size = 0; size < token.size(); ++size) {
    const auto verified = verify(BytesView(token).first(size));
    ASSERT_FALSE(verified.has_value()) << size;
    EXPECT_EQ(wire_answer(verified.error()), coap::code::bad_request) << size << verified.error().id();
  }
  Bytes longer = token;
  longer.push_back(0);
  ASSERT_FALSE(verify(longer).has_value());
  EXPECT_EQ(wire_answer(verify(longer).error()), coap::code::bad_request);
}

TEST_F(TokenVerifierTest, RefusesTokensBeyondTheLimit) {
  auto claims = good();
  claims.sub = std::string(5000, 's');
  expect_refused(issuer_.sign(claims), reason::cwt_malformed, coap::code::bad_request);
}

TEST_F(TokenVerifierTest, RefusesClaimsThatCannotBeRead) {
  expect_refused(sign_raw(Bytes{0x01}), reason::cwt_malformed, coap::code::bad_request);
  const auto not_a_claims_set = verify(sign_raw(*from_hex("a10461")));
  ASSERT_FALSE(not_a_claims_set.has_value());
  EXPECT_EQ(wire_answer(not_a_claims_set.error()), coap::code::bad_request);
  expect_refused(sign_raw(*from_hex("a104616e")), reason::cwt_claim_malformed, coap::code::bad_request);
}

TEST_F(TokenVerifierTest, RefusesABrokenSignature) {
  Bytes token = issuer_.sign(good());
  token.back() ^= 1;
  expect_refused(token, reason::cwt_verification_failed, coap::code::unauthorized);
}

TEST_F(TokenVerifierTest, RefusesAChangedPayload) {
  auto claims = good();
  claims.sub = "client-a";
  Bytes token = issuer_.sign(claims);
  const std::string_view name = "client-a";
  const auto at = std::search(token.begin(), token.end(), name.begin(), name.end());
  ASSERT_NE(at, token.end());
  *(at + 7) = 'b';
  expect_refused(token, reason::cwt_verification_failed, coap::code::unauthorized);
}

TEST_F(TokenVerifierTest, RefusesABrokenCiphertext) {
  Bytes token = issuer_.encrypt(issuer_.claims_for(symmetric_key(7, "k1")));
  token.back() ^= 1;
  expect_refused(token, reason::cwt_verification_failed, coap::code::unauthorized);
}

TEST_F(TokenVerifierTest, RefusesAnUnknownIssuer) {
  const TestIssuer stranger("coaps://as.example", 2, "as-key");
  expect_refused(stranger.sign(stranger.claims_for(p256_public_key(50))), reason::cwt_verification_failed,
                 coap::code::unauthorized);
  const TestIssuer other_kid("coaps://as.example", 2, "other-key");
  expect_refused(other_kid.sign(other_kid.claims_for(p256_public_key(50))), reason::cwt_key_unknown,
                 coap::code::unauthorized);
}

TEST_F(TokenVerifierTest, RefusesIssOfSomebodyElse) {
  auto claims = good();
  claims.iss = "coaps://other.example";
  expect_refused(issuer_.sign(claims), reason::token_issuer_mismatch, coap::code::unauthorized);
}

TEST_F(TokenVerifierTest, ExpOfThisVerySecondHasPassed) {
  auto claims = good();
  claims.exp = test_now;
  expect_refused(issuer_.sign(claims), reason::token_expired, coap::code::unauthorized);
  claims.exp = test_now + one_second;
  EXPECT_TRUE(verify(issuer_.sign(claims)).has_value());
  claims.exp = must(cwt::NumericDate::from_float(1'700'000'000.5));
  expect_refused(issuer_.sign(claims), reason::token_expired, coap::code::unauthorized);
}

TEST_F(TokenVerifierTest, RefusesWhatIsNotYetValid) {
  auto claims = good();
  claims.nbf = test_now + one_second;
  expect_refused(issuer_.sign(claims), reason::token_not_yet_valid, coap::code::unauthorized);
  claims.nbf = test_now;
  EXPECT_TRUE(verify(issuer_.sign(claims)).has_value());
}

TEST_F(TokenVerifierTest, RefusesATokenWithoutEnd) {
  auto claims = good();
  claims.exp.reset();
  expect_refused(issuer_.sign(claims), reason::token_without_expiry, coap::code::unauthorized);
}

TEST_F(TokenVerifierTest, RefusesExi) {
  auto claims = good();
  claims.exi = 60;
  expect_refused(issuer_.sign(claims), reason::token_exi_unsupported, coap::code::unauthorized);
  claims.exp.reset();
  expect_refused(issuer_.sign(claims), reason::token_exi_unsupported, coap::code::unauthorized);
}

TEST_F(TokenVerifierTest, RefusesAnotherAudience) {
  auto claims = good();
  claims.aud = cwt::Audience("rs2");
  expect_refused(issuer_.sign(claims), reason::token_audience_unknown, coap::code::forbidden);
  claims.aud.reset();
  expect_refused(issuer_.sign(claims), reason::token_audience_unknown, coap::code::forbidden);
  claims.aud = cwt::Audience("RS1");
  expect_refused(issuer_.sign(claims), reason::token_audience_unknown, coap::code::forbidden);
}

TEST_F(TokenVerifierTest, RefusesAScopeThatItDoesNotKnow) {
  auto claims = good();
  claims.scope = std::string("fly");
  expect_refused(issuer_.sign(claims), reason::token_scope_unrecognised, coap::code::bad_request);
  claims.scope.reset();
  expect_refused(issuer_.sign(claims), reason::token_scope_unrecognised, coap::code::bad_request);
  claims.scope = Bytes{0x81, 0x01};
  expect_refused(issuer_.sign(claims), reason::cbor_unexpected_kind, coap::code::bad_request);
}

TEST_F(TokenVerifierTest, ScopesBeyondAnyMeasureAreBadRequests) {
  const auto expect_bad = [&](cwt::Scope scope) {
    auto claims = good();
    claims.scope = std::move(scope);
    const auto refused = verify(issuer_.sign(claims));
    ASSERT_FALSE(refused);
    EXPECT_EQ(wire_answer(refused.error()), coap::code::bad_request) << refused.error().id();
  };
  std::string many;
  for (int i = 0; i < 400; ++i) many += "/" + std::to_string(i) + "=GET ";
  many.pop_back();
  expect_bad(many);
  Bytes paths{0x99, 0x01, 0x90};
  for (int i = 100; i < 500; ++i) {
    paths.insert(paths.end(), {0x82, 0x64, '/'});
    for (const char digit : std::to_string(i)) paths.push_back(static_cast<std::uint8_t>(digit));
    paths.push_back(0x01);
  }
  expect_bad(paths);
  expect_bad(Bytes(200, 0x81));
  expect_bad(Bytes{});
  expect_bad(std::string());
  expect_bad(std::string(" "));
  expect_bad(Bytes{0x81, 0x82, 0x65, 't', 'e', 'm', 'p', 's', 0x01});
}

TEST_F(TokenVerifierTest, RefusesAnotherProfile) {
  auto claims = good();
  claims.ace_profile = 2;
  expect_refused(issuer_.sign(claims), reason::token_profile_unsupported, coap::code::bad_request);
  claims.ace_profile = 1;
  EXPECT_TRUE(verify(issuer_.sign(claims)).has_value());
}

TEST_F(TokenVerifierTest, RefusesATokenWithoutAKey) {
  expect_refused(issuer_.sign(issuer_.claims()), reason::token_cnf_missing, coap::code::bad_request);
}

TEST_F(TokenVerifierTest, RefusesASymmetricKeyInASignedToken) {
  const auto claims = issuer_.claims_for(symmetric_key(7, "k1"));
  const Secret payload = must(claims.serialize());
  expect_refused(sign_raw(payload.expose()), reason::cwt_key_unprotected, coap::code::bad_request);
}

TEST_F(TokenVerifierTest, RefusesSymmetricKeysOfOtherLengths) {
  for (const std::size_t size : {1U, 15U, 257U}) {
    expect_refused(issuer_.encrypt(issuer_.claims_for(symmetric_key(7, "k1", size))), reason::token_cnf_unusable,
                   coap::code::bad_request);
  }
  for (const std::size_t size : {16U, 32U, 256U}) {
    EXPECT_TRUE(verify(issuer_.encrypt(issuer_.claims_for(symmetric_key(7, "k1", size)))).has_value()) << size;
  }
}

TEST_F(TokenVerifierTest, RefusesKeysOfWrongTypes) {
  SeededRandom random(9);
  const auto x25519 = must(crypto::PrivateKey::generate(crypto::Curve::x25519, random));
  expect_refused(issuer_.sign(issuer_.claims_for(cose::Key::from_public(x25519.public_key()))),
                 reason::token_cnf_unusable, coap::code::bad_request);
  expect_refused(issuer_.encrypt(issuer_.claims_for(p256_key(50))), reason::token_cnf_unusable,
                 coap::code::bad_request);
  auto claims = issuer_.claims();
  claims.cnf = cwt::Confirmation();
  claims.cnf->others.push_back({cose::Label(4), *from_hex("a100416b")});
  expect_refused(issuer_.encrypt(claims), reason::token_cnf_unusable, coap::code::bad_request);
}

TEST_F(TokenVerifierTest, RefusesTwoKeysInCnf) {
  auto claims = must(cbor::Value::parse(must(good().serialize()).expose()));
  for (auto& [name, value] : std::get<cbor::Value::Map>(claims.item)) {
    if (name == cbor::Value::integer(8)) {
      std::get<cbor::Value::Map>(value.item).emplace_back(cbor::Value::integer(3), cbor::Value{Bytes{1}});
    }
  }
  expect_refused(sign_raw(claims.serialize()), reason::cwt_confirmation_malformed, coap::code::bad_request);
}

/// Each step makes one more thing wrong, from the last check to the first: the newest fault must always win.
TEST_F(TokenVerifierTest, ReportsTheFirstFaultInTheOrderOfRfc9200) {
  auto claims = good();
  claims.cnf.reset();
  expect_refused(issuer_.sign(claims), reason::token_cnf_missing, coap::code::bad_request);
  claims.ace_profile = 2;
  expect_refused(issuer_.sign(claims), reason::token_profile_unsupported, coap::code::bad_request);
  claims.scope = std::string("fly");
  expect_refused(issuer_.sign(claims), reason::token_scope_unrecognised, coap::code::bad_request);
  claims.aud = cwt::Audience("rs2");
  expect_refused(issuer_.sign(claims), reason::token_audience_unknown, coap::code::forbidden);
  claims.nbf = test_now + one_second;
  expect_refused(issuer_.sign(claims), reason::token_not_yet_valid, coap::code::unauthorized);
  claims.exp = test_now - one_second;
  expect_refused(issuer_.sign(claims), reason::token_expired, coap::code::unauthorized);
  claims.iss = "coaps://other.example";
  expect_refused(issuer_.sign(claims), reason::token_issuer_mismatch, coap::code::unauthorized);
  Bytes token = issuer_.sign(claims);
  token.back() ^= 1;
  expect_refused(token, reason::cwt_verification_failed, coap::code::unauthorized);
  token.pop_back();
  EXPECT_EQ(wire_answer(verify(token).error()), coap::code::bad_request);
}

/// Every pair of faults, so that no later check hides behind an earlier one that was moved.
TEST_F(TokenVerifierTest, ReportsTheEarlierOfAnyTwoFaults) {
  struct Fault {
    const Reason& reason;
    std::function<void(cwt::Claims&)> make;
  };
  const std::vector<Fault> faults{
      {reason::token_issuer_mismatch, [](cwt::Claims& c) { c.iss = "x"; }},
      {reason::token_expired, [](cwt::Claims& c) { c.exp = test_now; }},
      {reason::token_not_yet_valid, [](cwt::Claims& c) { c.nbf = test_now + one_second; }},
      {reason::token_audience_unknown, [](cwt::Claims& c) { c.aud = cwt::Audience("rs2"); }},
      {reason::token_scope_unrecognised, [](cwt::Claims& c) { c.scope = std::string("fly"); }},
      {reason::token_profile_unsupported, [](cwt::Claims& c) { c.ace_profile = 9; }},
      {reason::token_cnf_missing, [](cwt::Claims& c) { c.cnf.reset(); }},
  };
  for (std::size_t first = 0; first < faults.size(); ++first) {
    for (std::size_t second = first + 1; second < faults.size(); ++second) {
      auto claims = good();
      faults[second].make(claims);
      faults[first].make(claims);
      const auto verified = verify(issuer_.sign(claims));
      ASSERT_FALSE(verified.has_value());
      EXPECT_EQ(verified.error(), faults[first].reason) << faults[second].reason.id;
    }
  }
}

TEST(TrustedIssuersTest, TwoIssuersMayUseOneKid) {
  const TestIssuer a("a", 1, "same");
  const TestIssuer b("b", 2, "same");
  std::vector<TrustedIssuer> issuers;
  issuers.push_back(a.trusted());
  issuers.push_back(b.trusted());
  auto verifier = must(TokenVerifier::create(testing::verifier_config(std::move(issuers))));
  EXPECT_EQ(must(verifier.verify(a.sign(a.claims_for(p256_public_key(50))), test_now)).issuer(), "a");
  EXPECT_EQ(must(verifier.verify(b.sign(b.claims_for(p256_public_key(50))), test_now)).issuer(), "b");
  // b signs in the name of a.
  const auto forged = verifier.verify(b.sign(a.claims_for(p256_public_key(50))), test_now);
  ASSERT_FALSE(forged.has_value());
  EXPECT_EQ(forged.error(), reason::token_issuer_mismatch);
}

TEST(TrustedIssuersTest, RefusesLayersOfTwoIssuers) {
  const TestIssuer a("a", 1, "ka");
  const TestIssuer b("b", 2, "kb");
  std::vector<TrustedIssuer> issuers;
  issuers.push_back(a.trusted());
  issuers.push_back(b.trusted());
  auto verifier = must(TokenVerifier::create(testing::verifier_config(std::move(issuers))));
  SeededRandom random(5);
  const auto token = must(cwt::sign_then_encrypt(
      a.claims_for(p256_public_key(50)), must(cose::SigningKey::from(a.signing_key())), b.content_key(), random));
  const auto verified = verifier.verify(token, test_now);
  ASSERT_FALSE(verified.has_value());
  EXPECT_EQ(verified.error(), reason::token_issuer_mismatch);
}

TEST(TrustedIssuersTest, SeveralKeysLiveAtATime) {
  const TestIssuer before("a", 1, "2025");
  const TestIssuer after("a", 2, "2026");
  TrustedIssuer both = before.trusted();
  for (auto& key : after.trusted().verifying_keys) both.verifying_keys.push_back(key.clone());
  std::vector<TrustedIssuer> issuers;
  issuers.push_back(std::move(both));
  auto verifier = must(TokenVerifier::create(testing::verifier_config(std::move(issuers))));
  EXPECT_TRUE(verifier.verify(before.sign(before.claims_for(p256_public_key(50))), test_now).has_value());
  EXPECT_TRUE(verifier.verify(after.sign(after.claims_for(p256_public_key(50))), test_now).has_value());
}

TEST(TrustedIssuersTest, RefusesConfigurationsThatMakeNoSense) {
  const TestIssuer a("a", 1);
  const auto create = [](auto... issuer) {
    std::vector<TrustedIssuer> issuers;
    (issuers.push_back(std::move(issuer)), ...);
    return TokenVerifier::create(testing::verifier_config(std::move(issuers)));
  };
  EXPECT_TRUE(create(a.trusted()).has_value());
  EXPECT_EQ(create(a.trusted(), a.trusted()).error(), reason::issuer_config_invalid);
  EXPECT_EQ(create(TrustedIssuer{.iss = "a", .verifying_keys = {}, .token_keys = {}}).error(),
            reason::issuer_config_invalid);
  auto nameless = a.trusted();
  nameless.iss.clear();
  EXPECT_EQ(create(std::move(nameless)).error(), reason::issuer_config_invalid);
  auto with_private = a.trusted();
  with_private.verifying_keys.push_back(a.signing_key());
  EXPECT_EQ(create(std::move(with_private)).error(), reason::issuer_config_invalid);
  auto with_public = a.trusted();
  with_public.token_keys.push_back(p256_public_key(4));
  EXPECT_EQ(create(std::move(with_public)).error(), reason::issuer_config_invalid);
  auto with_odd_length = a.trusted();
  with_odd_length.token_keys.push_back(symmetric_key(1, "", 17));
  EXPECT_FALSE(create(std::move(with_odd_length)).has_value());
}

TEST(WireAnswer, SaysNothingOfOurOwnFaults) {
  EXPECT_EQ(wire_answer(Error(reason::issuer_config_invalid)), coap::code::internal_server_error);
}

TEST(WireAnswer, AWrapperThatIsNotUnderstoodDoesNotVerify) {
  EXPECT_EQ(wire_answer(Error(reason::cose_algorithm_unsupported)), coap::code::unauthorized);
  EXPECT_EQ(wire_answer(Error(reason::cose_critical_unknown)), coap::code::unauthorized);
  EXPECT_EQ(wire_answer(Error(reason::cose_message_malformed)), coap::code::bad_request);
}

TEST_F(TokenVerifierTest, TakesNoAlterableTokenFromAnIssuerWhoseRevocationsAreFollowed) {
  auto config = testing::verifier_config(issuer_);
  config.issuers.front().is_followed = true;
  TokenVerifier following = must(TokenVerifier::create(std::move(config)));
  const auto signing = must(cose::SigningKey::from(issuer_.signing_key()));
  const cwt::Claims claims = issuer_.claims_for(testing::p256_key(9).public_part().value());
  const Bytes alterable = must(cwt::sign(claims, signing, cwt::Tagging::cose_and_cwt));
  const Bytes fixed = must(cwt::sign(claims, signing, cwt::Tagging::one_form));
  EXPECT_TRUE(verify(alterable)) << "whom nobody follows may send any form";
  EXPECT_EQ(following.verify(alterable, test_now).error(), reason::cwt_alterable);
  EXPECT_TRUE(following.verify(fixed, test_now));
}

}  // namespace
}  // namespace aceward::ace
