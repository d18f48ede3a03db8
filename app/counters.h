// What running servers count, for `aceward counters` and for the end of `aceward serve -v`.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/roles/as_role.h"
#include "app/roles/rs_role.h"

namespace aceward::app {

/// Numbers that belong together. Names never change their meaning; what is held now has a group of its own, the rest
/// grows from the start of the process on.
struct CounterGroup {
  std::string_view role;  ///< as, rs
  std::string_view name;  ///< messages, dtls, sockets, held, …
  std::vector<std::pair<std::string_view, std::uint64_t>> values;
};

/// One kind of decision: how often, or how often for each reason.
struct DecisionCounters {
  std::string_view role;
  std::string_view name;  ///< tokens_issued, token_requests_refused, …
  std::string_view help;
  std::uint64_t count = 0;
  std::optional<std::map<std::string_view, std::uint64_t>> by_reason{};
};

std::vector<CounterGroup> counters_of(AsRole& role);
std::vector<CounterGroup> counters_of(RsRole& role);
std::vector<DecisionCounters> decisions_of(AsRole& role);

/// {"as": {"messages": {"received": 1, …}, …}, "rs": …}
std::string counters_json(const std::vector<CounterGroup>& groups);
/// `rs messages: received 12, sent 12`; what is 0 is left out.
std::string counters_line(const CounterGroup& group);

}  // namespace aceward::app
