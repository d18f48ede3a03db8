// The simulated network: it loses, repeats, delays, reorders and separates, all by the run's dice.
#pragma once

#include <array>
#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "sim/run.h"

namespace aceward::sim {

struct Datagram {
  Address from;
  Address to;
  Bytes octets;
};

/// A host: everything with one IP address. Whatever port is written to, it receives.
class Node {
 public:
  virtual ~Node() = default;
  virtual void receive(const Datagram& datagram, Instant now) = 0;
  /// Lets the layers above take their events; then the datagrams that came of it, until there is none.
  virtual std::optional<Datagram> next_datagram(Instant now) = 0;
  virtual void on_timeout(Instant now) = 0;
  virtual std::optional<Instant> next_timeout() const = 0;
};

/// RFC 7252 section 4.8.2: what everybody's lifetimes are computed from. No datagram arrives later.
inline constexpr std::chrono::nanoseconds max_latency = std::chrono::seconds(100);

struct Weather {
  unsigned loss = 0;         ///< of a thousand
  unsigned duplication = 0;  ///< of a thousand; each copy has a delay of its own
  std::chrono::nanoseconds least_delay = std::chrono::milliseconds(1);
  std::chrono::nanoseconds most_delay = std::chrono::milliseconds(5);  ///< a spread reorders; at most max_latency
  std::size_t mtu = 1500;                                              ///< octets of UDP payload; more are lost
};

/// Fair, windy or foul, by the dice.
Weather random_weather(Run& run);

class Network {
 public:
  using Ip = std::array<std::uint8_t, 16>;

  explicit Network(Run& run) : run_(run) {}

  /// The node outlives the network or is detached.
  void attach(const Address& host, Node& node);
  void detach(const Address& host);

  void set_weather(const Weather& weather);
  const Weather& weather() const { return weather_; }
  /// Nothing passes between the two, either way; what is under way still arrives.
  void separate(const Address& a, const Address& b);
  void join(const Address& a, const Address& b);
  void join_all() { apart_.clear(); }

  /// Puts a datagram on the wire as if `from` had sent it, past loss and partitions: the attacker's way.
  void inject(Datagram datagram, std::chrono::nanoseconds delay);
  /// Sees every datagram that a node sends, before the weather; false: it never arrives.
  std::function<bool(const Datagram&)> on_sent;
  /// Sees what arrives where no node is.
  std::function<void(const Datagram&)> on_stray;
  /// Sees every datagram that arrives at a node, and the forged ones.
  std::function<void(const Datagram&, bool forged)> on_delivered;

  /// Calls `action` when its time has come.
  void at(Instant when, std::function<void()> action);
  void after(std::chrono::nanoseconds delay, std::function<void()> action) {
    at(run_.now() + delay, std::move(action));
  }

  /// Carries datagrams and runs timers until `done`, or until `at_most` has passed, or nothing is left to happen.
  /// Returns whether `done` holds.
  bool run(const std::function<bool()>& done, std::chrono::nanoseconds at_most);
  /// Until so much time has passed, whether anything happens or not.
  void idle(std::chrono::nanoseconds for_long);
  /// Datagrams under way.
  std::size_t flying() const { return flying_.size(); }

 private:
  struct Flight {
    Datagram datagram;
    bool forged;
  };
  void collect();
  void send(Datagram datagram);
  void deliver(const Flight& flight);
  void wake();
  std::optional<Instant> next() const;
  void advance_to(Instant when);

  Run& run_;
  Weather weather_;
  std::map<Ip, Node*> nodes_;
  std::set<std::pair<Ip, Ip>> apart_;
  std::multimap<Instant, Flight> flying_;  // what arrives at one time arrives in the order of sending
  std::multimap<Instant, std::function<void()>> actions_;
};

}  // namespace aceward::sim
