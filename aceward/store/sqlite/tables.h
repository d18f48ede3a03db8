// The tables of the schema version that this release writes, with the reason for each index.
#pragma once

#include "aceward/base/result.h"
#include "aceward/store/sqlite/database.h"

namespace aceward::store {

/// In a transaction of the caller's.
Result<> make_tables(Database& database);

}  // namespace aceward::store
