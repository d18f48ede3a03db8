#include "app/roles/as_role.h"

namespace aceward::app {

Result<std::unique_ptr<AsRole>> AsRole::start(net::EventLoop& loop, AsSettings settings, Random& random) {
  std::unique_ptr<AsRole> role(new AsRole(loop, random));
  ACEWARD_TRY(role->set_up(std::move(settings)));
  return role;
}

Result<> AsRole::set_up(AsSettings settings) {
  settings.store.post = [&loop = loop_](std::move_only_function<void()> work) {
    // std::function copies; the work runs once all the same.
    loop.post([shared = std::make_shared<std::move_only_function<void()>>(std::move(work))] { (*shared)(); });
  };
  store_ = ACEWARD_TRY(store::Store::open(settings.database, settings.store, random_));
  endpoint_.emplace(ACEWARD_TRY(ace::as::TokenEndpoint::create({settings.issuer, settings.maximum_lifetime},
                                                               settings.signing_key, random_, *store_)));
  on_session_ = std::move(settings.on_session);
  if (settings.audit) endpoint_->set_audit(std::move(settings.audit));

  coaps::ServerStackConfig stack;
  stack.dtls = settings.dtls;
  stack.parameters = settings.messages.parameters;
  stack.limits = settings.messages.limits;
  stack.blockwise = settings.messages.blockwise;
  stack.blockwise_limits = settings.messages.blockwise_limits;
  const crypto::PrivateKey channel_key = ACEWARD_TRY(settings.channel_key.private_key());
  stack.dtls->raw_key = ACEWARD_TRY(tls::RawKeyPair::from_key(channel_key));
  stack_ = ACEWARD_TRY(coaps::ServerStack::create(std::move(stack), &channel_, random_));
  router_.emplace(stack_->layer());
  token_resource_ = std::make_unique<ace::as::TokenResource>(*endpoint_, channel_, stack_->layer(), loop_.clock(),
                                                             [this] { host_->wake(); });
  router_->add(settings.token_path, *token_resource_);
  refresh_registry();
  host_ = std::make_unique<net::ServerHost>(loop_, *stack_, *this);
  for (const Address& address : settings.listen) {
    addresses_.push_back(ACEWARD_TRY(host_->listen(coaps::ListenerKind::secure, address)));
  }
  return {};
}

AsRole::~AsRole() {
  // Sockets first: nothing may arrive while the rest goes. The store comes next, as its completions still answer.
  host_.reset();
  token_resource_.reset();
  store_.reset();
}

void AsRole::refresh_registry() {
  auto registry = store_->registry();
  if (!registry || *registry == registry_) return;  // out of reach: what was known stays valid
  registry_ = std::move(*registry);
  channel_.set_registry(registry_);
  endpoint_->set_registry(registry_);
}

void AsRole::close_sessions() {
  stack_->close_all(loop_.now());
  host_->wake();
}

void AsRole::pump(Instant now) {
  refresh_registry();
  while (const auto event = stack_->next_session_event()) {
    if (on_session_) on_session_(*event);
    if (const auto* established = std::get_if<coaps::SessionEstablished>(&*event)) {
      channel_.on_established(established->peer.session, established->identity);
    } else if (const auto* closed = std::get_if<coaps::SessionClosed>(&*event)) {
      channel_.on_closed(closed->peer.session);
    }
  }
  while (router_->next_event(now)) {
    // A server sends no requests of its own, so what is left are exchanges that ended without their answer.
  }
}

}  // namespace aceward::app
