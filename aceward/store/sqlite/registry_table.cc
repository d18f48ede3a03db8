#include "aceward/store/sqlite/registry_table.h"

#include <memory>
#include <utility>

#include "aceward/store/sqlite/registry_rows.h"

namespace aceward::store {

Result<> grow_registry_version(Database& database) {
  return database.execute("UPDATE meta SET registry_version = registry_version + 1");
}

Result<> refuse_taken_text(Database& database, std::string_view sql, std::int64_t own_id, std::string_view value,
                           const Reason& taken) {
  if (value.empty()) return {};
  return refuse_taken(database, sql, own_id, [&](Query& query) { query.text(value); }, taken);
}

Result<> refuse_taken_octets(Database& database, std::string_view sql, std::int64_t own_id, BytesView value,
                             const Reason& taken) {
  if (value.empty()) return {};
  return refuse_taken(database, sql, own_id, [&](Query& query) { query.blob(value); }, taken);
}

Result<std::int64_t> id_of(Database& database, std::string_view sql, std::string_view name, std::string_view detail) {
  Query query = ACEWARD_TRY(database.prepare(sql));
  if (!ACEWARD_TRY(query.text(name).step())) return fail(reason::record_missing, detail);
  return query.integer_at(0);
}

Result<> run_update(Database& database, Query& query, std::string_view detail) {
  ACEWARD_TRY(query.run());
  if (database.changed_rows() == 0) return fail(reason::record_missing, detail);
  return grow_registry_version(database);
}

Result<std::int64_t> run_for_id(Database& database, std::string_view sql, std::int64_t id) {
  Query query = ACEWARD_TRY(database.prepare(sql));
  ACEWARD_TRY(query.integer(id).run());
  return database.changed_rows();
}

Result<> replace_list(Database& database, std::string_view deletion, std::string_view insertion, std::int64_t id,
                      const std::vector<std::string>& texts) {
  ACEWARD_TRY(run_for_id(database, deletion, id));
  std::int64_t position = 0;
  for (const std::string& text : texts) {
    Query query = ACEWARD_TRY(database.prepare(insertion));
    ACEWARD_TRY(query.integer(id).integer(position++).text(text).run());
  }
  return {};
}

Result<std::int64_t> read_registry_version(Database& database) {
  return database.integer("SELECT registry_version FROM meta");
}

Result<ace::as::RegistrySnapshot> read_registry(Database& database) {
  const auto version = static_cast<std::uint64_t>(ACEWARD_TRY(read_registry_version(database)));
  auto clients = ACEWARD_TRY(read_clients(database));
  auto servers = ACEWARD_TRY(read_servers(database));
  auto rules = ACEWARD_TRY(read_rules(database));
  return std::make_shared<const ace::as::Registry>(version, std::move(clients), std::move(servers), std::move(rules));
}

}  // namespace aceward::store
