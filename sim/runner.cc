#include "sim/runner.h"

#include <algorithm>
#include <cstdio>
#include <mutex>
#include <thread>

#include "sim/outside_world.h"

namespace aceward::sim {
namespace {

std::string formatted(const char* format, double value) {
  char text[48];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

double seconds_of(std::chrono::nanoseconds time) { return std::chrono::duration<double>(time).count(); }

std::string escaped(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) < 0x20) continue;
    out += c;
  }
  return out + "\"";
}

/// The reports of all threads, put together.
struct Sum {
  void add(std::uint64_t seed, Outcome outcome) {
    ++report.seeds;
    report.virtual_time += outcome.elapsed;
    report.hash += (outcome.hash ^ seed) * 0x9e3779b97f4a7c15U;
    for (const auto& [name, times] : outcome.branches) report.branches[name] += times;
    recoveries.insert(recoveries.end(), outcome.recoveries.begin(), outcome.recoveries.end());
    if (outcome.violation.empty()) return;
    ++report.failed;
    report.failures.push_back({seed, std::move(outcome.violation)});
    std::ranges::sort(report.failures, {}, &Failure::seed);
    if (report.failures.size() > Report::max_failures) report.failures.pop_back();
  }
  Report report;
  std::vector<std::chrono::nanoseconds> recoveries;
};

}  // namespace

Outcome play(const Scenario& scenario, std::uint64_t seed, Run::Print print) {
  Outcome outcome;
  std::thread thread([&] {
    Run run(seed, std::move(print));
    const OutsideWorld outside(run.clock, seed);
    try {
      scenario.play(run);
    } catch (const Violation& violation) {
      outcome.violation = violation.what();
    } catch (const std::exception& exception) {
      outcome.violation = std::string("exception: ") + exception.what();
    }
    outcome.hash = run.hash();
    outcome.elapsed = run.elapsed();
    outcome.branches = run.branches();
    outcome.recoveries = run.recoveries();
  });
  thread.join();
  return outcome;
}

Report play_many(const Scenario& scenario, const RunnerOptions& options) {
  const auto began = real_nanoseconds();
  std::atomic<std::uint64_t> next{options.first};
  std::atomic<std::uint64_t> done{0};
  const std::uint64_t end = options.first + options.seeds;
  std::mutex mutex;
  Sum sum;
  sum.report.scenario = scenario.name;
  sum.report.first = options.first;
  const auto work = [&](bool reports) {
    for (std::uint64_t seed = next++; seed < end; seed = next++) {
      auto outcome = play(scenario, seed);
      {
        const std::lock_guard lock(mutex);
        sum.add(seed, std::move(outcome));
      }
      ++done;
      if (reports && options.on_progress) options.on_progress(done);
    }
  };
  std::vector<std::thread> threads;
  for (unsigned job = 1; job < options.jobs; ++job) threads.emplace_back(work, false);
  work(true);
  for (auto& thread : threads) thread.join();

  Report report = std::move(sum.report);
  for (const auto branch : scenario.branches) {
    if (!report.branches.contains(branch)) report.never_reached.push_back(branch);
  }
  if (auto& times = sum.recoveries; !times.empty()) {
    std::ranges::sort(times);
    report.recoveries = times.size();
    report.recovery_p50 = seconds_of(times[times.size() / 2]);
    report.recovery_p99 = seconds_of(times[times.size() * 99 / 100]);
    report.recovery_most = seconds_of(times.back());
  }
  report.real_seconds = static_cast<double>(real_nanoseconds() - began) / 1e9;
  return report;
}

std::string describe(const Report& report, std::string_view program) {
  std::string text = report.good() ? "ok      " : "FAILED  ";
  text += std::string(report.scenario);
  text.append(report.scenario.size() < 24 ? 24 - report.scenario.size() : 1, ' ');
  text += std::to_string(report.seeds) + " seeds, " + std::to_string(report.failed) + " failed, ";
  text += formatted("%.0f h of their time in ", seconds_of(report.virtual_time) / 3600);
  text += formatted("%.1f s", report.real_seconds);
  if (report.recoveries != 0) {
    text += "; recovered " + std::to_string(report.recoveries) + " times, after " +
            formatted("%.3f s (p50), ", report.recovery_p50) + formatted("%.3f s (p99), ", report.recovery_p99) +
            formatted("%.3f s (most)", report.recovery_most);
  }
  text += "\n        reached:";
  const char* separator = " ";
  for (const auto& [name, times] : report.branches) {
    text += separator + name + " " + std::to_string(times);
    separator = ", ";
  }
  text += "\n";
  if (!report.never_reached.empty()) {
    text += "        NEVER REACHED:";
    separator = " ";
    for (const auto branch : report.never_reached) {
      text += separator + std::string(branch);
      separator = ", ";
    }
    text += "\n";
  }
  for (const auto& failure : report.failures) {
    text += "        seed " + std::to_string(failure.seed) + ": " + failure.violation + "\n          " +
            std::string(program) + " --scenario " + std::string(report.scenario) + " --first " +
            std::to_string(failure.seed) + " --seeds 1 --trace\n";
  }
  return text;
}

std::string to_json(const std::vector<Report>& reports) {
  std::string text = "{\"scenarios\":[";
  const char* comma = "";
  for (const auto& report : reports) {
    text += comma;
    text += "\n{\"scenario\":" + escaped(report.scenario) + ",\"first\":" + std::to_string(report.first) +
            ",\"seeds\":" + std::to_string(report.seeds) + ",\"failed\":" + std::to_string(report.failed) +
            ",\"good\":" + (report.good() ? "true" : "false") +
            ",\"virtual_seconds\":" + formatted("%.3f", seconds_of(report.virtual_time)) +
            ",\"real_seconds\":" + formatted("%.3f", report.real_seconds) + ",\"hash\":\"";
    char hash[20];
    std::snprintf(hash, sizeof hash, "%016llx", static_cast<unsigned long long>(report.hash));
    text += std::string(hash) + "\",\"recovery\":{\"count\":" + std::to_string(report.recoveries) +
            ",\"p50_seconds\":" + formatted("%.6f", report.recovery_p50) +
            ",\"p99_seconds\":" + formatted("%.6f", report.recovery_p99) +
            ",\"most_seconds\":" + formatted("%.6f", report.recovery_most) + "},\"branches\":{";
    const char* inner = "";
    for (const auto& [name, times] : report.branches) {
      text += inner + escaped(name) + ":" + std::to_string(times);
      inner = ",";
    }
    text += "},\"never_reached\":[";
    inner = "";
    for (const auto branch : report.never_reached) {
      text += inner + escaped(branch);
      inner = ",";
    }
    text += "],\"failures\":[";
    inner = "";
    for (const auto& failure : report.failures) {
      text +=
          inner + ("{\"seed\":" + std::to_string(failure.seed)) + ",\"violation\":" + escaped(failure.violation) + "}";
      inner = ",";
    }
    text += "]}";
    comma = ",";
  }
  return text + "\n]}\n";
}

}  // namespace aceward::sim
