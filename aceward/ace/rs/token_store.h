// The tokens that a resource server holds: one for each proof-of-possession key (RFC 9200 section 5.10.1).
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "aceward/ace/token/token_verifier.h"
#include "aceward/base/strong.h"

namespace aceward::ace::rs {

/// Names a key that has a live token. Monotonic, never reused; 0 names none. It stays the same while tokens for the
/// key supersede one another, and ends with the last of them.
using EntryId = Strong<struct EntryIdTag, std::uint64_t>;

/// A key and the authorization information that is tied to it at present.
struct TokenEntry {
  EntryId id;
  std::string issuer;
  cose::Key key;
  std::optional<Bytes> kid;
  Permissions permissions;
  std::optional<Bytes> cti;
  std::optional<WallTime> issued_at;
  WallTime expires_at;
  std::array<std::uint8_t, 32> digest{};
  /// When the key's first token came; and whether a channel has been established with the key since.
  WallTime stored_at;
  bool used = false;
};

/// Where there is no room, the key that waits longest for its first use makes way: whoever hoards tokens, or posts
/// those of others, keeps nobody out (RFC 9202 section 7). Keys that were used stay until their tokens end.
struct TokenStoreLimits {
  std::size_t tokens = 4096;
  std::size_t tokens_per_issuer = 4096;
  /// A key that nobody has used for so long after its token came is forgotten (RFC 9202 section 7).
  std::chrono::seconds unused{std::chrono::hours(1)};
  /// Keys whose tokens have ended and of which the order is remembered, see TokenStore.
  std::size_t remembered = 4096;
};

/// What became of a token.
enum class Change : std::uint8_t {
  stored,      ///< the first live token of its key
  superseded,  ///< took the place of an earlier token of its key
  repeated,    ///< is the token that is held
  outdated,    ///< is not later than what is or was held for its key: nothing changed
};

/// Keys are told apart by their COSE thumbprint (RFC 9679), symmetric ones by their issuer too; never by kid, which
/// several keys may share.
///
/// Of two tokens for one key the later supersedes: the one with the greater iat (absent counts as the earliest), then
/// the greater cti (the longer, then by its octets: RFC 9202 section 3.4), then the later exp; of a public key also
/// across issuers. Any other token for the key is valid, and so answered like one (RFC 9200 section 5.10.1 asks for
/// 2.01), but changes nothing: a token that was superseded brings no rights back. After the last token of a key has
/// ended, this is remembered for as long as any token seen for the key could still be valid, within
/// TokenStoreLimits::remembered. Not thread-safe.
class TokenStore {
 public:
  struct Outcome {
    EntryId entry;  ///< 0 when outdated and the key has no live token
    Change change = Change::stored;
    friend bool operator==(const Outcome&, const Outcome&) = default;
  };

  explicit TokenStore(TokenStoreLimits limits = {});

  /// Takes a token that was verified at `now`. Expired entries are dropped first; expire() still reports them.
  /// Errors: `token_kid_unknown`, `token_kid_ambiguous`, `token_store_full`; then nothing has changed.
  Result<Outcome> store(VerifiedToken token, WallTime now);

  /// Drops what has expired or was not used in time, and returns all entries that were dropped since the last call.
  std::vector<EntryId> expire(WallTime now);
  /// The earliest time at which expire() will have something to do.
  std::optional<WallTime> next_expiry() const;

  /// Null if the entry is gone or has expired at `now`. The pointer lives until the store changes.
  const TokenEntry* find(EntryId id, WallTime now) const;
  /// All live entries with a symmetric key of this kid, of any issuer.
  std::vector<EntryId> symmetric_by_kid(BytesView kid, WallTime now) const;
  /// The live entry of a public key.
  std::optional<EntryId> by_public_key(const crypto::PublicKey& key, WallTime now) const;
  /// A channel was established with the entry's key.
  void mark_used(EntryId id);

  std::size_t size() const { return entries_.size(); }

 private:
  /// Thumbprint, and the issuer of a symmetric key.
  using KeyName = std::pair<std::array<std::uint8_t, 32>, std::string>;
  struct Order {
    WallTime issued_at;
    Bytes cti;
    WallTime expires_at;
    friend bool operator==(const Order&, const Order&) = default;
    bool is_before(const Order& other) const;
  };
  /// The latest token of a key, and until when an earlier one might still be valid.
  struct Memory {
    Order latest;
    std::array<std::uint8_t, 32> digest{};
    WallTime until;
  };

  static KeyName name_of(const cose::Key& key, const std::string& issuer);
  Result<cose::Key> key_of(VerifiedToken& token, WallTime now) const;
  Result<> make_room(const std::string& issuer);
  void sweep(WallTime now);
  void insert(TokenEntry entry, KeyName name);
  void drop(EntryId id);
  void remember(const KeyName& name, Memory memory);
  void trim_memories(WallTime now);
  WallTime ends_at(const TokenEntry& entry) const;

  TokenStoreLimits limits_;
  std::uint64_t last_id_ = 0;
  std::map<EntryId, TokenEntry> entries_;
  std::set<std::pair<WallTime, EntryId>> ends_;
  std::map<KeyName, EntryId> by_key_;
  std::multimap<Bytes, EntryId> by_kid_;
  std::map<KeyName, Memory> memories_;  ///< of live keys too
  std::set<std::pair<WallTime, KeyName>> memory_ends_;
  std::vector<EntryId> dropped_;
};

}  // namespace aceward::ace::rs
