// Clients, servers and rules in the database. Each function runs in a transaction of its caller's.
#pragma once

#include <cstdint>
#include <string>

#include "aceward/ace/as/registry.h"
#include "aceward/base/result.h"
#include "aceward/store/sqlite/database.h"
#include "aceward/store/sqlite/store.h"

namespace aceward::store {

/// Grows with every change of a client, a server or a rule.
Result<std::int64_t> read_registry_version(Database& database);
/// Errors: `store_damaged` for a record that could not have been written.
Result<ace::as::RegistrySnapshot> read_registry(Database& database);

Result<Added> insert_record(Database& database, const ace::as::ClientRecord& client);
Result<Added> insert_record(Database& database, const ace::as::ServerRecord& server);
Result<Added> insert_record(Database& database, const ace::as::PolicyRule& rule);

Result<Revision> update_record(Database& database, const ace::as::ClientRecord& client);
Result<Revision> update_record(Database& database, const ace::as::ServerRecord& server);
Result<> update_record(Database& database, const ace::as::PolicyRule& rule);

Result<Removal> delete_client(Database& database, const std::string& name);
Result<Removal> delete_server(Database& database, const std::string& name);
Result<> delete_rule(Database& database, const std::string& name);

/// Errors: `record_missing` with the detail "client" or "server".
Result<std::int64_t> client_id_of(Database& database, const std::string& name);
Result<std::int64_t> server_id_of(Database& database, const std::string& name);

}  // namespace aceward::store
