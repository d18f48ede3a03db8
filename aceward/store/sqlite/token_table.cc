#include "aceward/store/sqlite/token_table.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include "aceward/ace/as/reasons.h"
#include "aceward/store/reasons.h"
#include "aceward/store/sqlite/record_check.h"
#include "aceward/store/sqlite/registry_table.h"

namespace aceward::store {

namespace {

using ace::as::IssuedToken;
using ace::as::RevokedToken;
using ace::as::TokenNumber;

constexpr std::size_t list_limit = 1000;
constexpr std::size_t deletion_limit = 10'000;

std::int64_t seconds_of(WallTime time) { return time.time_since_epoch().count(); }
WallTime wall_time_of(std::int64_t seconds) { return WallTime(std::chrono::seconds(seconds)); }

// What every SELECT of tokens below begins with, in the order in which token_of reads; a list shows no keys.
#define ACEWARD_TOKEN_COLUMNS                                                                                   \
  "SELECT number, client_id, server_id, client, server, audience, scope, key_id, key_thumbprint, token_digest," \
  " token_hash, profile, cnonce, exi, issued_at, expires_at, refresh_digest, refresh_until, origin, revoked,"   \
  " (SELECT group_concat(server_id, ' ') FROM (SELECT server_id FROM token_server WHERE token_server.number ="  \
  " token.number ORDER BY position)), "

/// Numbers separated by spaces.
std::vector<std::int64_t> numbers_in(std::string_view text) {
  std::vector<std::int64_t> numbers;
  bool inside = false;
  for (const char c : text) {
    if (c >= '0' && c <= '9') {
      if (!std::exchange(inside, true)) numbers.push_back(0);
      numbers.back() = numbers.back() * 10 + (c - '0');
    } else {
      inside = false;
    }
  }
  return numbers;
}

IssuedToken token_of(const Query& row) {
  IssuedToken token;
  token.number = TokenNumber(row.integer_at(0));
  token.client_id = row.integer_at(1);
  token.server_id = row.integer_at(2);
  token.client = row.text_at(3);
  token.server = row.text_at(4);
  token.audience = row.text_at(5);
  token.scope = to_bytes(row.blob_at(6));
  token.key_id = to_bytes(row.blob_at(7));
  token.key_thumbprint = to_bytes(row.blob_at(8));
  token.token_digest = to_bytes(row.blob_at(9));
  token.token_hash = to_bytes(row.blob_at(10));
  token.profile = static_cast<ace::Profile>(row.integer_at(11));
  token.cnonce = to_bytes(row.blob_at(12));
  if (const auto exi = row.optional_at(13)) token.exi = std::chrono::seconds(*exi);
  token.issued_at = wall_time_of(row.integer_at(14));
  token.expires_at = wall_time_of(row.integer_at(15));
  token.refresh_digest = to_bytes(row.blob_at(16));
  token.refresh_until = wall_time_of(row.integer_at(17));
  token.origin = TokenNumber(row.integer_at(18));
  token.revoked = row.integer_at(19) != 0;
  token.more_servers = numbers_in(row.text_at(20));
  token.pop_key = Secret::copy_of(row.blob_at(21));
  return token;
}

/// Of one revocation: all that it revokes bear its number, so that they stand together in the list.
Result<std::int64_t> next_revocation(Database& database) {
  ACEWARD_TRY(database.execute("UPDATE meta SET last_revocation = last_revocation + 1"));
  return database.integer("SELECT last_revocation FROM meta");
}

/// `sql` sets `revoked` to its first value, for the row of the second; `refresh_sql` ends refresh tokens for the same.
Result<std::int64_t> revoke_all(Database& database, std::string_view sql, std::string_view refresh_sql,
                                std::int64_t id) {
  const std::int64_t revocation = ACEWARD_TRY(next_revocation(database));
  Query tokens = ACEWARD_TRY(database.prepare(sql));
  ACEWARD_TRY(tokens.integer(revocation).integer(id).run());
  const std::int64_t revoked = database.changed_rows();
  Query refresh = ACEWARD_TRY(database.prepare(refresh_sql));
  ACEWARD_TRY(refresh.integer(id).run());
  return revoked;
}

/// Is it registered, and has it kept its keys since the token was decided upon?
Result<> check_party(Database& database, std::string_view sql, std::int64_t id, std::uint64_t decided_on) {
  Query query = ACEWARD_TRY(database.prepare(sql));
  if (!ACEWARD_TRY(query.integer(id).step())) return fail(reason::record_missing, "client or server");
  if (static_cast<std::uint64_t>(query.integer_at(0)) > decided_on)
    return fail(reason::store_unavailable, "the client or server has other keys since");
  return {};
}

/// Does the refresh token still work that this one was got with? It may have been revoked since it was looked up.
Result<> check_origin(Database& database, const IssuedToken& token) {
  if (token.origin.value == 0) return {};
  Query query = ACEWARD_TRY(
      database.prepare("SELECT 1 FROM token WHERE number = ? AND revoked = 0 AND refresh_digest IS NOT NULL"));
  if (!ACEWARD_TRY(query.integer(token.origin.value).step()))
    return fail(reason::refresh_token_invalid, "it has ended meanwhile");
  return {};
}

Result<> insert_more_servers(Database& database, const IssuedToken& token) {
  std::int64_t position = 0;
  for (const std::int64_t server : token.more_servers) {
    Query query = ACEWARD_TRY(database.prepare("INSERT INTO token_server VALUES(?, ?, ?)"));
    ACEWARD_TRY(query.integer(token.number.value).integer(position++).integer(server).run());
  }
  return {};
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

Result<> insert_token(Database& database, const IssuedToken& token, std::uint64_t decided_on) {
  ACEWARD_TRY(check_record(token));
  constexpr std::string_view server_sql = "SELECT keyed_version FROM server WHERE id = ?";
  ACEWARD_TRY(check_party(database, "SELECT keyed_version FROM client WHERE id = ?", token.client_id, decided_on));
  ACEWARD_TRY(check_party(database, server_sql, token.server_id, decided_on));
  for (const std::int64_t server : token.more_servers)
    ACEWARD_TRY(check_party(database, server_sql, server, decided_on));
  ACEWARD_TRY(check_origin(database, token));
  std::int64_t revocation = 0;
  if (token.revoked) revocation = ACEWARD_TRY(next_revocation(database));
  Query query = ACEWARD_TRY(
      database.prepare("INSERT INTO token VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
  query.integer(token.number.value)
      .integer(token.client_id)
      .integer(token.server_id)
      .text(token.client)
      .text(token.server)
      .text_or_null(token.audience)
      .blob(token.scope)
      .blob_or_null(token.key_id)
      .blob_or_null(token.key_thumbprint)
      .blob_or_null(token.pop_key.expose())
      .blob_or_null(token.token_digest)
      .blob_or_null(token.token_hash)
      .integer(std::to_underlying(token.profile))
      .blob_or_null(token.cnonce)
      .integer_or_null(token.exi ? std::optional<std::int64_t>(token.exi->count()) : std::nullopt)
      .integer(seconds_of(token.issued_at))
      .integer(seconds_of(token.expires_at))
      .blob_or_null(token.refresh_digest)
      .integer(seconds_of(token.refresh_until))
      .integer(seconds_of(std::max(token.expires_at, token.refresh_until)))
      .integer(token.origin.value)
      .integer(revocation);
  ACEWARD_TRY(query.run());
  return insert_more_servers(database, token);
}

Result<std::optional<IssuedToken>> find_token_by_key_id(Database& database, std::int64_t client_id,
                                                        std::int64_t server_id, BytesView key_id, WallTime now) {
  if (key_id.empty()) return std::nullopt;
  Query query =
      ACEWARD_TRY(database.prepare(ACEWARD_TOKEN_COLUMNS
                                   "pop_key FROM token INDEXED BY token_key WHERE client_id = ? AND server_id = ?"
                                   " AND key_id = ? AND expires_at > ? AND revoked = 0 ORDER BY number DESC LIMIT 1"));
  query.integer(client_id).integer(server_id).blob(key_id).integer(seconds_of(now));
  if (!ACEWARD_TRY(query.step())) return std::nullopt;
  return token_of(query);
}

Result<IssuedToken> read_token(Database& database, TokenNumber number) {
  Query query = ACEWARD_TRY(database.prepare(ACEWARD_TOKEN_COLUMNS "pop_key FROM token WHERE number = ?"));
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
      ACEWARD_TOKEN_COLUMNS "NULL FROM token WHERE number > ?1 AND (?2 IS NULL OR (expires_at > ?2 AND revoked = 0))";
  constexpr std::string_view at_client = " AND client_id = ?4";
  constexpr std::string_view at_server =
      " AND (server_id = ?5 OR number IN (SELECT number FROM token_server WHERE server_id = ?5))";
  static const std::string tail = " ORDER BY number LIMIT ?3";
  static const std::string any = std::string(list) + tail;
  static const std::string by_client = std::string(list).append(at_client) + tail;
  static const std::string by_server = std::string(list).append(at_server) + tail;
  static const std::string by_both = std::string(list).append(at_client).append(at_server) + tail;
  const std::string& sql =
      filter.client.empty() ? (filter.server.empty() ? any : by_server) : (filter.server.empty() ? by_client : by_both);
  Query query = ACEWARD_TRY(database.prepare(sql));
  query.integer(filter.after.value)
      .integer_or_null(filter.live_at ? std::optional(seconds_of(*filter.live_at)) : std::nullopt)
      .integer(static_cast<std::int64_t>(filter.limit));
  if (client_id != 0 || server_id != 0) query.integer(client_id);
  if (server_id != 0) query.integer(server_id);
  std::vector<IssuedToken> tokens;
  while (ACEWARD_TRY(query.step())) tokens.push_back(token_of(query));
  return tokens;
}

Result<std::vector<RevokedToken>> read_revoked(Database& database, WallTime now, std::size_t limit) {
  Query query = ACEWARD_TRY(database.prepare(
      "SELECT number, client_id, server_id, token_hash, expires_at, (SELECT group_concat(server_id, ' ') FROM"
      " (SELECT server_id FROM token_server WHERE token_server.number = token.number ORDER BY position))"
      " FROM token INDEXED BY token_revoked WHERE revoked > 0 AND expires_at > ? AND token_hash IS NOT NULL"
      " ORDER BY revoked, number LIMIT ?"));
  query.integer(seconds_of(now))
      .integer(static_cast<std::int64_t>(std::min<std::size_t>(limit, std::numeric_limits<std::int32_t>::max())));
  std::vector<RevokedToken> found;
  while (ACEWARD_TRY(query.step())) {
    RevokedToken& token = found.emplace_back();
    token.number = TokenNumber(query.integer_at(0));
    token.client_id = query.integer_at(1);
    token.servers = numbers_in(query.text_at(5));
    token.servers.insert(token.servers.begin(), query.integer_at(2));
    token.token_hash = to_bytes(query.blob_at(3));
    token.expires_at = wall_time_of(query.integer_at(4));
  }
  return found;
}

Result<std::int64_t> revoke_one_token(Database& database, TokenNumber number) {
  ACEWARD_TRY(read_token(database, number));  // record_missing
  // Up the whole line: each refresh token on it could get the same rights again.
  return revoke_all(database, "UPDATE token SET revoked = ? WHERE number = ? AND revoked = 0",
                    "WITH RECURSIVE line(number) AS (VALUES(?1) UNION SELECT origin FROM token JOIN line USING(number)"
                    " WHERE origin > 0) UPDATE token SET refresh_digest = NULL WHERE number IN line"
                    " AND refresh_digest IS NOT NULL",
                    number.value);
}

Result<std::int64_t> revoke_tokens_of_client(Database& database, std::int64_t client_id) {
  return revoke_all(database, "UPDATE token SET revoked = ? WHERE client_id = ? AND revoked = 0",
                    "UPDATE token SET refresh_digest = NULL WHERE client_id = ? AND refresh_digest IS NOT NULL",
                    client_id);
}

Result<std::int64_t> revoke_tokens_of_server(Database& database, std::int64_t server_id) {
  return revoke_all(database,
                    "UPDATE token SET revoked = ?1 WHERE revoked = 0 AND (server_id = ?2 OR number IN"
                    " (SELECT number FROM token_server WHERE server_id = ?2))",
                    "UPDATE token SET refresh_digest = NULL WHERE refresh_digest IS NOT NULL AND (server_id = ?1 OR"
                    " number IN (SELECT number FROM token_server WHERE server_id = ?1))",
                    server_id);
}

Result<std::int64_t> revoke_tokens_of_server(Database& database, std::int64_t server_id, const std::string& audience) {
  const std::int64_t revocation = ACEWARD_TRY(next_revocation(database));
  Query tokens = ACEWARD_TRY(
      database.prepare("UPDATE token SET revoked = ?1 WHERE revoked = 0 AND audience = ?3 AND (server_id = ?2 OR"
                       " number IN (SELECT number FROM token_server WHERE server_id = ?2))"));
  ACEWARD_TRY(tokens.integer(revocation).integer(server_id).text(audience).run());
  const std::int64_t revoked = database.changed_rows();
  Query refresh = ACEWARD_TRY(
      database.prepare("UPDATE token SET refresh_digest = NULL WHERE refresh_digest IS NOT NULL AND audience = ?2 AND"
                       " (server_id = ?1 OR number IN (SELECT number FROM token_server WHERE server_id = ?1))"));
  ACEWARD_TRY(refresh.integer(server_id).text(audience).run());
  return revoked;
}

Result<std::int64_t> revoke_tokens_of_audience(Database& database, const std::string& audience) {
  // A server that gives an audience up has its tokens revoked then: all live ones are found through those that have it.
  std::vector<std::int64_t> servers;
  {
    Query query =
        ACEWARD_TRY(database.prepare("SELECT id FROM server WHERE audience = ?1 UNION"
                                     " SELECT server_id FROM server_audience WHERE name = ?1"));
    query.text(audience);
    while (ACEWARD_TRY(query.step())) servers.push_back(query.integer_at(0));
  }
  if (servers.empty()) return fail(reason::record_missing, "audience");
  std::int64_t revoked = 0;
  for (const std::int64_t server : servers) revoked += ACEWARD_TRY(revoke_tokens_of_server(database, server, audience));
  return revoked;
}

Result<> tell_of_revoked_tokens(Database& database, std::int64_t server_id, const std::string& audience) {
  Query query = ACEWARD_TRY(database.prepare(
      "INSERT INTO token_server SELECT number, (SELECT coalesce(max(position), -1) + 1 FROM token_server AS others"
      " WHERE others.number = token.number), ?1 FROM token INDEXED BY token_revoked WHERE revoked > 0"
      " AND audience = ?2 AND server_id <> ?1 AND NOT EXISTS (SELECT 1 FROM token_server AS own"
      " WHERE own.number = token.number AND own.server_id = ?1)"));
  return query.integer(server_id).text(audience).run();
}

Result<std::int64_t> delete_tokens_expired(Database& database, WallTime before, std::size_t max_rows) {
  if (max_rows < 1 || max_rows > deletion_limit) return fail(reason::record_invalid, "max_rows");
  Query query = ACEWARD_TRY(database.prepare(
      "DELETE FROM token WHERE number IN (SELECT number FROM token WHERE kept_until < ? ORDER BY kept_until LIMIT ?)"));
  ACEWARD_TRY(query.integer(seconds_of(before)).integer(static_cast<std::int64_t>(max_rows)).run());
  const std::int64_t deleted = database.changed_rows();
  // Free pages serve new tokens first; what is left of a peak goes back a little at a time. A token with its entries in
  // the indices takes less than a page.
  const std::int64_t free_pages = ACEWARD_TRY(database.integer("PRAGMA freelist_count"));
  const std::int64_t spare = 256;
  if (free_pages > spare) {
    const auto step = std::min<std::int64_t>(free_pages - spare, static_cast<std::int64_t>(max_rows));
    ACEWARD_TRY(database.execute(("PRAGMA incremental_vacuum(" + std::to_string(step) + ")").c_str()));
  }
  return deleted;
}

#undef ACEWARD_TOKEN_COLUMNS

}  // namespace aceward::store
