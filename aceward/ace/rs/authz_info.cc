#include "aceward/ace/rs/authz_info.h"

#include <utility>

#include "aceward/ace/rs/reasons.h"
#include "aceward/ace/token/reasons.h"
#include "aceward/coap/resource/router.h"
#include "aceward/cose/cwt/reasons.h"

namespace aceward::ace::rs {
namespace {

constexpr std::uint64_t busy_for_seconds = 1;

coap::Response with_max_age(coap::Code code) {
  auto response = coap::make_response(code);
  response.options.add_uint(coap::option::max_age, busy_for_seconds);
  return response;
}

coap::Response refuse_token(const Error& why) {
  if (why == reason::token_store_full) return coap::make_response(coap::code::service_unavailable);
  if (why == reason::introspection_unavailable || why == reason::introspection_busy ||
      why == reason::introspection_answer_malformed) {
    return with_max_age(coap::code::service_unavailable);
  }
  return coap::make_response(wire_answer(why));
}

TokenHash hash_of(BytesView token) {
  TokenHash hash{};
  std::ranges::copy(token_hash(token), hash.begin());
  return hash;
}

bool has_ended(const cwt::Claims& claims, WallTime wall) { return claims.exp && claims.exp->reached_at(wall); }

}  // namespace

AuthzInfo::AuthzInfo(TokenVerifier& verifier, TokenStore& store, AuthzInfoLimits limits, ExpiredSequences* sequences,
                     Introspector* introspector, IntrospectionSettings introspection)
    : verifier_(verifier),
      store_(store),
      budget_(limits),
      exi_(sequences),
      introspector_(introspector),
      introspection_(introspection),
      introspection_budget_(introspection.rate) {}

AuthzInfo::Answer AuthzInfo::refuse(const Error& why) {
  ++counters_.refused;
  return {refuse_token(why), why, {}};
}

AuthzInfo::Answer AuthzInfo::answer(const Result<TokenStore::Outcome>& stored) {
  if (!stored) return refuse(stored.error());
  ++counters_.accepted;
  return {coap::make_response(coap::code::created), std::nullopt, *stored};
}

std::optional<EntryId> AuthzInfo::held(BytesView token, WallTime wall) const {
  return store_.holding(hash_of(token), wall);
}

bool AuthzInfo::may_be_reference(BytesView token, const Error& why) const {
  // One that its holder could change is no reference: it was read, and is refused.
  return introspector_ != nullptr && why.error_class() == ErrorClass::malformed && why != reason::cwt_alterable &&
         !token.empty() && token.size() <= introspection_.max_reference_octets;
}

bool AuthzInfo::must_be_asked_about(const VerifiedToken& token) const {
  return introspector_ != nullptr && introspection_.use == IntrospectionUse::always &&
         token.issuer() == introspector_->iss();
}

AuthzInfo::Answer AuthzInfo::handle(const coap::Peer& from, const coap::Request& request, Instant now, WallTime wall) {
  if (request.method != coap::code::post) {
    return {coap::make_response(coap::code::method_not_allowed), Error(reason::authz_info_method), {}};
  }
  const bool is_reference =
      introspector_ != nullptr && request.options.content_format() == coap::content_format::octet_stream;
  if (!is_reference) {
    if (auto wrong = coap::refuse_content_format(request, coap::content_format::cwt)) {
      return {std::move(*wrong), Error(reason::authz_info_format), {}};
    }
  }
  if (!budget_.spend(&from.remote, now)) {
    ++counters_.limited;
    return {with_max_age(coap::code::too_many_requests), Error(reason::authz_info_busy), {}};
  }
  const BytesView token = request.payload;
  if (const auto entry = held(token, wall)) {
    const TokenEntry* known = store_.find(*entry, wall);
    if (known != nullptr && !known->is_stale) return answer(TokenStore::Outcome{*entry, Change::repeated});
  }
  if (is_reference) return ask(from.remote.ip, token, std::nullopt, now);
  auto verified = verifier_.verify(token, wall);
  if (!verified) {
    if (may_be_reference(token, verified.error())) return ask(from.remote.ip, token, std::nullopt, now);
    return refuse(verified.error());
  }
  if (must_be_asked_about(*verified)) {
    return ask(from.remote.ip, token, std::move(*verified), now);
  }
  return answer(keep(std::move(*verified), wall));
}

Result<TokenStore::Outcome> AuthzInfo::take(BytesView token, bool only_symmetric, Instant now, WallTime wall) {
  if (!budget_.spend(nullptr, now)) {
    ++counters_.limited;
    return fail(reason::authz_info_busy);
  }
  const auto taken = [&]() -> Result<TokenStore::Outcome> {
    if (const auto entry = held(token, wall)) return TokenStore::Outcome{*entry, Change::repeated};
    auto verified = verifier_.verify(token, wall);
    if (!verified) {
      if (may_be_reference(token, verified.error())) return fail(reason::token_needs_introspection);
      return std::unexpected(verified.error());
    }
    const auto* key = std::get_if<cose::Key>(&verified->pop_key());
    if (only_symmetric && key != nullptr && !key->is_symmetric()) {
      return fail(reason::token_cnf_unusable, "public key");
    }
    if (must_be_asked_about(*verified)) {
      return fail(reason::token_needs_introspection);
    }
    return keep(std::move(*verified), wall);
  }();
  ++(taken ? counters_.accepted : counters_.refused);
  return taken;
}

Result<TokenStore::Outcome> AuthzInfo::keep(VerifiedToken token, WallTime wall,
                                            std::optional<TokenStore::Confirmed> confirmed) {
  if (const auto sequence = token.exi_sequence()) {
    token.end_by(ACEWARD_TRY(exi_.admit(token.issuer(), *sequence, token.expires_at(), wall)));
  }
  return store_.store(std::move(token), wall, std::move(confirmed));
}

AuthzInfo::Answer AuthzInfo::ask(const Ip& from, BytesView token, std::optional<VerifiedToken> verified, Instant now) {
  if (const auto waiting = in_flight_.find(from);
      questions_.size() >= introspection_.in_flight ||
      (waiting != in_flight_.end() && waiting->second >= introspection_.in_flight_per_peer)) {
    return refuse(Error(reason::introspection_busy));
  }
  const Address address{.ip = from, .port = 0, .scope = 0};
  if (!introspection_budget_.spend(&address, now)) {
    ++counters_.limited;
    return {with_max_age(coap::code::too_many_requests), Error(reason::authz_info_busy), {}};
  }
  const auto query = introspector_->ask(token, now);
  if (!query) {
    ++counters_.unasked;
    return refuse(query.error());
  }
  ++counters_.asked;
  ++in_flight_[from];
  questions_.emplace(*query, Question{to_bytes(token), now, from, std::move(verified), EntryId{}});
  Answer waits{{}, std::nullopt, {}};
  waits.waits_for = *query;
  return waits;
}

Result<> AuthzInfo::reconfirm(EntryId id, Instant now, WallTime wall) {
  if (asked_again_.contains(id)) return {};
  const TokenEntry* entry = store_.find(id, wall);
  if (introspector_ == nullptr || entry == nullptr || entry->octets.empty()) {
    return fail(reason::introspection_unavailable);
  }
  if (questions_.size() >= 2 * introspection_.in_flight) return fail(reason::introspection_busy);
  const QueryId query = ACEWARD_TRY(introspector_->ask(entry->octets, now));
  ++counters_.asked;
  asked_again_.emplace(id, query);
  questions_.emplace(query, Question{entry->octets, now, std::nullopt, std::nullopt, id});
  return {};
}

std::optional<AuthzInfo::Completion> AuthzInfo::complete_next(Instant /*now*/, WallTime wall) {
  if (introspector_ == nullptr) return std::nullopt;
  while (auto said = introspector_->next_answer()) {
    auto question = questions_.extract(said->query);
    if (question.empty()) continue;
    if (!said->claims) ++counters_.unasked;
    Question asked = std::move(question.mapped());
    if (asked.entry != EntryId{}) return complete_again(said->query, asked, *said, wall);
    return complete_post(said->query, std::move(asked), std::move(*said), wall);
  }
  return std::nullopt;
}

AuthzInfo::Completion AuthzInfo::complete_post(QueryId query, Question question, Introspector::Answer said,
                                               WallTime wall) {
  const auto waiting = in_flight_.find(*question.from);
  if (--waiting->second == 0) in_flight_.erase(waiting);
  const auto stored = [&]() -> Result<TokenStore::Outcome> {
    const auto claims = ACEWARD_TRY(std::move(said.claims));
    if (!claims) return fail(reason::token_inactive);
    // A token that speaks for itself can only end earlier by what the server says.
    if (question.verified && has_ended(*claims, wall)) return fail(reason::token_inactive, "exp");
    // Anew, as time has passed, and the configuration may be another by now.
    VerifiedToken verified = ACEWARD_TRY(
        question.verified ? verifier_.verify(question.token, wall)
                          : verifier_.verify_introspected(question.token, *claims, introspector_->iss(), wall));
    if (question.verified) verified.end_by(question.verified->expires_at());  // exi began when the token came
    return keep(std::move(verified), wall,
                TokenStore::Confirmed{std::move(question.token), question.asked_at + introspection_.cache});
  }();
  const bool was_reached = stored || stored.error() != reason::introspection_unavailable;
  return {query, answer(stored), EntryId{}, was_reached};
}

AuthzInfo::Completion AuthzInfo::complete_again(QueryId query, const Question& question,
                                                const Introspector::Answer& said, WallTime wall) {
  asked_again_.erase(question.entry);
  Completion completion{query, std::nullopt, question.entry, said.claims.has_value()};
  if (!said.claims) return completion;
  const TokenHash hash = hash_of(question.token);
  // Scope, key and audience of a token never change, and were judged when it came.
  const bool is_good = said.claims->has_value() && !has_ended(**said.claims, wall);
  if (is_good) {
    store_.confirm(question.entry, hash, question.asked_at + introspection_.cache);
  } else {
    store_.end_token(hash, wall);
  }
  return completion;
}

}  // namespace aceward::ace::rs
