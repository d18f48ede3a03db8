// Requests for access in the database. Each function runs in a transaction of its caller's, or reads one statement.
#pragma once

#include <optional>
#include <vector>

#include "aceward/ace/as/request_book.h"
#include "aceward/base/result.h"
#include "aceward/store/sqlite/database.h"
#include "aceward/store/sqlite/store.h"

namespace aceward::store {

Result<std::optional<ace::as::AccessRequest>> find_request(Database& database, std::int64_t client_id,
                                                           std::int64_t server_id, BytesView scope, WallTime now);
/// Errors: `record_missing`.
Result<ace::as::AccessRequest> read_request(Database& database, ace::as::RequestNumber number);
Result<std::vector<ace::as::AccessRequest>> read_requests(Database& database, const RequestFilter& filter);

/// Errors: `requests_full`, `record_missing` for a client or server that has been removed, `record_invalid`.
Result<ace::as::RequestNumber> keep_request(Database& database, const ace::as::AccessRequest& request,
                                            ace::as::RequestBookLimits limits);
Result<Added> approve_request(Database& database, ace::as::RequestNumber number, const ace::as::PolicyRule& rule);
Result<> deny_request(Database& database, ace::as::RequestNumber number, WallTime until);

}  // namespace aceward::store
