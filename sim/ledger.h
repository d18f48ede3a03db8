// Who asked what, what it did, and what came back: the truth that the invariants are about.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/hosts.h"

namespace aceward::sim {

/// One request of an application.
struct Asked {
  std::size_t number = 0;
  coap::Code method;
  coap::Reliability reliability = coap::Reliability::confirmable;
  std::chrono::nanoseconds thinking{0};  ///< how long the server takes to answer
  bool refused = false;                  ///< the server will refuse it, and not act
  Instant when;
  // What became of it.
  unsigned acted = 0;  ///< times that the server acted
  unsigned ended = 0;  ///< final responses and ends without one
  bool abandoned = false;
  bool answered = false;
  std::optional<Error> error;
  Instant ended_at;
};

/// Requests carry their number; the server acts, counts, and answers with the number; the client compares. Every
/// request is a Uri-Query `n=NUMBER` and a payload that depends on the number.
class Ledger {
 public:
  Ledger(Run& run, Network& network) : run_(run), network_(network) {}

  /// Makes `server` act and answer.
  void serve(ServerHost& server);
  /// Makes the answers of `client` come here.
  void listen(ClientHost& client);

  /// Sends a request with choices by the dice; nullptr if the layer refused it.
  Asked* ask(ClientHost& client, const coap::Peer& peer, coap::Code method, coap::Reliability reliability);
  /// Any method, confirmable or not.
  Asked* ask_anything(ClientHost& client, const coap::Peer& peer);

  /// The client's life ended: nobody waits for its answers any more.
  void forget(const ClientHost& client);

  bool all_ended() const { return open_ == 0; }
  std::deque<Asked>& asked() { return asked_; }
  std::size_t answered() const;

  /// Called at the end: everything ended once, nothing that is not safe to repeat acted twice.
  void check_each_ended_once() const;
  /// `lives`: how many times one request may have acted because servers lost their memory.
  void check_none_acted_twice(unsigned lives = 1) const;

 private:
  struct Key {
    const ClientHost* client;
    unsigned life;
    std::uint64_t id;
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  void on_request(ServerHost& server, const coap::RequestArrived& arrived);
  void on_answer(ClientHost& client, const coap::ResponseArrived& arrived);
  void end(Asked& asked);

  Run& run_;
  Network& network_;
  std::deque<Asked> asked_;
  std::map<Key, std::size_t> by_id_;
  std::size_t open_ = 0;
};

/// True for the methods of which a repetition may do something else (RFC 7252 section 5.1, RFC 8132): POST, PATCH, and
/// iPATCH, which the message layer treats alike.
bool acts_once(coap::Code method);

/// Nothing is kept of anybody: the lifetimes are over.
void check_empty(Run& run, const coap::Occupancy& occupancy, std::string_view whose);

}  // namespace aceward::sim
