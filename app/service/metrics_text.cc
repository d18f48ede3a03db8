#include "app/service/metrics_text.h"

#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <filesystem>
#include <fstream>

namespace aceward::app {

namespace {

std::string number_text(double value) {
  std::array<char, 64> text{};
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() ? std::string(text.data(), end) : "NaN";
}

/// Of a label's value: a backslash, a double quote and a line feed are escaped.
std::string label_text(std::string_view value) {
  std::string text;
  for (const char c : value) {
    if (c == '\n') {
      text += "\\n";
      continue;
    }
    if (c == '\\' || c == '"') text += '\\';
    text += c;
  }
  return text;
}

/// `octets_in` → `in_bytes`.
std::string name_in_base_units(std::string_view name) {
  std::string text(name);
  const std::size_t at = text.find("octets");
  if (at == std::string::npos) return text;
  text.erase(at, 6);
  if (at < text.size() && text[at] == '_') text.erase(at, 1);
  if (!text.empty() && text.back() == '_') text.pop_back();
  return text + (text.empty() ? "bytes" : "_bytes");
}

double seconds_in(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

}  // namespace

void MetricsText::family(std::string_view name, std::string_view help, std::string_view type) {
  text_.append("# HELP ").append(name).append(" ").append(help).append("\n");
  text_.append("# TYPE ").append(name).append(" ").append(type).append("\n");
}

void MetricsText::sample(std::string_view name, std::string_view label, std::string_view label_value, double value) {
  text_.append(name);
  if (!label.empty()) text_.append("{").append(label).append("=\"").append(label_text(label_value)).append("\"}");
  text_.append(" ").append(number_text(value)).append("\n");
}

void MetricsText::counter(std::string_view name, std::string_view help, double value) {
  const std::string full = std::string(name) + "_total";
  family(full, help, "counter");
  sample(full, {}, {}, value);
}

void MetricsText::gauge(std::string_view name, std::string_view help, double value) {
  family(name, help, "gauge");
  sample(name, {}, {}, value);
}

void MetricsText::counters(std::string_view name, std::string_view help, std::string_view label,
                           const std::map<std::string_view, std::uint64_t>& values) {
  if (values.empty()) return;
  const std::string full = std::string(name) + "_total";
  family(full, help, "counter");
  for (const auto& [value, count] : values) sample(full, label, value, static_cast<double>(count));
}

void MetricsText::info(std::string_view name, std::string_view help, std::string_view label, std::string_view value) {
  family(name, help, "gauge");
  sample(name, label, value, 1);
}

void add_groups(MetricsText& page, const std::vector<CounterGroup>& groups) {
  for (const CounterGroup& group : groups) {
    for (const auto& [name, value] : group.values) {
      const std::string full =
          "aceward_" + std::string(group.role) + "_" + std::string(group.name) + "_" + name_in_base_units(name);
      const std::string help = "Of " + std::string(group.role) + ", " + std::string(group.name) + ": " +
                               std::string(name) + ", as aceward counters shows it.";
      if (group.name == "held") {
        page.gauge(full, help, static_cast<double>(value));
      } else {
        page.counter(full, help, static_cast<double>(value));
      }
    }
  }
}

void add_decisions(MetricsText& page, const std::vector<DecisionCounters>& decisions) {
  for (const DecisionCounters& one : decisions) {
    const std::string name = "aceward_" + std::string(one.role) + "_" + std::string(one.name);
    if (one.by_reason) {
      page.counters(name, one.help, "reason", *one.by_reason);
    } else {
      page.counter(name, one.help, static_cast<double>(one.count));
    }
  }
}

void add_process(MetricsText& page, WallTime started) {
  page.gauge("process_start_time_seconds", "When the process started, in seconds since 1970.",
             static_cast<double>(started.time_since_epoch().count()));
  rusage usage{};
  if (::getrusage(RUSAGE_SELF, &usage) == 0) {
    page.counter("process_cpu_seconds", "Processor time of user and system.",
                 seconds_in(usage.ru_utime) + seconds_in(usage.ru_stime));
  }
  std::ifstream sizes("/proc/self/statm");
  double all = 0;
  double resident = 0;
  if (sizes >> all >> resident) {
    const auto page_size = static_cast<double>(::sysconf(_SC_PAGESIZE));
    page.gauge("process_virtual_memory_bytes", "Address space.", all * page_size);
    page.gauge("process_resident_memory_bytes", "Memory in use.", resident * page_size);
  }
  std::error_code error;
  double open = 0;
  for (std::filesystem::directory_iterator entry("/proc/self/fd", error), end; !error && entry != end;
       entry.increment(error)) {
    ++open;
  }
  if (open > 1) page.gauge("process_open_fds", "Open files and sockets.", open - 1);  // without the folder itself
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    page.gauge("process_max_fds", "Open files and sockets that the system allows.",
               static_cast<double>(limit.rlim_cur));
  }
}

}  // namespace aceward::app
