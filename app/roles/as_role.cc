#include "app/roles/as_role.h"

namespace aceward::app {

namespace {

/// The one that signs first.
std::vector<cose::Key> signing_keys_of(AsSettings& settings) {
  std::vector<cose::Key> keys;
  keys.push_back(std::move(settings.signing_key));
  for (cose::Key& key : settings.previous_signing_keys) keys.push_back(std::move(key));
  return keys;
}

}  // namespace

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
  config.tokens = std::move(settings.tokens);
  config.tokens.issuer = settings.issuer;
  config.tokens.maximum_lifetime = settings.maximum_lifetime;
  config.introspection = std::move(settings.introspection);
  config.introspection.issuer = settings.issuer;
  config.revocations = std::move(settings.revocations);
  config.signing_keys = signing_keys_of(settings);
  config.token_path = std::move(settings.token_path);
  config.introspection_path = std::move(settings.introspection_path);
  config.revocation_path = std::move(settings.revocation_path);
  config.observations = settings.messages.observations;
  config.stack.dtls = settings.dtls;
  config.stack.parameters = settings.messages.parameters;
  config.stack.limits = settings.messages.limits;
  config.stack.blockwise = settings.messages.blockwise;
  config.stack.blockwise_limits = settings.messages.blockwise_limits;
  const crypto::PrivateKey channel_key = ACEWARD_TRY(settings.channel_key.private_key());
  config.stack.dtls->raw_key = ACEWARD_TRY(tls::RawKeyPair::from_key(channel_key));
  config.stack.dtls->ticket_key = ACEWARD_TRY(tls::TicketKey::generate());
  config.stack.dtls->clock = &loop_.clock();
  if (!settings.certificate_chain.empty()) {
    config.stack.dtls->certificate =
        ACEWARD_TRY(tls::CertificateChain::from_pem(settings.certificate_chain, *config.stack.dtls->raw_key));
  }
  if (!settings.client_authorities.empty()) {
    config.stack.dtls->client_authorities = ACEWARD_TRY(tls::Authorities::from_pem(settings.client_authorities));
  }
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

void AsRole::on_records_changed() {
  if (!service_) return;
  refresh_registry();
  service_->update_revocations();
  host_->wake();
}

Result<> AsRole::reconfigure(AsSettings settings) {
  return service_->tokens().set_signing_keys(signing_keys_of(settings));
}

bool AsRole::has_answers_due() { return stack().endpoint().occupancy().answers > service_->followers(); }

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
