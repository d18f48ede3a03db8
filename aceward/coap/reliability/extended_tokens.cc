#include "aceward/coap/reliability/extended_tokens.h"

#include <algorithm>
#include <utility>

#include "aceward/coap/reasons.h"

namespace aceward::coap {

Result<ExchangeId> ExtendedTokens::probe(Layer& layer, const Peer& to, std::uint16_t size, Instant now) {
  Request request;
  request.options.add_empty(option::if_none_match);
  Delivery delivery;
  delivery.reliability = Reliability::confirmable;  // REQUIRED: only that is sure to be rejected with a Reset
  delivery.token_size = size;
  const auto id = ACEWARD_TRY(layer.request(to, std::move(request), delivery, now));
  probes_.emplace(id, Probe{to, size});
  return id;
}

bool ExtendedTokens::take(const Event& event, Instant now) {
  const auto id = std::visit([](const auto& one) { return one.id; }, event);
  const auto found = probes_.find(id);
  if (found == probes_.end()) return false;
  const auto probe = found->second;
  probes_.erase(found);
  bool taken = false;
  if (const auto* arrived = std::get_if<ResponseArrived>(&event)) {
    taken = arrived->response.code != code::bad_request;
  } else if (const auto* gone = std::get_if<ExchangeGone>(&event);
             gone == nullptr || gone->reason != reason::coap_reset_by_peer) {
    return true;  // nothing was learned
  }
  if (!known_.contains(probe.to) && known_.size() >= most_peers) {
    known_.erase(std::ranges::min_element(known_, {}, [](const auto& one) { return one.second.until; }));
  }
  auto& known = known_[probe.to];
  if (known.until <= now) known = {};
  known.until = now + valid_for;
  if (taken) {
    known.taken = std::max<std::size_t>(known.taken, probe.size);
  } else {
    known.refused = std::min<std::size_t>(known.refused, probe.size);
  }
  return true;
}

std::optional<bool> ExtendedTokens::supported(const Peer& by, std::size_t size, Instant now) const {
  if (size <= 8) return true;
  const auto found = known_.find(by);
  if (found == known_.end() || found->second.until <= now) return std::nullopt;
  if (size >= found->second.refused) return false;
  if (size <= found->second.taken) return true;
  return std::nullopt;
}

}  // namespace aceward::coap
