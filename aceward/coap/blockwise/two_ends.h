// For tests: a client and a server with block-wise transfer on a network that is calm or rough.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "aceward/coap/blockwise/blockwise.h"
#include "aceward/coap/message/message.h"
#include "aceward/coap/reliability/endpoint.h"

namespace aceward::coap::block_test {

inline const Peer client_address{Transport::udp, Address::v4(192, 0, 2, 1, 40000), {}, 0, 0};
inline const Peer server_address{Transport::udp, Address::v4(192, 0, 2, 2, 5683), {}, 0, 0};

/// A body whose every octet tells its place and which body it is.
inline Bytes body_of(std::size_t size, unsigned which = 0) {
  Bytes body(size);
  for (std::size_t i = 0; i < size; ++i) body[i] = static_cast<std::uint8_t>(i * 7 + (i >> 8) * 13 + which * 101 + 1);
  return body;
}

/// `2:1/0/128`, as RFC 7959 section 3 writes it.
inline std::string show_block(char which, const Options& options, OptionNumber number) {
  const auto block = find_block(options, number);
  if (!block) return std::string(" ") + which + ":malformed";
  if (!*block) return "";
  return std::string(" ") + which + ":" + std::to_string((*block)->num) + "/" + ((*block)->more ? "1" : "0") + "/" +
         std::to_string((*block)->szx.size());
}

/// `GET /status 2:1/0/128`, `2.05 2:1/1/128 [128]`: code, path, Observe, the blocks, and the payload's length.
inline std::string show(Code code, const Options& options, BytesView payload) {
  std::string text = code.is_request() ? std::string(code.name()) : code.number();
  if (code.is_request()) {
    text += " ";
    for (const auto segment : options.path()) text += "/" + std::string(segment);
  }
  if (const auto observe = options.find_uint(option::observe)) text += " observe:" + std::to_string(*observe);
  text += show_block('1', options, option::block1) + show_block('2', options, option::block2);
  if (!payload.empty()) text += " [" + std::to_string(payload.size()) + "]";
  return text;
}

struct Weather {
  unsigned loss = 0;         // percent
  unsigned duplication = 0;  // percent
  Instant::duration longest_delay{0};
};

struct Setup {
  BlockwiseParameters client;
  BlockwiseParameters server;
  BlockwiseLimits client_limits;
  BlockwiseLimits server_limits;
  Weather weather;
  std::uint64_t seed = 1;
  std::size_t unverified_answer = 0;  // of the server
};

/// What became of a request.
struct Outcome {
  std::vector<ResponseArrived> responses;
  std::optional<Error> gone;

  const Response& response() const { return responses.at(0).response; }
};

class TwoEnds {
 public:
  /// Answers a request now, or keeps it (nullopt) for respond().
  using Handler = std::function<std::optional<Response>(const RequestArrived&)>;

  explicit TwoEnds(const Setup& setup = {})
      : weather_(setup.weather),
        random_(setup.seed),
        client_end_({}, {}, random_),
        server_end_({}, limits(setup), random_),
        client_(client_end_, setup.client, setup.client_limits, random_),
        server_(server_end_, setup.server, setup.server_limits, random_) {
    auto requests = KnownOptions::in_requests();
    auto responses = KnownOptions::in_responses();
    Blockwise::add_known_options(requests);
    Blockwise::add_known_options(responses);
    requests.add(option::if_none_match).add(option::if_match);
    client_end_.set_known_options(requests, responses);
    server_end_.set_known_options(requests, responses);
  }

  Handler handler;
  std::vector<std::string> trace;  // `CON [1234] GET /status`, by `>` and `<` from and to the client
  std::map<std::uint64_t, Outcome> outcomes;
  std::set<std::size_t> lost;  // lines of the trace whose datagram does not arrive

  Result<ExchangeId> request(Code method, std::string_view path, Bytes payload = {}, Options options = {},
                             Delivery delivery = {}) {
    options.add_path(path);
    return client_.request(server_address, Request{method, std::move(options), std::move(payload)}, delivery, now_);
  }
  /// Sends, waits for the end of all, and tells what came of it.
  Outcome ask(Code method, std::string_view path, Bytes payload = {}, Options options = {}, Delivery delivery = {}) {
    const auto id = request(method, path, std::move(payload), std::move(options), delivery);
    if (!id) return Outcome{{}, id.error()};
    run();
    return outcomes[id->value];
  }

  /// Until nothing is on its way and the client waits for nothing, or until `end`.
  void run(std::optional<Instant> end = std::nullopt) {
    while (true) {
      exchange();
      std::optional<Instant> next;
      const auto sooner = [&next](std::optional<Instant> at) {
        if (at && (!next || *at < *next)) next = at;
      };
      sooner(client_.next_timeout());
      if (client_.occupancy().transfers > 0) sooner(server_.next_timeout());
      if (!flying_.empty()) sooner(flying_.begin()->first);
      if (!next || (end && *next > *end)) {
        if (end) now_ = std::max(now_, *end);
        return;
      }
      now_ = std::max(now_, *next);
      client_.on_timeout(now_);
      server_.on_timeout(now_);
      while (!flying_.empty() && flying_.begin()->first <= now_) {
        const auto [to_server, datagram] = flying_.begin()->second;
        flying_.erase(flying_.begin());
        if (to_server) {
          server_end_.receive(client_address, datagram, now_);
        } else {
          client_end_.receive(server_address, datagram, now_);
        }
      }
    }
  }
  /// Lets time pass.
  void wait(Instant::duration by) {
    run(now_ + by);
    server_.on_timeout(now_);
  }

  Blockwise& client() { return client_; }
  Blockwise& server() { return server_; }
  Endpoint& client_end() { return client_end_; }
  Instant now() const { return now_; }
  Random& random() { return random_; }

 private:
  static Limits limits(const Setup& setup) {
    Limits limits;
    limits.unverified_answer = setup.unverified_answer;
    return limits;
  }
  void exchange() {
    bool again = true;
    while (std::exchange(again, false)) {
      while (auto event = server_.next_event(now_)) {
        if (const auto* arrived = std::get_if<RequestArrived>(&*event)) {
          if (auto response = handler(*arrived)) server_.respond(arrived->id, std::move(*response), {}, now_);
        }
      }
      while (auto event = client_.next_event(now_)) {
        if (auto* arrived = std::get_if<ResponseArrived>(&*event)) {
          outcomes[arrived->id.value].responses.push_back(std::move(*arrived));
        } else if (const auto* gone = std::get_if<ExchangeGone>(&*event)) {
          outcomes[gone->id.value].gone = gone->reason;
        }
      }
      while (auto out = client_end_.next_datagram()) fly(true, std::move(out->datagram));
      while (auto out = server_end_.next_datagram()) fly(false, std::move(out->datagram));
    }
  }
  void fly(bool to_server, Bytes datagram) {
    const auto message = parse(datagram).value();
    if (!first_message_id_) first_message_id_ = message.message_id;
    const auto number = static_cast<std::uint16_t>(message.message_id - *first_message_id_);
    const bool bare = message.code.is_empty();
    trace.push_back(std::string(to_server ? "> " : "< ") + std::string(name_of(message.type)) + " [" +
                    (message.type == Type::acknowledgement || to_server ? std::to_string(1234 + number) : "own") + "]" +
                    (bare ? "" : " " + show(message.code, message.options, message.payload)));
    if (lost.contains(trace.size() - 1)) return;
    const unsigned copies =
        (random_.below(100) >= weather_.loss ? 1U : 0U) + (random_.below(100) < weather_.duplication ? 1U : 0U);
    for (unsigned copy = 0; copy < copies; ++copy) {
      const auto delay = Instant::duration(
          static_cast<Instant::rep>(random_.below(static_cast<std::uint64_t>(weather_.longest_delay.count()) + 1)));
      flying_.emplace(now_ + delay, std::pair(to_server, datagram));
    }
  }

  Weather weather_;
  SeededRandom random_;
  Instant now_{std::chrono::seconds(1000)};
  Endpoint client_end_;
  Endpoint server_end_;
  Blockwise client_;
  Blockwise server_;
  std::optional<std::uint16_t> first_message_id_;
  std::multimap<Instant, std::pair<bool, Bytes>> flying_;
};

}  // namespace aceward::coap::block_test
