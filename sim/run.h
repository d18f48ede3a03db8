// One run of a scenario: its seed, its dice, its clock, and what is noted about it.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <source_location>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "aceward/base/address.h"
#include "aceward/base/bytes.h"
#include "aceward/base/random.h"
#include "aceward/base/time.h"
#include "aceward/coap/message/code.h"

namespace aceward::sim {

/// An invariant does not hold: a bug, in what is simulated or in the scenario.
class Violation : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// How often something was reached, by name. A name that ends a word and a code is made of a CoAP code: `code 4.08`.
using Branches = std::map<std::string, std::uint64_t, std::less<>>;

/// Not thread-safe; a run belongs to one thread.
class Run {
 public:
  using Print = std::function<void(const std::string&)>;

  /// With `print`, everything that happens is handed to it, a line each.
  explicit Run(std::uint64_t seed, Print print = {});
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  std::uint64_t seed() const { return seed_; }
  Instant now() const { return clock.now(); }
  std::chrono::nanoseconds elapsed() const { return clock.now() - start_; }

  /// True in `permille` of a thousand cases.
  bool chance(unsigned permille) { return permille != 0 && dice.below(1000) < permille; }
  /// Uniform in [least, most].
  std::uint64_t between(std::uint64_t least, std::uint64_t most) { return least + dice.below(most - least + 1); }
  std::chrono::nanoseconds between(std::chrono::nanoseconds least, std::chrono::nanoseconds most);

  /// Throws Violation unless it holds.
  void require(bool holds, std::string_view what, std::source_location where = std::source_location::current());
  template <class A, class B>
  void require_equal(const A& left, const B& right, std::string_view what,
                     std::source_location where = std::source_location::current()) {
    if (left == right) return;
    require(false, std::string(what) + ": " + std::to_string(left) + " instead of " + std::to_string(right), where);
  }

  /// Counts a branch: something that the scenario wants to have seen.
  void reach(std::string_view branch, std::uint64_t times = 1);
  void reach_code(coap::Code code) { ++codes_[code.value]; }
  /// The branches so far, codes included.
  Branches branches() const;

  /// It took so long until what was broken worked again.
  void recovered(std::chrono::nanoseconds after) { recoveries_.push_back(after); }
  const std::vector<std::chrono::nanoseconds>& recoveries() const { return recoveries_; }

  /// Everything that happens goes into the hash; two runs are the same if their hashes are.
  void note_datagram(std::string_view what, const Address& from, const Address& to, BytesView octets);
  std::uint64_t hash() const { return hash_; }
  bool prints() const { return static_cast<bool>(print_); }
  void print(std::string_view line) const;

  SeededRandom dice;
  ManualClock clock;

 private:
  void mix(BytesView octets);

  std::uint64_t seed_;
  Instant start_;
  Print print_;
  std::uint64_t hash_ = 0xcbf29ce484222325U;
  std::array<std::uint64_t, 256> codes_{};
  std::map<std::string_view, std::uint64_t> branches_;
  std::vector<std::chrono::nanoseconds> recoveries_;
};

}  // namespace aceward::sim
