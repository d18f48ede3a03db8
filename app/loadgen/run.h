// Load on a server over real sockets, and what came of it.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "aceward/base/address.h"
#include "aceward/net/load_sockets.h"
#include "app/loadgen/exchanges.h"
#include "app/loadgen/histogram.h"
#include "app/loadgen/sessions.h"

namespace aceward::app {

struct LoadPlan {
  Address server;
  ExchangeSettings exchange{};
  std::size_t endpoints = 1;
  /// Open loop: so many requests a second, whatever becomes of them; `burst` of them leave together.
  std::optional<double> rate{};
  std::uint64_t burst = 1;
  /// Closed loop: so many under way, at most one an endpoint.
  std::optional<std::size_t> outstanding{};
  /// What is measured, one of the two; the warm-up comes before.
  std::optional<std::uint64_t> requests{};
  std::optional<std::chrono::nanoseconds> duration{};
  std::chrono::nanoseconds warm_up{0};
  /// For DTLS; without them it is plain CoAP.
  LoadSessions::Credentials credentials{};
  std::size_t handshakes_at_once = 32;
  tls::ClientConfig dtls{};
};

/// What is wrong with a plan, and what would do: the standard's limit on Message IDs, one request under way an endpoint
/// (NSTART, RFC 7252 section 4.7), numbers that are missing.
struct Objection {
  std::string what;
  std::string check;
};
std::optional<Objection> objection_to(const LoadPlan& plan);

enum class LoadPhase : std::uint8_t { connecting, warming_up, measuring, draining };
struct LoadProgress {
  LoadPhase phase = LoadPhase::connecting;
  double share = 0;  ///< of the phase, 0 to 1
  std::uint64_t answered = 0;
  std::uint64_t timeouts = 0;
  std::chrono::nanoseconds median{0};
};

struct LoadReport {
  ExchangeCounts counts;     ///< of the whole run, the warm-up included
  LatencyHistogram latency;  ///< of what was meant to leave after the warm-up
  std::chrono::nanoseconds window{0};
  std::uint64_t answered_in_window = 0;  ///< by then, and as expected
  std::uint64_t unsent = 0;              ///< open loop: meant to leave, but every endpoint was waiting for an answer
  bool held_back = false;                ///< closed loop: the limit on Message IDs made it wait
  std::chrono::nanoseconds own_processor_time{0};  ///< of this process in the window
  net::LoadSockets::Counters datagrams;
  std::optional<coap::Code> unexpected_code;
  // DTLS
  std::size_t sessions = 0;
  std::size_t sessions_failed = 0;
  std::size_t sessions_lost = 0;
  std::optional<Error> session_failure;
  std::string cipher_suite;
  LatencyHistogram handshakes;
};

struct LoadWatch {
  std::function<void()> sessions_made = {};  ///< with DTLS: before the first request
  std::function<void()> window_begins = {};
  std::function<void()> window_ends = {};
  std::function<void(const LoadProgress&)> on_progress = {};  ///< ten times a second
};

/// Blocks until the last answer, or until it is clear that none will come. Call it with a plan that has no objection.
/// Errors: `socket_failed`.
Result<LoadReport> run_load(const LoadPlan& plan, Random& random, const LoadWatch& watch = {});

}  // namespace aceward::app
