// Two endpoints on a network that loses, repeats, delays and reorders.
#include <gtest/gtest.h>

#include <map>

#include "aceward/coap/reliability/endpoint.h"

namespace aceward::coap {
namespace {

using namespace std::chrono_literals;

struct Weather {
  unsigned loss = 0;         // percent
  unsigned duplication = 0;  // percent
  Instant::duration longest_delay = 0ms;
};

// One client, one server whose handler answers after a delay of its own, driven to the end by time.
class RoughNetwork {
 public:
  RoughNetwork(std::uint64_t seed, Weather weather)
      : weather_(weather), random_(seed), client_({}, {}, random_), server_({}, {}, random_) {}

  ExchangeId post(unsigned number, Reliability reliability) {
    Request request{code::post, {}, to_bytes(std::to_string(number))};
    return client_.request(server_address_, std::move(request), {reliability, 0s}, now_).value();
  }

  void run() {
    while (true) {
      exchange();
      std::optional<Instant> next;
      const auto sooner = [&next](std::optional<Instant> at) {
        if (at && (!next || *at < *next)) next = at;
      };
      sooner(client_.next_timeout());
      sooner(server_.next_timeout());
      if (!flying_.empty()) sooner(flying_.begin()->first);
      if (!answers_.empty()) sooner(answers_.begin()->first);
      if (!next) return;
      now_ = std::max(now_, *next);
      client_.on_timeout(now_);
      server_.on_timeout(now_);
      while (!flying_.empty() && flying_.begin()->first <= now_) {
        const auto [to_server, datagram] = flying_.begin()->second;
        flying_.erase(flying_.begin());
        if (to_server) {
          server_.receive(client_address_, datagram, now_);
        } else {
          client_.receive(server_address_, datagram, now_);
        }
      }
      while (!answers_.empty() && answers_.begin()->first <= now_) {
        const auto [id, payload] = answers_.begin()->second;
        answers_.erase(answers_.begin());
        server_.respond(id, Response{code::changed, {}, payload}, {}, now_);
      }
    }
  }

  std::map<std::string, unsigned> acted;                    // at the server, by payload
  std::map<std::uint64_t, std::vector<std::string>> heard;  // at the client, by exchange
  unsigned lost = 0;                                        // ExchangeGone at the client
  Occupancy client_occupancy() const { return client_.occupancy(); }
  Occupancy server_occupancy() const { return server_.occupancy(); }

 private:
  void exchange() {
    while (auto event = server_.next_event(now_)) {
      if (const auto* arrived = std::get_if<RequestArrived>(&*event)) {
        ++acted[std::string(as_text(arrived->request.payload))];
        const auto delay = std::chrono::milliseconds(random_.below(2) == 0 ? 0 : random_.below(3000));
        answers_.emplace(now_ + delay, std::pair(arrived->id, arrived->request.payload));
      }
    }
    while (auto event = client_.next_event(now_)) {
      if (const auto* arrived = std::get_if<ResponseArrived>(&*event)) {
        heard[arrived->id.value].emplace_back(as_text(arrived->response.payload));
      } else {
        ++lost;
      }
    }
    while (auto out = client_.next_datagram()) fly(true, std::move(out->datagram));
    while (auto out = server_.next_datagram()) fly(false, std::move(out->datagram));
  }
  void fly(bool to_server, Bytes datagram) {
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
  Instant now_{1000s};
  Peer client_address_{Transport::udp, Address::v4(192, 0, 2, 1, 40000), {}, 0, 0};
  Peer server_address_{Transport::udp, Address::v4(192, 0, 2, 2, 5683), {}, 0, 0};
  Endpoint client_;
  Endpoint server_;
  std::multimap<Instant, std::pair<bool, Bytes>> flying_;
  std::multimap<Instant, std::pair<ExchangeId, Bytes>> answers_;
};

TEST(CoapNetwork, ACalmNetworkAnswersEverything) {
  RoughNetwork network(1, {0, 0, 10ms});
  for (unsigned i = 0; i < 20; ++i) network.post(i, Reliability::confirmable);
  network.run();
  EXPECT_EQ(network.acted.size(), 20U);
  EXPECT_EQ(network.heard.size(), 20U);
  EXPECT_EQ(network.lost, 0U);
}

TEST(CoapNetwork, ModerateLossIsOvercome) {
  unsigned answered = 0;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    RoughNetwork network(seed, {20, 10, 500ms});
    for (unsigned i = 0; i < 3; ++i) network.post(i, Reliability::confirmable);
    network.run();
    answered += static_cast<unsigned>(network.heard.size());
  }
  EXPECT_GE(answered, 290U);
}

// RFC 7252 section 4.5: whatever the network does within MAX_LATENCY, a request acts at most once, its answer is heard
// at most once and is that of this request, and every exchange comes to an end.
TEST(CoapNetwork, ANonIdempotentRequestNeverActsTwice) {
  unsigned all_acted = 0;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    SCOPED_TRACE(seed);
    SeededRandom dice(seed ^ 0xc0a9);
    const Weather weather{static_cast<unsigned>(dice.below(60)), static_cast<unsigned>(dice.below(60)),
                          std::chrono::milliseconds(1 + dice.below(dice.below(2) == 0 ? 100 : 20'000))};
    RoughNetwork network(seed, weather);
    std::map<std::uint64_t, std::string> asked;
    for (unsigned i = 0; i < 4; ++i) {
      const auto reliability = dice.below(3) == 0 ? Reliability::non_confirmable : Reliability::confirmable;
      asked[network.post(i, reliability).value] = std::to_string(i);
    }
    network.run();
    for (const auto& [payload, times] : network.acted) ASSERT_EQ(times, 1U) << payload;
    for (const auto& [id, answers] : network.heard) {
      ASSERT_EQ(answers.size(), 1U);
      ASSERT_EQ(answers.front(), asked.at(id));
    }
    ASSERT_EQ(network.heard.size() + network.lost, 4U);
    ASSERT_EQ(network.client_occupancy().requests, 0U);
    ASSERT_EQ(network.server_occupancy().answers, 0U);
    all_acted += network.acted.size() == 4 ? 1 : 0;
  }
  EXPECT_GT(all_acted, 500U) << "the weather must let most through, or nothing was tested";
}

TEST(CoapNetwork, TheSameSeedRunsTheSame) {
  const auto run = [] {
    RoughNetwork network(77, {30, 30, 5s});
    for (unsigned i = 0; i < 4; ++i) network.post(i, Reliability::confirmable);
    network.run();
    return std::pair(network.heard, network.lost);
  };
  EXPECT_EQ(run(), run());
}

}  // namespace
}  // namespace aceward::coap
