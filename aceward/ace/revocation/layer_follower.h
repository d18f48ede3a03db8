// A Follower on a CoAP layer: for a stack whose events one loop takes.
#pragma once

#include <map>
#include <optional>

#include "aceward/ace/revocation/follower.h"
#include "aceward/coap/observe/observation_client.h"

namespace aceward::ace::revocation {

/// Sends the follower's requests to one peer through an ObservationClient, and hands it what comes. Not thread-safe.
///
///     LayerFollower follower({}, observations, random);
///     follower.start(peer, now);                          // the session with the AS is established
///     while (auto event = observations.next_event(now))
///       if (!follower.take(*event, now)) ...              // somebody else's
///     follower.on_timeout(now);                           // at next_timeout(), and after events
///     while (auto change = follower.next()) ...
class LayerFollower {
 public:
  /// Both outlive the follower.
  LayerFollower(FollowerSettings settings, coap::ObservationClient& layer, Random& random);

  /// The AS can be asked at `as`, over a channel that authenticates it. Also for a new channel.
  void start(const coap::Peer& as, Instant now);
  /// The channel is gone, or nobody wants to know any more.
  void stop(Instant now);
  /// Whether the event was an answer to the follower; sends what it wants to ask next.
  bool take(const coap::Event& event, Instant now);
  std::optional<Instant> next_timeout() const { return follower_.next_timeout(); }
  void on_timeout(Instant now);

  std::optional<Revocation> next() { return follower_.next(); }
  void refresh(Instant now);
  const Follower& follower() const { return follower_; }

 private:
  Follower follower_;
  coap::ObservationClient& layer_;
  std::optional<coap::Peer> as_;
  std::map<coap::ExchangeId, std::uint64_t> open_;
};

}  // namespace aceward::ace::revocation
