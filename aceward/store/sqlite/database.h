// SQLite without its sharp edges: connections and statements that close themselves, and errors as values. Only
// database.cc includes <sqlite3.h>, and the disk of sim/ whose power is cut.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "aceward/base/bytes.h"
#include "aceward/base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace aceward::store {

class Database;

/// A prepared statement, lent by its connection and given back, reset and without its values, when this ends. Values
/// are bound in the order of the question marks. Not thread-safe.
class Query {
 public:
  Query(Query&& other) noexcept;
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;
  Query& operator=(Query&&) = delete;
  ~Query();

  /// The octets are not copied (a secret would lie in freed memory): they must live until the query ends.
  Query& text(std::string_view value);
  Query& blob(BytesView value);
  Query& blob_or_null(BytesView value);  ///< NULL for an empty one: a unique column may hold many of these
  Query& text_or_null(std::string_view value);
  Query& integer(std::int64_t value);
  Query& integer_or_null(std::optional<std::int64_t> value);

  Query& text(std::string&& gone_too_soon) = delete;
  Query& text_or_null(std::string&& gone_too_soon) = delete;
  Query& blob(Bytes&& gone_too_soon) = delete;
  Query& blob_or_null(Bytes&& gone_too_soon) = delete;

  /// True: a row is there to be read. False: the statement has ended.
  Result<bool> step();
  /// Runs a statement that yields no rows, or whose rows do not matter.
  Result<> run();

  /// Values of the row, by column from 0. What is borrowed lives until the next step; NULL is empty or 0.
  std::int64_t integer_at(int column) const;
  std::string_view text_at(int column) const;
  BytesView blob_at(int column) const;
  std::optional<std::int64_t> optional_at(int column) const;

 private:
  friend class Database;
  Query(Database* database, std::string_view sql, sqlite3_stmt* statement)
      : database_(database), sql_(sql), statement_(statement) {}
  void note(int code);

  Database* database_;
  std::string_view sql_;
  sqlite3_stmt* statement_;
  int next_ = 1;
  int failed_ = 0;  ///< the first code that a bind returned, told by step
};

/// The 100 octets that begin a SQLite file, as they lie there: nothing is locked, recovered or written.
/// Errors: `store_foreign` when the file is shorter, `store_unavailable`.
Result<std::array<std::uint8_t, 100>> read_file_header(const std::filesystem::path& path, const std::string& vfs = {});

/// Whether a file is there, in the SQLite file system with this name.
Result<bool> file_exists(const std::filesystem::path& path, const std::string& vfs);

/// A connection. Used by one thread at a time; queries must end before it does.
class Database {
 public:
  enum class Mode : std::uint8_t {
    write,  ///< reads and writes a file that exists
    read,   ///< reads only; sees other connections' commits
  };

  /// `vfs`: name of a registered SQLite file system; empty: the operating system's.
  static Result<Database> open(const std::filesystem::path& path, Mode mode, std::chrono::milliseconds busy_timeout,
                               const std::string& vfs = {});
  Database(Database&& other) noexcept;
  Database& operator=(Database&& other) noexcept;
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database();

  /// `sql` has static storage: compiled once and kept under it.
  Result<Query> prepare(std::string_view sql);
  /// The same for a text that need not last: it is copied, and kept as long as the connection.
  Result<Query> prepare_once(const std::string& sql);
  /// Compiles and runs one or more statements without values and without results.
  Result<> execute(const char* sql);
  /// The one integer that a statement without values yields. Errors: `store_damaged` when it yields none.
  Result<std::int64_t> integer(std::string_view sql);

  bool in_transaction() const;  ///< also false after SQLite has rolled back by itself (full disk, I/O error)
  std::int64_t changed_rows() const;
  std::int64_t last_row() const;
  /// Whether closing the last connection moves the log into the main file; off while a file is only looked at.
  void checkpoint_on_close(bool yes);

 private:
  friend class Query;
  explicit Database(sqlite3* connection) : connection_(connection) {}
  void close();

  sqlite3* connection_;
  std::unordered_map<std::string_view, sqlite3_stmt*> idle_;
  std::deque<std::string> kept_texts_;
};

/// BEGIN at its start; ROLLBACK at its end unless committed.
class Transaction {
 public:
  enum class Kind : std::uint8_t { read, write };
  static Result<Transaction> begin(Database& database, Kind kind);
  Transaction(Transaction&& other) noexcept : database_(other.database_) { other.database_ = nullptr; }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  Result<> commit();

 private:
  explicit Transaction(Database& database) : database_(&database) {}
  Database* database_;
};

}  // namespace aceward::store
