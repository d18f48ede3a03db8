// How a role's CoAP layers behave and what they may hold.
#pragma once

#include "aceward/coap/blockwise/limits.h"
#include "aceward/coap/observe/observations.h"
#include "aceward/coap/reliability/parameters.h"

namespace aceward::app {

struct MessageSettings {
  coap::Parameters parameters{};
  coap::Limits limits{};
  coap::BlockwiseParameters blockwise{};
  coap::BlockwiseLimits blockwise_limits{};
  coap::ObservationLimits observations{};
};

}  // namespace aceward::app
