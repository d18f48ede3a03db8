#include "aceward/store/sqlite/tables.h"

namespace aceward::store {

namespace {

// AUTOINCREMENT where tokens refer to a row after it is gone: its number must not come back with another meaning.
// An absent key is NULL, for UNIQUE lets NULL repeat.
//
// meta.lineage is the instance of the file that this one and others were restored from: row numbers mean the same in
// all of one lineage. meta.last_revocation numbers revocations: token.revoked holds that of the one which revoked it,
// or 0. keyed_version is the registry's version since which the record has the keys it has.
//
// Every index on `token` costs each token that is issued, and one in random order costs a page of the log besides:
// - token_key is the one in random order: find_by_key_id; revoking and listing by client use its beginning.
// - token_first_server grows at one place for each server: revoking and listing by server.
// - token_expiry grows nearly in order: finding what may go.
// - token_revoked holds only what is revoked, in the order of revocations: the revocation list.
// - token_server and its index hold only tokens for several servers.
// An audience has no index: revoking by audience goes through the servers that have it. Nor have digests: a presented
// token begins with its number.
constexpr const char* tables = R"sql(
CREATE TABLE meta(
  id INTEGER PRIMARY KEY CHECK(id = 1),
  instance BLOB NOT NULL,
  registry_version INTEGER NOT NULL,
  next_token INTEGER NOT NULL,
  last_revocation INTEGER NOT NULL,
  lineage BLOB NOT NULL
) STRICT;
CREATE TABLE client(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  public_key BLOB,
  key_thumbprint BLOB UNIQUE,
  psk_identity BLOB UNIQUE,
  psk BLOB,
  certificate_name TEXT UNIQUE,
  secret_digest BLOB,
  keyed_version INTEGER NOT NULL
) STRICT;
CREATE TABLE client_group(
  client_id INTEGER NOT NULL REFERENCES client(id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY(client_id, position)
) STRICT, WITHOUT ROWID;
CREATE TABLE server(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  audience TEXT NOT NULL UNIQUE,
  public_key BLOB,
  key_thumbprint BLOB UNIQUE,
  token_key BLOB,
  token_key_id BLOB,
  previous_token_key BLOB,
  previous_token_key_id BLOB,
  derivation_key BLOB,
  protection INTEGER NOT NULL,
  scope_format INTEGER NOT NULL,
  accepts_asymmetric INTEGER NOT NULL,
  accepts_symmetric INTEGER NOT NULL,
  uses_exi INTEGER NOT NULL,
  token_lifetime INTEGER NOT NULL,
  refresh_lifetime INTEGER,
  allows_group_keys INTEGER NOT NULL,
  undecided INTEGER NOT NULL,
  owner TEXT,
  psk_identity BLOB UNIQUE,
  psk BLOB,
  certificate_name TEXT UNIQUE,
  secret_digest BLOB,
  keyed_version INTEGER NOT NULL
) STRICT;
CREATE TABLE server_audience(
  server_id INTEGER NOT NULL REFERENCES server(id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY(server_id, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX server_audience_name ON server_audience(name);
CREATE TABLE server_profile(
  server_id INTEGER NOT NULL REFERENCES server(id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  profile INTEGER NOT NULL,
  PRIMARY KEY(server_id, position)
) STRICT, WITHOUT ROWID;
CREATE TABLE rule(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  client_id INTEGER REFERENCES client(id) ON DELETE CASCADE,
  client_group TEXT,
  server_id INTEGER NOT NULL REFERENCES server(id) ON DELETE CASCADE,
  text_scope TEXT,
  aif_scope BLOB,
  lifetime INTEGER,
  days INTEGER,
  from_minute INTEGER,
  to_minute INTEGER,
  until INTEGER
) STRICT;
CREATE INDEX rule_client ON rule(client_id);
CREATE INDEX rule_server ON rule(server_id);
CREATE TABLE request(
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  client_id INTEGER NOT NULL REFERENCES client(id) ON DELETE CASCADE,
  server_id INTEGER NOT NULL REFERENCES server(id) ON DELETE CASCADE,
  scope BLOB NOT NULL,
  state INTEGER NOT NULL,
  times INTEGER NOT NULL,
  first_asked INTEGER NOT NULL,
  last_asked INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  UNIQUE(client_id, server_id, scope)
) STRICT;
CREATE INDEX request_server ON request(server_id);
CREATE TABLE token(
  number INTEGER PRIMARY KEY,
  client_id INTEGER NOT NULL,
  server_id INTEGER NOT NULL,
  client TEXT NOT NULL,
  server TEXT NOT NULL,
  audience TEXT,
  scope BLOB NOT NULL,
  key_id BLOB,
  key_thumbprint BLOB,
  pop_key BLOB,
  token_digest BLOB,
  token_hash BLOB,
  profile INTEGER NOT NULL,
  cnonce BLOB,
  exi INTEGER,
  issued_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  refresh_digest BLOB,
  refresh_until INTEGER NOT NULL,
  kept_until INTEGER NOT NULL,
  origin INTEGER NOT NULL,
  revoked INTEGER NOT NULL
) STRICT;
CREATE INDEX token_key ON token(client_id, server_id, key_id);
CREATE INDEX token_first_server ON token(server_id);
CREATE INDEX token_expiry ON token(kept_until);
CREATE INDEX token_revoked ON token(revoked, expires_at) WHERE revoked > 0;
CREATE TABLE token_server(
  number INTEGER NOT NULL REFERENCES token(number) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  server_id INTEGER NOT NULL,
  PRIMARY KEY(number, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX token_server_more ON token_server(server_id);
)sql";

}  // namespace

Result<> make_tables(Database& database) { return database.execute(tables); }

}  // namespace aceward::store
