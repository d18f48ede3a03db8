// A cache on a layer that records: for the tests of the cache.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "aceward/coap/cache/response_cache.h"
#include "aceward/coap/observe/observe_test_support.h"

namespace aceward::coap::testing_cache {

using namespace std::chrono_literals;

class CoapCache : public ::testing::Test {
 protected:
  void start(const CacheLimits& limits) { cache = std::make_unique<ResponseCache>(below, limits); }
  ExchangeId ask(Request request) { return ask(server, std::move(request)); }
  ExchangeId ask(const Peer& peer, Request request) {
    return cache->request(peer, std::move(request), {}, now).value();
  }
  /// Answers what went below last.
  void answer(Response response, bool final = true) {
    below.answer(below.asked.back().id, below.asked.back().to, std::move(response), final);
    run();
  }
  void run() {
    while (auto event = cache->next_event(now)) {
      if (const auto* arrived = std::get_if<ResponseArrived>(&*event)) {
        heard.push_back(*arrived);
      } else if (const auto* lost = std::get_if<ExchangeGone>(&*event)) {
        gone.push_back(*lost);
      }
    }
  }
  static Response aged(std::string_view text, std::uint32_t max_age, std::string_view etag = {}) {
    auto response = content(text);
    response.options.set_uint(option::max_age, max_age);
    if (!etag.empty()) response.options.add(option::etag, etag);
    return response;
  }
  static Response valid(std::string_view etag, std::optional<std::uint32_t> max_age = std::nullopt) {
    Response response{code::valid, {}, {}};
    response.options.add(option::etag, etag);
    if (max_age) response.options.set_uint(option::max_age, *max_age);
    return response;
  }
  static Request with_method(Code method, std::string_view path = "/a") {
    auto request = get_request(path);
    request.method = method;
    return request;
  }
  /// True if the answer came from the cache.
  bool hit(const Request& request) { return hit(server, request); }
  bool hit(const Peer& peer, const Request& request) {
    const auto before = below.asked.size();
    const auto id = ask(peer, request);
    if (below.asked.size() == before) {
      run();
      return !heard.empty() && heard.back().id == id;
    }
    cache->cancel(id);
    return false;
  }

  Instant now{1000s};
  RecordingLayer below;
  std::unique_ptr<ResponseCache> cache = std::make_unique<ResponseCache>(below);
  std::vector<ResponseArrived> heard;
  std::vector<ExchangeGone> gone;
  const Peer server = peer_at(9, 5683);
};

}  // namespace aceward::coap::testing_cache
