// A server's observations on a layer that records, with resources to observe: for the tests of observations.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <vector>

#include "aceward/coap/observe/observations.h"
#include "aceward/coap/observe/observe_test_support.h"

namespace aceward::coap::testing_observations {

using namespace std::chrono_literals;

// A value that can be read, later if so told, in any format and with any code.
class Gauge final : public Resource {
 public:
  void handle(ExchangeId id, const Peer& /*peer*/, const Request& request, Responder& responder) override {
    ++asked;
    last_request = request;
    if (later) return pending.push_back(id);
    responder.respond(id, make());
  }
  std::span<const Code> methods() const override { return methods_; }
  Response make() const {
    Response response{answer, {}, answer == code::content ? to_bytes(value) : Bytes{}};
    if (format) response.options.set_content_format(*format);
    if (max_age) response.options.set_uint(option::max_age, *max_age);
    return response;
  }

  std::string value = "1";
  Code answer = code::content;
  std::optional<ContentFormat> format = content_format::text_plain;
  std::optional<std::uint32_t> max_age;
  bool later = false;
  unsigned asked = 0;
  Request last_request;
  std::vector<ExchangeId> pending;

 private:
  std::array<Code, 3> methods_{code::get, code::fetch, code::post};
};

class CoapObservations : public ::testing::Test {
 protected:
  CoapObservations() { start({}, {}); }

  void start(const ObservableSettings& settings, const ObservationLimits& limits) {
    observations = std::make_unique<Observations>(below, random, limits);
    router = std::make_unique<Router>(*observations);
    router->add("/gauge", gauge);
    router->add("/plain", plain);
    observations->allow("/gauge", settings);
  }
  void run() {
    while (auto event = router->next_event(now)) others.push_back(*event);
  }
  /// Lets the time pass, with each timer at its time.
  void pass(Instant::duration time) {
    const auto end = now + time;
    run();
    while (const auto next = observations->next_timeout()) {
      if (*next > end) break;
      now = std::max(now, *next);
      observations->on_timeout(now);
      run();
    }
    now = end;
  }
  ExchangeId observe(const Peer& peer, Reliability reliability = Reliability::confirmable,
                     std::string_view path = "/gauge") {
    const auto id = below.arrive(peer, observe_request(path), reliability);
    run();
    return id;
  }
  void change(std::string_view value) {
    gauge.value = value;
    observations->changed("/gauge", now);
    run();
  }
  std::vector<RecordingLayer::Answered> answers_to(ExchangeId id) const {
    std::vector<RecordingLayer::Answered> found;
    for (const auto& one : below.answered) {
      if (one.id == id) found.push_back(one);
    }
    return found;
  }
  static std::optional<std::uint64_t> number_of(const RecordingLayer::Answered& answer) {
    return answer.response.options.find_uint(option::observe);
  }
  static std::string text_of(const RecordingLayer::Answered& answer) {
    return std::string(as_text(answer.response.payload));
  }
  static bool is_confirmable(const RecordingLayer::Answered& answer) {
    return answer.hint.reliability == Reliability::confirmable;
  }

  Instant now{1000s};
  SeededRandom random{7};
  RecordingLayer below;
  Gauge gauge;
  Gauge plain;
  std::unique_ptr<Observations> observations;
  std::unique_ptr<Router> router;
  std::vector<Event> others;
  const Peer alice = peer_at(1);
  const Peer bob = peer_at(2);
};

}  // namespace aceward::coap::testing_observations
