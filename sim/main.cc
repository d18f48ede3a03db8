// aceward-sim: plays the scenarios of the simulated network.
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "sim/outside_world.h"
#include "sim/runner.h"

namespace {

using namespace aceward::sim;

constexpr const char* usage =
    "usage: aceward-sim [--scenario NAME]... [--seeds N] [--first S] [--jobs J] [--json FILE] [--trace] [--list]\n"
    "\n"
    "  --scenario NAME  which one; `all` (the default) plays every one\n"
    "  --seeds N        runs of each (1000)\n"
    "  --first S        the first seed (1)\n"
    "  --jobs J         threads; 0: one a core (1)\n"
    "  --json FILE      the report also as JSON; - is standard output\n"
    "  --trace          prints everything that happens; for few seeds\n"
    "  --list           names the scenarios\n"
    "\n"
    "Exit status: 0 all held, 1 an invariant failed or a declared branch was never reached, 2 wrong usage.\n";

struct Arguments {
  std::vector<const Scenario*> scenarios;
  RunnerOptions options;
  std::string json;
  bool trace = false;
  bool list = false;
};

std::optional<std::uint64_t> number(const char* text) {
  std::uint64_t value = 0;
  const char* end = text + std::strlen(text);
  const auto [at, error] = std::from_chars(text, end, value);
  if (error != std::errc{} || at != end) return std::nullopt;
  return value;
}

int refuse(const std::string& what) {
  std::fprintf(stderr, "aceward-sim: %s\n%s", what.c_str(), usage);
  return 2;
}

class Progress {
 public:
  explicit Progress(std::uint64_t all) : all_(all), shown_(isatty(STDERR_FILENO) != 0), began_(real_nanoseconds()) {}
  void show(std::string_view scenario, std::uint64_t before, std::uint64_t done) {
    const auto now = real_nanoseconds();
    if (!shown_ || now - last_ < 200'000'000U) return;
    last_ = now;
    const double share = static_cast<double>(before + done) / static_cast<double>(all_);
    const double spent = static_cast<double>(now - began_) / 1e9;
    const int filled = static_cast<int>(share * 30);
    std::fprintf(stderr, "\r[%-30.*s] %3.0f%%  %-24.*s %3.0f s left \033[K", filled, "##############################",
                 share * 100, static_cast<int>(scenario.size()), scenario.data(),
                 share > 0 ? spent / share - spent : 0.0);
  }
  void clear() const {
    if (shown_) std::fputs("\r\033[K", stderr);
  }

 private:
  std::uint64_t all_;
  bool shown_;
  std::uint64_t began_;
  std::uint64_t last_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "--help" || name == "-h") {
      std::fputs(usage, stdout);
      return 0;
    }
    if (name == "--trace") {
      arguments.trace = true;
      continue;
    }
    if (name == "--list") {
      arguments.list = true;
      continue;
    }
    if (i + 1 >= argc) return refuse(std::string(name) + " is not an option, or wants a value");
    const char* value = argv[++i];
    if (name == "--scenario") {
      if (std::string_view(value) == "all") continue;
      const auto* scenario = find_scenario(value);
      if (scenario == nullptr) return refuse(std::string("there is no scenario ") + value);
      arguments.scenarios.push_back(scenario);
      continue;
    }
    if (name == "--json") {
      arguments.json = value;
      continue;
    }
    const auto count = number(value);
    if (!count) return refuse(std::string(name) + " wants a number");
    if (name == "--seeds") {
      arguments.options.seeds = *count;
    } else if (name == "--first") {
      arguments.options.first = *count;
    } else if (name == "--jobs") {
      arguments.options.jobs = *count == 0 ? std::max(1U, std::thread::hardware_concurrency())
                                           : static_cast<unsigned>(std::min<std::uint64_t>(*count, 256));
    } else {
      return refuse(std::string(name) + " is not an option");
    }
  }
  if (arguments.list) {
    for (const auto& scenario : all_scenarios()) {
      std::printf("%-24s %s\n", std::string(scenario.name).c_str(), std::string(scenario.about).c_str());
    }
    return 0;
  }
  if (arguments.scenarios.empty()) {
    for (const auto& scenario : all_scenarios()) arguments.scenarios.push_back(&scenario);
  }

  if (arguments.trace) {
    bool good = true;
    for (const auto* scenario : arguments.scenarios) {
      for (std::uint64_t i = 0; i < arguments.options.seeds; ++i) {
        const auto seed = arguments.options.first + i;
        std::printf("== %s, seed %llu\n", std::string(scenario->name).c_str(), static_cast<unsigned long long>(seed));
        const auto outcome = play(*scenario, seed, [](const std::string& line) { std::puts(line.c_str()); });
        std::printf("== hash %016llx %s\n", static_cast<unsigned long long>(outcome.hash), outcome.violation.c_str());
        good = good && outcome.violation.empty();
      }
    }
    return good ? 0 : 1;
  }

  Progress progress(arguments.options.seeds * arguments.scenarios.size());
  std::vector<Report> reports;
  bool good = true;
  for (const auto* scenario : arguments.scenarios) {
    const auto before = reports.size() * arguments.options.seeds;
    arguments.options.on_progress = [&](std::uint64_t done) { progress.show(scenario->name, before, done); };
    reports.push_back(play_many(*scenario, arguments.options));
    progress.clear();
    good = good && reports.back().good();
    std::fputs(describe(reports.back(), argv[0]).c_str(), arguments.json == "-" ? stderr : stdout);
    std::fflush(stdout);
  }
  if (arguments.json == "-") {
    std::fputs(to_json(reports).c_str(), stdout);
  } else if (!arguments.json.empty()) {
    std::ofstream file(arguments.json);
    file << to_json(reports);
    if (!file) return refuse("cannot write " + arguments.json);
  }
  return good ? 0 : 1;
}
