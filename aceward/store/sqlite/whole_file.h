// What status, migration, backup and restoration do with a file; included by their sources alone.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "aceward/base/result.h"
#include "aceward/store/sqlite/database.h"

namespace aceward::store {

/// A connection to a file in which everything was read and found right. Errors: as read_status, and `store_older`.
Result<Database> open_sound(const std::filesystem::path& path, std::int64_t oldest);

/// Pages, indices and references; in a file of the current version its records too. Errors: `store_damaged`.
Result<> check_whole(Database& database, bool current);

/// One moment of the database, into an empty file.
Result<> copy_into(Database& database, const std::string& file);

/// Leaves the write-ahead log, which only the last connection can, and then keeps everybody out until the connection
/// ends. `schema`: "main", or the name of an attached file. Errors: `store_locked`.
Result<> take_over(Database& database, const std::string& schema);

}  // namespace aceward::store
