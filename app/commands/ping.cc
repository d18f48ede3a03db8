// `aceward ping`: whether a CoAP endpoint is there, and how far away.
#include <algorithm>
#include <cstdio>

#include "aceward/coap/reasons.h"
#include "app/client/client_run.h"
#include "app/commands/commands.h"

namespace aceward::app {

namespace {

using Milliseconds = std::chrono::duration<double, std::milli>;

std::string milliseconds_text(Milliseconds time) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3f", time.count());
  return text;
}

struct PingSummary {
  std::size_t sent = 0;
  std::size_t answered = 0;
  Milliseconds shortest{};
  Milliseconds longest{};
  Milliseconds sum{};

  void add(std::optional<Milliseconds> round_trip) {
    ++sent;
    if (!round_trip) return;
    shortest = answered == 0 ? *round_trip : std::min(shortest, *round_trip);
    longest = std::max(longest, *round_trip);
    sum += *round_trip;
    ++answered;
  }
  Milliseconds average() const { return sum / static_cast<double>(std::max<std::size_t>(answered, 1)); }
  double loss() const {
    return sent == 0 ? 0 : 100.0 * static_cast<double>(sent - answered) / static_cast<double>(sent);
  }
};

std::string json_of(const PingSummary& summary) {
  char loss[16];
  std::snprintf(loss, sizeof loss, "%.1f", summary.loss());
  std::string text = "{\"sent\":" + std::to_string(summary.sent) + ",\"answered\":" + std::to_string(summary.answered) +
                     ",\"loss_percent\":" + loss;
  if (summary.answered > 0) {
    text += ",\"min_ms\":" + milliseconds_text(summary.shortest) +
            ",\"avg_ms\":" + milliseconds_text(summary.average()) + ",\"max_ms\":" + milliseconds_text(summary.longest);
  }
  return text + "}\n";
}

std::string text_of(const PingSummary& summary) {
  char loss[16];
  std::snprintf(loss, sizeof loss, "%.0f%%", summary.loss());
  std::string text =
      std::to_string(summary.sent) + " sent, " + std::to_string(summary.answered) + " answered, " + loss + " lost\n";
  if (summary.answered > 0) {
    text += "round trip min/avg/max " + milliseconds_text(summary.shortest) + "/" +
            milliseconds_text(summary.average()) + "/" + milliseconds_text(summary.longest) + " ms\n";
  }
  return text;
}

}  // namespace

int run_ping(const PingOptions& options, const Console& console) {
  auto target = parse_target(options.uri, options.scope);
  if (!target) return console.fail(target.error());
  target->extend_rights = false;
  const auto interval = parse_seconds(options.interval, "--interval");
  if (!interval) return console.fail(interval.error());
  const auto timeout = parse_seconds(options.timeout, "--timeout");
  if (!timeout) return console.fail(timeout.error());
  // A ping that is repeated has no round trip time of its own. One that nobody answered must not keep the next one
  // waiting, as PROBING_RATE would: the pace is the interval.
  coap::Parameters parameters;
  parameters.ack_timeout =
      std::max<std::chrono::nanoseconds>(parameters.ack_timeout, *timeout + std::chrono::seconds(1));
  parameters.probing_rate = 1'000'000;
  auto run = ClientRun::start(std::move(*target), console, parameters);
  if (!run) return console.fail(run.error());

  PingSummary summary;
  const std::string from = (*run)->server().to_string();
  const auto pinged = (*run)->ping(
      {options.count, *interval, *timeout},
      [&](std::size_t number, std::optional<std::chrono::nanoseconds> round_trip) {
        summary.add(round_trip);
        if (console.json()) {
          console.out("{\"number\":" + std::to_string(number) + ",\"answered\":" + (round_trip ? "true" : "false") +
                      (round_trip ? ",\"ms\":" + milliseconds_text(*round_trip) : "") + "}\n");
        } else if (!console.options().quiet) {
          console.out(std::to_string(number) + " " + from + ": " +
                      (round_trip ? milliseconds_text(*round_trip) + " ms" : "no answer") + "\n");
        }
      });
  if (!pinged) return console.fail(pinged.error());
  console.out(console.json() ? json_of(summary) : text_of(summary));
  return summary.answered > 0 || summary.sent == 0 ? 0 : static_cast<int>(ExitCode::no_answer);
}

}  // namespace aceward::app
