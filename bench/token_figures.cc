// What tokens cost: the messages around them, making them, checking them.
#include <cstring>

#include "aceward/ace/as/token_world.h"
#include "aceward/ace/token/test_issuer.h"
#include "aceward/cose/encrypt0.h"
#include "aceward/crypto/aead.h"
#include "bench/harness.h"

namespace aceward::bench {

namespace {

/// What a client with a raw key sends (RFC 9202 figure 4).
ace::TokenRequest raw_key_request(const cose::Key& key) {
  ace::TokenRequest request;
  request.audience = "thermometer.example";
  request.scope = "read";
  request.req_cnf = cwt::Confirmation(need(key.public_part(), "public part"));
  return request;
}

void measure_request_parsing(Report& report) {
  const cose::Key key = ace::as::make_test_key(2);
  const Bytes octets = cbor::serialize(raw_key_request(key));
  Bytes copy(octets.size());
  report.measure(
      {{"copy of the request's octets", [&] { keep(std::memcpy(copy.data(), octets.data(), octets.size())); }},
       {"CBOR: well-formedness of the request",
        [&] {
          cbor::Reader reader(octets);
          keep(need(reader.skip(), "skip"));
        }},
       {"token request parsed, with its P-256 key checked",
        [&] { keep(need(cbor::parse<ace::TokenRequest>(octets), "token request")); }},
       {"P-256 key checked",
        [&] {
          const auto point = need(key.public_key(), "public key");
          keep(need(crypto::PublicKey::p256(point.x(), point.y()), "point"));
        }}},
      {{1, 0}, {2, 3, 1.5}});
}

void measure_sealing(Report& report) {
  const Bytes key(16, 7);
  const auto aead = need(crypto::make_aead(crypto::AeadAlgorithm::aes_ccm_16_64_128, key), "AEAD");
  const auto content = need(
      cose::ContentKey::from(need(cose::Key::symmetric(Secret::copy_of(key)), "key"), cose::alg::aes_ccm_16_64_128),
      "content key");
  const Bytes plaintext(200, 1);
  const Bytes nonce(13, 2);
  const Bytes aad(12, 3);
  Bytes out(plaintext.size() + 8);
  cose::Headers headers;
  headers.unprotected_map.iv = nonce;
  const Bytes sealed = need(cose::Encrypt0::create(content, headers, plaintext), "Encrypt0");
  report.measure({{"AES-CCM seal, 200 octets", [&] { need(aead->seal(nonce, aad, plaintext, out), "seal"); }},
                  {"COSE_Encrypt0 made, 200 octets",
                   [&] { keep(need(cose::Encrypt0::create(content, headers, plaintext), "Encrypt0")); }},
                  {"COSE_Encrypt0 opened, 200 octets",
                   [&] {
                     const auto message = need(cose::Encrypt0::parse(sealed), "parse");
                     keep(need(message.decrypt(content), "decrypt"));
                   }}},
                 {{1, 0, 3.0}, {2, 0, 4.0}});
}

void measure_issuing(Report& report) {
  ace::as::TokenWorld world;
  const Bytes message(200, 5);
  const auto signer = need(crypto::make_signer(need(world.as_key.private_key(), "private key")), "signer");
  const auto aead = need(crypto::make_aead(crypto::AeadAlgorithm::aes_ccm_16_64_128, world.token_key), "AEAD");
  const Bytes nonce(13, 2);
  Bytes out(message.size() + 8);
  const auto with_raw_key = ace::as::TokenWorld::post(cbor::serialize(raw_key_request(world.alice_key)));
  ace::TokenRequest symmetric;
  symmetric.audience = "shared-keys-only.example";
  symmetric.scope = "read";
  const auto with_shared_key = ace::as::TokenWorld::post(cbor::serialize(symmetric));
  const auto forget = [&] {
    world.ledger.tokens.clear();
    world.audited.clear();
  };
  const auto issue = [&](const ace::as::AuthenticatedClient& client, const coap::Request& request) {
    if (world.ask(client, request).code != coap::code::created) give_up("no token");
  };
  report.measure({{"ES256 signature", [&] { keep(need(signer->sign(message), "sign")); }},
                  {"token issued, signed, raw public key", [&] { issue(world.by_raw_key(), with_raw_key); }, forget}},
                 {{1, 0, 2.0}});
  report.measure({{"AES-CCM seal, the size of a token", [&] { need(aead->seal(nonce, {}, message, out), "seal"); }},
                  {"token issued, encrypted, symmetric key", [&] { issue(world.by_psk(), with_shared_key); }, forget}},
                 {{1, 0}});
}

void measure_verifying(Report& report) {
  ace::testing::TestIssuer issuer;
  const Bytes signed_token = issuer.sign(issuer.claims_for(ace::testing::p256_public_key(9)));
  const Bytes encrypted_token = issuer.encrypt(issuer.claims_for(ace::testing::symmetric_key(9, "key")));
  auto verifier = need(ace::TokenVerifier::create(ace::testing::verifier_config(issuer)), "verifier");
  const auto key = need(issuer.signing_key().private_key(), "private key");
  const Bytes message(200, 5);
  const Bytes signature = need(need(crypto::make_signer(key), "signer")->sign(message), "sign");
  const auto bare = need(crypto::make_verifier(key.public_key()), "verifier");
  report.measure({{"ES256 verification", [&] { need(bare->verify(message, signature), "verify"); }},
                  {"token verified, signed, raw public key",
                   [&] { keep(need(verifier.verify(signed_token, ace::testing::test_now), "token")); }}},
                 {{1, 0, 1.5}});
  const auto aead = need(crypto::make_aead(crypto::AeadAlgorithm::aes_ccm_16_64_128, Bytes(16, 7)), "AEAD");
  const Bytes nonce(13, 2);
  const Bytes sealed = need(aead->seal(nonce, {}, message), "seal");
  Bytes out(message.size());
  report.measure({{"AES-CCM open, the size of a token", [&] { need(aead->open(nonce, {}, sealed, out), "open"); }},
                  {"token verified, encrypted, symmetric key",
                   [&] { keep(need(verifier.verify(encrypted_token, ace::testing::test_now), "token")); }}},
                 {{1, 0}});
}

}  // namespace

void measure_tokens(Report& report) {
  measure_request_parsing(report);
  measure_sealing(report);
  measure_issuing(report);
  measure_verifying(report);
}

}  // namespace aceward::bench
