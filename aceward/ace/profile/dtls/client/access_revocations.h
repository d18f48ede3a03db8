// Follows an authorization server's list of revoked tokens (RFC 9770). Internal to this folder.
#pragma once

#include <optional>
#include <set>

#include "aceward/ace/revocation/layer_follower.h"
#include "aceward/coap/observe/observation_client.h"

namespace aceward::ace::dtls::detail {

/// A layer for one user among several: AccessClient takes the events of the layer below, and offers each of them here.
class SharedLayer final : public coap::Layer {
 public:
  /// `below` outlives it.
  explicit SharedLayer(coap::Layer& below) : below_(below) {}

  /// True, and next_event() has it: it belongs to a request that was sent from here.
  bool offer(coap::Event& event);

  Result<coap::ExchangeId> request(const coap::Peer& to, coap::Request request, coap::Delivery delivery,
                                   Instant now) override;
  /// Whoever is asked something is somebody else.
  void respond(coap::ExchangeId, coap::Response, coap::Delivery, Instant) override {}
  void cancel(coap::ExchangeId id) override;
  std::optional<coap::Event> next_event(Instant now) override;

 private:
  coap::Layer& below_;
  std::set<coap::ExchangeId> open_;
  std::optional<coap::Event> offered_;
};

/// On whatever session with the authorization server there is. Not thread-safe.
class ListFollowing {
 public:
  /// Both outlive it.
  ListFollowing(revocation::FollowerSettings settings, coap::Layer& layer, Random& random)
      : layer_(layer), observations_(layer_, random), follower_(std::move(settings), observations_, random) {}

  /// Whether the event was an answer to it.
  bool take(coap::Event& event, Instant now);
  /// The session from now on; nullopt: there is none.
  void use(const std::optional<coap::Peer>& session, Instant now);
  /// Nobody wants to know any more; the authorization server is told.
  void stop(Instant now);
  /// After a session was lost another one is made for it after a while, doubling.
  bool may_connect(Instant now) const { return now >= not_before_; }
  void connect_failed(Instant now);

  const std::optional<coap::Peer>& session() const { return session_; }
  /// While somebody wants to know.
  Instant next_timeout() const;
  void on_timeout(Instant now);
  std::optional<revocation::Revocation> next() { return follower_.next(); }
  /// Reads the list at once.
  void refresh(Instant now) { follower_.refresh(now); }
  const revocation::Follower& follower() const { return follower_.follower(); }

 private:
  void drain(Instant now);

  SharedLayer layer_;
  coap::ObservationClient observations_;
  revocation::LayerFollower follower_;
  std::optional<coap::Peer> session_;
  Instant not_before_;
  std::chrono::nanoseconds delay_{0};
};

}  // namespace aceward::ace::dtls::detail
