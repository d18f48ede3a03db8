// A backup takes the place of the file.
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <system_error>
#include <utility>

#include "aceward/store/sqlite/maintenance.h"
#include "aceward/store/sqlite/new_file.h"
#include "aceward/store/sqlite/schema.h"
#include "aceward/store/sqlite/whole_file.h"

namespace aceward::store {

namespace {

enum class Replaced : std::uint8_t { nothing, readable, unreadable };

/// Whether another process holds one of SQLite's locks: shared or more on the file (at 1 GiB), any on the index of its
/// log. For a file that SQLite itself cannot open.
bool is_locked(const std::string& path) {
  const auto held = [](const std::string& name, off_t start, off_t length) {
    const int descriptor = ::open(name.c_str(), O_RDWR | O_CLOEXEC);
    if (descriptor < 0) return false;
    struct flock lock{};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    lock.l_start = start;
    lock.l_len = length;
    const bool locked = ::fcntl(descriptor, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
    ::close(descriptor);
    return locked;
  };
  return held(path, 0x40000000, 512) || held(path + "-shm", 120, 16);
}

Result<Replaced> judge(const std::filesystem::path& path, const RestoreOptions& options) {
  std::error_code failed;
  if (!std::filesystem::exists(std::filesystem::symlink_status(path, failed))) return Replaced::nothing;
  const auto opened = open_sound(path, schema_version);
  if (opened) return Replaced::readable;
  const bool unreadable = opened.error() == reason::store_damaged || opened.error() == reason::store_newer;
  if (!unreadable || !options.replace_unreadable) return std::unexpected(opened.error());
  if (is_locked(path.string())) return fail(reason::store_locked);
  return Replaced::unreadable;
}

// Tokens of one lineage: what either file knows. Revocations are numbered on from the backup's in the replaced file, so
// that their order stays.
constexpr const char* unite = R"sql(
UPDATE token SET revoked = (SELECT last_revocation FROM main.meta), refresh_digest = NULL FROM replaced.token AS other
  WHERE other.number = token.number AND token.revoked = 0
  AND (other.client_id, other.server_id, other.issued_at) <> (token.client_id, token.server_id, token.issued_at);
UPDATE token SET revoked = other.revoked FROM replaced.token AS other
  WHERE other.number = token.number AND token.revoked = 0 AND other.revoked > 0;
UPDATE token SET refresh_digest = NULL FROM replaced.token AS other
  WHERE other.number = token.number AND other.refresh_digest IS NOT token.refresh_digest;
INSERT INTO main.token_server SELECT * FROM replaced.token_server
  WHERE number NOT IN (SELECT number FROM main.token);
INSERT INTO main.token SELECT * FROM replaced.token WHERE number NOT IN (SELECT number FROM main.token);
INSERT INTO main.sqlite_sequence SELECT name, seq FROM replaced.sqlite_sequence
  WHERE name NOT IN (SELECT name FROM main.sqlite_sequence);
UPDATE main.sqlite_sequence SET seq = max(sqlite_sequence.seq, other.seq) FROM replaced.sqlite_sequence AS other
  WHERE other.name = sqlite_sequence.name;
CREATE TEMP TABLE same_client AS SELECT id FROM main.client JOIN replaced.client AS other USING(id)
  WHERE other.public_key IS client.public_key AND other.psk_identity IS client.psk_identity
  AND other.psk IS client.psk AND other.certificate_name IS client.certificate_name
  AND other.secret_digest IS client.secret_digest;
CREATE TEMP TABLE same_server AS SELECT id FROM main.server JOIN replaced.server AS other USING(id)
  WHERE other.audience = server.audience AND other.public_key IS server.public_key
  AND other.token_key IS server.token_key AND other.derivation_key IS server.derivation_key
  AND other.psk_identity IS server.psk_identity AND other.psk IS server.psk
  AND other.certificate_name IS server.certificate_name AND other.secret_digest IS server.secret_digest;
)sql";

constexpr const char* revoke_all_changed = R"sql(
UPDATE token SET revoked = (SELECT last_revocation FROM main.meta), refresh_digest = NULL
  WHERE revoked = 0 AND (client_id NOT IN (SELECT id FROM same_client) OR server_id NOT IN (SELECT id FROM same_server)
  OR number IN (SELECT number FROM token_server WHERE server_id NOT IN (SELECT id FROM same_server)));
)sql";

// A server can have an audience again, as the backup says, whose tokens were decided upon without it.
constexpr const char* revoke_all_for_more_servers = R"sql(
UPDATE token SET revoked = (SELECT last_revocation FROM main.meta), refresh_digest = NULL
  WHERE revoked = 0 AND EXISTS (SELECT 1 FROM main.server_audience AS own WHERE own.name = token.audience
  AND own.server_id <> token.server_id AND NOT EXISTS (SELECT 1 FROM main.token_server AS other
  WHERE other.number = token.number AND other.server_id = own.server_id));
)sql";

constexpr const char* tell_of_revoked = R"sql(
CREATE TEMP TABLE audience_of AS SELECT id, audience AS name FROM main.server
  UNION SELECT server_id, name FROM main.server_audience;
INSERT INTO main.token_server SELECT token.number,
  (SELECT coalesce(max(position), -1) FROM main.token_server AS there WHERE there.number = token.number)
  + row_number() OVER (PARTITION BY token.number), own.id
  FROM main.token JOIN audience_of AS own ON own.name = token.audience
  WHERE token.revoked > 0 AND own.id <> token.server_id AND NOT EXISTS (SELECT 1 FROM main.token_server AS other
  WHERE other.number = token.number AND other.server_id = own.id);
)sql";

Result<> begin_again(Database& database, BytesView instance, bool beside) {
  // The numbers given out since the backup may be unknown, and so may how many: far more than anybody reserves.
  constexpr std::int64_t jump = std::int64_t{1} << 32;
  if (beside)
    ACEWARD_TRY(
        database.execute("UPDATE main.meta SET next_token = max(next_token, (SELECT next_token FROM replaced.meta)),"
                         " last_revocation = max(last_revocation, (SELECT last_revocation FROM replaced.meta)),"
                         " registry_version = max(registry_version, (SELECT registry_version FROM replaced.meta))"));
  Query query =
      ACEWARD_TRY(database.prepare("UPDATE main.meta SET instance = ?, next_token = next_token + ?,"
                                   " last_revocation = last_revocation + 1, registry_version = registry_version + 1"));
  return query.blob(instance).integer(jump).run();
}

Result<> unite_tokens(Database& database, Restoration& restoration) {
  restoration.merged = true;
  ACEWARD_TRY(database.execute(unite));
  ACEWARD_TRY(database.execute(revoke_all_changed));
  restoration.revoked = database.changed_rows();
  ACEWARD_TRY(database.execute(revoke_all_for_more_servers));
  restoration.revoked += database.changed_rows();
  ACEWARD_TRY(database.execute(tell_of_revoked));
  Query query =
      ACEWARD_TRY(database.prepare("SELECT name FROM main.client WHERE id NOT IN (SELECT id FROM same_client) UNION ALL"
                                   " SELECT name FROM main.server WHERE id NOT IN (SELECT id FROM same_server)"));
  while (ACEWARD_TRY(query.step())) restoration.revived.emplace_back(query.text_at(0));
  return {};
}

Result<> change_copy(Database& database, Replaced replaced, const RestoreOptions& options, BytesView instance,
                     Restoration& restoration) {
  Transaction transaction = ACEWARD_TRY(Transaction::begin(database, Transaction::Kind::write));
  const bool beside = replaced == Replaced::readable;
  ACEWARD_TRY(begin_again(database, instance, beside));
  const bool of_one_lineage = beside && ACEWARD_TRY(database.integer("SELECT (SELECT lineage FROM main.meta) ="
                                                                     " (SELECT lineage FROM replaced.meta)")) != 0;
  if (of_one_lineage) {
    ACEWARD_TRY(unite_tokens(database, restoration));
  } else if (!options.keep_tokens) {
    ACEWARD_TRY(database.execute("UPDATE main.token SET refresh_digest = NULL WHERE refresh_digest IS NOT NULL"));
    ACEWARD_TRY(
        database.execute("UPDATE main.token SET revoked = (SELECT last_revocation FROM main.meta)"
                         " WHERE revoked = 0"));
    restoration.revoked = database.changed_rows();
  }
  restoration.tokens = ACEWARD_TRY(database.integer("SELECT count(*) FROM main.token"));
  return transaction.commit();
}

/// The replaced file gets another name; it has its own as well until the new one takes that.
Result<> keep_replaced(const std::filesystem::path& path, Replaced replaced, const std::filesystem::path& kept) {
  if (::link(path.c_str(), kept.c_str()) != 0) return fail(reason::store_unavailable, "cannot keep the replaced file");
  if (replaced == Replaced::unreadable) {
    // Its log would be taken for that of the new file.
    std::error_code ignored;
    std::filesystem::rename(path.string() + "-wal", kept.string() + "-wal", ignored);
    std::filesystem::remove(path.string() + "-shm", ignored);
  }
  return sync_directory_of(path);
}

}  // namespace

Result<Restoration> restore(const std::filesystem::path& backup, const std::filesystem::path& path,
                            const RestoreOptions& options, Random& random) {
  Database source = ACEWARD_TRY(open_sound(backup, schema_version));
  const Replaced replaced = ACEWARD_TRY(judge(path, options));
  const Bytes instance = random.bytes(instance_octets);
  const NewFile made(path.string() + "." + to_hex(instance) + ".new");
  if (!made.made()) return fail(reason::store_unavailable, "cannot make the file");
  ACEWARD_TRY(copy_into(source, made.name()));

  Restoration restoration;
  Database database = ACEWARD_TRY(Database::open(made.name(), Database::Mode::write, {}));
  ACEWARD_TRY(database.execute("PRAGMA synchronous = FULL; PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY"));
  if (replaced == Replaced::readable) {
    const std::string absolute = std::filesystem::absolute(path).string();
    {
      Query attach = ACEWARD_TRY(database.prepare("ATTACH DATABASE ? AS replaced"));
      ACEWARD_TRY(attach.text(absolute).run());
    }
    ACEWARD_TRY(take_over(database, "replaced"));
  }
  ACEWARD_TRY(change_copy(database, replaced, options, instance, restoration));
  ACEWARD_TRY(check_whole(database, true));
  if (replaced != Replaced::nothing) {
    restoration.kept = path.string() + ".replaced-" + to_hex(instance).substr(0, 8);
    ACEWARD_TRY(keep_replaced(path, replaced, restoration.kept));
  }
  ACEWARD_TRY(made.rename_to(path));
  return restoration;  // the connection, and with it the lock on the replaced file, ends only now
}

}  // namespace aceward::store
