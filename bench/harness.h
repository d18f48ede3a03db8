// Measures things in turns, and reports each beside what it is compared with.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace aceward::bench {

/// Keeps the compiler from finding out that a result is not used.
template <class T>
void keep(const T& value) {
  asm volatile("" : : "g"(&value) : "memory");
}

/// Something that can be done many times over.
struct Contender {
  std::string name;
  std::function<void()> once;
  /// After each series, outside of the time that counts: throws away what has piled up.
  std::function<void()> tidy = {};
};

/// Which of two contenders to report beside which other.
struct Comparison {
  std::size_t of;
  std::size_t with;
  std::optional<double> goal = {};  ///< the ratio should not be above it
};

struct Figure {
  std::string name;
  double value = 0;  ///< in `unit`; of time: processor time for one, the median of the series
  std::string compared_with;
  double ratio = 0;  ///< the median over the rounds of this figure's time by that of what it is compared with
  std::optional<double> goal;
  std::string unit = "ns";
  std::string note = {};  ///< how it was measured, where that is not the same for all
};

class Report {
 public:
  /// `rounds` series of each contender, `series` long each.
  Report(std::size_t rounds, std::chrono::nanoseconds series) : rounds_(rounds), series_(series) {}

  /// Lets the contenders take turns: a change of the machine's pace meets all of them.
  void measure(const std::vector<Contender>& contenders, const std::vector<Comparison>& comparisons);

  /// What was measured elsewhere.
  void add(Figure figure) { figures_.push_back(std::move(figure)); }
  /// A figure that could not be measured here.
  void skip(const std::string& name, const std::string& why) { skipped_.push_back(name + ": not measured, " + why); }

  const std::vector<Figure>& figures() const { return figures_; }
  std::string table() const;
  /// An array with one object a line: name, value, unit, compared_with, ratio, goal, note. What the others are compared
  /// with has null in compared_with, ratio and goal.
  std::string json() const;

 private:
  std::size_t rounds_;
  std::chrono::nanoseconds series_;
  std::vector<Figure> figures_;
  std::vector<std::string> skipped_;
};

double median(std::vector<double> values);

/// Ends the program: a benchmark that does not do its work measures nothing.
[[noreturn]] void give_up(const std::string& what);

/// The value of a Result.
template <class R>
auto need(R result, const char* what) {
  if (!result) give_up(std::string(what) + ": " + std::string(result.error().id()));
  if constexpr (!std::is_void_v<typename R::value_type>) return std::move(*result);
}

// Each measures its figures into the report.
void measure_tokens(Report& report);
/// With a store on disk that holds a million tokens; `brief`: a few.
void measure_issuance(Report& report, bool brief);
void measure_coap(Report& report);
void measure_handshakes(Report& report);
/// Real servers over loopback; `brief` is a look whether everything still runs.
void measure_servers(Report& report, bool brief);

}  // namespace aceward::bench
