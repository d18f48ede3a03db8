// A layer that records what is asked of it, for the tests of the layers that stand on it.
#pragma once

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "aceward/coap/layer.h"

namespace aceward::coap {

class RecordingLayer final : public Layer {
 public:
  struct Asked {
    ExchangeId id;
    Peer to;
    Request request;
    Delivery delivery;
  };
  struct Answered {
    ExchangeId id;
    Response response;
    Delivery hint;
  };

  Result<ExchangeId> request(const Peer& to, Request request, Delivery delivery, Instant /*now*/) override {
    if (refuse) return std::unexpected(*refuse);
    const ExchangeId id(++last_);
    asked.push_back({id, to, std::move(request), delivery});
    return id;
  }
  void respond(ExchangeId id, Response response, Delivery hint, Instant /*now*/) override {
    answered.push_back({id, std::move(response), hint});
  }
  void cancel(ExchangeId id) override { cancelled.push_back(id); }
  std::optional<Event> next_event(Instant /*now*/) override {
    if (events.empty()) return std::nullopt;
    auto next = std::move(events.front());
    events.pop_front();
    return next;
  }

  /// A request from a peer, under a new id.
  ExchangeId arrive(const Peer& from, Request request, Reliability reliability = Reliability::confirmable) {
    const ExchangeId id(++last_);
    events.push_back(RequestArrived{id, from, std::move(request), reliability});
    return id;
  }
  /// An answer as the message layer would report it.
  void answer(ExchangeId id, const Peer& from, Response response, bool final = true) {
    const auto order = response.options.find_uint(option::observe);
    events.push_back(ResponseArrived{id, from, std::move(response), order, final});
  }
  void lose(ExchangeId id, Error why) { events.push_back(ExchangeGone{id, why}); }

  std::optional<Error> refuse;
  std::vector<Asked> asked;
  std::vector<Answered> answered;
  std::vector<ExchangeId> cancelled;
  std::deque<Event> events;

 private:
  std::uint64_t last_ = 0;
};

inline Peer peer_at(std::uint8_t host, std::uint16_t port = 40000) {
  return {Transport::udp, Address::v4(192, 0, 2, host, port), {}, 0, 0};
}

inline Request get_request(std::string_view path) {
  Request request;
  request.options.add_path(path);
  return request;
}

inline Request observe_request(std::string_view path, unsigned action = 0) {
  auto request = get_request(path);
  request.options.set_uint(option::observe, action);
  return request;
}

inline Response content(std::string_view text) { return {code::content, {}, to_bytes(text)}; }

}  // namespace aceward::coap
