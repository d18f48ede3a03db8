#include "aceward/ace/profile/dtls/as/as_service.h"

#include <utility>

#include "aceward/ace/as/reasons.h"
#include "aceward/ace/as/token_resource.h"

namespace aceward::ace::dtls {

struct AsService::Impl {
  void on(const coaps::SessionEvent& event);

  AsChannel channel;
  std::optional<as::TokenEndpoint> tokens;
  std::unique_ptr<coaps::ServerStack> stack;
  std::optional<coap::Router> router;
  std::unique_ptr<as::TokenResource> token_resource;
  SessionObserver observer;
};

void AsService::Impl::on(const coaps::SessionEvent& event) {
  if (observer) observer(event);
  if (const auto* established = std::get_if<coaps::SessionEstablished>(&event)) {
    channel.on_established(established->peer.session, established->identity);
  } else if (const auto* closed = std::get_if<coaps::SessionClosed>(&event)) {
    channel.on_closed(closed->peer.session);
  }
}

Result<std::unique_ptr<AsService>> AsService::create(AsServiceConfig config, as::Ledger& ledger, const Clock& clock,
                                                     Random& random, std::function<void()> wake) {
  auto impl = std::make_unique<Impl>();
  if (config.signing_keys.empty()) return fail(reason::signing_key_missing);
  impl->tokens.emplace(
      ACEWARD_TRY(as::TokenEndpoint::create(std::move(config.tokens), config.signing_keys.front(), random, ledger)));
  impl->stack = ACEWARD_TRY(coaps::ServerStack::create(std::move(config.stack), &impl->channel, random));
  impl->router.emplace(impl->stack->layer());
  impl->token_resource =
      std::make_unique<as::TokenResource>(*impl->tokens, impl->channel, impl->stack->layer(), clock, std::move(wake));
  impl->router->add(config.token_path, *impl->token_resource);
  return std::unique_ptr<AsService>(new AsService(std::move(impl)));
}

AsService::AsService(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
AsService::~AsService() = default;

void AsService::set_registry(as::RegistrySnapshot registry) {
  impl_->channel.set_registry(registry);
  impl_->tokens->set_registry(std::move(registry));
}

void AsService::add(std::string_view path, coap::Resource& resource) { impl_->router->add(path, resource); }
as::TokenEndpoint& AsService::tokens() { return *impl_->tokens; }
AsChannel& AsService::channel() { return impl_->channel; }
coaps::ServerStack& AsService::stack() { return *impl_->stack; }
void AsService::set_session_observer(SessionObserver observer) { impl_->observer = std::move(observer); }

void AsService::pump(Instant now) {
  while (const auto event = impl_->stack->next_session_event()) impl_->on(*event);
  while (impl_->router->next_event(now)) {
    // A server sends no requests of its own, so what is left are exchanges that ended without their answer.
  }
}

std::optional<Instant> AsService::next_own_timeout() const { return std::nullopt; }
void AsService::on_own_timeout(Instant now) { pump(now); }

void AsService::receive(const Address& from, const Address& local, BytesView datagram, Instant now) {
  impl_->stack->receive(coaps::ListenerKind::secure, from, local, datagram, now);
  pump(now);
}

std::optional<coaps::ServerOutgoing> AsService::next_datagram(Instant now) { return impl_->stack->next_datagram(now); }

void AsService::on_timeout(Instant now) {
  impl_->stack->on_timeout(now);
  on_own_timeout(now);
}

std::optional<Instant> AsService::next_timeout() const { return impl_->stack->next_timeout(); }

}  // namespace aceward::ace::dtls
