// The authorization server's memory of what it has issued: the port that the token endpoint uses and a store
// implements (store/sqlite).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "aceward/ace/as/registry.h"
#include "aceward/base/result.h"
#include "aceward/base/strong.h"
#include "aceward/base/time.h"

namespace aceward::ace::as {

/// The row of an issued token: a monotonic integer, never used again. It is also the token's `cti`, as 8 octets in
/// network byte order, so that a resource server can tell which of two tokens is the later one (RFC 9202 section 3.4).
using TokenNumber = Strong<struct TokenNumberTag, std::int64_t>;

/// What is kept of an issued token. The proof-of-possession key is kept so that a later request can refer to it by
/// `kid` (RFC 9202 section 4) and introspection can tell it; the token itself is not.
struct IssuedToken {
  TokenNumber number;
  std::int64_t client_id = 0;                   ///< ClientRecord::id
  std::int64_t server_id = 0;                   ///< ServerRecord::id; the first of them for a group audience
  std::vector<std::int64_t> more_servers = {};  ///< the others of a group audience
  std::string client;                           ///< names as they were, for the lists
  std::string server;                           ///< for a group audience: the audience
  std::string audience = {};                    ///< the claim `aud`
  Bytes scope;                                  ///< CBOR: the text or byte string that stands in the token
  Bytes key_id;                                 ///< `kid` of the proof-of-possession key; empty: none
  Bytes key_thumbprint;                         ///< COSE key thumbprint, SHA-256, 32 octets (RFC 9679)
  Secret pop_key;                               ///< the COSE_Key in CBOR, with the secret part where it is symmetric
  /// SHA-256 of the octets that the client got as access_token: introspection recognises the token by it.
  Bytes token_digest = {};
  /// Token hash of the revocation list (drafts/ace-revoked-token-notification section 4), 33 octets.
  Bytes token_hash = {};
  Profile profile = Profile::coap_dtls;
  Bytes cnonce = {};                             ///< empty: none
  std::optional<std::chrono::seconds> exi = {};  ///< there in a token that lives from its arrival at the server
  WallTime issued_at;
  /// With exi: when the AS takes it for ended, that is when nobody may bring it to the server any more.
  WallTime expires_at;
  /// The refresh token that came with it: SHA-256 of its octets (empty: none), and until when it works.
  Bytes refresh_digest = {};
  WallTime refresh_until = {};
  /// The token with whose refresh token this one was got; 0: none. Revoking a token ends its refresh token and that of
  /// its origin.
  TokenNumber origin = {};
  bool revoked = false;
};

/// A live token that is revoked, as the revocation list knows it.
struct RevokedToken {
  TokenNumber number;
  std::int64_t client_id = 0;
  std::vector<std::int64_t> servers;  ///< ServerRecord::id of each
  Bytes token_hash;
  WallTime expires_at;
};

/// Thread rules: called on one event loop; completions run on that loop too.
class Ledger {
 public:
  using Recorded = std::move_only_function<void(Result<>)>;

  virtual ~Ledger() = default;

  /// A number that no issued token has, reserved at once; a number that is never recorded is simply skipped. Does not
  /// wait for the disk: numbers are reserved there in blocks beforehand. Errors: `store_unavailable`.
  virtual Result<TokenNumber> reserve_number() = 0;

  /// Makes the token durable; `done` runs when it is (contract 8: durable before told), with `store_unavailable` when
  /// it cannot be, with `refresh_token_invalid` when `origin` or its refresh token has ended since it was looked up.
  virtual void record(IssuedToken token, Recorded done) = 0;

  /// The latest token of this client for this server (the first one of a group audience) whose key has this `kid`,
  /// neither expired at `now` nor revoked; nothing when there is none. Reads one indexed row; does not wait for a
  /// commit.
  virtual Result<std::optional<IssuedToken>> find_by_key_id(std::int64_t client_id, std::int64_t server_id,
                                                            BytesView key_id, WallTime now) = 0;

  /// The token with this number, expired and revoked ones included while they are kept. Reads one row.
  virtual Result<std::optional<IssuedToken>> find(TokenNumber number) = 0;

  /// The tokens that are revoked and have not expired at `now`, in the order in which they were revoked, at most
  /// `limit`. For the revocation list; does not wait for a commit.
  virtual Result<std::vector<RevokedToken>> revoked(WallTime now, std::size_t limit) = 0;
};

}  // namespace aceward::ace::as
