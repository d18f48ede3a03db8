#include "sim/network.h"

#include <algorithm>

#include "aceward/coap/message/pretty.h"

namespace aceward::sim {

using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

std::string text_of(const Datagram& datagram) {
  std::string text = datagram.from.to_string() + " > " + datagram.to.to_string() + "  ";
  if (const auto message = coap::parse(datagram.octets)) {
    text += coap::pretty(*message);
    if (!message->payload.empty()) text += "  payload " + std::to_string(message->payload.size());
    return text;
  }
  return text + std::to_string(datagram.octets.size()) + " octets " +
         to_hex(BytesView(datagram.octets).first(std::min<std::size_t>(datagram.octets.size(), 48)));
}

std::pair<Network::Ip, Network::Ip> pair_of(const Address& a, const Address& b) { return std::minmax(a.ip, b.ip); }

}  // namespace

Weather random_weather(Run& run) {
  Weather weather;
  switch (run.dice.below(4)) {
    case 0:  // fair: a local network
      break;
    case 1:  // windy: some loss, some reordering
      weather.loss = static_cast<unsigned>(run.between(0, 100));
      weather.duplication = static_cast<unsigned>(run.between(0, 50));
      weather.most_delay = milliseconds(run.between(5, 300));
      break;
    case 2:  // foul: a radio at its limit
      weather.loss = static_cast<unsigned>(run.between(100, 500));
      weather.duplication = static_cast<unsigned>(run.between(0, 400));
      weather.most_delay = milliseconds(run.between(5, 4000));
      break;
    default:  // far: as late as the standard allows for
      weather.loss = static_cast<unsigned>(run.between(0, 200));
      weather.duplication = static_cast<unsigned>(run.between(0, 300));
      weather.most_delay = run.chance(200) ? max_latency : milliseconds(run.between(1000, 30'000));
      break;
  }
  return weather;
}

void Network::attach(const Address& host, Node& node) { nodes_[host.ip] = &node; }
void Network::detach(const Address& host) { nodes_.erase(host.ip); }

void Network::set_weather(const Weather& weather) {
  weather_ = weather;
  weather_.most_delay = std::min(weather_.most_delay, max_latency);
  weather_.least_delay = std::min(weather_.least_delay, weather_.most_delay);
}

void Network::separate(const Address& a, const Address& b) { apart_.insert(pair_of(a, b)); }
void Network::join(const Address& a, const Address& b) { apart_.erase(pair_of(a, b)); }

void Network::inject(Datagram datagram, std::chrono::nanoseconds delay) {
  if (run_.prints()) run_.print("forged    " + text_of(datagram));
  run_.note_datagram("forged", datagram.from, datagram.to, datagram.octets);
  flying_.emplace(run_.now() + std::min(delay, max_latency), Flight{std::move(datagram), true});
}

void Network::at(Instant when, std::function<void()> action) { actions_.emplace(when, std::move(action)); }

void Network::send(Datagram datagram) {
  run_.note_datagram("sent", datagram.from, datagram.to, datagram.octets);
  const bool passes = !on_sent || on_sent(datagram);
  const bool lost = run_.chance(weather_.loss);
  const unsigned copies = run_.chance(weather_.duplication) ? static_cast<unsigned>(run_.between(2, 3)) : 1;
  if (!passes || lost || datagram.octets.size() > weather_.mtu ||
      apart_.contains(pair_of(datagram.from, datagram.to))) {
    if (run_.prints()) run_.print("lost      " + text_of(datagram));
    run_.reach("lost");
    return;
  }
  if (run_.prints()) run_.print((copies > 1 ? "sent twice " : "sent      ") + text_of(datagram));
  if (copies > 1) run_.reach("repeated by the network");
  for (unsigned copy = 0; copy < copies; ++copy) {
    const auto when = run_.now() + run_.between(weather_.least_delay, weather_.most_delay);
    flying_.emplace(when, Flight{copy + 1 == copies ? std::move(datagram) : datagram, false});
  }
}

void Network::collect() {
  for (const auto& [ip, node] : nodes_) {
    while (auto datagram = node->next_datagram(run_.now())) send(std::move(*datagram));
  }
}

void Network::deliver(const Flight& flight) {
  const auto found = nodes_.find(flight.datagram.to.ip);
  if (found == nodes_.end()) {
    if (on_stray) on_stray(flight.datagram);
    return;
  }
  if (run_.prints()) run_.print("arrives   " + text_of(flight.datagram));
  if (on_delivered) on_delivered(flight.datagram, flight.forged);
  found->second->receive(flight.datagram, run_.now());
}

void Network::wake() {
  for (const auto& [ip, node] : nodes_) {
    if (const auto when = node->next_timeout(); when && *when <= run_.now()) node->on_timeout(run_.now());
  }
}

std::optional<Instant> Network::next() const {
  std::optional<Instant> earliest;
  const auto consider = [&earliest](std::optional<Instant> when) {
    if (when && (!earliest || *when < *earliest)) earliest = when;
  };
  if (!flying_.empty()) consider(flying_.begin()->first);
  if (!actions_.empty()) consider(actions_.begin()->first);
  for (const auto& [ip, node] : nodes_) consider(node->next_timeout());
  return earliest;
}

void Network::advance_to(Instant when) {
  if (when > run_.now()) run_.clock.advance(when - run_.now());
}

bool Network::run(const std::function<bool()>& done, std::chrono::nanoseconds at_most) {
  const Instant end = run_.now() + at_most;
  unsigned at_one_time = 0;
  for (;;) {
    collect();
    if (done()) return true;
    const auto when = next();
    if (!when || *when > end) {
      return false;
    }
    at_one_time = *when > run_.now() ? 0 : at_one_time + 1;
    run_.require(at_one_time < 100'000, "time stands still: something asks to be woken at once again and again");
    advance_to(*when);
    if (!actions_.empty() && actions_.begin()->first <= run_.now()) {
      const auto action = std::move(actions_.begin()->second);
      actions_.erase(actions_.begin());
      action();
    } else if (!flying_.empty() && flying_.begin()->first <= run_.now()) {
      const auto flight = std::move(flying_.begin()->second);
      flying_.erase(flying_.begin());
      deliver(flight);
    } else {
      wake();
    }
  }
}

void Network::idle(std::chrono::nanoseconds for_long) {
  const Instant end = run_.now() + for_long;
  run([] { return false; }, for_long);
  advance_to(end);
  for (const auto& [ip, node] : nodes_) node->on_timeout(run_.now());
  collect();
}

}  // namespace aceward::sim
