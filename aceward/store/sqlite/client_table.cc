// Clients in the database.
#include <algorithm>
#include <utility>

#include "aceward/store/sqlite/record_check.h"
#include "aceward/store/sqlite/registry_rows.h"
#include "aceward/store/sqlite/registry_table.h"
#include "aceward/store/sqlite/token_table.h"

namespace aceward::store {

namespace {

using ace::as::ClientRecord;

Result<> check_unique(Database& database, const ClientRecord& client, std::int64_t own_id) {
  ACEWARD_TRY(refuse_taken_text(database, "SELECT id FROM client WHERE name = ? AND id <> ?", own_id, client.name,
                                reason::record_exists));
  ACEWARD_TRY(refuse_taken_octets(database, "SELECT id FROM client WHERE psk_identity = ? AND id <> ?", own_id,
                                  client.psk_identity, reason::record_psk_identity_taken));
  ACEWARD_TRY(refuse_taken_octets(database, "SELECT id FROM server WHERE psk_identity = ? AND id <> ?", 0,
                                  client.psk_identity, reason::record_psk_identity_taken));
  ACEWARD_TRY(refuse_taken_octets(database, "SELECT id FROM client WHERE key_thumbprint = ? AND id <> ?", own_id,
                                  client.key_thumbprint, reason::record_key_taken));
  return refuse_taken_text(database, "SELECT id FROM client WHERE certificate_name = ? AND id <> ?", own_id,
                           client.certificate_name, reason::record_certificate_name_taken);
}

void bind_members(Query& query, const ClientRecord& client) {
  query.text(client.name)
      .blob_or_null(client.public_key)
      .blob_or_null(client.key_thumbprint)
      .blob_or_null(client.psk_identity)
      .blob_or_null(client.psk.expose())
      .text_or_null(client.certificate_name)
      .blob_or_null(client.secret_digest);
}

Result<> write_groups(Database& database, const ClientRecord& client, std::int64_t id) {
  return replace_list(database, "DELETE FROM client_group WHERE client_id = ?",
                      "INSERT INTO client_group VALUES(?, ?, ?)", id, client.groups);
}

/// The row, without its groups, from the columns of `read_clients`.
ClientRecord client_of(const Query& row) {
  ClientRecord client;
  client.id = row.integer_at(0);
  client.name = row.text_at(1);
  client.public_key = to_bytes(row.blob_at(2));
  client.key_thumbprint = to_bytes(row.blob_at(3));
  client.psk_identity = to_bytes(row.blob_at(4));
  client.psk = Secret::copy_of(row.blob_at(5));
  client.certificate_name = row.text_at(6);
  client.secret_digest = to_bytes(row.blob_at(7));
  return client;
}

/// Has the device something to authenticate with that it will not have any more?
bool loses_credential(const ClientRecord& before, const ClientRecord& after) {
  const auto gone = [](BytesView old, BytesView replacement) { return !old.empty() && !equal(old, replacement); };
  return gone(before.public_key, after.public_key) || gone(before.psk_identity, after.psk_identity) ||
         (!before.psk.empty() && !before.psk.equals(after.psk)) ||
         gone(as_bytes(before.certificate_name), as_bytes(after.certificate_name)) ||
         gone(before.secret_digest, after.secret_digest);
}

Result<ClientRecord> read_client(Database& database, std::int64_t id) {
  Query query =
      ACEWARD_TRY(database.prepare("SELECT id, name, public_key, key_thumbprint, psk_identity, psk, certificate_name,"
                                   " secret_digest FROM client WHERE id = ?"));
  if (!ACEWARD_TRY(query.integer(id).step())) return fail(reason::record_missing, "client");
  return client_of(query);
}

}  // namespace

Result<std::int64_t> client_id_of(Database& database, const std::string& name) {
  return id_of(database, "SELECT id FROM client WHERE name = ?", name, "client");
}

Result<std::vector<ClientRecord>> read_clients(Database& database) {
  std::vector<ClientRecord> clients;
  {
    Query query =
        ACEWARD_TRY(database.prepare("SELECT id, name, public_key, key_thumbprint, psk_identity, psk, certificate_name,"
                                     " secret_digest FROM client ORDER BY id"));
    while (ACEWARD_TRY(query.step())) clients.push_back(client_of(query));
  }
  {
    // Both in the order of clients.
    Query query =
        ACEWARD_TRY(database.prepare("SELECT client_id, name FROM client_group ORDER BY client_id, position"));
    auto client = clients.begin();
    while (ACEWARD_TRY(query.step())) {
      while (client != clients.end() && client->id < query.integer_at(0)) ++client;
      if (client == clients.end() || client->id != query.integer_at(0))
        return fail(reason::store_damaged, "a group of no client");
      client->groups.emplace_back(query.text_at(1));
    }
  }
  // Written by hand or by a damaged disk: better no service than one that nobody chose.
  for (const ClientRecord& client : clients)
    if (!check_record(client)) return fail(reason::store_damaged, "a client's entry");
  return clients;
}

Result<Added> insert_record(Database& database, const ClientRecord& client) {
  ACEWARD_TRY(check_record(client));
  ACEWARD_TRY(check_unique(database, client, 0));
  std::int64_t id = 0;
  {
    Query query = ACEWARD_TRY(
        database.prepare("INSERT INTO client(name, public_key, key_thumbprint, psk_identity, psk, certificate_name,"
                         " secret_digest, keyed_version) VALUES(?, ?, ?, ?, ?, ?, ?, 0)"));
    bind_members(query, client);
    ACEWARD_TRY(query.run());
    id = database.last_row();
  }
  ACEWARD_TRY(write_groups(database, client, id));
  ACEWARD_TRY(grow_registry_version(database));
  return Added{id, client.name};
}

Result<Revision> update_record(Database& database, const ClientRecord& client) {
  ACEWARD_TRY(check_record(client));
  std::int64_t id = client.id;
  if (id == 0) id = ACEWARD_TRY(client_id_of(database, client.name));
  ACEWARD_TRY(check_unique(database, client, id));
  const ClientRecord before = ACEWARD_TRY(read_client(database, id));
  {
    Query query = ACEWARD_TRY(
        database.prepare("UPDATE client SET name = ?, public_key = ?, key_thumbprint = ?, psk_identity = ?, psk = ?,"
                         " certificate_name = ?, secret_digest = ? WHERE id = ?"));
    bind_members(query, client);
    ACEWARD_TRY(run_update(database, query.integer(id), "client"));
  }
  ACEWARD_TRY(write_groups(database, client, id));
  Revision revision;
  if (loses_credential(before, client)) {
    revision.tokens = ACEWARD_TRY(revoke_tokens_of_client(database, id));
    ACEWARD_TRY(
        run_for_id(database, "UPDATE client SET keyed_version = (SELECT registry_version FROM meta) WHERE id = ?", id));
  }
  return revision;
}

Result<Removal> delete_client(Database& database, const std::string& name) {
  const std::int64_t id = ACEWARD_TRY(client_id_of(database, name));
  Removal removal;
  removal.tokens = ACEWARD_TRY(revoke_tokens_of_client(database, id));
  removal.rules = ACEWARD_TRY(run_for_id(database, "DELETE FROM rule WHERE client_id = ?", id));
  ACEWARD_TRY(run_for_id(database, "DELETE FROM client WHERE id = ?", id));  // its groups and requests go along
  ACEWARD_TRY(grow_registry_version(database));
  return removal;
}

}  // namespace aceward::store
