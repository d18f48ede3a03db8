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
/// ago among those marked harmless (requests with a safe method or refused with a 4.xx, responses) makes room. Others
/// are not forgotten while their sender may still retransmit; after that, only when the bound over all peers is reached
/// and nothing harmless is left: a flood from invented addresses must not shut everybody else out.
class Deduplication {
 public:
  using Duration = std::chrono::nanoseconds;
  struct Bounds {
    std::size_t per_peer;
    std::size_t overall;
    Duration confirmable_lifetime;
    Duration non_confirmable_lifetime;
    Duration retransmission_span;  ///< how long a sender may retransmit
  };

  explicit Deduplication(const Bounds& bounds) : bounds_(bounds) {}

  bool has(const MessageKey& key) const { return entries_.contains(key); }
  /// The datagram to repeat: nullptr if the message is unknown or not answered yet; empty if nothing is to be sent.
  const Bytes* answer(const MessageKey& key) const;

  /// Remembers a message that is not remembered yet. False: no room, nothing changed.
  bool remember(const MessageKey& key, bool confirmable, bool harmless, Instant now);
  /// Sets or replaces the answer. Unknown keys are ignored.
  void store_answer(const MessageKey& key, Bytes answer);

  /// The message was refused, so acting on it again does no harm. Unknown keys are ignored.
  void mark_harmless(const MessageKey& key);

  /// Forgets one answered entry of any peer, a harmless one if there is one, else one that is older than the
  /// retransmission span; false if there is none.
  bool make_room(Instant now);
  /// The same to get rid of a peer: with the entry go all harmless, answered ones of its peer.
  bool make_room_for_a_peer(Instant now);
  void forget_peer(PeerNumber peer);
  /// Drops what is older than its lifetime.
  void expire(Instant now);

  std::size_t size() const { return entries_.size(); }
  std::size_t size_of(PeerNumber peer) const;
  std::uint64_t forgotten_early() const { return forgotten_early_; }
  /// The peers that lost entries since the last call.
  std::vector<PeerNumber> take_released() { return std::exchange(released_, {}); }

 private:
  using Keys = std::list<MessageKey>;
  struct Entry {
    Instant since;
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
    Keys all;     // those that may not go, in no particular order
    Keys may_go;  // in order of their answers
    std::size_t size() const { return all.size() + may_go.size(); }
  };

  void erase(const MessageKey& key);
  void let_go(const MessageKey& key, Entry& entry);
  std::optional<MessageKey> first_to_forget(Instant now) const;
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
