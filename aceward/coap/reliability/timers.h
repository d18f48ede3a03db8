// What is due when, by kind and exchange.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "aceward/base/time.h"

namespace aceward::coap {

/// At most one time for each (kind, id). Kind is an enumeration of the user. Equal times come in order of kind, then
/// id, so that a run can be repeated exactly.
template <class Kind>
class Timers {
 public:
  struct Due {
    Kind kind;
    std::uint64_t id;
  };

  void set(Kind kind, std::uint64_t id, Instant at) {
    clear(kind, id);
    times_.emplace(std::pair(kind, id), at);
    order_.emplace(at, kind, id);
  }
  void clear(Kind kind, std::uint64_t id) {
    const auto found = times_.find({kind, id});
    if (found == times_.end()) return;
    order_.erase({found->second, kind, id});
    times_.erase(found);
  }
  std::optional<Instant> next() const {
    if (order_.empty()) return std::nullopt;
    return std::get<0>(*order_.begin());
  }
  /// Removes and returns the earliest that is due.
  std::optional<Due> take_due(Instant now) {
    if (order_.empty() || std::get<0>(*order_.begin()) > now) return std::nullopt;
    const auto [at, kind, id] = *order_.begin();
    clear(kind, id);
    return Due{kind, id};
  }
  std::size_t size() const { return order_.size(); }

 private:
  std::map<std::pair<Kind, std::uint64_t>, Instant> times_;
  std::set<std::tuple<Instant, Kind, std::uint64_t>> order_;
};

}  // namespace aceward::coap
