// The memory of received messages, so that none is acted on twice (RFC 7252 section 4.5).
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "aceward/base/bytes.h"
#include "aceward/base/time.h"
#include "aceward/coap/reliability/message_ids.h"

namespace aceward::coap {

/// Remembers each confirmable message for EXCHANGE_LIFETIME and each non-confirmable one for NON_LIFETIME, with the
/// answer to repeat. Bounded for each peer and overall. When a bound is reached, the entry that was answered longest
/// ago among the harmless ones makes room: requests that may be processed again (PUT, DELETE, what is safe) or were
/// refused with a 4.xx, and responses. All others are kept for their lifetime, whatever arrives: rather is a new one
/// refused.
class Deduplication {
 public:
  using Duration = std::chrono::nanoseconds;
  struct Bounds {
    std::size_t per_peer;
    std::size_t overall;
    Duration confirmable_lifetime;
    Duration non_confirmable_lifetime;
  };

  explicit Deduplication(const Bounds& bounds) : bounds_(bounds) {}

  bool has(const MessageKey& key) const { return entries_.contains(key); }
  /// The datagram to repeat: nullptr if the message is unknown or not answered yet; empty if nothing is to be sent.
  const Bytes* answer(const MessageKey& key) const;

  /// Remembers a message. If it is remembered already, or if there is no room, nothing is changed.
  enum class Outcome : std::uint8_t { remembered, peer_full, full };
  Outcome remember(const MessageKey& key, bool confirmable, bool harmless, Instant now);
  /// When the next entry of a peer goes by itself; `now` if it has none.
  Instant room_at(PeerNumber peer, Instant now) const;
  /// Sets or replaces the answer. Unknown keys are ignored.
  void store_answer(const MessageKey& key, Bytes answer);

  /// The message was refused, so acting on it again does no harm. Unknown keys are ignored.
  void mark_harmless(const MessageKey& key);

  /// Forgets one harmless, answered entry of any peer; false if there is none.
  bool make_room();
  /// The same to get rid of a peer: with the entry go all harmless, answered ones of its peer.
  bool make_room_for_a_peer();
  void forget_peer(PeerNumber peer);
  /// Drops what is older than its lifetime.
  void expire(Instant now);

  std::size_t size() const { return entries_.size(); }
  std::size_t size_of(PeerNumber peer) const;
  std::uint64_t forgotten_early() const { return forgotten_early_; }
  /// The peers that lost entries since the last call.
  std::vector<PeerNumber> take_released() { return std::exchange(released_, {}); }
  bool has_released() const { return !released_.empty(); }

 private:
  using Keys = std::list<MessageKey>;
  struct Entry {
    Instant expires;
    bool confirmable;
    bool harmless;
    std::optional<Bytes> answer;
    Keys::iterator by_age;
    // Valid once the entry is harmless and answered.
    Keys::iterator by_answer;
    Keys::iterator by_peer;
    bool may_go() const { return harmless && answer.has_value(); }
  };
  struct PeerEntries {
    Keys all;     // those that may not go, in order of arrival
    Keys may_go;  // in order of their answers
    std::size_t size() const { return all.size() + may_go.size(); }
  };

  void erase(const MessageKey& key);
  void let_go(const MessageKey& key, Entry& entry);
  Keys& ages(bool confirmable) { return confirmable ? confirmable_ : non_confirmable_; }

  Bounds bounds_;
  std::unordered_map<MessageKey, Entry, MessageKeyHash> entries_;
  std::unordered_map<PeerNumber, PeerEntries> peers_;
  Keys confirmable_;  // oldest first: one lifetime each, so also in order of expiry
  Keys non_confirmable_;
  Keys may_go_;
  std::vector<PeerNumber> released_;
  std::uint64_t forgotten_early_ = 0;
};

}  // namespace aceward::coap
