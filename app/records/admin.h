// What `aceward client|rs|policy|token` ask of the store: the same code whether a running server executes it, asked
// over its local socket, or the command itself.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "aceward/store/sqlite/store.h"

namespace aceward::app {

/// One line of JSON each way.
///
///   {"do": "client.add", …}             → {"name"}              members as in record_json.h
///   {"do": "client.show", "name"}       → the record
///   {"do": "client.list"}               → {"clients": […]}
///   {"do": "client.remove", "name"}     → {"name", "rules_removed", "tokens_revoked"}
///   rs.… the same with {"servers": […]}; policy.… with {"rules": […]}, and remove gives {"name"}
///   {"do": "token.list", "client"?, "rs"?, "live"?, "after"?, "limit"?} → {"tokens": […]}
///   {"do": "token.show", "number"}      → the token
///   {"do": "token.revoke", "number" | "client" | "rs"} → {"tokens_revoked"}
///   with "dry_run": true, add and remove say what would happen, and change nothing
///
/// A refusal is {"error": {"reason", "class", "what", "check"}}. `reply` is called exactly once: now, or when the
/// change is durable, as the store's completions are.
using AdminReply = std::function<void(std::string)>;
void execute(store::Store& store, std::string_view request, WallTime now, AdminReply reply);

/// Whether it is {"do": "counters"}, which is not asked of the store.
bool asks_for_counters(std::string_view request);

/// Why admin refuses a request that does not parse.
std::string admin_error(const Error& error);

}  // namespace aceward::app
