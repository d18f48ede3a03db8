// For tests: a layer that a test feeds by hand, and resources to put on it.
#pragma once

#include <array>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "aceward/coap/resource/router.h"

namespace aceward::coap {

class ScriptedLayer final : public Layer {
 public:
  Result<ExchangeId> request(const Peer&, Request, Delivery, Instant) override { return ExchangeId(1); }
  void respond(ExchangeId id, Response response, Delivery, Instant) override {
    answers.emplace_back(id, std::move(response));
  }
  void cancel(ExchangeId id) override { cancelled.push_back(id); }
  std::optional<Event> next_event(Instant) override {
    if (events.empty()) return std::nullopt;
    auto event = std::move(events.front());
    events.pop_front();
    return event;
  }

  std::deque<Event> events;
  std::vector<std::pair<ExchangeId, Response>> answers;
  std::vector<ExchangeId> cancelled;
};

/// Answers GET and FETCH with its name; "silent" and "later" do what they are called.
class Named final : public Resource {
 public:
  explicit Named(std::string name) : name_(std::move(name)) {}
  void handle(ExchangeId id, const Peer&, const Request&, Responder& responder) override {
    if (name_ == "silent") return responder.stay_silent(id);
    if (name_ != "later") responder.respond(id, make_response(code::content, name_));
    last = id;
  }
  std::span<const Code> methods() const override { return methods_; }
  std::optional<links::Link> link() const override { return attributes; }

  ExchangeId last;
  std::optional<links::Link> attributes = links::Link{};

 private:
  std::string name_;
  std::array<Code, 2> methods_{code::get, code::fetch};
};

}  // namespace aceward::coap
