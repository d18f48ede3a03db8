// Resource servers in the database.
#include <algorithm>
#include <chrono>
#include <utility>

#include "aceward/store/sqlite/record_check.h"
#include "aceward/store/sqlite/registry_rows.h"
#include "aceward/store/sqlite/registry_table.h"
#include "aceward/store/sqlite/token_table.h"

namespace aceward::store {

namespace {

using ace::as::ServerRecord;

Result<> check_audiences(Database& database, const ServerRecord& server, std::int64_t own_id) {
  ACEWARD_TRY(refuse_taken_text(database, "SELECT id FROM server WHERE audience = ? AND id <> ?", own_id,
                                server.audience, reason::record_audience_taken));
  ACEWARD_TRY(refuse_taken_text(database, "SELECT server_id FROM server_audience WHERE name = ? AND server_id <> ?",
                                own_id, server.audience, reason::record_audience_taken));
  for (const std::string& audience : server.group_audiences)
    ACEWARD_TRY(refuse_taken_text(database, "SELECT id FROM server WHERE audience = ? AND id <> ?", own_id, audience,
                                  reason::record_audience_taken));
  return {};
}

Result<> check_unique(Database& database, const ServerRecord& server, std::int64_t own_id) {
  ACEWARD_TRY(refuse_taken_text(database, "SELECT id FROM server WHERE name = ? AND id <> ?", own_id, server.name,
                                reason::record_exists));
  ACEWARD_TRY(check_audiences(database, server, own_id));
  ACEWARD_TRY(refuse_taken_octets(database, "SELECT id FROM server WHERE psk_identity = ? AND id <> ?", own_id,
                                  server.psk_identity, reason::record_psk_identity_taken));
  ACEWARD_TRY(refuse_taken_octets(database, "SELECT id FROM client WHERE psk_identity = ? AND id <> ?", 0,
                                  server.psk_identity, reason::record_psk_identity_taken));
  ACEWARD_TRY(refuse_taken_octets(database, "SELECT id FROM server WHERE key_thumbprint = ? AND id <> ?", own_id,
                                  server.key_thumbprint, reason::record_key_taken));
  return refuse_taken_text(database, "SELECT id FROM server WHERE certificate_name = ? AND id <> ?", own_id,
                           server.certificate_name, reason::record_certificate_name_taken);
}

void bind_members(Query& query, const ServerRecord& server) {
  query.text(server.name)
      .text(server.audience)
      .blob_or_null(server.public_key)
      .blob_or_null(server.key_thumbprint)
      .blob_or_null(server.token_key.expose())
      .blob_or_null(server.token_key_id)
      .blob_or_null(server.previous_token_key.expose())
      .blob_or_null(server.previous_token_key_id)
      .blob_or_null(server.derivation_key.expose())
      .integer(std::to_underlying(server.protection))
      .integer(std::to_underlying(server.scope_format))
      .integer(server.accepts_asymmetric ? 1 : 0)
      .integer(server.accepts_symmetric ? 1 : 0)
      .integer(server.uses_exi ? 1 : 0)
      .integer(server.token_lifetime.count())
      .integer_or_null(count_of(server.refresh_lifetime))
      .integer(server.allows_group_keys ? 1 : 0)
      .integer(std::to_underlying(server.undecided))
      .text_or_null(server.owner)
      .blob_or_null(server.psk_identity)
      .blob_or_null(server.psk.expose())
      .text_or_null(server.certificate_name)
      .blob_or_null(server.secret_digest);
}

Result<> write_lists(Database& database, const ServerRecord& server, std::int64_t id) {
  ACEWARD_TRY(replace_list(database, "DELETE FROM server_audience WHERE server_id = ?",
                           "INSERT INTO server_audience VALUES(?, ?, ?)", id, server.group_audiences));
  ACEWARD_TRY(run_for_id(database, "DELETE FROM server_profile WHERE server_id = ?", id));
  std::int64_t position = 0;
  for (const ace::Profile profile : server.profiles) {
    Query query = ACEWARD_TRY(database.prepare("INSERT INTO server_profile VALUES(?, ?, ?)"));
    ACEWARD_TRY(query.integer(id).integer(position++).integer(std::to_underlying(profile)).run());
  }
  return {};
}

// In the order of bind_members, after the id.
#define ACEWARD_SERVER_COLUMNS                                                                               \
  "SELECT id, name, audience, public_key, key_thumbprint, token_key, token_key_id, previous_token_key,"      \
  " previous_token_key_id, derivation_key, protection, scope_format, accepts_asymmetric, accepts_symmetric," \
  " uses_exi, token_lifetime, refresh_lifetime, allows_group_keys, undecided, owner, psk_identity, psk,"     \
  " certificate_name, secret_digest FROM server"

/// A small enumeration from a column that may hold anything; 0 is none of them.
template <class Enumeration>
Enumeration enumeration_of(std::int64_t value) {
  return static_cast<Enumeration>(value >= 0 && value <= 255 ? value : 0);
}

ServerRecord server_of(const Query& row) {
  ServerRecord server;
  server.id = row.integer_at(0);
  server.name = row.text_at(1);
  server.audience = row.text_at(2);
  server.public_key = to_bytes(row.blob_at(3));
  server.key_thumbprint = to_bytes(row.blob_at(4));
  server.token_key = Secret::copy_of(row.blob_at(5));
  server.token_key_id = to_bytes(row.blob_at(6));
  server.previous_token_key = Secret::copy_of(row.blob_at(7));
  server.previous_token_key_id = to_bytes(row.blob_at(8));
  server.derivation_key = Secret::copy_of(row.blob_at(9));
  server.protection = enumeration_of<ace::as::TokenProtection>(row.integer_at(10));
  server.scope_format = enumeration_of<ace::as::ScopeFormat>(row.integer_at(11));
  server.accepts_asymmetric = row.integer_at(12) != 0;
  server.accepts_symmetric = row.integer_at(13) != 0;
  server.uses_exi = row.integer_at(14) != 0;
  server.token_lifetime = std::chrono::seconds(row.integer_at(15));
  if (const auto lifetime = row.optional_at(16)) server.refresh_lifetime = std::chrono::seconds(*lifetime);
  server.allows_group_keys = row.integer_at(17) != 0;
  server.undecided = enumeration_of<ace::as::Undecided>(row.integer_at(18));
  server.owner = row.text_at(19);
  server.psk_identity = to_bytes(row.blob_at(20));
  server.psk = Secret::copy_of(row.blob_at(21));
  server.certificate_name = row.text_at(22);
  server.secret_digest = to_bytes(row.blob_at(23));
  server.profiles.clear();
  return server;
}

/// Reads a list whose rows begin with the server's id, in the order of servers, and hands each to `add`.
template <class Add>
Result<> read_list(Database& database, std::string_view sql, std::vector<ServerRecord>& servers, Add add) {
  Query query = ACEWARD_TRY(database.prepare(sql));
  auto server = servers.begin();
  while (ACEWARD_TRY(query.step())) {
    while (server != servers.end() && server->id < query.integer_at(0)) ++server;
    if (server == servers.end() || server->id != query.integer_at(0))
      return fail(reason::store_damaged, "a list of no server");
    add(*server, query);
  }
  return {};
}

/// Whether tokens that are out cannot be trusted or used any more: they were protected with a key that somebody may
/// have, or a client would prove its possession to a device that has another one.
bool loses_credential(const ServerRecord& before, const ServerRecord& after) {
  const auto gone = [](BytesView old, BytesView replacement) { return !old.empty() && !equal(old, replacement); };
  const auto secret_gone = [](const Secret& old, const Secret& replacement) {
    return !old.empty() && !old.equals(replacement);
  };
  // Rotation: the key before is still live.
  const bool token_key_gone =
      secret_gone(before.token_key, after.token_key) && secret_gone(before.token_key, after.previous_token_key);
  return token_key_gone || gone(before.public_key, after.public_key) ||
         secret_gone(before.derivation_key, after.derivation_key) || gone(before.psk_identity, after.psk_identity) ||
         secret_gone(before.psk, after.psk) ||
         gone(as_bytes(before.certificate_name), as_bytes(after.certificate_name)) ||
         gone(before.secret_digest, after.secret_digest);
}

Result<ServerRecord> read_server(Database& database, std::int64_t id) {
  std::vector<ServerRecord> one;
  {
    Query query = ACEWARD_TRY(database.prepare(ACEWARD_SERVER_COLUMNS " WHERE id = ?"));
    if (!ACEWARD_TRY(query.integer(id).step())) return fail(reason::record_missing, "server");
    one.push_back(server_of(query));
  }
  Query query = ACEWARD_TRY(database.prepare("SELECT name FROM server_audience WHERE server_id = ? ORDER BY position"));
  query.integer(id);
  while (ACEWARD_TRY(query.step())) one[0].group_audiences.emplace_back(query.text_at(0));
  return std::move(one[0]);
}

bool has_audience(const ServerRecord& server, const std::string& audience) {
  return server.audience == audience ||
         std::ranges::find(server.group_audiences, audience) != server.group_audiences.end();
}

/// Tokens that are out for an audience were decided upon without the server that has it from now on, and would be good
/// at it all the same: those of a group it joins are revoked, and it is told of all that are.
Result<std::int64_t> take_audience(Database& database, const ServerRecord& server, std::int64_t id,
                                   const std::string& audience) {
  std::int64_t revoked = 0;
  if (audience != server.audience) {
    revoked = ACEWARD_TRY(revoke_tokens_of_audience(database, audience));
    // Also those on their way into the table.
    Query query =
        ACEWARD_TRY(database.prepare("UPDATE server SET keyed_version = (SELECT registry_version FROM meta)"
                                     " WHERE id IN (SELECT server_id FROM server_audience WHERE name = ?)"));
    ACEWARD_TRY(query.text(audience).run());
  }
  ACEWARD_TRY(tell_of_revoked_tokens(database, id, audience));
  return revoked;
}

/// What is to be revoked now that `before` has become `after`; the version by which later tokens are known.
Result<Revision> revoke_for(Database& database, const ServerRecord& before, const ServerRecord& after) {
  Revision revision;
  bool any = loses_credential(before, after);
  if (any) {
    revision.tokens = ACEWARD_TRY(revoke_tokens_of_server(database, before.id));
  } else {
    std::vector<std::string> left;
    if (before.audience != after.audience) left.push_back(before.audience);
    for (const std::string& audience : before.group_audiences)
      if (std::ranges::find(after.group_audiences, audience) == after.group_audiences.end()) left.push_back(audience);
    for (const std::string& audience : left)
      revision.tokens += ACEWARD_TRY(revoke_tokens_of_server(database, before.id, audience));
    any = !left.empty();
  }
  if (any)
    ACEWARD_TRY(run_for_id(
        database, "UPDATE server SET keyed_version = (SELECT registry_version FROM meta) WHERE id = ?", before.id));
  std::vector<std::string> taken = after.group_audiences;
  taken.push_back(after.audience);
  for (const std::string& audience : taken)
    if (!has_audience(before, audience))
      revision.tokens += ACEWARD_TRY(take_audience(database, after, before.id, audience));
  return revision;
}

}  // namespace

Result<std::int64_t> server_id_of(Database& database, const std::string& name) {
  return id_of(database, "SELECT id FROM server WHERE name = ?", name, "server");
}

Result<std::vector<ServerRecord>> read_servers(Database& database) {
  std::vector<ServerRecord> servers;
  {
    Query query = ACEWARD_TRY(database.prepare(ACEWARD_SERVER_COLUMNS " ORDER BY id"));
    while (ACEWARD_TRY(query.step())) servers.push_back(server_of(query));
  }
  ACEWARD_TRY(
      read_list(database, "SELECT server_id, name FROM server_audience ORDER BY server_id, position", servers,
                [](ServerRecord& server, const Query& row) { server.group_audiences.emplace_back(row.text_at(1)); }));
  ACEWARD_TRY(read_list(database, "SELECT server_id, profile FROM server_profile ORDER BY server_id, position", servers,
                        [](ServerRecord& server, const Query& row) {
                          server.profiles.push_back(static_cast<ace::Profile>(row.integer_at(1)));
                        }));
  // Written by hand or by a damaged disk: better no service than a token protected in a way nobody chose.
  for (const ServerRecord& server : servers)
    if (!check_record(server)) return fail(reason::store_damaged, "a server's entry");
  return servers;
}

Result<Added> insert_record(Database& database, const ServerRecord& server) {
  ACEWARD_TRY(check_record(server));
  ACEWARD_TRY(check_unique(database, server, 0));
  std::int64_t id = 0;
  {
    Query query = ACEWARD_TRY(database.prepare(
        "INSERT INTO server(name, audience, public_key, key_thumbprint, token_key, token_key_id, previous_token_key,"
        " previous_token_key_id, derivation_key, protection, scope_format, accepts_asymmetric, accepts_symmetric,"
        " uses_exi, token_lifetime, refresh_lifetime, allows_group_keys, undecided, owner, psk_identity, psk,"
        " certificate_name, secret_digest, keyed_version)"
        " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)"));
    bind_members(query, server);
    ACEWARD_TRY(query.run());
    id = database.last_row();
  }
  ACEWARD_TRY(write_lists(database, server, id));
  ACEWARD_TRY(grow_registry_version(database));
  ACEWARD_TRY(take_audience(database, server, id, server.audience));
  for (const std::string& audience : server.group_audiences) ACEWARD_TRY(take_audience(database, server, id, audience));
  return Added{id, server.name};
}

Result<Revision> update_record(Database& database, const ServerRecord& server) {
  ACEWARD_TRY(check_record(server));
  std::int64_t id = server.id;
  if (id == 0) id = ACEWARD_TRY(server_id_of(database, server.name));
  ACEWARD_TRY(check_unique(database, server, id));
  const ServerRecord before = ACEWARD_TRY(read_server(database, id));
  {
    Query query = ACEWARD_TRY(database.prepare(
        "UPDATE server SET name = ?, audience = ?, public_key = ?, key_thumbprint = ?, token_key = ?,"
        " token_key_id = ?, previous_token_key = ?, previous_token_key_id = ?, derivation_key = ?, protection = ?,"
        " scope_format = ?, accepts_asymmetric = ?, accepts_symmetric = ?, uses_exi = ?, token_lifetime = ?,"
        " refresh_lifetime = ?, allows_group_keys = ?, undecided = ?, owner = ?, psk_identity = ?, psk = ?,"
        " certificate_name = ?, secret_digest = ? WHERE id = ?"));
    bind_members(query, server);
    ACEWARD_TRY(run_update(database, query.integer(id), "server"));
  }
  ACEWARD_TRY(write_lists(database, server, id));
  return revoke_for(database, before, server);
}

Result<Removal> delete_server(Database& database, const std::string& name) {
  const std::int64_t id = ACEWARD_TRY(server_id_of(database, name));
  Removal removal;
  removal.tokens = ACEWARD_TRY(revoke_tokens_of_server(database, id));
  removal.rules = ACEWARD_TRY(run_for_id(database, "DELETE FROM rule WHERE server_id = ?", id));
  ACEWARD_TRY(run_for_id(database, "DELETE FROM server WHERE id = ?", id));  // its lists and requests go along
  ACEWARD_TRY(grow_registry_version(database));
  return removal;
}

#undef ACEWARD_SERVER_COLUMNS

}  // namespace aceward::store
