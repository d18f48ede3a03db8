// A resource server without its transport: takes a layer's events, lets tokens in, decides, and hands requests to
// resources.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "aceward/ace/rs/access_control.h"
#include "aceward/ace/rs/authz_info.h"
#include "aceward/coap/resource/router.h"

namespace aceward::ace::rs {

/// A resource that only authorized requests reach.
class GuardedResource {
 public:
  virtual ~GuardedResource() = default;
  /// Answers now through `responder`, or keeps `id` and answers later through ResourceServer::layer(). What is answered
  /// later is answered with 4.01 instead when the client's rights have ended by then.
  virtual void handle(coap::ExchangeId id, const AuthorizedRequest& request, coap::Responder& responder) = 0;
};

struct ResourceServerConfig {
  std::string authz_info_path = "/authz-info";
  HintsConfig hints;
  std::vector<std::string> hosts;  ///< see AccessControl
  TokenStoreLimits tokens;
  AuthzInfoLimits authz_info;
  IntrospectionSettings introspection;
  /// Creation hints carry a nonce, and every token must have one that is not older than this (RFC 9200 section 5.3.1):
  /// what it takes a client to get a token, with some allowance. Absent: no nonces.
  std::optional<std::chrono::seconds> cnonce_lifetime;
  /// Whether `/.well-known/core` lists authz-info and the public resources, for anybody. What is guarded is not listed.
  bool discovery = true;
  /// Guarded requests that wait for an answer or for the authorization server; more are answered 5.03.
  std::size_t pending = 4096;
};

/// What a resource server did: for logs and traces.
struct Decision {
  coap::Peer peer;
  coap::Code method;
  coap::Code answered;       ///< 0.00 when the resource itself answers
  std::optional<Error> why;  ///< of a refusal
};

/// What a resource server can be given from outside. All outlive it; null: it does without.
struct ResourceServerPorts {
  ExpiredSequences* sequences = nullptr;  ///< without it tokens with exi are refused
  Introspector* introspector = nullptr;
  Random* random = nullptr;  ///< for nonces
};

/// Public resources and authz-info are found first; every other path is judged by AccessControl before it is known
/// whether it exists, so that a client without rights cannot tell (a covered path without a resource gets 4.04).
/// Not thread-safe.
class ResourceServer {
 public:
  using Observer = std::move_only_function<void(const Decision&)>;

  /// All references outlive the server. `clock` tells civil time, to compare with exp; where that is not synchronized
  /// (TokenVerifierConfig), see SteadyClock. Errors: those of TokenVerifier::create, `cnonce_without_random`.
  static Result<std::unique_ptr<ResourceServer>> create(ResourceServerConfig config, TokenVerifierConfig tokens,
                                                        coap::Layer& layer, const ChannelBindings& bindings,
                                                        const Clock& clock, ResourceServerPorts ports = {});
  ~ResourceServer();
  ResourceServer(const ResourceServer&) = delete;
  ResourceServer& operator=(const ResourceServer&) = delete;

  /// The resource outlives the server. The path is that of coap::path_of: segments between slashes, not decoded.
  void add(std::string_view path, GuardedResource& resource);
  /// Reachable by anybody, over any channel: `/.well-known/core` and the like.
  void add_public(std::string_view path, coap::Resource& resource);

  /// Issuers, keys, audiences and scopes from now on. Tokens and sessions stay, except those of TokenStore::reconsider,
  /// which end_expired() reports. `takes_exi` and `nonces` are set here. Configured keys too, with the new scopes;
  /// absent: they keep what they have. Errors: those of TokenVerifier::create and TokenStore::set_configured; then
  /// nothing has changed.
  Result<> reconfigure(TokenVerifierConfig tokens, HintsConfig hints, std::vector<std::string> hosts,
                       std::optional<std::vector<ConfiguredKey>> configured_keys = std::nullopt);
  /// See TokenStore::set_configured.
  Result<> set_configured_keys(std::vector<ConfiguredKey> keys);
  /// See TokenStore::end_token; end_expired() reports the key. What waits in its name is answered there.
  bool end_token(BytesView token_hash);

  /// Handles all events that the layer and the introspector have.
  void pump(Instant now);
  /// Drops expired tokens, answers their pending requests with 4.01, and returns the keys whose channels must now be
  /// closed (RFC 9202 section 5): after the answers have left. To be called after pump and at next_expiry().
  std::vector<EntryId> end_expired(Instant now);
  /// Whether such a request would be let through to what answers it: for layers below that give out, block by block,
  /// what was answered before.
  bool allows(const coap::Peer& peer, const coap::Request& request) const;
  /// When end_expired() will have something to do.
  std::optional<WallTime> next_expiry() const;
  /// When pump() wants to be called though nothing arrived: rights that must be confirmed.
  std::optional<Instant> next_timeout() const;

  /// Through which handlers answer later.
  coap::Layer& layer();
  TokenStore& tokens();
  AuthzInfo& authz_info();
  AccessControl& access();
  /// Called after each decision; null switches it off.
  void set_observer(Observer observer);
  std::size_t pending_count() const;
  /// Requests that wait until the authorization server has confirmed a token.
  std::size_t held_count() const;

 private:
  struct Impl;
  explicit ResourceServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace aceward::ace::rs
