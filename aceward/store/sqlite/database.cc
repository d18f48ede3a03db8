#include "aceward/store/sqlite/database.h"

#include <sqlite3.h>

#include <cstddef>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "aceward/store/reasons.h"

namespace aceward::store {

namespace {

Error error_of(int code) {
  switch (code & 0xff) {
    case SQLITE_FULL: return Error(reason::store_full);
    case SQLITE_CORRUPT: return Error(reason::store_damaged);
    case SQLITE_NOTADB: return Error(reason::store_foreign, "not a SQLite file");
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return Error(reason::store_locked);
    case SQLITE_ERROR:
    case SQLITE_SCHEMA: return Error(reason::store_damaged, "a table is not as it should be");
    case SQLITE_CONSTRAINT:
      if (code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY || code == SQLITE_CONSTRAINT_ROWID)
        return Error(reason::record_exists);
      return Error(reason::record_invalid, "a constraint of the table");
    case SQLITE_TOOBIG: return Error(reason::record_invalid, "too big for the database");
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH: return Error(reason::store_unavailable, "no permission to write");
    case SQLITE_CANTOPEN: return Error(reason::store_unavailable, "cannot open the file");
    case SQLITE_IOERR: return Error(reason::store_unavailable, "input/output error");
    default: return Error(reason::store_unavailable);
  }
}

}  // namespace

Query::Query(Query&& other) noexcept
    : database_(other.database_),
      sql_(other.sql_),
      statement_(std::exchange(other.statement_, nullptr)),
      next_(other.next_),
      failed_(other.failed_) {}

Query::~Query() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
  // Lent twice at a time: the one that comes back second is surplus.
  if (!database_->idle_.try_emplace(sql_, statement_).second) sqlite3_finalize(statement_);
}

void Query::note(int code) {
  if (failed_ == SQLITE_OK) failed_ = code;
}

Query& Query::text(std::string_view value) {
  // A null pointer would bind NULL, which is not the same as the empty text.
  note(sqlite3_bind_text64(statement_, next_++, value.data() == nullptr ? "" : value.data(), value.size(),
                           SQLITE_STATIC, SQLITE_UTF8));
  return *this;
}

Query& Query::blob(BytesView value) {
  note(value.empty() ? sqlite3_bind_zeroblob(statement_, next_++, 0)
                     : sqlite3_bind_blob64(statement_, next_++, value.data(), value.size(), SQLITE_STATIC));
  return *this;
}

Query& Query::blob_or_null(BytesView value) {
  if (!value.empty()) return blob(value);
  note(sqlite3_bind_null(statement_, next_++));
  return *this;
}

Query& Query::text_or_null(std::string_view value) {
  if (!value.empty()) return text(value);
  note(sqlite3_bind_null(statement_, next_++));
  return *this;
}

Query& Query::integer(std::int64_t value) {
  note(sqlite3_bind_int64(statement_, next_++, value));
  return *this;
}

Query& Query::integer_or_null(std::optional<std::int64_t> value) {
  if (value) return integer(*value);
  note(sqlite3_bind_null(statement_, next_++));
  return *this;
}

Result<bool> Query::step() {
  if (failed_ != SQLITE_OK) return std::unexpected(error_of(failed_));
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  // An ended statement must not go on holding a lock, and one that is stepped again would start anew.
  sqlite3_reset(statement_);
  if (code == SQLITE_DONE) return false;
  return std::unexpected(error_of(code));
}

Result<> Query::run() {
  while (ACEWARD_TRY(step())) {
  }
  return {};
}

std::int64_t Query::integer_at(int column) const { return sqlite3_column_int64(statement_, column); }

std::string_view Query::text_at(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  if (text == nullptr) return {};
  return {text, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

BytesView Query::blob_at(int column) const {
  const auto* octets = static_cast<const std::uint8_t*>(sqlite3_column_blob(statement_, column));
  if (octets == nullptr) return {};
  return {octets, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

std::optional<std::int64_t> Query::optional_at(int column) const {
  if (sqlite3_column_type(statement_, column) == SQLITE_NULL) return std::nullopt;
  return integer_at(column);
}

Result<std::array<std::uint8_t, 100>> read_file_header(const std::filesystem::path& path, const std::string& vfs) {
  // Through SQLite's own file layer: it knows that closing a descriptor drops the locks which this process holds on the
  // file by way of others. A connection would not do: a checkpoint that was cut short leaves a header that only the
  // write-ahead log explains.
  sqlite3_vfs* files = sqlite3_vfs_find(vfs.empty() ? nullptr : vfs.c_str());
  std::error_code failed;
  const std::string absolute = std::filesystem::absolute(path, failed).string();
  if (failed || files == nullptr) return fail(reason::store_unavailable, "cannot open the file");
  const std::unique_ptr<const char, decltype(&sqlite3_free_filename)> name(
      sqlite3_create_filename(absolute.c_str(), "", "", 0, nullptr), &sqlite3_free_filename);
  std::vector<std::max_align_t> space(static_cast<std::size_t>(files->szOsFile) / sizeof(std::max_align_t) + 1);
  auto* file = reinterpret_cast<sqlite3_file*>(space.data());
  std::array<std::uint8_t, 100> header{};
  int code = files->xOpen(files, name.get(), file, SQLITE_OPEN_READONLY | SQLITE_OPEN_MAIN_DB, nullptr);
  if (code == SQLITE_OK) code = file->pMethods->xRead(file, header.data(), static_cast<int>(header.size()), 0);
  if (file->pMethods != nullptr) file->pMethods->xClose(file);
  if (code == SQLITE_IOERR_SHORT_READ) return fail(reason::store_foreign, "the file is too short");
  if (code != SQLITE_OK) return std::unexpected(error_of(code));
  return header;
}

Result<bool> file_exists(const std::filesystem::path& path, const std::string& vfs) {
  sqlite3_vfs* files = sqlite3_vfs_find(vfs.c_str());
  int there = 0;
  if (files == nullptr || files->xAccess(files, path.c_str(), SQLITE_ACCESS_EXISTS, &there) != SQLITE_OK)
    return fail(reason::store_unavailable, "cannot open the file");
  return there != 0;
}

Result<Database> Database::open(const std::filesystem::path& path, Mode mode, std::chrono::milliseconds busy_timeout,
                                const std::string& vfs) {
  // An absolute name is neither taken for a URI nor for one of SQLite's special names.
  std::error_code failed;
  const std::string absolute = std::filesystem::absolute(path, failed).string();
  if (failed) return fail(reason::store_unavailable, "cannot open the file");
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  flags |= mode == Mode::write ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
  if (!vfs.empty() && mode == Mode::write) flags |= SQLITE_OPEN_CREATE;
  sqlite3* connection = nullptr;
  const int code = sqlite3_open_v2(absolute.c_str(), &connection, flags, vfs.empty() ? nullptr : vfs.c_str());
  Database database(connection);
  if (code != SQLITE_OK) return std::unexpected(error_of(code));
  // The schema in a file is not to be trusted with functions, nor a statement of ours with SQLite's own tables.
  sqlite3_db_config(connection, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(connection, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_busy_timeout(connection, static_cast<int>(busy_timeout.count()));
  return database;
}

Database::Database(Database&& other) noexcept
    : connection_(std::exchange(other.connection_, nullptr)),
      idle_(std::move(other.idle_)),
      kept_texts_(std::move(other.kept_texts_)) {
  other.idle_.clear();
}

Database& Database::operator=(Database&& other) noexcept {
  if (this == &other) return *this;
  close();
  connection_ = std::exchange(other.connection_, nullptr);
  idle_ = std::move(other.idle_);
  kept_texts_ = std::move(other.kept_texts_);
  other.idle_.clear();
  return *this;
}

Database::~Database() { close(); }

void Database::close() {
  for (const auto& [sql, statement] : idle_) sqlite3_finalize(statement);
  idle_.clear();
  sqlite3_close_v2(std::exchange(connection_, nullptr));
}

Result<Query> Database::prepare(std::string_view sql) {
  if (const auto found = idle_.find(sql); found != idle_.end()) {
    sqlite3_stmt* statement = found->second;
    idle_.erase(found);
    return Query(this, sql, statement);
  }
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(connection_, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                                      &statement, nullptr);
  if (code != SQLITE_OK) return std::unexpected(error_of(code));
  return Query(this, sql, statement);
}

Result<Query> Database::prepare_once(const std::string& sql) { return prepare(kept_texts_.emplace_back(sql)); }

Result<> Database::execute(const char* sql) {
  const int code = sqlite3_exec(connection_, sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return std::unexpected(error_of(code));
  return {};
}

Result<std::int64_t> Database::integer(std::string_view sql) {
  Query query = ACEWARD_TRY(prepare(sql));
  if (!ACEWARD_TRY(query.step())) return fail(reason::store_damaged, "a row is missing");
  return query.integer_at(0);
}

bool Database::in_transaction() const { return sqlite3_get_autocommit(connection_) == 0; }
std::int64_t Database::changed_rows() const { return sqlite3_changes64(connection_); }
std::int64_t Database::last_row() const { return sqlite3_last_insert_rowid(connection_); }

void Database::checkpoint_on_close(bool yes) {
  sqlite3_db_config(connection_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, yes ? 0 : 1, nullptr);
}

Result<Transaction> Transaction::begin(Database& database, Kind kind) {
  // IMMEDIATE takes the write lock now: a transaction that had to ask for it later could not wait for it.
  Query begin = ACEWARD_TRY(database.prepare(kind == Kind::write ? "BEGIN IMMEDIATE" : "BEGIN"));
  ACEWARD_TRY(begin.run());
  return Transaction(database);
}

Transaction::~Transaction() {
  if (database_ == nullptr || !database_->in_transaction()) return;
  if (auto rollback = database_->prepare("ROLLBACK")) static_cast<void>(rollback->run());
}

Result<> Transaction::commit() {
  Query commit = ACEWARD_TRY(database_->prepare("COMMIT"));
  ACEWARD_TRY(commit.run());
  database_ = nullptr;
  return {};
}

}  // namespace aceward::store
