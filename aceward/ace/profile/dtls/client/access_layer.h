// An AccessClient as a CoAP layer: observations, caches and whatever else stacks on layers works on protected resources
// as it does on open ones.
#pragma once

#include <deque>
#include <optional>

#include "aceward/ace/profile/dtls/client/access_client.h"
#include "aceward/coap/layer.h"

namespace aceward::ace::dtls {

/// Requests go to a server by its address, plain or secure; permission is obtained on the way. The transport of the
/// Peer says whether an answer without DTLS will do. The ids are those of the client's operations, so that one
/// AccessClient serves one AccessLayer and nobody else. Not thread-safe.
class AccessLayer final : public coap::Layer {
 public:
  /// `client` outlives the layer.
  explicit AccessLayer(AccessClient& client) : client_(client) {}

  /// Errors: `server_unknown`. ExchangeGone reasons: those of Completed.
  Result<coap::ExchangeId> request(const coap::Peer& to, coap::Request request, coap::Delivery delivery,
                                   Instant now) override;
  /// Nobody asks a client.
  void respond(coap::ExchangeId, coap::Response, coap::Delivery, Instant) override {}
  void cancel(coap::ExchangeId id) override;
  std::optional<coap::Event> next_event(Instant now) override;
  /// Without the stack's own.
  std::optional<Instant> next_timeout() const override;
  void on_timeout(Instant now) override;

  /// What the last Completed that was taken said beyond its result, for messages to people.
  const std::optional<Completed>& last_completed() const { return last_completed_; }

 private:
  AccessClient& client_;
  Instant latest_;
  std::optional<Completed> last_completed_;
};

}  // namespace aceward::ace::dtls
