// What strangers post to authz-info. The lowest bit of the first octet of the input: 0: what follows is the payload; 1:
// it is a claims set, encrypted here under the issuer's key, so that the checks behind the wrapper are reached. With
// the second bit the server has no clock, counts exi and derives keys; with the third it asks an authorization server
// about what it cannot read, which says what the payload says.
#include <algorithm>
#include <array>
#include <cstdlib>

#include "aceward/ace/rs/authz_info.h"
#include "aceward/ace/rs/rs_test_support.h"
#include "aceward/ace/token/test_issuer.h"
#include "aceward/cose/encrypt0.h"

namespace {

aceward::ace::TokenVerifier make_verifier(const aceward::ace::testing::TestIssuer& issuer, bool has_clock) {
  using namespace aceward;
  auto trusted = issuer.trusted();
  if (!has_clock) trusted.derivation_keys.emplace_back(Bytes(16, 1));
  std::vector<ace::TrustedIssuer> issuers;
  issuers.push_back(std::move(trusted));
  auto config = ace::testing::verifier_config(std::move(issuers));
  config.clock_is_synchronized = has_clock;
  config.takes_exi = !has_clock;
  return ace::testing::must(ace::TokenVerifier::create(std::move(config)));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace aceward;
  using ace::testing::must;
  if (size == 0) return 0;
  static const ace::testing::TestIssuer issuer;
  static auto with_clock = make_verifier(issuer, true);
  static auto without_clock = make_verifier(issuer, false);
  static const auto key = issuer.content_key();
  const bool is_encrypted = (data[0] & 1) != 0;
  const bool has_clock = (data[0] & 2) == 0;
  const bool asks = (data[0] & 4) != 0;

  const BytesView input(data + 1, size - 1);
  Bytes token = to_bytes(input);
  if (is_encrypted) {
    cose::Headers headers;
    headers.unprotected_map.kid = key.kid();
    headers.unprotected_map.iv = Bytes(13, 0);
    token = must(cose::Encrypt0::create(key, std::move(headers), token));
  }
  ace::rs::testing::RememberedSequences sequences;
  ace::rs::testing::FakeIntrospector introspector;
  ace::rs::TokenStore store;
  ace::rs::AuthzInfo authz_info(has_clock ? with_clock : without_clock, store, {}, &sequences,
                                asks ? &introspector : nullptr);
  coap::Request request{.method = coap::code::post, .options = {}, .payload = std::move(token)};
  request.options.set_content_format(coap::content_format::cwt);
  const Instant now{std::chrono::hours(1)};
  const auto post = [&] {
    auto answer = authz_info.handle({}, request, now, ace::testing::test_now);
    if (!answer.waits_for) return answer;
    auto claims = cwt::Claims::parse(input);
    introspector.say(claims ? std::optional(std::move(*claims)) : std::nullopt);
    auto completion = authz_info.complete_next(now, ace::testing::test_now);
    if (!completion || !completion->answer) std::abort();
    return std::move(*completion->answer);
  };
  const auto answer = post();

  constexpr std::array allowed{coap::code::created, coap::code::bad_request, coap::code::unauthorized,
                               coap::code::forbidden};
  if (std::ranges::find(allowed, answer.response.code) == allowed.end()) std::abort();
  const bool created = answer.response.code == coap::code::created;
  if (created != answer.outcome.has_value() || created == answer.why.has_value()) std::abort();
  if (store.size() != (created ? 1U : 0U)) std::abort();
  if (!is_encrypted && !asks && created) std::abort();
  // The same again must neither widen anything nor be refused.
  const auto again = post();
  if (again.response.code != answer.response.code || store.size() != (created ? 1U : 0U)) std::abort();
  if (created && again.outcome->change != ace::rs::Change::repeated) std::abort();
  // A revoked token does not come back, whatever it is.
  store.end_token(ace::token_hash(request.payload), ace::testing::test_now);
  if (store.size() != 0 || post().response.code == coap::code::created) std::abort();
  return 0;
}
