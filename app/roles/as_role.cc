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
  ace::dtls::AsServiceConfig config;
  config.tokens.issuer = std::move(settings.issuer);
  config.tokens.maximum_lifetime = settings.maximum_lifetime;
  config.signing_keys.push_back(std::move(settings.signing_key));
  config.token_path = std::move(settings.token_path);
  config.stack.dtls = settings.dtls;
  config.stack.parameters = settings.messages.parameters;
  config.stack.limits = settings.messages.limits;
  config.stack.blockwise = settings.messages.blockwise;
  config.stack.blockwise_limits = settings.messages.blockwise_limits;
  const crypto::PrivateKey channel_key = ACEWARD_TRY(settings.channel_key.private_key());
  config.stack.dtls->raw_key = ACEWARD_TRY(tls::RawKeyPair::from_key(channel_key));
  service_ = ACEWARD_TRY(ace::dtls::AsService::create(std::move(config), {*store_, store_.get()}, loop_.clock(),
                                                      random_, [this] { host_->wake(); }));
  if (settings.audit) service_->set_audit(settings.audit);
  if (settings.on_session) service_->set_session_observer(std::move(settings.on_session));
  refresh_registry();
  host_ = std::make_unique<net::ServerHost>(loop_, service_->stack(), *this);
  for (const Address& address : settings.listen) {
    addresses_.push_back(ACEWARD_TRY(host_->listen(coaps::ListenerKind::secure, address)));
  }
  return {};
}

AsRole::~AsRole() {
  // Sockets first: nothing may arrive while the rest goes. The store comes last, and its completions find nobody to
  // answer any more.
  host_.reset();
  service_.reset();
  store_.reset();
}

void AsRole::refresh_registry() {
  auto registry = store_->registry();
  if (!registry || *registry == registry_) return;  // out of reach: what was known stays valid
  registry_ = std::move(*registry);
  service_->set_registry(registry_);
}

void AsRole::close_sessions() {
  service_->stack().close_all(loop_.now());
  host_->wake();
}

void AsRole::pump(Instant now) {
  refresh_registry();
  service_->pump(now);
}

std::optional<Instant> AsRole::next_timeout() const { return service_->next_own_timeout(); }
void AsRole::on_timeout(Instant now) { service_->on_own_timeout(now); }

}  // namespace aceward::app
