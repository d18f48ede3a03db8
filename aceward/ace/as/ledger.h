// The authorization server's memory of what it has issued: the port that the token endpoint uses and a store
// implements (store/sqlite).
#pragma once

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
/// `kid` (RFC 9202 section 4); the token itself is not.
struct IssuedToken {
  TokenNumber number;
  std::int64_t client_id = 0;  ///< ClientRecord::id
  std::int64_t server_id = 0;  ///< ServerRecord::id
  std::string client;          ///< names as they were, for the lists
  std::string server;
  Bytes scope;           ///< CBOR: the text or byte string that stands in the token
  Bytes key_id;          ///< `kid` of the proof-of-possession key; empty: none
  Bytes key_thumbprint;  ///< COSE key thumbprint, SHA-256, 32 octets (RFC 9679)
  Secret pop_key;        ///< the COSE_Key in CBOR, with the secret part where it is symmetric
  WallTime issued_at;
  WallTime expires_at;
  bool revoked = false;
};

/// Thread rules: called on one event loop; completions run on that loop too.
class Ledger {
 public:
  using Recorded = std::move_only_function<void(Result<>)>;

  virtual ~Ledger() = default;

  /// A number that no issued token has, reserved at once; a number that is never recorded is simply skipped. Does not
  /// wait for the disk: numbers are reserved there in blocks beforehand. Errors: `store_unavailable`.
  virtual Result<TokenNumber> reserve_number() = 0;

  /// Makes the token durable; `done` runs when it is (architecture, contract 8: durable before told), or with
  /// `store_unavailable` when it cannot be. The peer is answered from `done`.
  virtual void record(IssuedToken token, Recorded done) = 0;

  /// The latest token of this client for this server whose key has this `kid`, neither expired at `now` nor revoked;
  /// nothing when there is none. Reads one indexed row; does not wait for a commit.
  virtual Result<std::optional<IssuedToken>> find_by_key_id(std::int64_t client_id, std::int64_t server_id,
                                                            BytesView key_id, WallTime now) = 0;
};

}  // namespace aceward::ace::as
