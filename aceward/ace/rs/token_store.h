// The tokens that a resource server holds: one for each proof-of-possession key (RFC 9200 section 5.10.1).
#pragma once

#include <chrono>
#include <map>
#include <memory>
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

using TokenHash = std::array<std::uint8_t, token_hash_size>;

/// A key that the owner of this server gave rights to, with no token and no authorization server (authorization by
/// authentication). It is bound to a session like any other key.
struct ConfiguredKey {
  /// For logs; unique.
  std::string name;
  /// A P-256 public key, or a symmetric key of 16 to 256 octets.
  cose::Key key;
  /// The psk_identity, octet by octet, of a symmetric key; it is looked at before kids and tokens are.
  Bytes psk_identity;
  Scope scope;
};

/// A key and the authorization information that is tied to it at present.
struct TokenEntry {
  EntryId id;
  std::string issuer;
  cose::Key key;
  std::optional<Bytes> kid;
  Permissions permissions;
  /// What the owner gave to the key itself, beside any token; null: nothing.
  std::shared_ptr<const Permissions> configured;
  /// False where the key lives by `configured` alone; then what is said about a token here means nothing.
  bool has_token = true;
  std::optional<Bytes> cti;
  std::optional<WallTime> issued_at;
  WallTime expires_at;
  std::array<std::uint8_t, 32> digest{};
  /// When the key's first token came; and whether a channel has been established with the key since.
  WallTime stored_at;
  bool used = false;
  TokenHash hash{};
  std::string text_scope;  ///< empty for AIF
  /// The token itself, where the authorization server is asked about it again and again; else empty.
  Bytes octets;
  /// What the authorization server said is too long ago: the token gives no rights until it is asked again.
  bool is_stale = false;
  std::optional<Instant> confirmed_until;
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
  /// Hashes of revoked tokens that are remembered; beyond it no token is taken, as it could be one of those forgotten.
  std::size_t revoked = 65536;
  /// For how long the hash of a token that was never seen is remembered: no token lives longer.
  std::chrono::seconds revoked_for = std::chrono::days(31);
};

/// What became of a token.
enum class Change : std::uint8_t {
  stored,      ///< the first live token of its key
  superseded,  ///< took the place of an earlier token of its key
  repeated,    ///< is the token that is held
  outdated,    ///< is not later than what is or was held for its key: nothing changed
};

/// Keys are told apart by their COSE thumbprint (RFC 9679), symmetric ones by their issuer too; never by kid, which
/// several keys may share. A token that has a kid alone is for the symmetric key of this kid, and for a public key only
/// where there is none and none can be derived: the kids of public keys may have been chosen by clients.
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

  /// What an authorization server said about a token: good until `until`, then it is asked again.
  struct Confirmed {
    Bytes octets;
    Instant until;
  };

  /// Takes a token that was verified at `now`. Expired entries are dropped first; expire() still reports them.
  /// Errors: `token_kid_unknown`, `token_kid_ambiguous`, `token_store_full`, `token_revoked`; then nothing has changed.
  Result<Outcome> store(VerifiedToken token, WallTime now, std::optional<Confirmed> confirmed = std::nullopt);
  /// The live entry that holds exactly this token, stale or not.
  std::optional<EntryId> holding(const TokenHash& hash, WallTime now) const;

  /// The authorization server says that the entry's token is still good. False if it holds another token by now.
  bool confirm(EntryId id, const TokenHash& hash, Instant until);
  /// Marks as stale what was not confirmed in time.
  void age(Instant now);
  /// When age() will have something to do.
  std::optional<Instant> next_staleness() const;

  /// The token was revoked: if it is held its rights end at once, and it is refused from now on, until it would have
  /// expired. True if it was held. (Of 33 octets; others name no token of ours.)
  bool end_token(BytesView hash, WallTime now);
  std::size_t revoked_count() const { return revoked_.size(); }

  /// The keys that the owner gives rights to, from now on: all of them. A key that is no longer among them loses these
  /// rights and, without a token, its entry, which expire() reports. Errors: `configured_key_invalid`,
  /// those of ScopeMap::resolve; then nothing has changed.
  Result<> set_configured(std::vector<ConfiguredKey> keys, const ScopeMap& scopes, WallTime now);
  /// The entry of a configured key with this psk_identity.
  std::optional<EntryId> configured_psk(BytesView psk_identity) const;
  /// Issuers and scopes have changed: tokens of who is not trusted any more end, text scopes are looked up anew, and
  /// a token of which no scope is known now ends too.
  void reconsider(const TokenVerifier& verifier, WallTime now);

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

  /// Keys with a live token.
  std::size_t size() const { return with_token_; }

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

  /// What a configured key has when no token of it is held.
  static TokenEntry configured_entry(EntryId id, cose::Key key, std::shared_ptr<const Permissions> permissions);
  static KeyName name_of(const cose::Key& key, const std::string& issuer);
  Result<cose::Key> key_of(VerifiedToken& token, WallTime now) const;
  Result<> make_room(const std::string& issuer);
  void sweep(WallTime now);
  void insert(TokenEntry entry, KeyName name);
  /// Takes the entry out of everything; not reported.
  TokenEntry take_out(EntryId id);
  /// The entry's token has ended: it goes, unless its key is configured.
  void drop(EntryId id);
  bool is_revoked(const TokenHash& hash) const;
  void remember_revoked(const TokenHash& hash, WallTime until, WallTime now);
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
  std::size_t with_token_ = 0;
  std::map<TokenHash, EntryId> by_hash_;
  std::set<std::pair<Instant, EntryId>> staleness_;
  std::map<TokenHash, WallTime> revoked_;
  std::set<std::pair<WallTime, TokenHash>> revoked_ends_;
  bool forgot_revoked_ = false;
  std::map<KeyName, std::shared_ptr<const Permissions>> configured_;
  std::map<Bytes, EntryId> configured_psks_;
};

}  // namespace aceward::ace::rs
