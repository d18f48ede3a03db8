#include "aceward/ace/profile/dtls/rs/as_link.h"

#include <algorithm>
#include <utility>

#include "aceward/ace/params/introspection.h"
#include "aceward/ace/rs/reasons.h"
#include "aceward/coap/message/content_format.h"

namespace aceward::ace::dtls {
namespace {

Result<std::optional<cwt::Claims>> read_answer(const coap::Response& response) {
  if (response.code != coap::code::created) return fail(reason::introspection_unavailable, "refused");
  if (response.options.content_format() != coap::content_format::ace_cbor) {
    return fail(reason::introspection_answer_malformed, "content format");
  }
  auto said = parse_introspection_response(response.payload);
  if (!said) return fail(reason::introspection_answer_malformed);
  if (!said->active) return std::optional<cwt::Claims>();
  cwt::Claims claims;
  claims.iss = std::move(said->iss);
  claims.sub = std::move(said->sub);
  if (said->aud) claims.aud = cwt::Audience(std::move(*said->aud));
  claims.exp = said->exp;
  claims.nbf = said->nbf;
  claims.iat = said->iat;
  claims.cti = std::move(said->cti);
  claims.cnf = std::move(said->cnf);
  claims.scope = std::move(said->scope);
  if (said->ace_profile) claims.ace_profile = std::to_underlying(*said->ace_profile);
  claims.cnonce = std::move(said->cnonce);
  claims.exi = said->exi;
  return std::optional<cwt::Claims>(std::move(claims));
}

}  // namespace

struct AsLink::Impl {
  Impl(AsLinkConfig config_in, Random& random)
      : config(std::move(config_in)), stack(config.stack, random), observations(stack.layer(), random) {
    if (config.revocations) follower.emplace(*config.revocations, observations, random);
  }

  /// Begins a handshake unless there is a session or the last try is too recent.
  Result<> connect(Instant now);
  void lost(Instant now);
  void on(coaps::SessionEvent&& event, Instant now);
  void on(coap::Event&& event, Instant now);
  void answered(coap::ExchangeId id, const Result<coap::Response>& response);
  void follow(Instant now);

  AsLinkConfig config;
  coaps::ClientStack stack;
  coap::ObservationClient observations;
  std::optional<revocation::LayerFollower> follower;
  std::optional<coap::Peer> peer;
  bool is_established = false;
  Instant not_before{};
  AsLinkConfig::Duration delay{0};
  std::uint64_t last_query = 0;
  std::map<coap::ExchangeId, rs::QueryId> questions;
  std::deque<Answer> answers;
  bool wants_wake = false;
  Counters counters;
};

Result<> AsLink::Impl::connect(Instant now) {
  if (peer) return {};
  if (now < not_before) return fail(reason::introspection_unavailable, "waiting to try again");
  auto made = stack.connect(config.address, config.credentials(), now);
  wants_wake = true;
  if (!made) {
    lost(now);
    return fail(reason::introspection_unavailable, "no session");
  }
  peer = *made;
  return {};
}

void AsLink::Impl::lost(Instant now) {
  peer.reset();
  is_established = false;
  if (follower) follower->stop(now);
  delay = delay == AsLinkConfig::Duration{0} ? config.retry_min : std::min(2 * delay, config.retry_max);
  not_before = now + delay;
}

void AsLink::Impl::on(coaps::SessionEvent&& event, Instant now) {
  if (std::holds_alternative<coaps::SessionEstablished>(event)) {
    if (!peer) return;
    is_established = true;
    wants_wake = true;
    ++counters.sessions;
    if (follower) follower->start(*peer, now);
  } else if (const auto* stalled = std::get_if<coaps::SessionStalled>(&event)) {
    // It may have been restarted, and know nothing of the session.
    if (peer && stalled->peer == *peer) stack.close(peer->session, now);
  } else {
    const bool is_ours = std::visit([&](const auto& one) { return peer && one.peer == *peer; }, event);
    if (!is_ours) return;
    if (is_established) ++counters.sessions_lost;
    lost(now);
  }
}

void AsLink::Impl::on(coap::Event&& event, Instant now) {
  if (auto* response = std::get_if<coap::ResponseArrived>(&event)) {
    delay = AsLinkConfig::Duration{0};  // the server is there
    answered(response->id, std::move(response->response));
  } else if (const auto* gone = std::get_if<coap::ExchangeGone>(&event)) {
    answered(gone->id, std::unexpected(gone->reason));
  } else if (const auto* request = std::get_if<coap::RequestArrived>(&event)) {
    observations.respond(request->id, coap::Response{.code = coap::code::not_found, .options = {}, .payload = {}}, {},
                         now);
  }
}

void AsLink::Impl::answered(coap::ExchangeId id, const Result<coap::Response>& response) {
  const auto question = questions.find(id);
  if (question == questions.end()) return;
  auto claims = response
                    ? read_answer(*response)
                    : Result<std::optional<cwt::Claims>>(std::unexpected(Error(reason::introspection_unavailable)));
  ++(claims ? counters.answers : counters.failures);
  answers.push_back({question->second, std::move(claims)});
  questions.erase(question);
  wants_wake = true;
}

/// The list is followed as long as the server can be reached.
void AsLink::Impl::follow(Instant now) {
  if (follower && !peer && now >= not_before) static_cast<void>(connect(now));
}

AsLink::AsLink(AsLinkConfig config, Random& random) : impl_(std::make_unique<Impl>(std::move(config), random)) {}
AsLink::~AsLink() = default;

coaps::ClientStack& AsLink::stack() { return impl_->stack; }

void AsLink::pump(Instant now) {
  while (auto event = impl_->stack.next_session_event()) impl_->on(std::move(*event), now);
  while (auto event = impl_->observations.next_event(now)) {
    if (impl_->follower && impl_->follower->take(*event, now)) {
      impl_->delay = AsLinkConfig::Duration{0};
      impl_->wants_wake = true;
    } else {
      impl_->on(std::move(*event), now);
    }
  }
  impl_->follow(now);
}

std::optional<Instant> AsLink::next_own_timeout() const {
  auto due = impl_->observations.next_timeout();
  if (!impl_->follower) return due;
  if (impl_->is_established) return earlier(due, impl_->follower->next_timeout());
  return impl_->peer ? due : earlier(due, impl_->not_before);
}

void AsLink::on_own_timeout(Instant now) {
  impl_->observations.on_timeout(now);
  if (impl_->follower && impl_->is_established) impl_->follower->on_timeout(now);
  impl_->wants_wake = true;
  pump(now);
}

bool AsLink::wants_wake() { return std::exchange(impl_->wants_wake, false); }

const std::string& AsLink::iss() const { return impl_->config.iss; }

Result<rs::QueryId> AsLink::ask(BytesView token, Instant now) {
  if (!impl_->config.introspects) return fail(reason::introspection_unavailable, "off");
  if (impl_->questions.size() >= impl_->config.questions) return fail(reason::introspection_busy);
  if (token.size() > max_introspected_token) return fail(reason::introspection_unavailable, "size");
  ACEWARD_TRY(impl_->connect(now));
  coap::Request request{.method = coap::code::post, .options = {}, .payload = {}};
  request.options.add_path(impl_->config.introspection_path).set_content_format(coap::content_format::ace_cbor);
  request.payload = cbor::serialize(IntrospectionRequest{
      .token = to_bytes(token), .client_id = std::nullopt, .token_type_hint = TokenTypeHint(TokenType::pop)});
  const auto id =
      impl_->observations.request(*impl_->peer, std::move(request), {.timeout = impl_->config.answer_timeout}, now);
  if (!id) return fail(reason::introspection_unavailable, "request");
  const rs::QueryId query(++impl_->last_query);
  impl_->questions.emplace(*id, query);
  ++impl_->counters.questions;
  impl_->wants_wake = true;
  return query;
}

std::optional<rs::Introspector::Answer> AsLink::next_answer() {
  if (impl_->answers.empty()) return std::nullopt;
  Answer answer = std::move(impl_->answers.front());
  impl_->answers.pop_front();
  return answer;
}

std::optional<revocation::Revocation> AsLink::next_revocation() {
  return impl_->follower ? impl_->follower->next() : std::nullopt;
}

const revocation::Follower* AsLink::follower() const {
  return impl_->follower ? &impl_->follower->follower() : nullptr;
}
bool AsLink::introspects() const { return impl_->config.introspects; }
bool AsLink::is_connected() const { return impl_->is_established; }
const AsLink::Counters& AsLink::counters() const { return impl_->counters; }

}  // namespace aceward::ace::dtls
