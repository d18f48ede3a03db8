// How often something costly is done for those who need not prove who they are.
#pragma once

#include <array>
#include <map>

#include "aceward/base/address.h"
#include "aceward/base/time.h"

namespace aceward::ace::rs {

/// Within one second. Peers are told apart by IP address without port; addresses beyond `peers` share one budget.
struct PeerBudgetLimits {
  unsigned per_peer = 10;
  unsigned in_all = 200;
  std::size_t peers = 1024;
};

/// Not thread-safe.
class PeerBudget {
 public:
  explicit PeerBudget(PeerBudgetLimits limits) : limits_(limits) {}
  /// Once more? `from` null: counts against `in_all` alone.
  bool spend(const Address* from, Instant now);

 private:
  PeerBudgetLimits limits_;
  Instant second_began_{};
  unsigned in_all_ = 0;
  unsigned shared_ = 0;
  std::map<std::array<std::uint8_t, 16>, unsigned> per_peer_;
};

}  // namespace aceward::ace::rs
