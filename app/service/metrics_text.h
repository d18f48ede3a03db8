// What the servers count as Prometheus reads it: text format 0.0.4.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "app/counters.h"

namespace aceward::app {

/// A page of metrics, family by family. Names are made of [a-z0-9_]; a family is written once.
class MetricsText {
 public:
  /// `name` without the ending `_total`, which is added.
  void counter(std::string_view name, std::string_view help, double value);
  void gauge(std::string_view name, std::string_view help, double value);
  /// One counter for each value of one label. Nothing at all where there are none.
  void counters(std::string_view name, std::string_view help, std::string_view label,
                const std::map<std::string_view, std::uint64_t>& values);
  /// A gauge that is 1, for what is told by the label alone.
  void info(std::string_view name, std::string_view help, std::string_view label, std::string_view value);

  std::string finish() && { return std::move(text_); }

 private:
  void family(std::string_view name, std::string_view help, std::string_view type);
  void sample(std::string_view name, std::string_view label, std::string_view label_value, double value);
  std::string text_;
};

/// `aceward_ROLE_GROUP_NAME_total`, and gauges `aceward_ROLE_held_NAME`. Octets are called bytes, as Prometheus has it.
void add_groups(MetricsText& page, const std::vector<CounterGroup>& groups);
/// Refusals by their reason's id, and what else has a label of its own.
void add_decisions(MetricsText& page, const std::vector<DecisionCounters>& decisions);
/// Processor time, memory and open files, under the names that client libraries give them.
void add_process(MetricsText& page, WallTime started);

}  // namespace aceward::app
