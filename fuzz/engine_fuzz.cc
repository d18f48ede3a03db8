// Two endpoints and a network of the input's making: one serves with an echo on top, one asks, and both hear datagrams
// of any content in any state. What must hold is asserted after every step.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <vector>

#include "aceward/coap/reasons.h"
#include "aceward/coap/reliability/endpoint.h"

namespace {

using namespace aceward;
using namespace std::chrono_literals;
using coap::Peer;

void require(bool holds) {
  if (!holds) std::abort();
}

/// The input, octet by octet; zero when it is used up.
class Script {
 public:
  explicit Script(BytesView octets) : rest_(octets) {}
  bool empty() const { return rest_.empty(); }
  std::uint8_t octet() {
    if (rest_.empty()) return 0;
    const auto first = rest_[0];
    rest_ = rest_.subspan(1);
    return first;
  }
  Bytes octets(std::size_t count) {
    const auto taken = rest_.first(std::min(count, rest_.size()));
    rest_ = rest_.subspan(taken.size());
    return to_bytes(taken);
  }

 private:
  BytesView rest_;
};

constexpr std::size_t peers = 4;

coap::Limits small() {
  coap::Limits limits;
  limits.peers = 6;
  limits.remembered = 12;
  limits.remembered_per_peer = 5;
  limits.requests = 6;
  limits.requests_per_peer = 3;
  limits.answers = 8;
  limits.answers_per_peer = 4;
  limits.events = 10;
  limits.datagrams = 10;
  limits.verified_addresses = 2;
  return limits;
}

/// An endpoint with what it told, so that it can be held to it.
class Watched {
 public:
  explicit Watched(std::uint64_t seed) : random_(seed), endpoint(coap::Parameters{}, small(), random_) {}

  static Peer peer(std::size_t number) {
    Peer one;
    one.remote = Address::v4(192, 0, 2, static_cast<std::uint8_t>(number), 5683);
    one.local = Address::v4(198, 51, 100, 1, 5683);
    if (number == peers - 1) {
      one.transport = coap::Transport::dtls;
      one.session = 7;
    }
    return one;
  }

  void request(std::size_t number, std::uint8_t how, Instant now) {
    coap::Request request;
    request.method = coap::Code(static_cast<std::uint8_t>(how % 7 + 1));
    if ((how & 8U) != 0) request.options.add_uint(coap::option::observe, 0);
    request.options.add_path("a/b");
    coap::Delivery delivery;
    delivery.reliability = static_cast<coap::Reliability>(how >> 4 & 1U);
    if ((how & 0x20U) != 0) delivery.timeout = 3s;
    if (const auto id = endpoint.request(peer(number), std::move(request), delivery, now)) {
      require(asked_.insert(id->value).second);
    }
  }

  void ping(std::size_t number, Instant now) {
    if (const auto id = endpoint.ping(peer(number), 5s, now)) require(asked_.insert(id->value).second);
  }

  void pull(Script& script, Instant now) {
    while (auto event = endpoint.next_event(now)) {
      if (auto* arrived = std::get_if<coap::RequestArrived>(&*event)) {
        require(arrived->id.value != 0 && open_.insert(arrived->id.value).second);
        require(arrived->request.method.is_request());
        order_.push_back(arrived->id);
        if ((script.octet() & 3U) != 0) respond(arrived->id, script.octet(), now);
        endpoint.recycle(std::move(arrived->request));
      } else if (const auto* answered = std::get_if<coap::ResponseArrived>(&*event)) {
        require(asked_.contains(answered->id.value));
        require(answered->response.code.is_response());
        if (answered->final) asked_.erase(answered->id.value);
      } else {
        const auto id = std::get<coap::ExchangeGone>(*event).id.value;
        require(asked_.erase(id) + open_.erase(id) == 1);
      }
    }
  }

  void respond(coap::ExchangeId id, std::uint8_t how, Instant now) {
    auto response = endpoint.spare_response();
    response.code = (how & 1U) != 0 ? coap::code::content : coap::code::not_found;
    if ((how & 2U) != 0) response.options.set_uint(coap::option::observe, ++sequence_);
    response.payload.assign((how & 4U) != 0 ? 300U : how % 16U, 'p');
    endpoint.respond(id, std::move(response),
                     {static_cast<coap::Reliability>(how >> 4 & 3U) > coap::Reliability::non_confirmable
                          ? coap::Reliability::automatic
                          : static_cast<coap::Reliability>(how >> 4 & 3U)},
                     now);
  }

  coap::ExchangeId any_open(std::uint8_t which) const {
    return order_.empty() ? coap::ExchangeId(which) : order_[which % order_.size()];
  }
  coap::ExchangeId any_asked(std::uint8_t which) const {
    if (asked_.empty()) return coap::ExchangeId(which);
    auto found = asked_.begin();
    std::advance(found, which % asked_.size());
    return coap::ExchangeId(*found);
  }
  void cancel(coap::ExchangeId id) {
    endpoint.cancel(id);
    asked_.erase(id.value);
    open_.erase(id.value);
  }

  /// Every datagram is one that a peer could parse, and none to an unknown address is too long.
  void collect() {
    while (auto out = endpoint.next_datagram()) {
      const auto message = coap::parse(out->datagram, {.token = coap::Token::max_size});
      require(message.has_value());
      require(out->datagram.size() <= small().datagram_size);
      if (sent.size() < 64) sent.push_back(out->datagram);
      endpoint.recycle(std::move(out->datagram));
    }
  }

  void check() const {
    const auto held = endpoint.occupancy();
    const auto limits = small();
    require(held.peers <= 2 * limits.peers);
    require(held.remembered <= 2 * limits.remembered);
    require(held.requests <= limits.requests);
    require(held.answers <= 2 * limits.answers + 1);
    require(held.datagrams <= limits.datagrams);
    // Beyond the requests of peers, an event for each exchange that ended and each response that is the last.
    require(held.events <= limits.events + 2 * (limits.requests + 2 * limits.answers) + 1);
  }

 private:
  SeededRandom random_;
  std::uint64_t sequence_ = 0;
  std::set<std::uint64_t> asked_;
  std::set<std::uint64_t> open_;
  std::vector<coap::ExchangeId> order_;

 public:
  coap::Endpoint endpoint;
  std::vector<Bytes> sent;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Script script(BytesView(data, size));
  Watched one(1);
  Watched other(2);
  auto known = coap::KnownOptions::in_requests();
  known.add(coap::option::oscore).add(coap::option::block1).add(coap::option::block2);
  one.endpoint.set_known_options(known, known);
  Instant now{1000s};
  const auto each = [&](auto&& act) {
    act(one);
    act(other);
  };
  for (int step = 0; step < 400 && !script.empty(); ++step) {
    const auto operation = script.octet();
    auto& at = (operation & 0x80U) != 0 ? other : one;
    auto& from = (operation & 0x80U) != 0 ? one : other;
    const auto peer = static_cast<std::size_t>(operation >> 5 & 3U);
    switch (operation & 0x1fU) {
      case 0: {  // any datagram
        const auto octets = script.octets(script.octet());
        at.endpoint.receive(Watched::peer(peer), octets, now);
        break;
      }
      case 1:    // what the other one sent, perhaps not for the first time
      case 2: {  // the same, changed
        if (from.sent.empty()) break;
        auto octets = from.sent[script.octet() % from.sent.size()];
        if ((operation & 0x1fU) == 2) octets[script.octet() % octets.size()] ^= script.octet();
        at.endpoint.receive(Watched::peer(peer), octets, now);
        break;
      }
      case 3: {  // one's own words thrown back
        if (at.sent.empty()) break;
        at.endpoint.receive(Watched::peer(peer), at.sent[script.octet() % at.sent.size()], now);
        break;
      }
      case 4: {  // an empty message about something that was sent
        if (at.sent.empty()) break;
        const auto& about = at.sent[script.octet() % at.sent.size()];
        const Bytes empty{static_cast<std::uint8_t>((operation & 0x10U) != 0 ? 0x70 : 0x60), 0, about[2], about[3]};
        at.endpoint.receive(Watched::peer(peer), empty, now);
        break;
      }
      case 5: at.request(peer, script.octet(), now); break;
      case 6: at.pull(script, now); break;
      case 7: {
        const auto which = at.any_open(script.octet());
        at.respond(which, script.octet(), now);
        break;
      }
      case 8: at.cancel(at.any_open(script.octet())); break;
      case 9: at.cancel(at.any_asked(script.octet())); break;
      case 10: now += std::chrono::milliseconds(50 * script.octet()); break;
      case 11: now += std::chrono::seconds(script.octet()); break;
      case 12:
        if (const auto next = at.endpoint.next_timeout()) now = std::max(now, *next);
        break;
      case 13: at.endpoint.on_timeout(now); break;
      case 14: at.collect(); break;
      case 15: at.endpoint.peer_gone(Watched::peer(peer), Error(reason::coap_not_answered), now); break;
      case 16: (void)at.endpoint.next_stalled(); break;
      case 17: at.ping(peer, now); break;
      default: {  // a whole turn, as a host does it
        at.pull(script, now);
        at.collect();
        at.endpoint.on_timeout(now);
        break;
      }
    }
    each([](const Watched& end) { end.check(); });
  }
  // Left alone, everything comes to its end but what is observed.
  each([&](Watched& end) {
    end.pull(script, now);
    for (int turn = 0; turn < 2000; ++turn) {
      const auto next = end.endpoint.next_timeout();
      if (!next) break;
      now = std::max(now, *next);
      end.endpoint.on_timeout(now);
      end.pull(script, now);
      end.collect();
    }
    require(!end.endpoint.next_timeout() || *end.endpoint.next_timeout() > now);
    end.check();
  });
  return 0;
}
