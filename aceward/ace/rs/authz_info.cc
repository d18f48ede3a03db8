#include "aceward/ace/rs/authz_info.h"

#include <utility>

#include "aceward/ace/rs/reasons.h"
#include "aceward/ace/token/reasons.h"
#include "aceward/coap/resource/router.h"

namespace aceward::ace::rs {
namespace {

constexpr std::chrono::seconds budget_period{1};
constexpr std::uint64_t retry_after_seconds = 1;

coap::Response refuse_token(const Error& why) {
  if (why == reason::token_store_full) return coap::make_response(coap::code::service_unavailable);
  return coap::make_response(wire_answer(why));
}

}  // namespace

AuthzInfo::AuthzInfo(TokenVerifier& verifier, TokenStore& store, AuthzInfoLimits limits)
    : verifier_(verifier), store_(store), limits_(limits) {}

bool AuthzInfo::admit(const Address* from, Instant now) {
  if (now - second_began_ >= budget_period) {
    second_began_ = now;
    in_all_ = 0;
    shared_ = 0;
    per_peer_.clear();
  }
  if (in_all_ >= limits_.in_all) return false;
  if (from != nullptr) {
    const bool is_known = per_peer_.contains(from->ip);
    unsigned& spent = is_known || per_peer_.size() < limits_.peers ? per_peer_[from->ip] : shared_;
    if (spent >= limits_.per_peer) return false;
    ++spent;
  }
  ++in_all_;
  return true;
}

AuthzInfo::Answer AuthzInfo::handle(const coap::Peer& from, const coap::Request& request, Instant now, WallTime wall) {
  if (request.method != coap::code::post) {
    return {coap::make_response(coap::code::method_not_allowed), Error(reason::authz_info_method), {}};
  }
  if (auto wrong = coap::refuse_content_format(request, coap::content_format::cwt)) {
    return {std::move(*wrong), Error(reason::authz_info_format), {}};
  }
  if (!admit(&from.remote, now)) {
    ++counters_.limited;
    auto busy = coap::make_response(coap::code::too_many_requests);
    busy.options.add_uint(coap::option::max_age, retry_after_seconds);
    return {std::move(busy), Error(reason::authz_info_busy), {}};
  }
  const auto outcome = verify_and_store(request.payload, false, wall);
  if (!outcome) return {refuse_token(outcome.error()), outcome.error(), {}};
  return {coap::make_response(coap::code::created), std::nullopt, *outcome};
}

Result<TokenStore::Outcome> AuthzInfo::take(BytesView token, bool only_symmetric, Instant now, WallTime wall) {
  if (!admit(nullptr, now)) {
    ++counters_.limited;
    return fail(reason::authz_info_busy);
  }
  return verify_and_store(token, only_symmetric, wall);
}

Result<TokenStore::Outcome> AuthzInfo::verify_and_store(BytesView token, bool only_symmetric, WallTime wall) {
  const auto stored = [&]() -> Result<TokenStore::Outcome> {
    VerifiedToken verified = ACEWARD_TRY(verifier_.verify(token, wall));
    const auto* key = std::get_if<cose::Key>(&verified.pop_key());
    if (only_symmetric && key != nullptr && !key->is_symmetric()) {
      return fail(reason::token_cnf_unusable, "public key");
    }
    return store_.store(std::move(verified), wall);
  }();
  ++(stored ? counters_.accepted : counters_.refused);
  return stored;
}

}  // namespace aceward::ace::rs
