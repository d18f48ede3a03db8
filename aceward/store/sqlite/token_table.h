// Issued tokens in the database, and the numbers reserved for those to come. Each function runs in a transaction of
// its caller's, or reads one statement.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "aceward/ace/as/ledger.h"
#include "aceward/base/result.h"
#include "aceward/base/time.h"
#include "aceward/store/sqlite/database.h"
#include "aceward/store/sqlite/store.h"

namespace aceward::store {

/// The first of `count` numbers that nobody has, and nobody will get again once the transaction is committed.
Result<std::int64_t> reserve_numbers(Database& database, std::int64_t count);

/// Errors: `record_missing` when its client or one of its servers is not registered (any more), `store_unavailable`
/// when one of them lost a key or an audience after `decided_on`, a registry version: a token that was being made
/// meanwhile must not escape the revocation. `record_exists`, `record_invalid`.
Result<> insert_token(Database& database, const ace::as::IssuedToken& token, std::uint64_t decided_on);

Result<std::optional<ace::as::IssuedToken>> find_token_by_key_id(Database& database, std::int64_t client_id,
                                                                 std::int64_t server_id, BytesView key_id,
                                                                 WallTime now);
Result<ace::as::IssuedToken> read_token(Database& database, ace::as::TokenNumber number);
Result<std::vector<ace::as::IssuedToken>> read_tokens(Database& database, const TokenFilter& filter);
/// Without those whose token hash is not known: they were issued before it was kept.
Result<std::vector<ace::as::RevokedToken>> read_revoked(Database& database, WallTime now, std::size_t limit);

/// Each tells how many it revoked, and ends refresh tokens: its own and those it came from; or all of the client,
/// server or audience.
Result<std::int64_t> revoke_one_token(Database& database, ace::as::TokenNumber number);
Result<std::int64_t> revoke_tokens_of_client(Database& database, std::int64_t client_id);
Result<std::int64_t> revoke_tokens_of_server(Database& database, std::int64_t server_id);
/// Those of one server for one of its audiences.
Result<std::int64_t> revoke_tokens_of_server(Database& database, std::int64_t server_id, const std::string& audience);
/// Errors: `record_missing` when no server has this audience.
Result<std::int64_t> revoke_tokens_of_audience(Database& database, const std::string& audience);

/// Adds the server to the revoked tokens for the audience, which it has from now on: they would be good at it.
Result<> tell_of_revoked_tokens(Database& database, std::int64_t server_id, const std::string& audience);

/// Those that were kept until before `before`, the oldest first.
Result<std::int64_t> delete_tokens_expired(Database& database, WallTime before, std::size_t max_rows);

}  // namespace aceward::store
