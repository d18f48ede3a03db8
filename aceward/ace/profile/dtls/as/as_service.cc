#include "aceward/ace/profile/dtls/as/as_service.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "aceward/ace/as/introspection_resource.h"
#include "aceward/ace/as/reasons.h"
#include "aceward/ace/as/revocation_resource.h"
#include "aceward/ace/as/token_resource.h"

namespace aceward::ace::dtls {

namespace {

/// Another process may revoke tokens in the same store.
constexpr std::chrono::seconds look_again{30};

}  // namespace

struct AsService::Impl {
  Impl(const Clock& the_clock, AsServiceConfig& config, as::Ledger& ledger, Random& random)
      : clock(the_clock),
        introspection(config.introspection, ledger),
        revocations(config.revocations, random, ledger) {}

  void on(const coaps::SessionEvent& event);
  void update_revocations();

  const Clock& clock;
  AsChannel channel;
  std::optional<as::TokenEndpoint> tokens;
  as::IntrospectionEndpoint introspection;
  as::RevocationList revocations;
  std::unique_ptr<coaps::ServerStack> stack;
  std::unique_ptr<coap::Observations> observations;
  std::optional<coap::Router> router;
  std::unique_ptr<as::TokenResource> token_resource;
  std::unique_ptr<as::IntrospectionResource> introspection_resource;
  std::unique_ptr<as::RevocationResource> revocation_resource;
  std::optional<Instant> look_at_revocations;
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

void AsService::Impl::update_revocations() {
  if (!revocation_resource) return;
  // A ledger out of reach is asked again next time; until then the list answers 5.03.
  static_cast<void>(revocation_resource->update());
  look_at_revocations = clock.now() + look_again;
}

Result<std::unique_ptr<AsService>> AsService::create(AsServiceConfig config, AsPorts ports, const Clock& clock,
                                                     Random& random, std::function<void()> wake) {
  if (config.signing_keys.empty()) return fail(reason::signing_key_missing);
  auto impl = std::make_unique<Impl>(clock, config, ports.ledger, random);
  impl->tokens.emplace(ACEWARD_TRY(
      as::TokenEndpoint::create(std::move(config.tokens), config.signing_keys.front(), random, ports.ledger)));
  ACEWARD_TRY(impl->tokens->set_signing_keys(config.signing_keys));
  impl->tokens->set_request_book(ports.requests);
  impl->stack = ACEWARD_TRY(coaps::ServerStack::create(std::move(config.stack), &impl->channel, random));
  impl->observations = std::make_unique<coap::Observations>(impl->stack->layer(), random, config.observations);
  impl->router.emplace(*impl->observations);
  impl->token_resource =
      std::make_unique<as::TokenResource>(*impl->tokens, impl->channel, *impl->observations, clock, std::move(wake));
  if (!config.token_path.empty()) impl->router->add(config.token_path, *impl->token_resource);
  if (!config.introspection_path.empty()) {
    impl->introspection_resource =
        std::make_unique<as::IntrospectionResource>(impl->introspection, impl->channel, clock);
    impl->router->add(config.introspection_path, *impl->introspection_resource);
  }
  if (!config.revocation_path.empty()) {
    impl->revocation_resource = std::make_unique<as::RevocationResource>(
        impl->revocations, impl->channel, *impl->observations, clock, config.revocation_path);
    impl->router->add(impl->revocation_resource->path(), *impl->revocation_resource);
  }
  return std::unique_ptr<AsService>(new AsService(std::move(impl)));
}

AsService::AsService(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
AsService::~AsService() = default;

void AsService::set_registry(as::RegistrySnapshot registry) {
  impl_->channel.set_registry(registry);
  impl_->introspection.set_registry(registry);
  impl_->revocations.set_registry(registry);
  impl_->tokens->set_registry(std::move(registry));
  // Who was removed or got a new key has lost its tokens.
  impl_->update_revocations();
}

void AsService::add(std::string_view path, coap::Resource& resource) { impl_->router->add(path, resource); }
as::TokenEndpoint& AsService::tokens() { return *impl_->tokens; }
as::IntrospectionEndpoint& AsService::introspection() { return impl_->introspection; }
as::RevocationList& AsService::revocations() { return impl_->revocations; }
AsChannel& AsService::channel() { return impl_->channel; }
coaps::ServerStack& AsService::stack() { return *impl_->stack; }
std::size_t AsService::followers() const { return impl_->observations->observers(); }
void AsService::update_revocations() { impl_->update_revocations(); }
void AsService::set_session_observer(SessionObserver observer) { impl_->observer = std::move(observer); }

void AsService::set_audit(const as::Audit& audit) {
  impl_->tokens->set_audit(audit);
  impl_->introspection.set_audit(audit);
  if (impl_->revocation_resource) impl_->revocation_resource->set_audit(audit);
}

void AsService::pump(Instant now) {
  while (const auto event = impl_->stack->next_session_event()) impl_->on(*event);
  while (impl_->router->next_event(now)) {
    // A server sends no requests of its own, so what is left are exchanges that ended without their answer.
  }
}

std::optional<Instant> AsService::next_own_timeout() const {
  // The observations ask the stack too, which does no harm.
  const auto of_list = impl_->revocation_resource ? impl_->revocation_resource->next_update() : std::nullopt;
  return earlier(earlier(impl_->observations->next_timeout(), impl_->look_at_revocations), of_list);
}

void AsService::on_own_timeout(Instant now) {
  impl_->observations->on_timeout(now);
  const auto of_list = impl_->revocation_resource ? impl_->revocation_resource->next_update() : std::nullopt;
  if (const auto due = earlier(impl_->look_at_revocations, of_list); due && *due <= now) impl_->update_revocations();
  pump(now);
}

void AsService::receive(const Address& from, const Address& local, BytesView datagram, Instant now) {
  impl_->stack->receive(coaps::ListenerKind::secure, from, local, datagram, now);
  pump(now);
}

std::optional<coaps::ServerOutgoing> AsService::next_datagram(Instant now) { return impl_->stack->next_datagram(now); }

void AsService::on_timeout(Instant now) {
  impl_->stack->on_timeout(now);
  on_own_timeout(now);
}

std::optional<Instant> AsService::next_timeout() const {
  return earlier(next_own_timeout(), impl_->stack->next_timeout());
}

}  // namespace aceward::ace::dtls
