// Plays scenarios with many seeds over several threads, and reports.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "sim/scenario.h"

namespace aceward::sim {

struct Outcome {
  std::uint64_t hash = 0;
  std::chrono::nanoseconds elapsed{0};
  Branches branches;
  std::vector<std::chrono::nanoseconds> recoveries;
  std::string violation;  ///< empty: all invariants held
};

/// One seed, on a thread of its own with time and randomness of its own: a function of (scenario, seed).
Outcome play(const Scenario& scenario, std::uint64_t seed, Run::Print print = {});

struct Failure {
  std::uint64_t seed;
  std::string violation;
};

struct Report {
  std::string_view scenario;
  std::uint64_t first = 0;
  std::uint64_t seeds = 0;
  std::vector<Failure> failures;  ///< at most `max_failures`, the lowest seeds that were seen
  std::uint64_t failed = 0;
  std::chrono::nanoseconds virtual_time{0};
  double real_seconds = 0;
  Branches branches;
  std::vector<std::string_view> never_reached;  ///< of those that the scenario declares
  std::uint64_t recoveries = 0;
  double recovery_p50 = 0, recovery_p99 = 0, recovery_most = 0;  ///< seconds
  std::uint64_t hash = 0;                                        ///< over all runs, whatever the order

  /// With so many seeds, what is declared must have been reached.
  static constexpr std::uint64_t enough_seeds = 1000;
  static constexpr std::size_t max_failures = 10;
  bool good() const { return failed == 0 && (seeds < enough_seeds || never_reached.empty()); }
};

struct RunnerOptions {
  std::uint64_t first = 1;
  std::uint64_t seeds = 1000;
  unsigned jobs = 1;
  /// Called now and then from one thread with how many seeds are done.
  std::function<void(std::uint64_t)> on_progress;
};

Report play_many(const Scenario& scenario, const RunnerOptions& options);

/// For people, several lines. `program` is how the reader starts it: for the command that reproduces a failure.
std::string describe(const Report& report, std::string_view program);
std::string to_json(const std::vector<Report>& reports);

}  // namespace aceward::sim
