#include "aceward/ace/as/token_resource.h"

#include <array>

namespace aceward::ace::as {

/// What answers that are still to come need. They hold it weakly: without the resource nobody is answered.
struct TokenResource::Link {
  coap::Layer& layer;
  const Clock& clock;
  std::function<void()> wake;
};

TokenResource::TokenResource(TokenEndpoint& endpoint, const ChannelDirectory& channels, coap::Layer& layer,
                             const Clock& clock, std::function<void()> wake)
    : endpoint_(endpoint),
      channels_(channels),
      clock_(clock),
      link_(std::make_shared<Link>(Link{layer, clock, std::move(wake)})) {}

TokenResource::~TokenResource() = default;

std::span<const coap::Code> TokenResource::methods() const {
  static constexpr std::array<coap::Code, 1> post_alone{coap::code::post};
  return post_alone;
}

void TokenResource::handle(coap::ExchangeId id, const coap::Peer& peer, const coap::Request& request,
                           coap::Responder& responder) {
  const auto client = channels_.client_of(peer);
  if (!client && !channels_.is_protected_without_identity(peer)) {
    responder.respond(id, endpoint_.refuse_unauthenticated(clock_.wall()));
    return;
  }
  // Answered within this call: through the responder, and nobody has to be woken.
  const auto at_once = std::make_shared<coap::Responder*>(&responder);
  auto done = [id, at_once, weak = std::weak_ptr<Link>(link_)](coap::Response response) {
    if (*at_once != nullptr) {
      (*at_once)->respond(id, std::move(response));
      return;
    }
    const auto link = weak.lock();
    if (link == nullptr) return;
    link->layer.respond(id, std::move(response), {}, link->clock.now());
    if (link->wake) link->wake();
  };
  if (client) {
    endpoint_.process(*client, request, clock_.wall(), std::move(done));
  } else {
    endpoint_.process_with_secret(peer.remote, request, clock_.wall(), std::move(done));
  }
  *at_once = nullptr;
}

}  // namespace aceward::ace::as
