// A scenario: a function of a seed with invariants, and the branches that it promises to reach.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "sim/run.h"

namespace aceward::sim {

struct Scenario {
  std::string_view name;   ///< lower-case words joined by hyphens
  std::string_view about;  ///< one line
  /// Throws Violation where an invariant does not hold.
  void (*play)(Run& run);
  /// Each must have been reached in a thousand seeds, or the scenario does not test what it says.
  std::vector<std::string_view> branches;
};

/// All of them, in the order in which they are played.
std::span<const Scenario> all_scenarios();
/// nullptr if there is none of that name.
const Scenario* find_scenario(std::string_view name);

// One function for each file of scenarios/.
std::vector<Scenario> plain_scenarios();
std::vector<Scenario> blockwise_scenarios();
std::vector<Scenario> observe_scenarios();
std::vector<Scenario> dtls_scenarios();
std::vector<Scenario> ace_scenarios();
std::vector<Scenario> attack_scenarios();
std::vector<Scenario> ace_revocation_scenarios();
std::vector<Scenario> ace_attack_scenarios();

}  // namespace aceward::sim
