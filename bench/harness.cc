#include "bench/harness.h"

#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace aceward::bench {

namespace {

/// Processor time of this thread: what other processes take meanwhile does not count.
std::chrono::nanoseconds processor_time() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

double time_of(const Contender& contender, std::size_t times) {
  const auto begin = processor_time();
  for (std::size_t i = 0; i < times; ++i) contender.once();
  const auto end = processor_time();
  if (contender.tidy) contender.tidy();
  return std::chrono::duration<double, std::nano>(end - begin).count() / static_cast<double>(times);
}

/// How often it fits into a series; warms up on the way.
std::size_t times_for(const Contender& contender, std::chrono::nanoseconds series) {
  std::size_t times = 1;
  while (true) {
    const double one = time_of(contender, times);
    const double wanted = static_cast<double>(series.count()) / std::max(one, 0.1);
    if (one * static_cast<double>(times) >= static_cast<double>(series.count()) / 4) {
      return std::max<std::size_t>(1, static_cast<std::size_t>(wanted));
    }
    times *= 4;
  }
}

std::string in_words(double value, const std::string& unit) {
  char text[48];
  if (unit != "ns") {
    std::snprintf(text, sizeof text, "%.4g %s", value, unit.c_str());
  } else if (value < 1e3) {
    std::snprintf(text, sizeof text, "%.1f ns", value);
  } else if (value < 1e6) {
    std::snprintf(text, sizeof text, "%.2f us", value / 1e3);
  } else {
    std::snprintf(text, sizeof text, "%.2f ms", value / 1e6);
  }
  return text;
}

/// The names are ours: no character needs escaping.
std::string json_text(const std::string& text) { return text.empty() ? "null" : '"' + text + '"'; }

std::string json_number(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", number);
  return text;
}

}  // namespace

double median(std::vector<double> values) {
  std::ranges::sort(values);
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

void Report::measure(const std::vector<Contender>& contenders, const std::vector<Comparison>& comparisons) {
  std::vector<std::size_t> times;
  for (const Contender& contender : contenders) times.push_back(times_for(contender, series_));
  std::vector<std::vector<double>> measured(contenders.size());
  for (std::size_t round = 0; round < rounds_; ++round) {
    for (std::size_t i = 0; i < contenders.size(); ++i) measured[i].push_back(time_of(contenders[i], times[i]));
  }
  for (std::size_t i = 0; i < contenders.size(); ++i) {
    const bool is_compared = std::ranges::any_of(comparisons, [i](const Comparison& c) { return c.of == i; });
    if (!is_compared) figures_.push_back({contenders[i].name, median(measured[i]), "", 0, {}, "ns", ""});
  }
  for (const Comparison& comparison : comparisons) {
    std::vector<double> ratios;
    for (std::size_t round = 0; round < rounds_; ++round) {
      ratios.push_back(measured[comparison.of][round] / measured[comparison.with][round]);
    }
    figures_.push_back({contenders[comparison.of].name, median(measured[comparison.of]),
                        contenders[comparison.with].name, median(ratios), comparison.goal, "ns", ""});
  }
}

std::string Report::table() const {
  std::size_t width = 0;
  std::size_t other_width = 0;
  for (const Figure& figure : figures_) {
    width = std::max(width, figure.name.size());
    other_width = std::max(other_width, figure.compared_with.size());
  }
  std::string text;
  for (const Figure& figure : figures_) {
    text += figure.name + std::string(width - figure.name.size(), ' ');
    const std::string time = in_words(figure.value, figure.unit);
    text += std::string(time.size() < 12 ? 12 - time.size() : 1, ' ') + time;
    if (!figure.compared_with.empty()) {
      char ratio[64];
      std::snprintf(ratio, sizeof ratio, "   %7.2f x  ", figure.ratio);
      text += ratio + figure.compared_with + std::string(other_width - figure.compared_with.size(), ' ');
      if (figure.goal) {
        std::snprintf(ratio, sizeof ratio, "   goal %.3g%s", *figure.goal,
                      figure.ratio <= *figure.goal ? "" : ": missed");
        text += ratio;
      }
    }
    text += '\n';
    if (!figure.note.empty()) text += "    " + figure.note + '\n';
  }
  for (const std::string& one : skipped_) text += one + '\n';
  return text;
}

std::string Report::json() const {
  std::string text = "[";
  for (std::size_t i = 0; i < figures_.size(); ++i) {
    const Figure& figure = figures_[i];
    const bool compared = !figure.compared_with.empty();
    text += (i == 0 ? "\n" : ",\n");
    text += R"( {"name": )" + json_text(figure.name) + R"(, "value": )" + json_number(figure.value) + R"(, "unit": )" +
            json_text(figure.unit) + R"(, "compared_with": )" + json_text(figure.compared_with) + R"(, "ratio": )" +
            (compared ? json_number(figure.ratio) : "null") + R"(, "goal": )" +
            (figure.goal ? json_number(*figure.goal) : "null") + R"(, "note": )" + json_text(figure.note) + "}";
  }
  return text + "\n]\n";
}

void give_up(const std::string& what) {
  std::fprintf(stderr, "aceward-bench: %s\n", what.c_str());
  std::exit(1);
}

}  // namespace aceward::bench
