#include "aceward/store/sqlite/schema.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

namespace aceward::store {

namespace {

// AUTOINCREMENT where tokens refer to a row after it is gone: its number must not come back with another meaning.
// An absent key is NULL, for UNIQUE lets NULL repeat.
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
  last_revocation INTEGER NOT NULL
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

/// A file that exists under a name of its own until the end of the block.
class TemporaryFile {
 public:
  explicit TemporaryFile(std::string name)
      : name_(std::move(name)), descriptor_(::open(name_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) {
    if (descriptor_ < 0) return;
    ::close(descriptor_);  // before SQLite opens it: closing a descriptor drops the locks of all others on the file
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() {
    if (descriptor_ < 0) return;
    for (const char* suffix : {"", "-journal", "-wal", "-shm"}) ::unlink((name_ + suffix).c_str());
  }
  bool made() const { return descriptor_ >= 0; }
  const std::string& name() const { return name_; }

 private:
  std::string name_;
  int descriptor_;
};

Result<> sync_directory_of(const std::filesystem::path& path) {
  const std::filesystem::path parent = path.has_parent_path() ? path.parent_path() : ".";
  const int directory = ::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return fail(reason::store_unavailable, "cannot open the directory");
  const bool synced = ::fsync(directory) == 0;
  ::close(directory);
  if (!synced) return fail(reason::store_unavailable, "cannot sync the directory");
  return {};
}

std::int64_t big_endian_at(BytesView octets, std::size_t at) {
  std::int64_t number = 0;
  for (const std::uint8_t octet : octets.subspan(at, 4)) number = number << 8 | octet;
  return number;
}

Result<> check_file(const std::filesystem::path& path, const std::string& vfs) {
  struct stat status{};
  if (vfs.empty()) {
    if (::stat(path.c_str(), &status) != 0) return fail(reason::store_unavailable, "cannot open the file");
    if (!S_ISREG(status.st_mode)) return fail(reason::store_foreign, "not a regular file");
  }
  const auto header = ACEWARD_TRY(read_file_header(path, vfs));
  if (!as_text(header).starts_with(std::string_view("SQLite format 3\0", 16)))
    return fail(reason::store_foreign, "not a SQLite file");
  if (big_endian_at(header, 68) != application_id) return fail(reason::store_foreign, "another program's SQLite file");
  if (big_endian_at(header, 60) > schema_version) return fail(reason::store_newer);
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) return fail(reason::store_exposed);
  return {};
}

Result<> check_contents(Database& database, bool whole) {
  // Asked again: an upgrade may still lie in the write-ahead log.
  const auto version = ACEWARD_TRY(database.integer("PRAGMA user_version"));
  if (version > schema_version) return fail(reason::store_newer);
  if (version < 1) return fail(reason::store_damaged, "no schema version");
  if (version < schema_version) return fail(reason::store_older);
  if (ACEWARD_TRY(
          database.integer("SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN ('meta', 'client',"
                           " 'client_group', 'server', 'server_audience', 'server_profile', 'rule', 'request',"
                           " 'token', 'token_server')")) != 10)
    return fail(reason::store_damaged, "a table is missing");
  if (ACEWARD_TRY(database.integer("SELECT count(*) FROM meta WHERE registry_version >= 0 AND next_token > 0"
                                   " AND last_revocation >= 0")) != 1)
    return fail(reason::store_damaged, "its own entry is missing");
  if (whole) {
    Query check = ACEWARD_TRY(database.prepare("PRAGMA quick_check(1)"));
    if (!ACEWARD_TRY(check.step()) || check.text_at(0) != "ok") return fail(reason::store_damaged, "quick_check");
  }
  return {};
}

/// Makes the tables in an empty file.
Result<> fill_file(const std::filesystem::path& path, const std::string& vfs, BytesView instance) {
  Database database = ACEWARD_TRY(Database::open(path, Database::Mode::write, {}, vfs));
  ACEWARD_TRY(
      database.execute("PRAGMA page_size = 4096; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA synchronous = FULL;"));
  Transaction transaction = ACEWARD_TRY(Transaction::begin(database, Transaction::Kind::write));
  ACEWARD_TRY(database.execute(tables));
  Query meta = ACEWARD_TRY(database.prepare("INSERT INTO meta VALUES(1, ?, 1, 1, 0)"));
  ACEWARD_TRY(meta.blob(instance).run());
  ACEWARD_TRY(database.execute(("PRAGMA application_id = " + std::to_string(application_id)).c_str()));
  ACEWARD_TRY(database.execute(("PRAGMA user_version = " + std::to_string(schema_version)).c_str()));
  ACEWARD_TRY(transaction.commit());
  return database.execute("PRAGMA journal_mode = WAL");
}

}  // namespace

Result<> create_if_absent(const std::filesystem::path& path, const Options& options, Random& random) {
  if (!options.vfs.empty()) {
    if (ACEWARD_TRY(file_exists(path, options.vfs))) return {};
    return fill_file(path, options.vfs, random.bytes(instance_octets));
  }
  std::error_code failed;
  const bool there = std::filesystem::exists(std::filesystem::symlink_status(path, failed));
  if (failed && !there && failed != std::errc::no_such_file_or_directory)
    return fail(reason::store_unavailable, "cannot open the file");
  if (there) return {};
  return create_file(path, random.bytes(instance_octets));
}

Result<> create_file(const std::filesystem::path& path, BytesView instance) {
  const TemporaryFile made(path.string() + "." + to_hex(instance) + ".new");
  if (!made.made()) return fail(reason::store_unavailable, "cannot make the file");
  ACEWARD_TRY(fill_file(made.name(), "", instance));
  if (::link(made.name().c_str(), path.c_str()) != 0 && errno != EEXIST)
    return fail(reason::store_unavailable, "cannot make the file");
  return sync_directory_of(path);
}

Result<Database> open_writing(const std::filesystem::path& path, const Options& options) {
  ACEWARD_TRY(check_file(path, options.vfs));
  Database database = ACEWARD_TRY(Database::open(path, Database::Mode::write, options.busy_timeout, options.vfs));
  database.checkpoint_on_close(false);
  ACEWARD_TRY(database.execute("PRAGMA cell_size_check = ON"));
  if (const auto checked = check_contents(database, options.check_at_open); !checked) {
    // It bears our mark, so it is not a stranger's, whatever SQLite makes of the rest.
    if (checked.error() == reason::store_foreign) return fail(reason::store_damaged, "the header");
    return std::unexpected(checked.error());
  }
  database.checkpoint_on_close(true);
  // secure_delete overwrites the pages of what is removed; temp_store keeps what is sorted out of other files.
  ACEWARD_TRY(
      database.execute("PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON;"
                       "PRAGMA temp_store = MEMORY; PRAGMA journal_size_limit = 16777216"));
  ACEWARD_TRY(database.execute(options.durability == Durability::full ? "PRAGMA synchronous = FULL"
                                                                      : "PRAGMA synchronous = NORMAL"));
  if (options.max_pages != 0)
    ACEWARD_TRY(database.execute(("PRAGMA max_page_count = " + std::to_string(options.max_pages)).c_str()));
  return database;
}

Result<Database> open_reading(const std::filesystem::path& path, const Options& options) {
  // The loop must not stand still for another process: a reader waits only for a recovery, and briefly.
  return Database::open(path, Database::Mode::read, std::chrono::milliseconds(100), options.vfs);
}

Result<Bytes> read_instance(Database& database) {
  Query query = ACEWARD_TRY(database.prepare("SELECT instance FROM meta"));
  if (!ACEWARD_TRY(query.step()) || query.blob_at(0).size() != instance_octets)
    return fail(reason::store_damaged, "the instance id is missing");
  return to_bytes(query.blob_at(0));
}

}  // namespace aceward::store
