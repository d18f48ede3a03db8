#include "app/roles/rs_role.h"

#include <algorithm>
#include <array>

#include "aceward/coap/resource/stored_resource.h"

namespace aceward::app {

/// GET reads, PUT replaces, POST appends, DELETE removes.
class RsRole::MemoryResource final : public ace::rs::GuardedResource, public coap::Resource {
 public:
  MemoryResource(RsResource resource, std::size_t limit, std::function<void(Instant)> changed)
      : methods_(std::move(resource.methods)), stored_(resource.format, std::move(resource.content), rules(limit)) {
    stored_.take_posts([this, limit](coap::StoredResource&, const coap::Request& request, Instant now) {
      return append(request, limit, now);
    });
    stored_.on_change([changed = std::move(changed)](const coap::StoredResource&, Instant now) { changed(now); });
  }

  void handle(coap::ExchangeId id, const ace::rs::AuthorizedRequest& request, coap::Responder& responder) override {
    answer(id, request.request(), responder);
  }

  /// Without authorization it is readable at most.
  void handle(coap::ExchangeId id, const coap::Peer& /*peer*/, const coap::Request& request,
              coap::Responder& responder) override {
    answer(id, request, responder);
  }
  std::span<const coap::Code> methods() const override {
    static constexpr std::array<coap::Code, 1> read_only{coap::code::get};
    return read_only;
  }
  bool evaluates_preconditions() const override { return true; }
  std::optional<coap::links::Link> link() const override {
    auto link = stored_.link();
    if (link) link->add("obs");
    return link;
  }

 private:
  static coap::StoredRules rules(std::size_t limit) {
    coap::StoredRules rules;
    rules.put = true;
    rules.delete_ = true;
    rules.max_size = limit;
    return rules;
  }

  void answer(coap::ExchangeId id, const coap::Request& request, coap::Responder& responder) {
    if (!methods_.empty() && std::ranges::find(methods_, request.method) == methods_.end()) {
      return responder.respond(id, coap::make_response(coap::code::method_not_allowed));
    }
    responder.respond(id, stored_.answer(request, responder.now(), responder.spare()));
  }

  coap::Response append(const coap::Request& request, std::size_t limit, Instant now) {
    const coap::Representation* before = stored_.representation();
    const coap::ContentFormat format = before != nullptr ? before->format : coap::content_format::octet_stream;
    if (request.options.content_format().value_or(format) != format) {
      return coap::make_response(coap::code::unsupported_content_format);
    }
    Bytes content = before != nullptr ? before->content : Bytes{};
    if (content.size() + request.payload.size() > limit) {
      return coap::make_response(coap::code::request_entity_too_large);
    }
    content.insert(content.end(), request.payload.begin(), request.payload.end());
    stored_.set(format, std::move(content), now);
    return coap::make_response(coap::code::changed);
  }

  std::vector<coap::Code> methods_;
  coap::StoredResource stored_;
};

class RsRole::Link final : public net::Application {
 public:
  explicit Link(RsRole& role) : role_(role) {}
  void pump(Instant /*now*/) override { role_.host_->wake(); }

 private:
  RsRole& role_;
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
  config.stack.parameters = settings.messages.parameters;
  config.stack.limits = settings.messages.limits;
  config.stack.blockwise = settings.messages.blockwise;
  config.stack.blockwise_limits = settings.messages.blockwise_limits;
  config.observations = settings.messages.observations;
  const crypto::PrivateKey channel_key = ACEWARD_TRY(settings.channel_key.private_key());
  config.stack.dtls->raw_key = ACEWARD_TRY(tls::RawKeyPair::from_key(channel_key));
  config.stack.dtls->ticket_key = ACEWARD_TRY(tls::TicketKey::generate());
  config.configured_keys = std::move(settings.configured_keys);
  if (settings.anonymous_sessions > 0) config.anonymous.emplace().most = settings.anonymous_sessions;
  if (!settings.sequences.empty()) {
    sequences_ = ACEWARD_TRY(store::SequenceFile::open(settings.sequences.string()));
    config.sequences = &*sequences_;
  }
  config.as_link = std::move(settings.as_link);
  service_ = ACEWARD_TRY(ace::dtls::RsService::create(std::move(config), loop_.clock(), random));
  if (settings.on_session) service_->set_session_observer(std::move(settings.on_session));
  if (settings.on_decision) service_->server().set_observer(std::move(settings.on_decision));
  for (RsResource& resource : settings.resources) {
    const std::string path = resource.path;
    const bool is_public = resource.is_public;
    service_->observations().allow(path);
    const auto changed = [this, path](Instant now) { service_->observations().changed(path, now); };
    resources_.push_back(std::make_unique<MemoryResource>(std::move(resource), settings.content_limit, changed));
    if (is_public) {
      service_->server().add_public(path, *resources_.back());
    } else {
      service_->server().add(path, *resources_.back());
    }
  }
  host_ = std::make_unique<net::ServerHost>(loop_, service_->stack(), *this);
  if (ace::dtls::AsLink* link = service_->as_link()) {
    link_ = std::make_unique<Link>(*this);
    link_host_ = std::make_unique<net::ClientHost>(loop_, link->stack(), *link_);
  }
  for (const Address& address : settings.listen) {
    addresses_.push_back(ACEWARD_TRY(host_->listen(coaps::ListenerKind::secure, address)));
  }
  for (const Address& address : settings.listen_plain) {
    plain_addresses_.push_back(ACEWARD_TRY(host_->listen(coaps::ListenerKind::plain, address)));
    if (std::ranges::find(settings.trusted_plain, address) != settings.trusted_plain.end()) {
      service_->stack().endpoint().set_unverified_answer(plain_addresses_.back(), 0);
    }
  }
  return {};
}

RsRole::RsRole(net::EventLoop& loop) : loop_(loop) {}
RsRole::~RsRole() {
  // Sockets first: nothing may arrive while the rest goes.
  link_host_.reset();
  host_.reset();
}

Result<> RsRole::reconfigure(RsSettings settings) {
  ACEWARD_TRY(service_->reconfigure({.tokens = std::move(settings.tokens),
                                     .hints = std::move(settings.server.hints),
                                     .hosts = std::move(settings.server.hosts),
                                     .configured_keys = std::move(settings.configured_keys)}));
  host_->wake();
  return {};
}

bool RsRole::has_answers_due() {
  return service_->stack().endpoint().occupancy().answers > service_->observations().observers();
}

void RsRole::close_sessions() {
  service_->stack().close_all(loop_.now());
  host_->wake();
}

void RsRole::pump(Instant now) {
  service_->pump(now);
  if (link_host_ && service_->as_link()->wants_wake()) link_host_->wake();
}
std::optional<Instant> RsRole::next_timeout() const { return service_->next_own_timeout(); }
void RsRole::on_timeout(Instant now) { service_->on_own_timeout(now); }

}  // namespace aceward::app
