// From one schema version to the next.
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "aceward/cose/key.h"
#include "aceward/store/sqlite/maintenance.h"
#include "aceward/store/sqlite/new_file.h"
#include "aceward/store/sqlite/registry_table.h"
#include "aceward/store/sqlite/schema.h"
#include "aceward/store/sqlite/tables.h"
#include "aceward/store/sqlite/whole_file.h"

namespace aceward::store {

namespace {

// Tables get other columns, so each is made anew and filled. What version 1 did not keep of a token (its digest, its
// hash) stays unknown: such a token can be revoked, but not be listed in the revocation list.
constexpr const char* put_away_1 = R"sql(
DROP INDEX rule_client;
DROP INDEX rule_server;
DROP INDEX token_key;
DROP INDEX token_server;
DROP INDEX token_expiry;
ALTER TABLE rule RENAME TO old_rule;
ALTER TABLE token RENAME TO old_token;
ALTER TABLE client RENAME TO old_client;
ALTER TABLE server RENAME TO old_server;
ALTER TABLE meta RENAME TO old_meta;
)sql";

constexpr const char* fill_from_1 = R"sql(
INSERT INTO meta SELECT id, instance, registry_version + 1, next_token, 1, instance FROM old_meta;
INSERT INTO client SELECT id, name, public_key, key_thumbprint, psk_identity, psk, NULL, NULL, 0 FROM old_client;
INSERT INTO server SELECT id, name, audience, public_key, NULL, token_key, token_key_id, NULL, NULL, NULL, protection,
  scope_format, accepts_asymmetric, accepts_symmetric, 0, token_lifetime, NULL, 0, 1, NULL, NULL, NULL, NULL, NULL, 0
  FROM old_server;
INSERT INTO server_profile SELECT id, 0, 1 FROM old_server;
INSERT INTO rule SELECT id, name, client_id, NULL, server_id, text_scope, aif_scope, lifetime, NULL, NULL, NULL, NULL
  FROM old_rule;
INSERT INTO token SELECT number, client_id, server_id, client, server,
  (SELECT audience FROM old_server WHERE id = server_id), scope, key_id, key_thumbprint, pop_key, NULL, NULL, 1, NULL,
  NULL, issued_at, expires_at, NULL, 0, expires_at, 0, revoked FROM old_token;
DELETE FROM sqlite_sequence WHERE name IN ('client', 'server', 'rule');
INSERT INTO sqlite_sequence SELECT substr(name, 5), seq FROM sqlite_sequence
  WHERE name IN ('old_client', 'old_server', 'old_rule');
DROP TABLE old_rule;
DROP TABLE old_token;
DROP TABLE old_client;
DROP TABLE old_server;
DROP TABLE old_meta;
)sql";

/// Version 1 kept no thumbprint of a server's key. A key that cannot be read, or that two servers have, gets none: it
/// serves for `rs_cnf` as before, and not to authenticate the server.
Result<> add_thumbprints(Database& database) {
  std::vector<std::pair<std::int64_t, Bytes>> keys;
  {
    Query query = ACEWARD_TRY(database.prepare("SELECT id, public_key FROM server WHERE public_key IS NOT NULL"));
    while (ACEWARD_TRY(query.step())) keys.emplace_back(query.integer_at(0), to_bytes(query.blob_at(1)));
  }
  std::set<Bytes> taken;
  for (const auto& [id, encoded] : keys) {
    const auto key = cose::Key::parse(encoded);
    if (!key) continue;
    const auto octets = key->thumbprint();
    const Bytes thumbprint(octets.begin(), octets.end());
    if (!taken.insert(thumbprint).second) continue;
    Query query = ACEWARD_TRY(database.prepare("UPDATE server SET key_thumbprint = ? WHERE id = ?"));
    ACEWARD_TRY(query.blob(thumbprint).integer(id).run());
  }
  return {};
}

Result<> migrate_from_1(Database& database) {
  Transaction transaction = ACEWARD_TRY(Transaction::begin(database, Transaction::Kind::write));
  ACEWARD_TRY(database.execute(put_away_1));
  ACEWARD_TRY(make_tables(database));
  ACEWARD_TRY(database.execute(fill_from_1));
  ACEWARD_TRY(add_thumbprints(database));
  ACEWARD_TRY(database.execute(("PRAGMA user_version = " + std::to_string(schema_version)).c_str()));
  ACEWARD_TRY(read_registry(database));
  return transaction.commit();
}

}  // namespace

Result<Migration> migrate(const std::filesystem::path& path) {
  Database database = ACEWARD_TRY(open_sound(path, oldest_version));
  Migration migration{.from = ACEWARD_TRY(database.integer("PRAGMA user_version")), .to = schema_version, .kept = {}};
  if (migration.from == schema_version) return migration;
  ACEWARD_TRY(take_over(database, "main"));
  migration.kept = path.string() + ".schema" + std::to_string(migration.from);
  {
    const NewFile copy(migration.kept.string() + ".new");
    if (!copy.made()) return fail(reason::store_unavailable, "cannot make the copy");
    ACEWARD_TRY(copy_into(database, copy.name()));
    ACEWARD_TRY(copy.link_to(migration.kept));
  }
  ACEWARD_TRY(database.execute("PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY"));
  ACEWARD_TRY(migrate_from_1(database));
  // Space can be given back a little at a time only where the file was made so, or rewritten. Where there is no room
  // for that, it stays as it is, and whole.
  static_cast<void>(database.execute("PRAGMA auto_vacuum = INCREMENTAL; VACUUM"));
  ACEWARD_TRY(database.execute("PRAGMA journal_mode = WAL"));
  return migration;
}

}  // namespace aceward::store
