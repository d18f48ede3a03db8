#include "aceward/ace/profile/dtls/client/access_layer.h"

#include <algorithm>
#include <utility>

namespace aceward::ace::dtls {

Result<coap::ExchangeId> AccessLayer::request(const coap::Peer& to, coap::Request request, coap::Delivery delivery,
                                              Instant now) {
  latest_ = std::max(latest_, now);
  const std::size_t server = ACEWARD_TRY(client_.server_at(to.remote));
  Operation operation;
  operation.request = std::move(request);
  operation.plain_answer_allowed = to.transport == coap::Transport::udp;
  operation.reliability = delivery.reliability;
  if (delivery.timeout.count() > 0) operation.timeout = delivery.timeout;
  operation.renews = OperationId(delivery.token_of.value);
  return coap::ExchangeId(client_.submit(server, std::move(operation), now).value);
}

void AccessLayer::cancel(coap::ExchangeId id) { client_.cancel(OperationId(id.value), latest_); }

std::optional<coap::Event> AccessLayer::next_event(Instant now) {
  latest_ = std::max(latest_, now);
  client_.pump(now);
  if (auto notified = client_.next_notification()) {
    return coap::ResponseArrived{
        coap::ExchangeId(notified->id.value), {}, std::move(notified->response), notified->order, false};
  }
  auto completed = client_.next_completed();
  if (!completed) return std::nullopt;
  last_completed_ = std::move(*completed);
  const coap::ExchangeId id(last_completed_->id.value);
  if (!last_completed_->result) return coap::ExchangeGone{id, last_completed_->result.error()};
  return coap::ResponseArrived{id, {}, *last_completed_->result, std::nullopt, true};
}

std::optional<Instant> AccessLayer::next_timeout() const {
  const auto operation = client_.next_timeout();
  const auto renewal = client_.next_renewal();
  return operation && renewal ? std::min(*operation, *renewal) : operation ? operation : renewal;
}

void AccessLayer::on_timeout(Instant now) {
  latest_ = std::max(latest_, now);
  client_.on_timeout(now);
}

}  // namespace aceward::ace::dtls
