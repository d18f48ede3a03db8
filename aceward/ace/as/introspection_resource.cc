#include "aceward/ace/as/introspection_resource.h"

#include <array>

namespace aceward::ace::as {

std::span<const coap::Code> IntrospectionResource::methods() const {
  static constexpr std::array<coap::Code, 1> introspected_by_post{coap::code::post};
  return introspected_by_post;
}

void IntrospectionResource::handle(coap::ExchangeId id, const coap::Peer& peer, const coap::Request& request,
                                   coap::Responder& responder) {
  const IntrospectionAsker asker{channels_.client_of(peer), channels_.server_of(peer)};
  responder.respond(id, endpoint_.process(asker, request, clock_.wall()));
}

}  // namespace aceward::ace::as
