#include "aceward/store/sqlite/registry_table.h"

#include <chrono>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "aceward/store/reasons.h"
#include "aceward/store/sqlite/record_check.h"
#include "aceward/store/sqlite/token_table.h"

namespace aceward::store {

namespace {

using ace::as::ClientRecord;
using ace::as::PolicyRule;
using ace::as::ServerRecord;

Result<> grow_registry_version(Database& database) {
  Query query = ACEWARD_TRY(database.prepare("UPDATE meta SET registry_version = registry_version + 1"));
  return query.run();
}

/// The row that has this value, if it is not the record's own. `sql` selects the id by the value and another id.
template <class Bind>
Result<> refuse_taken(Database& database, std::string_view sql, std::int64_t own_id, Bind bind, const Reason& taken) {
  Query query = ACEWARD_TRY(database.prepare(sql));
  bind(query);
  if (ACEWARD_TRY(query.integer(own_id).step())) return fail(taken);
  return {};
}

Result<> refuse_taken_name(Database& database, std::string_view sql, std::int64_t own_id, std::string_view name) {
  return refuse_taken(database, sql, own_id, [&](Query& query) { query.text(name); }, reason::record_exists);
}

Result<> check_unique(Database& database, const ClientRecord& client, std::int64_t own_id) {
  ACEWARD_TRY(refuse_taken_name(database, "SELECT id FROM client WHERE name = ? AND id <> ?", own_id, client.name));
  if (!client.psk_identity.empty())
    ACEWARD_TRY(refuse_taken(
        database, "SELECT id FROM client WHERE psk_identity = ? AND id <> ?", own_id,
        [&](Query& query) { query.blob(client.psk_identity); }, reason::record_psk_identity_taken));
  if (!client.key_thumbprint.empty())
    ACEWARD_TRY(refuse_taken(
        database, "SELECT id FROM client WHERE key_thumbprint = ? AND id <> ?", own_id,
        [&](Query& query) { query.blob(client.key_thumbprint); }, reason::record_key_taken));
  return {};
}

Result<> check_unique(Database& database, const ServerRecord& server, std::int64_t own_id) {
  ACEWARD_TRY(refuse_taken_name(database, "SELECT id FROM server WHERE name = ? AND id <> ?", own_id, server.name));
  return refuse_taken(
      database, "SELECT id FROM server WHERE audience = ? AND id <> ?", own_id,
      [&](Query& query) { query.text(server.audience); }, reason::record_audience_taken);
}

Result<> check_unique(Database& database, const PolicyRule& rule, std::int64_t own_id) {
  return refuse_taken_name(database, "SELECT id FROM rule WHERE name = ? AND id <> ?", own_id, rule.name);
}

void bind_members(Query& query, const ClientRecord& client) {
  query.text(client.name)
      .blob_or_null(client.public_key)
      .blob_or_null(client.key_thumbprint)
      .blob_or_null(client.psk_identity)
      .blob_or_null(client.psk.expose());
}

void bind_members(Query& query, const ServerRecord& server) {
  query.text(server.name)
      .text(server.audience)
      .blob_or_null(server.public_key)
      .blob_or_null(server.token_key.expose())
      .blob_or_null(server.token_key_id)
      .integer(std::to_underlying(server.protection))
      .integer(std::to_underlying(server.scope_format))
      .integer(server.accepts_asymmetric ? 1 : 0)
      .integer(server.accepts_symmetric ? 1 : 0)
      .integer(server.token_lifetime.count());
}

void bind_members(Query& query, const PolicyRule& rule, std::string_view name, std::int64_t client_id,
                  std::int64_t server_id) {
  query.text(name)
      .integer(client_id)
      .integer(server_id)
      .text_or_null(rule.text_scope)
      .blob_or_null(rule.aif_scope)
      .integer_or_null(rule.lifetime ? std::optional<std::int64_t>(rule.lifetime->count()) : std::nullopt);
}

Result<std::int64_t> id_of(Database& database, std::string_view sql, std::string_view name, std::string_view detail) {
  Query query = ACEWARD_TRY(database.prepare(sql));
  if (!ACEWARD_TRY(query.text(name).step())) return fail(reason::record_missing, detail);
  return query.integer_at(0);
}

Result<std::int64_t> rule_id_of(Database& database, std::string_view name) {
  return id_of(database, "SELECT id FROM rule WHERE name = ?", name, "rule");
}

/// Runs an UPDATE whose last value is the id, and sees to it that it found its row.
Result<> run_update(Database& database, Query& query, std::string_view detail) {
  ACEWARD_TRY(query.run());
  if (database.changed_rows() == 0) return fail(reason::record_missing, detail);
  return grow_registry_version(database);
}

/// client-server-number, with the lowest number that is free, cut so that it stays a valid name.
Result<std::string> make_rule_name(Database& database, const PolicyRule& rule) {
  constexpr std::size_t room_for_number = 20;
  std::string stem = rule.client + "-" + rule.server;
  if (stem.size() > name_limit - room_for_number) {
    std::size_t end = name_limit - room_for_number;
    while ((static_cast<unsigned char>(stem[end]) & 0xc0) == 0x80) --end;  // not in the middle of a character
    stem.resize(end);
  }
  for (std::int64_t number = 1;; ++number) {
    std::string name = stem + "-" + std::to_string(number);
    Query query = ACEWARD_TRY(database.prepare("SELECT 1 FROM rule WHERE name = ?"));
    if (!ACEWARD_TRY(query.text(name).step())) return name;
  }
}

/// What removing a client and removing a server have in common: `sql` is DELETE on the rules, then on the record.
Result<Removal> delete_with_rules(Database& database, std::int64_t id, std::string_view rules_sql,
                                  std::string_view record_sql, std::int64_t revoked) {
  Query rules = ACEWARD_TRY(database.prepare(rules_sql));
  ACEWARD_TRY(rules.integer(id).run());
  const std::int64_t removed = database.changed_rows();
  Query record = ACEWARD_TRY(database.prepare(record_sql));
  ACEWARD_TRY(record.integer(id).run());
  ACEWARD_TRY(grow_registry_version(database));
  return Removal{removed, revoked};
}

Result<std::vector<ClientRecord>> read_clients(Database& database) {
  Query query = ACEWARD_TRY(
      database.prepare("SELECT id, name, public_key, key_thumbprint, psk_identity, psk FROM client ORDER BY id"));
  std::vector<ClientRecord> clients;
  while (ACEWARD_TRY(query.step())) {
    ClientRecord& client = clients.emplace_back();
    client.id = query.integer_at(0);
    client.name = query.text_at(1);
    client.public_key = to_bytes(query.blob_at(2));
    client.key_thumbprint = to_bytes(query.blob_at(3));
    client.psk_identity = to_bytes(query.blob_at(4));
    client.psk = Secret::copy_of(query.blob_at(5));
  }
  return clients;
}

Result<std::vector<ServerRecord>> read_servers(Database& database) {
  Query query = ACEWARD_TRY(
      database.prepare("SELECT id, name, audience, public_key, token_key, token_key_id, protection, scope_format,"
                       " accepts_asymmetric, accepts_symmetric, token_lifetime FROM server ORDER BY id"));
  std::vector<ServerRecord> servers;
  while (ACEWARD_TRY(query.step())) {
    ServerRecord& server = servers.emplace_back();
    server.id = query.integer_at(0);
    server.name = query.text_at(1);
    server.audience = query.text_at(2);
    server.public_key = to_bytes(query.blob_at(3));
    server.token_key = Secret::copy_of(query.blob_at(4));
    server.token_key_id = to_bytes(query.blob_at(5));
    server.protection = static_cast<ace::as::TokenProtection>(query.integer_at(6));
    server.scope_format = static_cast<ace::as::ScopeFormat>(query.integer_at(7));
    server.accepts_asymmetric = query.integer_at(8) != 0;
    server.accepts_symmetric = query.integer_at(9) != 0;
    server.token_lifetime = std::chrono::seconds(query.integer_at(10));
    // Written by hand or by a damaged disk: better no service than a token protected in a way nobody chose.
    if (!check_record(server)) return fail(reason::store_damaged, "a server's entry");
  }
  return servers;
}

Result<std::vector<PolicyRule>> read_rules(Database& database) {
  Query query = ACEWARD_TRY(
      database.prepare("SELECT rule.id, rule.name, client.name, server.name, text_scope, aif_scope, lifetime FROM rule"
                       " JOIN client ON client.id = client_id JOIN server ON server.id = server_id ORDER BY rule.id"));
  std::vector<PolicyRule> rules;
  while (ACEWARD_TRY(query.step())) {
    PolicyRule& rule = rules.emplace_back();
    rule.id = query.integer_at(0);
    rule.name = query.text_at(1);
    rule.client = query.text_at(2);
    rule.server = query.text_at(3);
    rule.text_scope = query.text_at(4);
    rule.aif_scope = to_bytes(query.blob_at(5));
    if (const auto lifetime = query.optional_at(6)) rule.lifetime = std::chrono::seconds(*lifetime);
  }
  return rules;
}

}  // namespace

Result<std::int64_t> client_id_of(Database& database, const std::string& name) {
  return id_of(database, "SELECT id FROM client WHERE name = ?", name, "client");
}

Result<std::int64_t> server_id_of(Database& database, const std::string& name) {
  return id_of(database, "SELECT id FROM server WHERE name = ?", name, "server");
}

Result<std::int64_t> read_registry_version(Database& database) {
  return database.integer("SELECT registry_version FROM meta");
}

Result<ace::as::RegistrySnapshot> read_registry(Database& database) {
  const auto version = static_cast<std::uint64_t>(ACEWARD_TRY(read_registry_version(database)));
  auto clients = ACEWARD_TRY(read_clients(database));
  auto servers = ACEWARD_TRY(read_servers(database));
  auto rules = ACEWARD_TRY(read_rules(database));
  return std::make_shared<const ace::as::Registry>(version, std::move(clients), std::move(servers), std::move(rules));
}

Result<Added> insert_record(Database& database, const ClientRecord& client) {
  ACEWARD_TRY(check_record(client));
  ACEWARD_TRY(check_unique(database, client, 0));
  Query query = ACEWARD_TRY(database.prepare(
      "INSERT INTO client(name, public_key, key_thumbprint, psk_identity, psk) VALUES(?, ?, ?, ?, ?)"));
  bind_members(query, client);
  ACEWARD_TRY(query.run());
  const std::int64_t id = database.last_row();
  ACEWARD_TRY(grow_registry_version(database));
  return Added{id, client.name};
}

Result<Added> insert_record(Database& database, const ServerRecord& server) {
  ACEWARD_TRY(check_record(server));
  ACEWARD_TRY(check_unique(database, server, 0));
  Query query = ACEWARD_TRY(database.prepare(
      "INSERT INTO server(name, audience, public_key, token_key, token_key_id, protection, scope_format,"
      " accepts_asymmetric, accepts_symmetric, token_lifetime) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
  bind_members(query, server);
  ACEWARD_TRY(query.run());
  const std::int64_t id = database.last_row();
  ACEWARD_TRY(grow_registry_version(database));
  return Added{id, server.name};
}

Result<Added> insert_record(Database& database, const PolicyRule& rule) {
  ACEWARD_TRY(check_record(rule));
  const std::int64_t client_id = ACEWARD_TRY(client_id_of(database, rule.client));
  const std::int64_t server_id = ACEWARD_TRY(server_id_of(database, rule.server));
  ACEWARD_TRY(check_unique(database, rule, 0));
  std::string name = rule.name;
  if (name.empty()) name = ACEWARD_TRY(make_rule_name(database, rule));
  Query query = ACEWARD_TRY(database.prepare(
      "INSERT INTO rule(name, client_id, server_id, text_scope, aif_scope, lifetime) VALUES(?, ?, ?, ?, ?, ?)"));
  bind_members(query, rule, name, client_id, server_id);
  ACEWARD_TRY(query.run());
  const std::int64_t id = database.last_row();
  ACEWARD_TRY(grow_registry_version(database));
  return Added{id, name};
}

Result<> update_record(Database& database, const ClientRecord& client) {
  ACEWARD_TRY(check_record(client));
  std::int64_t id = client.id;
  if (id == 0) id = ACEWARD_TRY(client_id_of(database, client.name));
  ACEWARD_TRY(check_unique(database, client, id));
  Query query = ACEWARD_TRY(database.prepare(
      "UPDATE client SET name = ?, public_key = ?, key_thumbprint = ?, psk_identity = ?, psk = ? WHERE id = ?"));
  bind_members(query, client);
  return run_update(database, query.integer(id), "client");
}

Result<> update_record(Database& database, const ServerRecord& server) {
  ACEWARD_TRY(check_record(server));
  std::int64_t id = server.id;
  if (id == 0) id = ACEWARD_TRY(server_id_of(database, server.name));
  ACEWARD_TRY(check_unique(database, server, id));
  Query query = ACEWARD_TRY(database.prepare(
      "UPDATE server SET name = ?, audience = ?, public_key = ?, token_key = ?, token_key_id = ?, protection = ?,"
      " scope_format = ?, accepts_asymmetric = ?, accepts_symmetric = ?, token_lifetime = ? WHERE id = ?"));
  bind_members(query, server);
  return run_update(database, query.integer(id), "server");
}

Result<> update_record(Database& database, const PolicyRule& rule) {
  ACEWARD_TRY(check_record(rule));
  if (rule.name.empty()) return fail(reason::record_invalid, "name");
  std::int64_t id = rule.id;
  if (id == 0) id = ACEWARD_TRY(rule_id_of(database, rule.name));
  const std::int64_t client_id = ACEWARD_TRY(client_id_of(database, rule.client));
  const std::int64_t server_id = ACEWARD_TRY(server_id_of(database, rule.server));
  ACEWARD_TRY(check_unique(database, rule, id));
  Query query = ACEWARD_TRY(database.prepare(
      "UPDATE rule SET name = ?, client_id = ?, server_id = ?, text_scope = ?, aif_scope = ?, lifetime = ?"
      " WHERE id = ?"));
  bind_members(query, rule, rule.name, client_id, server_id);
  return run_update(database, query.integer(id), "rule");
}

Result<Removal> delete_client(Database& database, const std::string& name) {
  const std::int64_t id = ACEWARD_TRY(client_id_of(database, name));
  const std::int64_t revoked = ACEWARD_TRY(revoke_tokens_of_client(database, id));
  return delete_with_rules(database, id, "DELETE FROM rule WHERE client_id = ?", "DELETE FROM client WHERE id = ?",
                           revoked);
}

Result<Removal> delete_server(Database& database, const std::string& name) {
  const std::int64_t id = ACEWARD_TRY(server_id_of(database, name));
  const std::int64_t revoked = ACEWARD_TRY(revoke_tokens_of_server(database, id));
  return delete_with_rules(database, id, "DELETE FROM rule WHERE server_id = ?", "DELETE FROM server WHERE id = ?",
                           revoked);
}

Result<> delete_rule(Database& database, const std::string& name) {
  const std::int64_t id = ACEWARD_TRY(rule_id_of(database, name));
  Query query = ACEWARD_TRY(database.prepare("DELETE FROM rule WHERE id = ?"));
  ACEWARD_TRY(query.integer(id).run());
  return grow_registry_version(database);
}

}  // namespace aceward::store
