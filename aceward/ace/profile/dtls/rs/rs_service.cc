#include "aceward/ace/profile/dtls/rs/rs_service.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

namespace aceward::ace::dtls {
namespace {

/// Civil time may be stepped; an expiry that comes nearer thereby is noticed after this at the latest.
constexpr std::chrono::seconds look_again{60};

}  // namespace

struct RsService::Impl {
  Impl(const Clock& the_clock) : clock(the_clock), channel(the_clock) {}

  void on(coaps::SessionEvent&& event);
  void take_session_events() {
    while (auto event = stack->next_session_event()) on(std::move(*event));
  }
  void end_expired(Instant now);
  void close_marked(Instant now);
  void plan(Instant now);

  const Clock& clock;
  RsChannel channel;
  std::unique_ptr<coaps::ServerStack> stack;
  std::unique_ptr<coap::Observations> observations;
  std::unique_ptr<rs::ResourceServer> server;
  SessionObserver observer;
  std::vector<std::uint64_t> closing;
  std::optional<Instant> due;
};

void RsService::Impl::on(coaps::SessionEvent&& event) {
  if (const auto* established = std::get_if<coaps::SessionEstablished>(&event)) {
    if (!channel.bind(established->peer, established->identity)) closing.push_back(established->peer.session);
  } else if (const auto* closed = std::get_if<coaps::SessionClosed>(&event)) {
    channel.unbind(closed->peer);
  }
  if (observer) observer(event);
}

void RsService::Impl::end_expired(Instant now) {
  for (const rs::EntryId entry : server->end_expired(now)) {
    for (const std::uint64_t session : channel.sessions_of(entry)) closing.push_back(session);
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
  const auto expiry = server->next_expiry();
  if (!expiry) return;
  const WallTime wall = clock.wall();
  // Compared before they are subtracted: the store names the beginning of time for what is due already.
  due = now + (*expiry <= wall ? std::chrono::seconds(0) : std::min(look_again, *expiry - wall));
}

Result<std::unique_ptr<RsService>> RsService::create(RsServiceConfig config, const Clock& clock, Random& random) {
  auto impl = std::make_unique<Impl>(clock);
  impl->stack = ACEWARD_TRY(coaps::ServerStack::create(std::move(config.stack), &impl->channel, random));
  impl->observations = std::make_unique<coap::Observations>(impl->stack->layer(), random, config.observations);
  impl->server = ACEWARD_TRY(rs::ResourceServer::create(std::move(config.server), std::move(config.tokens),
                                                        *impl->observations, impl->channel, clock));
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

void RsService::pump(Instant now) {
  impl_->take_session_events();
  impl_->server->pump(now);
  impl_->end_expired(now);
  impl_->plan(now);
}

std::optional<Instant> RsService::next_own_timeout() const {
  // Asks the stack too, which does no harm.
  const auto of_observations = impl_->observations->next_timeout();
  if (impl_->due && of_observations) return std::min(*impl_->due, *of_observations);
  return impl_->due ? impl_->due : of_observations;
}

void RsService::on_own_timeout(Instant now) {
  impl_->observations->on_timeout(now);
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
  const auto own = next_own_timeout();
  const auto below = impl_->stack->next_timeout();
  if (own && below) return std::min(*own, *below);
  return own ? own : below;
}

void RsService::set_session_observer(SessionObserver observer) { impl_->observer = std::move(observer); }

}  // namespace aceward::ace::dtls
