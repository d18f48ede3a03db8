// What strangers post to authz-info. The first octet of the input is even: what follows is the payload. Odd: it is a
// claims set, encrypted here under the issuer's key, so that the checks behind the wrapper are reached.
#include <algorithm>
#include <array>
#include <cstdlib>

#include "aceward/ace/rs/authz_info.h"
#include "aceward/ace/token/test_issuer.h"
#include "aceward/cose/encrypt0.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace aceward;
  using ace::testing::must;
  if (size == 0) return 0;
  static const ace::testing::TestIssuer issuer;
  static auto verifier = must(ace::TokenVerifier::create(ace::testing::verifier_config(issuer)));
  static const auto key = issuer.content_key();

  Bytes token(data + 1, data + size);
  if (data[0] % 2 != 0) {
    cose::Headers headers;
    headers.unprotected_map.kid = key.kid();
    headers.unprotected_map.iv = Bytes(13, 0);
    token = must(cose::Encrypt0::create(key, std::move(headers), token));
  }
  ace::rs::TokenStore store;
  ace::rs::AuthzInfo authz_info(verifier, store);
  coap::Request request{.method = coap::code::post, .options = {}, .payload = std::move(token)};
  request.options.set_content_format(coap::content_format::cwt);
  const Instant now{std::chrono::hours(1)};
  const auto answer = authz_info.handle({}, request, now, ace::testing::test_now);

  constexpr std::array allowed{coap::code::created, coap::code::bad_request, coap::code::unauthorized,
                               coap::code::forbidden};
  if (std::ranges::find(allowed, answer.response.code) == allowed.end()) std::abort();
  const bool created = answer.response.code == coap::code::created;
  if (created != answer.outcome.has_value() || created == answer.why.has_value()) std::abort();
  if (store.size() != (created ? 1U : 0U)) std::abort();
  if (data[0] % 2 == 0 && created) std::abort();
  // The same again must neither widen anything nor be refused.
  const auto again = authz_info.handle({}, request, now, ace::testing::test_now);
  if (again.response.code != answer.response.code || store.size() != (created ? 1U : 0U)) std::abort();
  if (created && again.outcome->change != ace::rs::Change::repeated) std::abort();
  return 0;
}
