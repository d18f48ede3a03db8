// What the tables of clients, servers and rules have in common; included by their sources alone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aceward/ace/as/registry.h"
#include "aceward/base/result.h"
#include "aceward/store/reasons.h"
#include "aceward/store/sqlite/database.h"
#include "aceward/store/sqlite/store.h"

namespace aceward::store {

Result<> grow_registry_version(Database& database);

/// Refused with `taken` if another record than `own_id` has this value. `sql` selects by the value, then the id.
template <class Bind>
Result<> refuse_taken(Database& database, std::string_view sql, std::int64_t own_id, Bind bind, const Reason& taken) {
  Query query = ACEWARD_TRY(database.prepare(sql));
  bind(query);
  if (ACEWARD_TRY(query.integer(own_id).step())) return fail(taken);
  return {};
}

/// The same for a text and for octets; an empty one is nobody's.
Result<> refuse_taken_text(Database& database, std::string_view sql, std::int64_t own_id, std::string_view value,
                           const Reason& taken);
Result<> refuse_taken_octets(Database& database, std::string_view sql, std::int64_t own_id, BytesView value,
                             const Reason& taken);

/// Errors: `record_missing` with this detail.
Result<std::int64_t> id_of(Database& database, std::string_view sql, std::string_view name, std::string_view detail);

/// Runs an UPDATE whose last value is the id, and sees to it that it found its row.
Result<> run_update(Database& database, Query& query, std::string_view detail);

/// Runs a statement whose one value is `id`, and tells how many rows it changed.
Result<std::int64_t> run_for_id(Database& database, std::string_view sql, std::int64_t id);

/// Puts the texts of a list in place of those there: `deletion` takes the id; `insertion` the id, position, and text.
Result<> replace_list(Database& database, std::string_view deletion, std::string_view insertion, std::int64_t id,
                      const std::vector<std::string>& texts);

inline std::optional<std::int64_t> count_of(const std::optional<std::chrono::seconds>& duration) {
  return duration ? std::optional<std::int64_t>(duration->count()) : std::nullopt;
}

Result<std::vector<ace::as::ClientRecord>> read_clients(Database& database);
Result<std::vector<ace::as::ServerRecord>> read_servers(Database& database);
Result<std::vector<ace::as::PolicyRule>> read_rules(Database& database);

}  // namespace aceward::store
