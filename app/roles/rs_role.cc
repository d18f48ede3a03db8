#include "app/roles/rs_role.h"

#include <algorithm>
#include <array>

namespace aceward::app {

/// GET reads, PUT replaces, POST appends, DELETE empties.
class RsRole::MemoryResource final : public ace::rs::GuardedResource, public coap::Resource {
 public:
  MemoryResource(RsResource resource, std::size_t limit) : resource_(std::move(resource)), limit_(limit) {}

  void handle(coap::ExchangeId id, const ace::rs::AuthorizedRequest& request, coap::Responder& responder) override {
    responder.respond(id, answer(request.request()));
  }

  /// Without authorization it is readable at most.
  void handle(coap::ExchangeId id, const coap::Peer& /*peer*/, const coap::Request& request,
              coap::Responder& responder) override {
    responder.respond(id, answer(request));
  }
  std::span<const coap::Code> methods() const override {
    static constexpr std::array<coap::Code, 1> read_only{coap::code::get};
    return read_only;
  }

 private:
  coap::Response answer(const coap::Request& request) {
    coap::Response response;
    if (!resource_.methods.empty() && std::ranges::find(resource_.methods, request.method) == resource_.methods.end()) {
      response.code = coap::code::method_not_allowed;
      return response;
    }
    if (!preconditions_hold(request.options)) {
      response.code = coap::code::precondition_failed;
      return response;
    }
    switch (request.method.value) {
      case coap::code::get.value: return read(request);
      case coap::code::put.value: return write(request, {});
      case coap::code::post.value: return write(request, resource_.content);
      case coap::code::delete_.value:
        resource_.content.clear();
        response.code = coap::code::deleted;
        return response;
      default: response.code = coap::code::method_not_allowed; return response;
    }
  }

  /// RFC 7252 section 5.10.8. The resource always exists and has no entity-tags, so a tag never matches.
  static bool preconditions_hold(const coap::Options& options) {
    if (options.has(coap::option::if_none_match)) return false;
    bool asked = false;
    for (const coap::OptionView option : options) {
      if (option.number != coap::option::if_match) continue;
      if (option.value.empty()) return true;
      asked = true;
    }
    return !asked;
  }

  coap::Response read(const coap::Request& request) const {
    coap::Response response;
    if (const auto accept = request.options.accept(); accept && *accept != resource_.format) {
      response.code = coap::code::not_acceptable;
      return response;
    }
    response.code = coap::code::content;
    response.options.set_content_format(resource_.format);
    response.payload = resource_.content;
    return response;
  }

  coap::Response write(const coap::Request& request, Bytes before) {
    coap::Response response;
    if (request.options.content_format().value_or(resource_.format) != resource_.format) {
      response.code = coap::code::unsupported_content_format;
      return response;
    }
    if (before.size() + request.payload.size() > limit_) {
      response.code = coap::code::request_entity_too_large;
      return response;
    }
    before.insert(before.end(), request.payload.begin(), request.payload.end());
    resource_.content = std::move(before);
    response.code = coap::code::changed;
    return response;
  }

  RsResource resource_;
  std::size_t limit_;
};

Result<std::unique_ptr<RsRole>> RsRole::start(net::EventLoop& loop, RsSettings settings, Random& random) {
  std::unique_ptr<RsRole> role(new RsRole(loop));
  ACEWARD_TRY(role->set_up(std::move(settings), random));
  return role;
}

Result<> RsRole::set_up(RsSettings settings, Random& random) {
  ace::dtls::RsServiceConfig config;
  config.tokens = std::move(settings.tokens);
  config.server = std::move(settings.server);
  config.stack.dtls = settings.dtls;
  const crypto::PrivateKey channel_key = ACEWARD_TRY(settings.channel_key.private_key());
  config.stack.dtls->raw_key = ACEWARD_TRY(tls::RawKeyPair::from_key(channel_key));
  service_ = ACEWARD_TRY(ace::dtls::RsService::create(std::move(config), loop_.clock(), random));
  // MemoryResource evaluates these two (RFC 7252 section 5.10.8).
  service_->stack().endpoint().set_known_options(
      coap::KnownOptions::in_requests().add(coap::option::if_match).add(coap::option::if_none_match),
      coap::KnownOptions::in_responses());
  if (settings.on_session) service_->set_session_observer(std::move(settings.on_session));
  if (settings.on_decision) service_->server().set_observer(std::move(settings.on_decision));
  for (RsResource& resource : settings.resources) {
    const std::string path = resource.path;
    const bool is_public = resource.is_public;
    resources_.push_back(std::make_unique<MemoryResource>(std::move(resource), settings.content_limit));
    if (is_public) {
      service_->server().add_public(path, *resources_.back());
    } else {
      service_->server().add(path, *resources_.back());
    }
  }
  host_ = std::make_unique<net::ServerHost>(loop_, service_->stack(), *this);
  for (const Address& address : settings.listen) {
    addresses_.push_back(ACEWARD_TRY(host_->listen(coaps::ListenerKind::secure, address)));
  }
  for (const Address& address : settings.listen_plain) {
    plain_addresses_.push_back(ACEWARD_TRY(host_->listen(coaps::ListenerKind::plain, address)));
  }
  return {};
}

RsRole::RsRole(net::EventLoop& loop) : loop_(loop) {}
RsRole::~RsRole() = default;

void RsRole::close_sessions() {
  service_->stack().close_all(loop_.now());
  host_->wake();
}

void RsRole::pump(Instant now) { service_->pump(now); }
std::optional<Instant> RsRole::next_timeout() const { return service_->next_own_timeout(); }
void RsRole::on_timeout(Instant now) { service_->on_own_timeout(now); }

}  // namespace aceward::app
