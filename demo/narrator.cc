#include "demo/narrator.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <utility>

#include "aceward/ace/token/permissions.h"
#include "aceward/coap/message/message.h"

namespace aceward::demo {

class Narrator::Tap final : public coaps::MessageTap {
 public:
  Tap(Narrator& narrator, const std::string& self)
      : narrator_(narrator),
        trace_(
            self, [&console = narrator.console_](const std::string& text) { console.write(text); }, narrator.name_of_,
            narrator.console_.colour()) {}

  void on_message(coaps::Direction direction, const coap::Peer& peer, BytesView message, std::size_t wire_octets,
                  Instant now) override {
    const auto parsed = coap::parse(message);
    if (parsed && !parsed->code.is_empty()) {
      if (parsed->code.is_request()) narrator_.take_cue(Cue::On::request, peer.remote, now);
      narrator_.note(direction, peer, *parsed);
    }
    trace_.on_message(direction, peer, message, wire_octets, now);
  }
  void on_handshake(const coap::Peer& peer, const tls::PeerIdentity& identity, const tls::SessionInfo& info,
                    Instant now) override {
    narrator_.take_cue(Cue::On::handshake, peer.remote, now - info.duration);
    narrator_.note("DTLS");
    trace_.on_handshake(peer, identity, info, now);
  }
  void on_handshake_failed(const tls::HandshakeFailed& failure, Instant now) override {
    narrator_.note("DTLS-failed");
    trace_.on_handshake_failed(failure, now);
  }
  void on_session_closed(const coap::Peer& peer, const Error& why, Instant now) override {
    trace_.on_session_closed(peer, why, now);
  }

  app::Trace::Totals take_totals() { return trace_.take_totals(); }

 private:
  Narrator& narrator_;
  app::Trace trace_;
};

Narrator::Narrator(Console& console, app::Trace::NameOf name_of, std::function<Instant()> now)
    : console_(console), name_of_(std::move(name_of)), now_(std::move(now)) {}

Narrator::~Narrator() = default;

coaps::MessageTap& Narrator::tap_for(const std::string& self) {
  return *taps_.emplace_back(std::make_unique<Tap>(*this, self));
}

void Narrator::begin(std::string title, std::string_view words, std::string shown) {
  begin_at(now_(), std::move(title), words, std::move(shown));
}

void Narrator::begin_at(Instant at, std::string title, std::string_view words, std::string shown) {
  end_at(at);
  began_ = at;
  open_ = true;
  chapters_.push_back({.title = std::move(title), .shown = std::move(shown)});
  console_.heading(std::to_string(chapters_.size()), chapters_.back().title);
  console_.say(words);
}

void Narrator::take_cue(Cue::On on, const Address& server, Instant since) {
  if (cues_.empty() || cues_.front().on != on || cues_.front().server != server) return;
  Cue cue = std::move(cues_.front());
  cues_.pop_front();
  begin_at(since, std::move(cue.title), cue.words, std::move(cue.shown));
}

bool Narrator::all_cues_came() {
  const bool all = cues_.empty();
  cues_.clear();
  return all;
}

void Narrator::note(coaps::Direction direction, const coap::Peer& peer, const coap::Message& message) {
  if (!noted_.emplace(direction, peer, message.message_id).second) return;
  note(message.code.is_request() ? message.code.to_string() + " " + ace::Target::of(message.options).to_local_path()
                                 : message.code.number());
}

void Narrator::note(std::string_view event) {
  if (!transcript_.empty()) transcript_ += ' ';
  transcript_ += event;
}

std::string Narrator::take_transcript() {
  noted_.clear();
  return std::exchange(transcript_, {});
}

void Narrator::end() { end_at(now_()); }

void Narrator::end_at(Instant at) {
  if (!open_) return;
  open_ = false;
  Chapter& chapter = chapters_.back();
  chapter.time = at - began_;
  for (const auto& tap : taps_) {
    const app::Trace::Totals totals = tap->take_totals();
    chapter.octets += totals.wire_octets + totals.handshake_octets;
    chapter.round_trips += totals.requests + (totals.flights + 1) / 2;
  }
}

std::string Narrator::table() const {
  std::size_t title = 7;
  std::size_t shown = 4;
  for (const Chapter& chapter : chapters_) {
    title = std::max(title, chapter.title.size());
    shown = std::max(shown, chapter.shown.size());
  }
  const auto row = [&](std::string_view number, std::string_view name, std::string_view what, std::string_view octets,
                       std::string_view trips, std::string_view time) {
    std::string line(256, ' ');
    const int length = std::snprintf(
        line.data(), line.size(), "%3.*s  %-*.*s  %-*.*s  %6.*s  %5.*s  %8.*s", static_cast<int>(number.size()),
        number.data(), static_cast<int>(title), static_cast<int>(name.size()), name.data(), static_cast<int>(shown),
        static_cast<int>(what.size()), what.data(), static_cast<int>(octets.size()), octets.data(),
        static_cast<int>(trips.size()), trips.data(), static_cast<int>(time.size()), time.data());
    line.resize(std::min(line.size(), static_cast<std::size_t>(std::max(length, 0))));
    return line + "\n";
  };
  const auto milliseconds = [](std::chrono::nanoseconds time) {
    char text[32];
    std::snprintf(text, sizeof text, "%.1f", std::chrono::duration<double, std::milli>(time).count());
    return std::string(text);
  };
  std::string text = row("", "chapter", "what", "bytes", "trips", "ms");
  Chapter sum;
  for (std::size_t i = 0; i < chapters_.size(); ++i) {
    const Chapter& chapter = chapters_[i];
    text += row(std::to_string(i + 1), chapter.title, chapter.shown, std::to_string(chapter.octets),
                std::to_string(chapter.round_trips), milliseconds(chapter.time));
    sum.octets += chapter.octets;
    sum.round_trips += chapter.round_trips;
    sum.time += chapter.time;
  }
  text += row("", "in all", "", std::to_string(sum.octets), std::to_string(sum.round_trips), milliseconds(sum.time));
  return text + "\nbytes: UDP payload both ways, handshakes included. trips: round trips, by the client's count.\n";
}

}  // namespace aceward::demo
