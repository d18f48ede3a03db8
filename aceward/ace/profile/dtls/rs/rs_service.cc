#include "aceward/ace/profile/dtls/rs/rs_service.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "aceward/ace/rs/steady_clock.h"

namespace aceward::ace::dtls {
namespace {

/// Civil time may be stepped; an expiry that comes nearer thereby is noticed after this at the latest.
constexpr std::chrono::seconds look_again{60};

}  // namespace

struct RsService::Impl {
  Impl(const Clock& the_clock, bool is_synchronized, std::optional<AnonymousSessions> the_anonymous)
      : steady(the_clock),
        clock(is_synchronized ? the_clock : static_cast<const Clock&>(steady)),
        clock_is_synchronized(is_synchronized),
        anonymous(the_anonymous),
        channel(clock, anonymous.has_value()) {}

  void on(coaps::SessionEvent&& event);
  void take_session_events() {
    while (auto event = stack->next_session_event()) on(std::move(*event));
  }
  /// What the AS link means for the issuer at its other end.
  void link_issuer(TokenVerifierConfig& tokens) const;
  void take_revocations(Instant now);
  void end_anonymous(Instant now);
  void end_expired(Instant now);
  void close_marked(Instant now);
  void plan(Instant now);

  rs::SteadyClock steady;
  const Clock& clock;
  bool clock_is_synchronized;
  std::optional<AnonymousSessions> anonymous;
  std::map<std::uint64_t, Instant> anonymous_until;  ///< by session
  RsChannel channel;
  std::unique_ptr<AsLink> as_link;
  std::unique_ptr<coaps::ServerStack> stack;
  std::unique_ptr<coap::Observations> observations;
  std::unique_ptr<rs::ResourceServer> server;
  SessionObserver observer;
  std::vector<std::uint64_t> closing;
  std::optional<Instant> due;
};

void RsService::Impl::on(coaps::SessionEvent&& event) {
  if (const auto* established = std::get_if<coaps::SessionEstablished>(&event)) {
    const std::uint64_t session = established->peer.session;
    bool stays = channel.bind(established->peer, established->identity);
    if (stays && std::holds_alternative<tls::NoIdentity>(established->identity)) {
      stays = anonymous_until.size() < anonymous->most;
      if (stays) anonymous_until.emplace(session, clock.now() + anonymous->longest);
    }
    if (!stays) closing.push_back(session);
  } else if (const auto* closed = std::get_if<coaps::SessionClosed>(&event)) {
    channel.unbind(closed->peer);
    anonymous_until.erase(closed->peer.session);
  }
  if (observer) observer(event);
}

void RsService::Impl::end_expired(Instant now) {
  std::set<std::uint64_t> sessions;
  for (const rs::EntryId entry : server->end_expired(now)) {
    for (const std::uint64_t session : channel.sessions_of(entry)) sessions.insert(session);
  }
  if (sessions.empty()) return;
  // RFC 9200 section 5.10.3: who observes is told, though nothing that could be observed has changed.
  observations->end(
      [&](const coap::Observer& watching) {
        return watching.peer.transport == coap::Transport::dtls && sessions.contains(watching.peer.session);
      },
      now, coap::code::unauthorized);
  closing.insert(closing.end(), sessions.begin(), sessions.end());
}

void RsService::Impl::link_issuer(TokenVerifierConfig& tokens) const {
  if (!as_link) return;
  for (TrustedIssuer& issuer : tokens.issuers) {
    if (issuer.iss != as_link->iss()) continue;
    issuer.is_asked = issuer.is_asked || as_link->introspects();
    issuer.is_followed = issuer.is_followed || as_link->follower() != nullptr;
  }
}

void RsService::Impl::take_revocations(Instant now) {
  if (!as_link) return;
  as_link->pump(now);
  while (const auto change = as_link->next_revocation()) {
    // That a hash has left the list says that the token has expired by the clock of the other side. Ours is what
    // counts: the store forgets it in its own time.
    if (change->kind == revocation::Revocation::Kind::revoked) server->end_token(change->token_hash);
  }
}

void RsService::Impl::end_anonymous(Instant now) {
  for (const auto& [session, until] : anonymous_until) {
    if (until <= now) closing.push_back(session);
  }
}

void RsService::Impl::close_marked(Instant now) {
  for (const std::uint64_t session : std::exchange(closing, {})) stack->close_session(session, now);
  take_session_events();
}

void RsService::Impl::plan(Instant now) {
  due.reset();
  if (!closing.empty()) {
    due = now;
    return;
  }
  due = server->next_timeout();
  for (const auto& [session, until] : anonymous_until) due = earlier(due, until);
  if (as_link) due = earlier(due, as_link->next_own_timeout());
  const auto expiry = server->next_expiry();
  if (!expiry) return;
  const WallTime wall = clock.wall();
  // Compared before they are subtracted: the store names the beginning of time for what is due already.
  due = earlier(due, now + (*expiry <= wall ? std::chrono::seconds(0) : std::min(look_again, *expiry - wall)));
}

Result<std::unique_ptr<RsService>> RsService::create(RsServiceConfig config, const Clock& clock, Random& random) {
  auto impl = std::make_unique<Impl>(clock, config.tokens.clock_is_synchronized, config.anonymous);
  if (config.as_link) impl->as_link = std::make_unique<AsLink>(std::move(*config.as_link), random);
  impl->link_issuer(config.tokens);
  const bool introspects = impl->as_link && impl->as_link->introspects();
  const rs::ResourceServerPorts ports{
      .sequences = config.sequences, .introspector = introspects ? impl->as_link.get() : nullptr, .random = &random};
  impl->stack = ACEWARD_TRY(coaps::ServerStack::create(std::move(config.stack), &impl->channel, random));
  impl->observations = std::make_unique<coap::Observations>(impl->stack->layer(), random, config.observations);
  impl->server = ACEWARD_TRY(rs::ResourceServer::create(std::move(config.server), std::move(config.tokens),
                                                        *impl->observations, impl->channel, impl->clock, ports));
  ACEWARD_TRY(impl->server->set_configured_keys(std::move(config.configured_keys)));
  // Blocks of an answer are fetched from below access control: rights may have ended since it was made.
  impl->stack->blockwise().set_guard(
      [server = impl->server.get()](const coap::Peer& peer, const coap::Request& request) {
        return server->allows(peer, request);
      });
  impl->channel.attach(impl->server->tokens(), impl->server->authz_info());
  return std::unique_ptr<RsService>(new RsService(std::move(impl)));
}

RsService::RsService(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RsService::~RsService() = default;

rs::ResourceServer& RsService::server() { return *impl_->server; }
const RsChannel& RsService::channel() const { return impl_->channel; }
coaps::ServerStack& RsService::stack() { return *impl_->stack; }
coap::Observations& RsService::observations() { return *impl_->observations; }
AsLink* RsService::as_link() { return impl_->as_link.get(); }

Result<> RsService::reconfigure(RsReload reload) {
  reload.tokens.clock_is_synchronized = impl_->clock_is_synchronized;
  impl_->link_issuer(reload.tokens);
  return impl_->server->reconfigure(std::move(reload.tokens), std::move(reload.hints), std::move(reload.hosts),
                                    std::move(reload.configured_keys));
}

bool RsService::end_token(BytesView token_hash) { return impl_->server->end_token(token_hash); }

void RsService::pump(Instant now) {
  impl_->take_session_events();
  impl_->take_revocations(now);
  impl_->server->pump(now);
  impl_->end_expired(now);
  impl_->plan(now);
}

std::optional<Instant> RsService::next_own_timeout() const {
  // Asks the stack too, which does no harm.
  return earlier(impl_->due, impl_->observations->next_timeout());
}

void RsService::on_own_timeout(Instant now) {
  impl_->observations->on_timeout(now);
  if (impl_->as_link) impl_->as_link->on_own_timeout(now);
  impl_->end_anonymous(now);
  impl_->close_marked(now);
  pump(now);
}

void RsService::receive(coaps::ListenerKind kind, const Address& from, const Address& local, BytesView datagram,
                        Instant now) {
  impl_->stack->receive(kind, from, local, datagram, now);
  pump(now);
}

std::optional<coaps::ServerOutgoing> RsService::next_datagram(Instant now) { return impl_->stack->next_datagram(now); }

void RsService::on_timeout(Instant now) {
  impl_->stack->on_timeout(now);
  on_own_timeout(now);
}

std::optional<Instant> RsService::next_timeout() const {
  return earlier(next_own_timeout(), impl_->stack->next_timeout());
}

void RsService::set_session_observer(SessionObserver observer) { impl_->observer = std::move(observer); }

}  // namespace aceward::ace::dtls
