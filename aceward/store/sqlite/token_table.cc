#include "aceward/store/sqlite/token_table.h"

#include <chrono>
#include <limits>
#include <string>
#include <string_view>

#include "aceward/store/reasons.h"
#include "aceward/store/sqlite/record_check.h"
#include "aceward/store/sqlite/registry_table.h"

namespace aceward::store {

namespace {

using ace::as::IssuedToken;
using ace::as::TokenNumber;

constexpr std::size_t list_limit = 1000;
constexpr std::size_t deletion_limit = 10'000;

std::int64_t seconds_of(WallTime time) { return time.time_since_epoch().count(); }
WallTime wall_time_of(std::int64_t seconds) { return WallTime(std::chrono::seconds(seconds)); }

/// The columns of every SELECT below, in this order; the key last.
IssuedToken token_of(const Query& row) {
  IssuedToken token;
  token.number = TokenNumber(row.integer_at(0));
  token.client_id = row.integer_at(1);
  token.server_id = row.integer_at(2);
  token.client = row.text_at(3);
  token.server = row.text_at(4);
  token.scope = to_bytes(row.blob_at(5));
  token.key_id = to_bytes(row.blob_at(6));
  token.key_thumbprint = to_bytes(row.blob_at(7));
  token.issued_at = wall_time_of(row.integer_at(8));
  token.expires_at = wall_time_of(row.integer_at(9));
  token.revoked = row.integer_at(10) != 0;
  token.pop_key = Secret::copy_of(row.blob_at(11));
  return token;
}

Result<std::int64_t> revoke_where(Database& database, std::string_view sql, std::int64_t id) {
  Query query = ACEWARD_TRY(database.prepare(sql));
  ACEWARD_TRY(query.integer(id).run());
  return database.changed_rows();
}

}  // namespace

Result<std::int64_t> reserve_numbers(Database& database, std::int64_t count) {
  const std::int64_t first = ACEWARD_TRY(database.integer("SELECT next_token FROM meta"));
  if (first < 1 || first > std::numeric_limits<std::int64_t>::max() - count)
    return fail(reason::store_damaged, "the next token number");
  Query query = ACEWARD_TRY(database.prepare("UPDATE meta SET next_token = ?"));
  ACEWARD_TRY(query.integer(first + count).run());
  return first;
}

Result<> insert_token(Database& database, const IssuedToken& token) {
  ACEWARD_TRY(check_record(token));
  Query query = ACEWARD_TRY(
      database.prepare("INSERT INTO token(number, client_id, server_id, client, server, scope, key_id, key_thumbprint,"
                       " pop_key, issued_at, expires_at, revoked) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11,"
                       " ?12 WHERE EXISTS(SELECT 1 FROM client WHERE id = ?2)"
                       " AND EXISTS(SELECT 1 FROM server WHERE id = ?3)"));
  query.integer(token.number.value)
      .integer(token.client_id)
      .integer(token.server_id)
      .text(token.client)
      .text(token.server)
      .blob(token.scope)
      .blob_or_null(token.key_id)
      .blob_or_null(token.key_thumbprint)
      .blob_or_null(token.pop_key.expose())
      .integer(seconds_of(token.issued_at))
      .integer(seconds_of(token.expires_at))
      .integer(token.revoked ? 1 : 0);
  ACEWARD_TRY(query.run());
  if (database.changed_rows() == 0) return fail(reason::record_missing, "client or server");
  return {};
}

Result<std::optional<IssuedToken>> find_token_by_key_id(Database& database, std::int64_t client_id,
                                                        std::int64_t server_id, BytesView key_id, WallTime now) {
  if (key_id.empty()) return std::nullopt;
  Query query = ACEWARD_TRY(database.prepare(
      "SELECT number, client_id, server_id, client, server, scope, key_id, key_thumbprint, issued_at, expires_at,"
      " revoked, pop_key FROM token INDEXED BY token_key WHERE client_id = ? AND server_id = ? AND key_id = ?"
      " AND expires_at > ? AND revoked = 0 ORDER BY number DESC LIMIT 1"));
  query.integer(client_id).integer(server_id).blob(key_id).integer(seconds_of(now));
  if (!ACEWARD_TRY(query.step())) return std::nullopt;
  return token_of(query);
}

Result<IssuedToken> read_token(Database& database, TokenNumber number) {
  Query query = ACEWARD_TRY(database.prepare(
      "SELECT number, client_id, server_id, client, server, scope, key_id, key_thumbprint, issued_at, expires_at,"
      " revoked, pop_key FROM token WHERE number = ?"));
  if (!ACEWARD_TRY(query.integer(number.value).step())) return fail(reason::record_missing, "token");
  return token_of(query);
}

Result<std::vector<IssuedToken>> read_tokens(Database& database, const TokenFilter& filter) {
  if (filter.limit < 1 || filter.limit > list_limit) return fail(reason::record_invalid, "limit");
  // Names become row numbers first: the index is on these, and a renamed client keeps its tokens.
  std::int64_t client_id = 0;
  std::int64_t server_id = 0;
  if (!filter.client.empty()) client_id = ACEWARD_TRY(client_id_of(database, filter.client));
  if (!filter.server.empty()) server_id = ACEWARD_TRY(server_id_of(database, filter.server));
  constexpr std::string_view list =
      "SELECT number, client_id, server_id, client, server, scope, key_id,"
      " key_thumbprint, issued_at, expires_at, revoked, NULL FROM token WHERE number > ?1 AND"
      " (?2 IS NULL OR (expires_at > ?2 AND revoked = 0))";
  static const std::string tail = " ORDER BY number LIMIT ?3";
  static const std::string any = std::string(list) + tail;
  static const std::string by_client = std::string(list) + " AND client_id = ?4" + tail;
  static const std::string by_server = std::string(list) + " AND server_id = ?4" + tail;
  static const std::string by_both = std::string(list) + " AND client_id = ?4 AND server_id = ?5" + tail;
  const std::string& sql =
      filter.client.empty() ? (filter.server.empty() ? any : by_server) : (filter.server.empty() ? by_client : by_both);
  Query query = ACEWARD_TRY(database.prepare(sql));
  query.integer(filter.after.value)
      .integer_or_null(filter.live_at ? std::optional(seconds_of(*filter.live_at)) : std::nullopt)
      .integer(static_cast<std::int64_t>(filter.limit));
  if (client_id != 0) query.integer(client_id);
  if (server_id != 0) query.integer(server_id);
  std::vector<IssuedToken> tokens;
  while (ACEWARD_TRY(query.step())) tokens.push_back(token_of(query));
  return tokens;
}

Result<std::int64_t> revoke_one_token(Database& database, TokenNumber number) {
  const std::int64_t changed = ACEWARD_TRY(
      revoke_where(database, "UPDATE token SET revoked = 1 WHERE number = ? AND revoked = 0", number.value));
  if (changed == 0) ACEWARD_TRY(read_token(database, number));  // record_missing, unless it was revoked before
  return changed;
}

Result<std::int64_t> revoke_tokens_of_client(Database& database, std::int64_t client_id) {
  return revoke_where(database, "UPDATE token SET revoked = 1 WHERE client_id = ? AND revoked = 0", client_id);
}

Result<std::int64_t> revoke_tokens_of_server(Database& database, std::int64_t server_id) {
  return revoke_where(database, "UPDATE token SET revoked = 1 WHERE server_id = ? AND revoked = 0", server_id);
}

Result<std::int64_t> delete_tokens_expired(Database& database, WallTime before, std::size_t max_rows) {
  if (max_rows < 1 || max_rows > deletion_limit) return fail(reason::record_invalid, "max_rows");
  Query query = ACEWARD_TRY(database.prepare(
      "DELETE FROM token WHERE number IN (SELECT number FROM token WHERE expires_at < ? ORDER BY expires_at LIMIT ?)"));
  ACEWARD_TRY(query.integer(seconds_of(before)).integer(static_cast<std::int64_t>(max_rows)).run());
  return database.changed_rows();
}

}  // namespace aceward::store
