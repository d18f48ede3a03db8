// Stands between the clients' stacks and their traces: opens a chapter when the story turns, and counts what it costs.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "app/trace.h"
#include "demo/console.h"

namespace aceward::demo {

/// A line of the table at the end.
struct Chapter {
  std::string title;
  std::string shown;            ///< what came of it
  std::size_t octets = 0;       ///< UDP payload, handshakes included
  std::size_t round_trips = 0;  ///< each request one, a handshake half of its flights
  std::chrono::nanoseconds time{0};
};

/// Where a chapter begins that is not begun by hand.
struct Cue {
  enum class On : std::uint8_t {
    handshake,  ///< with the server is complete; shown with the chapter that it opens
    request,    ///< is sent to the server, over whatever channel
  };
  On on = On::request;
  Address server;
  std::string title;
  std::string words;
  std::string shown;
};

/// Not thread-safe: belongs to the clients' loop.
class Narrator {
 public:
  Narrator(Console& console, app::Trace::NameOf name_of, std::function<Instant()> now);
  ~Narrator();
  Narrator(const Narrator&) = delete;
  Narrator& operator=(const Narrator&) = delete;

  /// `shown` is what the table will say came of it, once it has.
  void begin(std::string title, std::string_view words, std::string shown);
  /// Begins a chapter of that title when its turn comes. Cues wait for one another.
  void on_cue(Cue cue) { cues_.push_back(std::move(cue)); }
  /// Whether all cues have come; those that have not are dropped.
  bool all_cues_came();
  /// Ends the last chapter.
  void end();

  const std::vector<Chapter>& chapters() const { return chapters_; }
  std::string table() const;
  /// Requests, answers and handshakes since the last call, each once: `GET /temp 4.01 DTLS POST /token 2.01`.
  std::string take_transcript();

  /// A tap for the stack of the client `self`. Lives as long as the narrator does.
  coaps::MessageTap& tap_for(const std::string& self);

 private:
  class Tap;

  void begin_at(Instant at, std::string title, std::string_view words, std::string shown);
  void end_at(Instant at);
  void take_cue(Cue::On on, const Address& server, Instant since);
  void note(std::string_view event);
  void note(coaps::Direction direction, const coap::Peer& peer, const coap::Message& message);

  Console& console_;
  app::Trace::NameOf name_of_;
  std::function<Instant()> now_;
  std::vector<std::unique_ptr<Tap>> taps_;
  std::deque<Cue> cues_;
  std::vector<Chapter> chapters_;
  std::string transcript_;
  std::set<std::tuple<coaps::Direction, coap::Peer, std::uint16_t>> noted_;  ///< what came twice is noted once
  Instant began_{};
  bool open_ = false;
};

}  // namespace aceward::demo
