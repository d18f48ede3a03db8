#include "aceward/coap/blockwise/blockwise.h"

#include <algorithm>
#include <utility>

#include "aceward/coap/blockwise/client_side.h"
#include "aceward/coap/blockwise/server_side.h"

namespace aceward::coap {

struct Blockwise::State {
  State(Layer& layer_below, const BlockwiseParameters& the_parameters, const BlockwiseLimits& the_limits,
        Random& random)
      : below(layer_below),
        parameters(the_parameters),
        limits(the_limits),
        server(below, parameters, limits, counters, random),
        client(below, parameters, limits, counters, random) {}

  Layer& below;
  const BlockwiseParameters parameters;
  const BlockwiseLimits limits;
  BlockwiseCounters counters;
  BlockServer server;
  BlockClient client;
};

Blockwise::Blockwise(Layer& below, const BlockwiseParameters& parameters, const BlockwiseLimits& limits, Random& random)
    : state_(std::make_unique<State>(below, parameters, limits, random)) {}
Blockwise::~Blockwise() = default;

void Blockwise::add_known_options(KnownOptions& known) { known.add(option::block1).add(option::block2); }

Result<ExchangeId> Blockwise::request(const Peer& to, Request request, Delivery delivery, Instant now) {
  return state_->client.request(to, std::move(request), delivery, now);
}

void Blockwise::respond(ExchangeId id, Response response, Delivery hint, Instant now) {
  state_->server.respond(id, std::move(response), hint, now);
}

void Blockwise::cancel(ExchangeId id) {
  if (state_->client.cancel(id)) return;
  state_->server.closed(id);
  state_->below.cancel(id);
}

std::optional<Event> Blockwise::next_event(Instant now) {
  while (auto event = state_->below.next_event(now)) {
    if (auto* request = std::get_if<RequestArrived>(&*event)) {
      if (state_->server.on_request(*request, now)) return event;
    } else if (auto* response = std::get_if<ResponseArrived>(&*event)) {
      if (auto whole = state_->client.on_response(std::move(*response), now)) return whole;
    } else {
      const auto& gone = std::get<ExchangeGone>(*event);
      state_->server.closed(gone.id);
      if (auto passed = state_->client.on_gone(gone)) return passed;
    }
  }
  return std::nullopt;
}

std::optional<Instant> Blockwise::next_timeout() const {
  const auto below = state_->below.next_timeout();
  const auto own = state_->server.next_expiry();
  return below && own ? std::min(*below, *own) : below ? below : own;
}

void Blockwise::on_timeout(Instant now) {
  state_->below.on_timeout(now);
  state_->server.expire(now);
}

Response Blockwise::spare_response() { return state_->below.spare_response(); }

void Blockwise::give_back(Options&& options, Bytes&& payload) {
  state_->below.give_back(std::move(options), std::move(payload));
}

void Blockwise::forget(const Peer& peer) { state_->server.forget(peer); }

void Blockwise::set_guard(Guard guard) { state_->server.set_guard(std::move(guard)); }

const BlockwiseCounters& Blockwise::counters() const { return state_->counters; }

BlockwiseOccupancy Blockwise::occupancy() const {
  BlockwiseOccupancy occupancy;
  state_->server.report(occupancy);
  state_->client.report(occupancy);
  return occupancy;
}

}  // namespace aceward::coap
