// For tests: a layer below that records what comes down and hands up what the test says.
#pragma once

#include <deque>
#include <vector>

#include "aceward/coap/blockwise/two_ends.h"

namespace aceward::coap::block_test {

class ScriptedLayer final : public Layer {
 public:
  struct Sent {
    ExchangeId id;
    Peer to;
    Request request;
    Delivery delivery;
  };
  struct Answered {
    ExchangeId id;
    Response response;
  };

  std::vector<Sent> sent;
  std::vector<Answered> answered;
  std::vector<ExchangeId> cancelled;
  std::deque<Event> events;
  std::optional<Error> refusal;  // of the next requests
  std::uint64_t last_id = 0;

  Result<ExchangeId> request(const Peer& to, Request request, Delivery delivery, Instant) override {
    if (refusal) return std::unexpected(*refusal);
    sent.push_back({ExchangeId(++last_id), to, std::move(request), delivery});
    return sent.back().id;
  }
  void respond(ExchangeId id, Response response, Delivery, Instant) override {
    answered.push_back({id, std::move(response)});
  }
  void cancel(ExchangeId id) override { cancelled.push_back(id); }
  std::optional<Event> next_event(Instant) override {
    if (events.empty()) return std::nullopt;
    auto event = std::move(events.front());
    events.pop_front();
    return event;
  }
};

/// A server's block-wise layer, sent one request at a time.
class ServerAlone {
 public:
  explicit ServerAlone(const BlockwiseLimits& limits = {}, const BlockwiseParameters& parameters = {})
      : layer(below, parameters, limits, random_) {}

  /// Sends the request. The answer of the layer, as show() has it; "up" if the request was handed up, as `up`.
  std::string send(Request request, const Peer& from = client_address,
                   std::optional<std::size_t> answer_limit = std::nullopt) {
    up.reset();
    const auto before = below.answered.size();
    const ExchangeId id(++below.last_id);
    below.events.push_back(RequestArrived{id, from, std::move(request), Reliability::confirmable, answer_limit});
    if (auto event = layer.next_event(now)) {
      up = std::get<RequestArrived>(std::move(*event));
      return "up";
    }
    return below.answered.size() > before ? last() : "nothing";
  }
  /// Answers what was handed up last; what goes down, as show() has it.
  std::string respond(Response response, std::optional<ExchangeId> id = std::nullopt) {
    layer.respond(id.value_or(up ? up->id : ExchangeId{}), std::move(response), {}, now);
    return last();
  }
  const Response& answer() const { return below.answered.back().response; }
  std::string last() const { return show(answer().code, answer().options, answer().payload); }

  ScriptedLayer below;
  SeededRandom random_{7};
  Blockwise layer;
  Instant now{std::chrono::seconds(1000)};
  std::optional<RequestArrived> up;
};

/// A client's block-wise layer, whose server is the test.
class ClientAlone {
 public:
  explicit ClientAlone(const BlockwiseParameters& parameters = {}, const BlockwiseLimits& limits = {})
      : layer(below, parameters, limits, random_) {}

  ExchangeId ask(Code method, Bytes payload = {}, Options options = {}, Delivery delivery = {}) {
    options.add_path("r");
    return layer.request(server_address, Request{method, std::move(options), std::move(payload)}, delivery, now)
        .value();
  }
  /// Answers the request that was sent last (or `id`).
  void answer(Response response, std::optional<ExchangeId> id = std::nullopt, bool final = true) {
    const auto order = response.options.find_uint(option::observe);
    below.events.push_back(
        ResponseArrived{id.value_or(below.sent.back().id), server_address, std::move(response), order, final});
    pump();
  }
  void gone(Error reason, std::optional<ExchangeId> id = std::nullopt) {
    below.events.push_back(ExchangeGone{id.value_or(below.sent.back().id), reason});
    pump();
  }
  void pump() {
    while (auto event = layer.next_event(now)) heard.push_back(std::move(*event));
  }
  const Request& sent() const { return below.sent.back().request; }
  /// The request that was sent last, as show() has it.
  std::string last() const { return show(sent().method, sent().options, sent().payload); }
  const ResponseArrived& response() const { return std::get<ResponseArrived>(heard.back()); }
  const Error& reason() const { return std::get<ExchangeGone>(heard.back()).reason; }

  ScriptedLayer below;
  SeededRandom random_{8};
  Blockwise layer;
  Instant now{std::chrono::seconds(1000)};
  std::vector<Event> heard;
};

/// A message with a block of `body`: Block1 in a request, Block2 in a response.
inline Request block1_of(const Bytes& body, std::uint32_t num, unsigned size, Code method = code::put) {
  const BlockOption place{num, false, Szx::fitting(size)};
  const auto offset = std::min(place.offset(), body.size());
  const auto rest = BytesView(body).subspan(offset);
  Request request{method, {}, to_bytes(rest.first(std::min<std::size_t>(size, rest.size())))};
  request.options.add_path("r");
  set_block(request.options, option::block1, {num, rest.size() > size, place.szx});
  return request;
}
inline Response block2_of(const Bytes& body, std::uint32_t num, unsigned size, std::string_view etag = "e") {
  const BlockOption place{num, false, Szx::fitting(size)};
  const auto offset = std::min(place.offset(), body.size());
  const auto rest = BytesView(body).subspan(offset);
  Response response{code::content, {}, to_bytes(rest.first(std::min<std::size_t>(size, rest.size())))};
  if (!etag.empty()) response.options.add(option::etag, etag);
  set_block(response.options, option::block2, {num, rest.size() > size, place.szx});
  return response;
}
inline Request asking(Code method, std::uint32_t num, unsigned size, Bytes payload = {}) {
  Request request{method, {}, std::move(payload)};
  request.options.add_path("r");
  set_block(request.options, option::block2, {num, false, Szx::fitting(size)});
  return request;
}

}  // namespace aceward::coap::block_test
