// State of transfers by peer and operation, in the order of their last use, each for a bounded time.
#pragma once

#include <algorithm>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>

#include "aceward/base/bytes.h"
#include "aceward/base/time.h"
#include "aceward/coap/peer.h"

namespace aceward::coap {

/// Which transfer a block belongs to: RFC 9175 section 3.3.
struct TransferKey {
  Peer peer;
  Bytes operation;  ///< the Cache-Key without what block-wise transfer interprets; Request-Tag is part of it

  friend bool operator==(const TransferKey&, const TransferKey&) = default;
  friend bool operator<(const TransferKey& a, const TransferKey& b) {
    if (const auto order = a.peer <=> b.peer; order != 0) return order < 0;
    return std::ranges::lexicographical_compare(a.operation, b.operation);
  }
};

/// Every entry lives `lifetime` from its last touch(). The bounds are the owner's business: size(), bytes(), count().
template <class Value>
class TransferTable {
 public:
  struct Entry;

 private:
  using Node = std::pair<const TransferKey, Entry>;
  using Order = std::list<Node*>;

 public:
  struct Entry {
    Value value;
    Instant expires;
    std::size_t bytes = 0;
    std::uint64_t used = 0;  ///< grows with each use of any entry
    typename Order::iterator place;
  };

  explicit TransferTable(Instant::duration lifetime) : lifetime_(lifetime) {}

  Entry* find(const TransferKey& key) {
    const auto found = entries_.find(key);
    return found == entries_.end() ? nullptr : &found->second;
  }
  /// There must be none yet.
  Entry& add(TransferKey key, Value value, std::size_t bytes, Instant now) {
    const auto added =
        entries_.emplace(std::move(key), Entry{std::move(value), now + lifetime_, bytes, ++uses_, {}}).first;
    added->second.place = order_.insert(order_.end(), &*added);
    ++counts_[added->first.peer];
    bytes_ += bytes;
    return added->second;
  }
  void touch(Entry& entry, Instant now) {
    entry.expires = now + lifetime_;
    entry.used = ++uses_;
    order_.splice(order_.end(), order_, entry.place);
  }
  void resize(Entry& entry, std::size_t bytes) { bytes_ += bytes - std::exchange(entry.bytes, bytes); }
  void erase(Entry& entry) {
    const auto found = entries_.find((*entry.place)->first);
    const auto count = counts_.find(found->first.peer);
    if (--count->second == 0) counts_.erase(count);
    bytes_ -= entry.bytes;
    order_.erase(entry.place);
    entries_.erase(found);
  }
  void erase_peer(const Peer& peer) {
    for (auto at = entries_.lower_bound(TransferKey{peer, {}}); at != entries_.end() && at->first.peer == peer;) {
      erase((at++)->second);
    }
  }

  /// The entry that was not touched for longest among those for which `matches(key, value)`; nullptr if there is none.
  template <class Matches>
  Entry* oldest(Matches matches) {
    for (auto* node : order_) {
      if (matches(node->first, node->second.value)) return &node->second;
    }
    return nullptr;
  }
  /// The same among those of one peer, without a look at others.
  template <class Matches>
  Entry* oldest_of(const Peer& peer, Matches matches) {
    Entry* oldest = nullptr;
    for (auto at = entries_.lower_bound(TransferKey{peer, {}}); at != entries_.end() && at->first.peer == peer; ++at) {
      auto& entry = at->second;
      if (matches(entry.value) && (oldest == nullptr || entry.used < oldest->used)) oldest = &entry;
    }
    return oldest;
  }
  /// Drops what has expired; returns how many.
  std::size_t expire(Instant now) {
    std::size_t expired = 0;
    for (; !order_.empty(); ++expired) {
      auto& entry = order_.front()->second;
      if (entry.expires > now) break;
      erase(entry);
    }
    return expired;
  }
  std::optional<Instant> next_expiry() const {
    if (order_.empty()) return std::nullopt;
    return order_.front()->second.expires;
  }

  std::size_t size() const { return entries_.size(); }
  std::size_t bytes() const { return bytes_; }
  std::size_t count(const Peer& peer) const {
    const auto found = counts_.find(peer);
    return found == counts_.end() ? 0 : found->second;
  }

 private:
  Instant::duration lifetime_;
  std::map<TransferKey, Entry> entries_;
  Order order_;
  std::unordered_map<Peer, std::size_t> counts_;
  std::size_t bytes_ = 0;
  std::uint64_t uses_ = 0;
};

}  // namespace aceward::coap
