// Whoever sits on the wire: sees everything, repeats, cuts, changes, and speaks in everybody's name.
#pragma once

#include <deque>
#include <map>

#include "aceward/coap/message/message.h"
#include "sim/network.h"

namespace aceward::sim {

/// What the attacker does with each datagram that it sees; each number is of a thousand.
struct AttackPlan {
  unsigned replay = 0;        ///< sends it again, up to MAX_LATENCY later
  unsigned replay_moved = 0;  ///< sends it again from another port of the same host
  unsigned reflect = 0;       ///< sends it back to where it came from
  unsigned truncate = 0;      ///< sends a beginning of it
  unsigned corrupt = 0;       ///< sends it with some octets changed
  unsigned swallow = 0;       ///< it never arrives
  unsigned forge_reset = 0;   ///< a Reset of its Message ID, in the name of the receiver
  unsigned forge_ack = 0;     ///< an empty acknowledgement, in the name of the receiver
  unsigned forge_answer = 0;  ///< a response with its Message ID and a guessed token
};

class Attacker {
 public:
  Attacker(Run& run, Network& network);

  /// From now on.
  void follow(const AttackPlan& plan) { plan_ = plan; }
  void stop() { plan_ = {}; }

  /// Everything that was sent so far, the oldest first; at most the latest 2000.
  const std::deque<Datagram>& seen() const { return seen_; }
  /// Sends all of it once more, in a random order, spread over `span`.
  void replay_everything(std::chrono::nanoseconds span);

  void send(const Address& from, const Address& to, Bytes octets, std::chrono::nanoseconds delay = {});
  /// An address of somebody who takes no part: always another one, mostly.
  Address anybody();

  /// Octets of UDP payload, by address: what the attacker sent in its name, and what was sent to it.
  struct Traffic {
    std::size_t datagrams_forged = 0, octets_forged = 0;
    std::size_t datagrams_received = 0, octets_received = 0, largest_received = 0;
  };
  const std::map<Address, Traffic>& victims() const { return victims_; }

 private:
  bool on_sent(const Datagram& datagram);
  void forge_about(const Datagram& datagram);
  Run& run_;
  Network& network_;
  SeededRandom dice_;
  AttackPlan plan_;
  std::deque<Datagram> seen_;
  std::map<Address, Traffic> victims_;
};

/// Hand-made messages.
Bytes empty_message(coap::Type type, std::uint16_t message_id);
Bytes request_message(Random& random, coap::Type type, coap::Code method, std::string_view path, BytesView payload = {},
                      const std::function<void(coap::Options&)>& more = {});

}  // namespace aceward::sim
