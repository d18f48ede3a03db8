#include "aceward/ace/rs/peer_budget.h"

namespace aceward::ace::rs {
namespace {

constexpr std::chrono::seconds budget_period{1};

}  // namespace

bool PeerBudget::spend(const Address* from, Instant now) {
  if (now - second_began_ >= budget_period) {
    second_began_ = now;
    in_all_ = 0;
    shared_ = 0;
    per_peer_.clear();
  }
  if (in_all_ >= limits_.in_all) return false;
  if (from != nullptr) {
    const bool is_known = per_peer_.contains(from->ip);
    unsigned& spent = is_known || per_peer_.size() < limits_.peers ? per_peer_[from->ip] : shared_;
    if (spent >= limits_.per_peer) return false;
    ++spent;
  }
  ++in_all_;
  return true;
}

}  // namespace aceward::ace::rs
