// The token endpoint as a CoAP resource.
#pragma once

#include <functional>
#include <memory>

#include "aceward/ace/as/authenticated_client.h"
#include "aceward/ace/as/token_endpoint.h"
#include "aceward/base/time.h"
#include "aceward/coap/resource/router.h"

namespace aceward::ace::as {

/// Conventionally at the path `token` (RFC 9200 section 5.8). Takes POST alone. An answer that has to wait for the
/// ledger is sent through `layer` when it is there, as a separate response; `wake` is called after that (and only after
/// that), so that the datagram leaves: ServerHost::wake. Belongs to one thread. May go before its answers are there:
/// they are then dropped.
class TokenResource final : public coap::Resource {
 public:
  /// All of these outlive the resource. `layer` is the one that the router pulls from.
  TokenResource(TokenEndpoint& endpoint, const ChannelDirectory& channels, coap::Layer& layer, const Clock& clock,
                std::function<void()> wake = {});
  ~TokenResource() override;

  void handle(coap::ExchangeId id, const coap::Peer& peer, const coap::Request& request,
              coap::Responder& responder) override;
  std::span<const coap::Code> methods() const override;

 private:
  struct Link;
  TokenEndpoint& endpoint_;
  const ChannelDirectory& channels_;
  const Clock& clock_;
  std::shared_ptr<Link> link_;
};

}  // namespace aceward::ace::as
