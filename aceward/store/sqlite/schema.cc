#include "aceward/store/sqlite/schema.h"

#include <sys/stat.h>

#include <string>
#include <system_error>

#include "aceward/store/sqlite/new_file.h"
#include "aceward/store/sqlite/tables.h"

namespace aceward::store {

namespace {

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

Result<> check_contents(Database& database, bool whole, std::int64_t oldest) {
  // Asked again: an upgrade may still lie in the write-ahead log.
  const auto version = ACEWARD_TRY(database.integer("PRAGMA user_version"));
  if (version > schema_version) return fail(reason::store_newer);
  if (version < 1) return fail(reason::store_damaged, "no schema version");
  if (version < oldest) return fail(reason::store_older);
  const bool older = version < schema_version;
  if (ACEWARD_TRY(database.integer(
          older ? "SELECT count(*) = 5 FROM sqlite_schema WHERE type = 'table' AND name IN ('meta', 'client',"
                  " 'server', 'rule', 'token')"
                : "SELECT count(*) = 10 FROM sqlite_schema WHERE type = 'table' AND name IN ('meta', 'client',"
                  " 'client_group', 'server', 'server_audience', 'server_profile', 'rule', 'request', 'token',"
                  " 'token_server')")) == 0)
    return fail(reason::store_damaged, "a table is missing");
  if (ACEWARD_TRY(database.integer(older ? "SELECT count(*) FROM meta WHERE registry_version >= 0 AND next_token > 0"
                                         : "SELECT count(*) FROM meta WHERE registry_version >= 0 AND next_token > 0"
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
  ACEWARD_TRY(make_tables(database));
  Query meta = ACEWARD_TRY(database.prepare("INSERT INTO meta VALUES(1, ?1, 1, 1, 0, ?1)"));
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
  const NewFile made(path.string() + "." + to_hex(instance) + ".new");
  if (!made.made()) return fail(reason::store_unavailable, "cannot make the file");
  ACEWARD_TRY(fill_file(made.name(), "", instance));
  const Result<> named = made.link_to(path);
  if (!named && named.error() != reason::store_exists) return named;
  return {};
}

Result<Database> open_checked(const std::filesystem::path& path, const Options& options, std::int64_t oldest) {
  ACEWARD_TRY(check_file(path, options.vfs));
  Database database = ACEWARD_TRY(Database::open(path, Database::Mode::write, options.busy_timeout, options.vfs));
  database.checkpoint_on_close(false);
  ACEWARD_TRY(database.execute("PRAGMA cell_size_check = ON"));
  if (const auto checked = check_contents(database, options.check_at_open, oldest); !checked) {
    // It bears our mark, so it is not a stranger's, whatever SQLite makes of the rest.
    if (checked.error() == reason::store_foreign) return fail(reason::store_damaged, "the header");
    return std::unexpected(checked.error());
  }
  database.checkpoint_on_close(true);
  return database;
}

Result<Database> open_writing(const std::filesystem::path& path, const Options& options) {
  Database database = ACEWARD_TRY(open_checked(path, options, schema_version));
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
