#include <algorithm>
#include <iterator>

#include "sim/scenario.h"

namespace aceward::sim {

std::span<const Scenario> all_scenarios() {
  static const std::vector<Scenario> all = [] {
    std::vector<Scenario> list;
    for (auto part : {plain_scenarios(), blockwise_scenarios(), observe_scenarios(), dtls_scenarios(), ace_scenarios(),
                      ace_revocation_scenarios(), attack_scenarios(), ace_attack_scenarios()}) {
      std::ranges::move(part, std::back_inserter(list));
    }
    return list;
  }();
  return all;
}

const Scenario* find_scenario(std::string_view name) {
  const auto all = all_scenarios();
  const auto found = std::ranges::find(all, name, &Scenario::name);
  return found == all.end() ? nullptr : &*found;
}

}  // namespace aceward::sim
