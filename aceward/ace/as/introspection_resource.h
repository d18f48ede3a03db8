// The introspection endpoint as a CoAP resource.
#pragma once

#include "aceward/ace/as/authenticated_client.h"
#include "aceward/ace/as/introspection_endpoint.h"
#include "aceward/base/time.h"
#include "aceward/coap/resource/router.h"

namespace aceward::ace::as {

/// Conventionally at the path `introspect` (RFC 9200 section 5.9). Takes POST alone, answers at once. Belongs to one
/// thread.
class IntrospectionResource final : public coap::Resource {
 public:
  /// All of these outlive the resource.
  IntrospectionResource(IntrospectionEndpoint& endpoint, const ChannelDirectory& channels, const Clock& clock)
      : endpoint_(endpoint), channels_(channels), clock_(clock) {}

  void handle(coap::ExchangeId id, const coap::Peer& peer, const coap::Request& request,
              coap::Responder& responder) override;
  std::span<const coap::Code> methods() const override;

 private:
  IntrospectionEndpoint& endpoint_;
  const ChannelDirectory& channels_;
  const Clock& clock_;
};

}  // namespace aceward::ace::as
