#include "aceward/store/sqlite/maintenance.h"

#include <system_error>

#include "aceward/store/sqlite/new_file.h"
#include "aceward/store/sqlite/registry_table.h"
#include "aceward/store/sqlite/schema.h"
#include "aceward/store/sqlite/whole_file.h"

namespace aceward::store {

namespace {

std::uint64_t size_of(const std::filesystem::path& path) {
  std::error_code failed;
  const auto size = std::filesystem::file_size(path, failed);
  return failed ? 0 : size;
}

}  // namespace

Result<> check_whole(Database& database, bool current) {
  {
    Query check = ACEWARD_TRY(database.prepare("PRAGMA integrity_check(1)"));
    if (!ACEWARD_TRY(check.step()) || check.text_at(0) != "ok") return fail(reason::store_damaged, "integrity_check");
  }
  {
    Query check = ACEWARD_TRY(database.prepare("PRAGMA foreign_key_check"));
    if (ACEWARD_TRY(check.step())) return fail(reason::store_damaged, "an entry of nothing");
  }
  if (current) ACEWARD_TRY(read_registry(database));
  return {};
}

Result<Database> open_sound(const std::filesystem::path& path, std::int64_t oldest) {
  Options options;
  options.check_at_open = false;  // a more thorough check follows
  Database database = ACEWARD_TRY(open_checked(path, options, oldest));
  database.checkpoint_on_close(false);
  const std::int64_t version = ACEWARD_TRY(database.integer("PRAGMA user_version"));
  ACEWARD_TRY(check_whole(database, version == schema_version));
  database.checkpoint_on_close(true);
  return database;
}

Result<> copy_into(Database& database, const std::string& file) {
  Query copy = ACEWARD_TRY(database.prepare("VACUUM INTO ?"));
  return copy.text(file).run();
}

Result<> take_over(Database& database, const std::string& schema) {
  ACEWARD_TRY(database.execute(("PRAGMA " + schema + ".locking_mode = EXCLUSIVE").c_str()));
  // The answer is the mode that holds now.
  const std::string leave_log = "PRAGMA " + schema + ".journal_mode = DELETE";
  {
    Query query = ACEWARD_TRY(database.prepare_once(leave_log));
    if (!ACEWARD_TRY(query.step()) || query.text_at(0) != "delete") return fail(reason::store_locked);
  }
  ACEWARD_TRY(database.execute("BEGIN EXCLUSIVE"));
  return database.execute("COMMIT");
}

Result<FileStatus> read_status(const std::filesystem::path& path, WallTime now) {
  Database database = ACEWARD_TRY(open_sound(path, oldest_version));
  Transaction one_moment = ACEWARD_TRY(Transaction::begin(database, Transaction::Kind::read));
  FileStatus status;
  status.version = ACEWARD_TRY(database.integer("PRAGMA user_version"));
  status.current_version = schema_version;
  status.instance = ACEWARD_TRY(read_instance(database));
  status.octets = size_of(path);
  status.log_octets = size_of(path.string() + "-wal");
  status.pages = ACEWARD_TRY(database.integer("PRAGMA page_count"));
  status.free_pages = ACEWARD_TRY(database.integer("PRAGMA freelist_count"));
  status.clients = ACEWARD_TRY(database.integer("SELECT count(*) FROM client"));
  status.servers = ACEWARD_TRY(database.integer("SELECT count(*) FROM server"));
  status.rules = ACEWARD_TRY(database.integer("SELECT count(*) FROM rule"));
  if (status.version == schema_version) status.requests = ACEWARD_TRY(database.integer("SELECT count(*) FROM request"));
  status.tokens = ACEWARD_TRY(database.integer("SELECT count(*) FROM token"));
  status.revoked_tokens = ACEWARD_TRY(database.integer("SELECT count(*) FROM token WHERE revoked > 0"));
  Query live = ACEWARD_TRY(database.prepare("SELECT count(*) FROM token WHERE revoked = 0 AND expires_at > ?"));
  if (ACEWARD_TRY(live.integer(now.time_since_epoch().count()).step())) status.live_tokens = live.integer_at(0);
  return status;
}

Result<> back_up(const std::filesystem::path& path, const std::filesystem::path& copy) {
  Database database = ACEWARD_TRY(open_sound(path, oldest_version));
  const std::int64_t version = ACEWARD_TRY(database.integer("PRAGMA user_version"));
  std::error_code failed;
  if (std::filesystem::exists(std::filesystem::symlink_status(copy, failed))) return fail(reason::store_exists);
  const NewFile made(copy.string() + ".new");
  if (!made.made()) return fail(reason::store_unavailable, "cannot make the copy");
  ACEWARD_TRY(copy_into(database, made.name()));
  {
    Database written = ACEWARD_TRY(Database::open(made.name(), Database::Mode::read, {}));
    ACEWARD_TRY(check_whole(written, version == schema_version));
  }
  return made.link_to(copy);
}

}  // namespace aceward::store
