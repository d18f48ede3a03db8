#include "aceward/ace/rs/resource_server.h"

#include <algorithm>
#include <utility>

#include "aceward/ace/rs/reasons.h"

namespace aceward::ace::rs {
namespace {

bool is_path(const coap::Path& path, const coap::Options& options) {
  std::size_t index = 0;
  for (const coap::OptionView option : options) {
    if (option.number != coap::option::uri_path) continue;
    if (index == path.size() || path[index++] != as_text(option.value)) return false;
  }
  return index == path.size();
}

/// Does the exchange stay open after this response (RFC 7641)?
bool stays_open(bool is_observation, const coap::Response& response) {
  return is_observation && response.code.is_success() && response.options.has(coap::option::observe);
}

}  // namespace

struct ResourceServer::Impl {
  /// An exchange with a guarded resource that may still be answered.
  struct Pending {
    Grant grant;
    bool is_observation;
  };

  /// What handlers answer through: whatever comes later than the request asks the grant again.
  class Gate final : public coap::Layer {
   public:
    explicit Gate(Impl& impl) : impl_(impl) {}
    Result<coap::ExchangeId> request(const coap::Peer& to, coap::Request request, coap::Delivery delivery,
                                     Instant now) override {
      return impl_.lower.request(to, std::move(request), delivery, now);
    }
    void respond(coap::ExchangeId id, coap::Response response, coap::Delivery hint, Instant now) override {
      impl_.respond(id, std::move(response), hint, now);
    }
    void cancel(coap::ExchangeId id) override {
      if (id == impl_.current) impl_.current_is_over = true;
      impl_.pending.erase(id);
      impl_.lower.cancel(id);
    }
    std::optional<coap::Event> next_event(Instant now) override { return impl_.lower.next_event(now); }
    std::optional<Instant> next_timeout() const override { return impl_.lower.next_timeout(); }
    void on_timeout(Instant now) override { impl_.lower.on_timeout(now); }

   private:
    Impl& impl_;
  };

  Impl(ResourceServerConfig&& config, std::unique_ptr<ClientNonces> made_nonces, TokenVerifier&& made,
       coap::Layer& layer, const ChannelBindings& bindings, const Clock& the_clock, ResourceServerPorts ports)
      : lower(layer),
        clock(the_clock),
        has_sequences(ports.sequences != nullptr),
        nonces(std::move(made_nonces)),
        verifier(std::move(made)),
        tokens(config.tokens),
        authz_info(verifier, tokens, config.authz_info, ports.sequences, ports.introspector, config.introspection),
        access(tokens, bindings, verifier.scopes(), std::move(config.hints), std::move(config.hosts), nonces.get()),
        authz_info_path(coap::path_of(config.authz_info_path)),
        pending_limit(config.pending),
        discovery(config.discovery),
        public_resources(layer),
        gate(*this) {
    public_resources.well_known_core(discovery);
    // RFC 9200 sections 5.10.1 and 8.2: how a client finds where tokens go.
    coap::links::Link link;
    link.target = coap::to_reference(authz_info_path);
    link.add("rt", "ace.ai").add("ct", coap::content_format::cwt.value);
    public_resources.list(std::move(link));
  }

  void on(coap::RequestArrived&& arrived, Instant now);
  void guard(coap::RequestArrived&& arrived, Instant now);
  void take_token(const coap::RequestArrived& arrived, Instant now);
  /// Keeps the request until the authorization server was asked about the entry. False if it cannot be.
  bool hold(coap::RequestArrived& arrived, EntryId entry, Instant now);
  void take_answers(Instant now);
  void release(EntryId entry, bool was_reached, Instant now);
  void confirm_in_time(Instant now);
  void forget(coap::ExchangeId id);
  void hand_over(coap::ExchangeId id, const AuthorizedRequest& request, Instant now);
  void respond(coap::ExchangeId id, coap::Response response, coap::Delivery hint, Instant now);
  void tell(const coap::RequestArrived& arrived, coap::Code answered, std::optional<Error> why) {
    if (observer) observer({arrived.peer, arrived.request.method, answered, why});
  }
  /// Reachable by anybody, over any channel.
  bool is_open(const coap::Peer& peer, const coap::Options& options) {
    return is_path(authz_info_path, options) || (discovery && is_path(well_known_core, options)) ||
           public_resources.find(peer, options) != nullptr;
  }
  GuardedResource* find(const coap::Options& options) const {
    const auto found = std::ranges::find_if(guarded, [&](const auto& entry) { return is_path(entry.first, options); });
    return found == guarded.end() ? nullptr : found->second;
  }

  coap::Layer& lower;
  const Clock& clock;
  bool has_sequences;
  std::unique_ptr<ClientNonces> nonces;
  TokenVerifier verifier;
  TokenStore tokens;
  AuthzInfo authz_info;
  AccessControl access;
  coap::Path authz_info_path;
  std::size_t pending_limit;
  bool discovery;
  coap::Path well_known_core = coap::path_of("/.well-known/core");
  coap::Router public_resources;
  std::vector<std::pair<coap::Path, GuardedResource*>> guarded;
  std::map<coap::ExchangeId, Pending> pending;
  std::map<QueryId, coap::RequestArrived> posts;  ///< of tokens that are being asked about; without their payload
  std::map<EntryId, std::vector<coap::RequestArrived>> held;
  std::size_t held_count = 0;
  std::optional<Instant> next_confirmation;
  /// The exchange whose handler runs now, whether it observes, and whether it needs no more answer.
  coap::ExchangeId current;
  bool current_is_observation = false;
  bool current_is_over = false;
  Observer observer;
  Gate gate;
};

void ResourceServer::Impl::on(coap::RequestArrived&& arrived, Instant now) {
  const coap::Options& options = arrived.request.options;
  if (is_path(authz_info_path, options)) return take_token(arrived, now);
  if (discovery && is_path(well_known_core, options)) {
    public_resources.dispatch(arrived, now);
    return;
  }
  if (public_resources.find(arrived.peer, options) != nullptr) {
    public_resources.dispatch(arrived, now);
    return;
  }
  guard(std::move(arrived), now);
}

void ResourceServer::Impl::take_token(const coap::RequestArrived& arrived, Instant now) {
  auto answer = authz_info.handle(arrived.peer, arrived.request, now, clock.wall());
  if (answer.waits_for) {
    posts.emplace(*answer.waits_for,
                  coap::RequestArrived{arrived.id,
                                       arrived.peer,
                                       {.method = arrived.request.method, .options = {}, .payload = {}},
                                       arrived.reliability});
    return;
  }
  tell(arrived, answer.response.code, answer.why);
  lower.respond(arrived.id, std::move(answer.response), {}, now);
}

bool ResourceServer::Impl::hold(coap::RequestArrived& arrived, EntryId entry, Instant now) {
  if (held_count + pending.size() >= pending_limit) return false;
  if (!authz_info.reconfirm(entry, now, clock.wall())) return false;
  held[entry].push_back(std::move(arrived));
  ++held_count;
  return true;
}

void ResourceServer::Impl::take_answers(Instant now) {
  while (auto completion = authz_info.complete_next(now, clock.wall())) {
    if (completion->answer) {
      const auto post = posts.extract(completion->query);
      if (post.empty()) continue;
      tell(post.mapped(), completion->answer->response.code, completion->answer->why);
      lower.respond(post.mapped().id, std::move(completion->answer->response), {}, now);
    } else {
      release(completion->entry, completion->was_reached, now);
    }
  }
}

void ResourceServer::Impl::release(EntryId entry, bool was_reached, Instant now) {
  auto waiting = held.extract(entry);
  if (waiting.empty()) return;
  held_count -= waiting.mapped().size();
  for (coap::RequestArrived& arrived : waiting.mapped()) {
    if (was_reached) {
      guard(std::move(arrived), now);
      continue;
    }
    tell(arrived, coap::code::service_unavailable, Error(reason::introspection_unavailable));
    lower.respond(arrived.id, coap::make_response(coap::code::service_unavailable), {}, now);
  }
}

/// Observations go on while the authorization server says that they may: it is asked before its last answer is too
/// old, and again and again where that failed.
void ResourceServer::Impl::confirm_in_time(Instant now) {
  const auto pace = std::max<std::chrono::nanoseconds>(authz_info.cache() / 6, std::chrono::milliseconds(100));
  if (!authz_info.asks() || pending.empty()) {
    next_confirmation.reset();
    return;
  }
  if (next_confirmation && *next_confirmation > now) return;
  next_confirmation = now + pace;
  std::set<EntryId> entries;
  for (const auto& [id, waiting] : pending) entries.insert(waiting.grant.entry());
  for (const EntryId id : entries) {
    const TokenEntry* entry = tokens.find(id, clock.wall());
    if (entry == nullptr || !entry->confirmed_until || *entry->confirmed_until - now > 3 * pace) continue;
    if (!authz_info.reconfirm(id, now, clock.wall())) return;  // later
  }
}

void ResourceServer::Impl::forget(coap::ExchangeId id) {
  pending.erase(id);
  std::erase_if(posts, [&](const auto& post) { return post.second.id == id; });
  if (held_count == 0) return;
  for (auto& [entry, waiting] : held) {
    held_count -= std::erase_if(waiting, [&](const coap::RequestArrived& arrived) { return arrived.id == id; });
  }
}

void ResourceServer::Impl::guard(coap::RequestArrived&& arrived, Instant now) {
  auto refusal = access.authorize(arrived.peer, arrived.request, clock.wall(), [&](const AuthorizedRequest& request) {
    tell(arrived, coap::code::empty, std::nullopt);
    hand_over(arrived.id, request, now);
  });
  if (!refusal) return;
  if (refusal->unconfirmed && hold(arrived, *refusal->unconfirmed, now)) return;
  tell(arrived, refusal->response.code, refusal->why);
  lower.respond(arrived.id, std::move(refusal->response), {}, now);
}

void ResourceServer::Impl::hand_over(coap::ExchangeId id, const AuthorizedRequest& request, Instant now) {
  const coap::Options& options = request.request().options;
  GuardedResource* resource = find(options);
  if (resource == nullptr) {
    lower.respond(id, coap::make_response(coap::code::not_found), {}, now);
    return;
  }
  if (pending.size() >= pending_limit) {
    lower.respond(id, coap::make_response(coap::code::service_unavailable), {}, now);
    return;
  }
  current = id;
  current_is_observation = options.find_uint(coap::option::observe) == 0;
  current_is_over = false;
  coap::Responder responder(gate, now);
  resource->handle(id, request, responder);
  current = {};
  if (!current_is_over) pending.emplace(id, Pending{request.grant(), current_is_observation});
}

void ResourceServer::Impl::respond(coap::ExchangeId id, coap::Response response, coap::Delivery hint, Instant now) {
  if (id == current) {
    if (!stays_open(current_is_observation, response)) current_is_over = true;
    lower.respond(id, std::move(response), hint, now);
    return;
  }
  tokens.age(now);
  const auto found = pending.find(id);
  if (found == pending.end()) return;  // answered, ended or gone
  if (auto refusal = access.renew(found->second.grant, clock.wall())) {
    pending.erase(found);
    lower.respond(id, std::move(refusal->response), {}, now);
    return;
  }
  if (!stays_open(found->second.is_observation, response)) pending.erase(found);
  lower.respond(id, std::move(response), hint, now);
}

Result<std::unique_ptr<ResourceServer>> ResourceServer::create(ResourceServerConfig config, TokenVerifierConfig tokens,
                                                               coap::Layer& layer, const ChannelBindings& bindings,
                                                               const Clock& clock, ResourceServerPorts ports) {
  std::unique_ptr<ClientNonces> nonces;
  if (config.cnonce_lifetime) {
    if (ports.random == nullptr) return fail(reason::cnonce_without_random);
    nonces = std::make_unique<ClientNonces>(*config.cnonce_lifetime, *ports.random);
  }
  tokens.nonces = nonces.get();
  tokens.takes_exi = ports.sequences != nullptr;
  auto verifier = ACEWARD_TRY(TokenVerifier::create(std::move(tokens)));
  return std::unique_ptr<ResourceServer>(new ResourceServer(std::make_unique<Impl>(
      std::move(config), std::move(nonces), std::move(verifier), layer, bindings, clock, ports)));
}

Result<> ResourceServer::reconfigure(TokenVerifierConfig tokens, HintsConfig hints, std::vector<std::string> hosts,
                                     std::optional<std::vector<ConfiguredKey>> configured_keys) {
  tokens.nonces = impl_->nonces.get();
  tokens.takes_exi = impl_->has_sequences;
  auto verifier = ACEWARD_TRY(TokenVerifier::create(std::move(tokens)));
  if (configured_keys) {
    ACEWARD_TRY(impl_->tokens.set_configured(std::move(*configured_keys), verifier.scopes(), impl_->clock.wall()));
  }
  // Nothing fails from here on.
  impl_->verifier = std::move(verifier);
  impl_->access.reconfigure(std::move(hints), std::move(hosts));
  impl_->tokens.reconsider(impl_->verifier, impl_->clock.wall());
  return {};
}

Result<> ResourceServer::set_configured_keys(std::vector<ConfiguredKey> keys) {
  return impl_->tokens.set_configured(std::move(keys), impl_->verifier.scopes(), impl_->clock.wall());
}

bool ResourceServer::end_token(BytesView token_hash) {
  return impl_->tokens.end_token(token_hash, impl_->clock.wall());
}

ResourceServer::ResourceServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ResourceServer::~ResourceServer() = default;

void ResourceServer::add(std::string_view path, GuardedResource& resource) {
  coap::Path segments = coap::path_of(path);
  std::erase_if(impl_->guarded, [&](const auto& entry) { return entry.first == segments; });
  impl_->guarded.emplace_back(std::move(segments), &resource);
}

void ResourceServer::add_public(std::string_view path, coap::Resource& resource) {
  impl_->public_resources.add(path, resource);
}

void ResourceServer::pump(Instant now) {
  impl_->tokens.age(now);
  impl_->take_answers(now);
  while (auto event = impl_->lower.next_event(now)) {
    if (auto* arrived = std::get_if<coap::RequestArrived>(&*event)) {
      impl_->on(std::move(*arrived), now);
    } else if (const auto* gone = std::get_if<coap::ExchangeGone>(&*event)) {
      impl_->forget(gone->id);
    }
  }
  impl_->confirm_in_time(now);
}

std::optional<Instant> ResourceServer::next_timeout() const {
  const auto stale = impl_->tokens.next_staleness();
  if (stale && impl_->next_confirmation) return std::min(*stale, *impl_->next_confirmation);
  return stale ? stale : impl_->next_confirmation;
}

std::vector<EntryId> ResourceServer::end_expired(Instant now) {
  std::vector<EntryId> ended = impl_->tokens.expire(impl_->clock.wall());
  if (ended.empty()) return ended;
  std::vector<coap::ExchangeId> over;
  for (const auto& [id, waiting] : impl_->pending) {
    if (std::ranges::find(ended, waiting.grant.entry()) != ended.end()) over.push_back(id);
  }
  for (const coap::ExchangeId id : over) impl_->respond(id, coap::make_response(coap::code::unauthorized), {}, now);
  return ended;
}

bool ResourceServer::allows(const coap::Peer& peer, const coap::Request& request) const {
  return impl_->is_open(peer, request.options) || impl_->access.allows(peer, request, impl_->clock.wall());
}

std::optional<WallTime> ResourceServer::next_expiry() const { return impl_->tokens.next_expiry(); }

coap::Layer& ResourceServer::layer() { return impl_->gate; }
TokenStore& ResourceServer::tokens() { return impl_->tokens; }
AuthzInfo& ResourceServer::authz_info() { return impl_->authz_info; }
AccessControl& ResourceServer::access() { return impl_->access; }
void ResourceServer::set_observer(Observer observer) { impl_->observer = std::move(observer); }
std::size_t ResourceServer::held_count() const { return impl_->held_count; }
std::size_t ResourceServer::pending_count() const { return impl_->pending.size(); }

}  // namespace aceward::ace::rs
