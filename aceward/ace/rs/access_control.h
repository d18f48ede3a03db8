// Whether a request may be done, decided before any resource is looked up (RFC 9200 section 5.10.2, RFC 9202
// section 3.4).
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "aceward/ace/params/creation_hints.h"
#include "aceward/ace/rs/authorized_request.h"

namespace aceward::ace::rs {

/// The port to whoever owns secure channels: which key the peer of a channel has proven to hold.
class ChannelBindings {
 public:
  struct Binding {
    EntryId entry;             ///< may be gone from the store: then its last token has ended
    std::optional<Bytes> kid;  ///< of the key
  };
  virtual ~ChannelBindings() = default;
  /// Null when `peer` is not at the other end of a live channel established by this profile. The pointer lives until
  /// the bindings change.
  virtual const Binding* binding_of(const coap::Peer& peer) const = 0;
};

/// What a refused client is told of where it can get a token (RFC 9200 section 5.3).
struct HintsConfig {
  /// Absolute URI of the token endpoint; without it no hints are sent at all.
  std::optional<std::string> as_uri;
  std::optional<std::string> audience;
  /// Whether a scope is suggested: of `text`, the first scope-token that allows the request; of `aif`, the request's
  /// own path and method. Only what the client asked for is told either way.
  enum class SuggestScope : std::uint8_t { no, text, aif } suggest_scope = SuggestScope::no;
};

struct Refusal {
  Error why;
  coap::Response response;
  /// The request would be judged anew once the authorization server has confirmed the token of this entry.
  std::optional<EntryId> unconfirmed = std::nullopt;
};

/// Not thread-safe.
class AccessControl {
 public:
  struct Counters {
    std::uint64_t allowed = 0;
    std::uint64_t unauthorized = 0;        ///< 4.01
    std::uint64_t forbidden = 0;           ///< 4.03
    std::uint64_t method_not_allowed = 0;  ///< 4.05
    std::uint64_t unconfirmed = 0;         ///< 5.03, or the request waits
  };

  /// `hosts`: values of Uri-Host under which this server is asked; empty: any. `nonces`: those that hints carry; null:
  /// none. All references outlive this object.
  AccessControl(const TokenStore& store, const ChannelBindings& bindings, const ScopeMap& scopes, HintsConfig hints,
                std::vector<std::string> hosts = {}, const ClientNonces* nonces = nullptr);

  void reconfigure(HintsConfig hints, std::vector<std::string> hosts);

  /// Calls `use(const AuthorizedRequest&)` if the request may be done; else returns what to answer:
  ///   4.01 on an unprotected channel, or without a live token; with hints, and the key's kid if there is a channel;
  ///   4.03 if the token does not cover the path and query, or the request is for another host;
  ///   4.05 if it covers them, but not the method. Both with hints: the client is authenticated.
  ///   5.03 if the token would allow it, but what the authorization server said about it is too old.
  /// What the owner gave to the key itself counts beside the token.
  template <class Use>
  std::optional<Refusal> authorize(const coap::Peer& peer, const coap::Request& request, WallTime now, Use&& use) {
    auto entry = judge(peer, request.options, request.method, now);
    if (!entry) return std::move(entry.error());
    const AuthorizedRequest authorized(peer, request, *entry);
    std::forward<Use>(use)(authorized);
    return std::nullopt;
  }

  /// Asks again. The answer to send when the grant has ended: the codes above, but 4.01 too when the channel or its key
  /// are no longer those of the grant.
  std::optional<Refusal> renew(const Grant& grant, WallTime now);

  /// Whether authorize() would allow it, without any of its effects.
  bool allows(const coap::Peer& peer, const coap::Request& request, WallTime now) const;

  const Counters& counters() const { return counters_; }

 private:
  std::expected<EntryId, Refusal> judge(const coap::Peer& peer, const coap::Options& options, coap::Code method,
                                        WallTime now);
  Refusal refuse(const Reason& reason, coap::Code code, const ChannelBindings::Binding* binding,
                 const coap::Options& options, coap::Code method, WallTime now);
  bool is_for_us(const coap::Options& options) const;

  const TokenStore& store_;
  const ChannelBindings& bindings_;
  const ScopeMap& scopes_;
  HintsConfig hints_;
  std::vector<std::string> hosts_;
  const ClientNonces* nonces_;
  Counters counters_;
};

}  // namespace aceward::ace::rs
