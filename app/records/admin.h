// What `aceward client|rs|policy|token|request` ask of the store: the same code whether a running server executes
// it, asked over its local socket, or the command itself.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "aceward/store/sqlite/store.h"
#include "app/records/asker.h"

namespace aceward::app {

struct AdminContext {
  store::Store& store;
  WallTime now;
  Asker asker{};
  /// `[as] maximum_lifetime`, which decisions are explained with.
  std::chrono::seconds maximum_lifetime{std::chrono::hours(24 * 30)};
};

/// One line of JSON each way.
///
///   {"do": "client.add", …}             → {"name"}              members as in record_members.h
///   {"do": "client.set", "name", …}     → {"name", "tokens_revoked"}   only what is given changes
///   {"do": "client.show", "name"}       → the record            as in record_json.h
///   {"do": "client.list"}               → {"clients": […]}
///   {"do": "client.remove", "name"}     → {"name", "rules_removed", "tokens_revoked"}
///   rs.… the same with {"servers": […]}; policy.… with {"rules": […]}, and set and remove give {"name"}
///   {"do": "policy.test", "client", "rs" | "audience", "scope"?, "at"?} → {"granted", "scope", "lifetime", "reason",
///       "what", "asks_owner", "rules": [{"name", "effect", "scope", "holds_until", "lifetime"}]}
///   {"do": "token.list", "client"?, "rs"?, "live"?, "after"?, "limit"?} → {"tokens": […]}
///   {"do": "token.show", "number"}      → the token
///   {"do": "token.revoke", "number" | "client" | "rs" | "audience"} → {"tokens_revoked"}
///   {"do": "request.list", "client"?, "rs"?, "after"?, "limit"?} → {"requests": […]}
///   {"do": "request.show", "number"}    → the request
///   {"do": "request.approve", "number", "name"?, "scope"?, "lifetime"?, "hours"?, "until"?} → {"name"}
///   {"do": "request.deny", "number", "for"?: seconds} → {"number"}
///   with "dry_run": true, what changes records says what would happen, and changes nothing
///
/// A refusal is {"error": {"reason", "class", "what", "check"}}. `reply` is called exactly once: now, or when the
/// change is durable, as the store's completions are.
using AdminReply = std::function<void(std::string)>;
void execute(const AdminContext& context, std::string_view request, AdminReply reply);

/// Whether it is {"do": "counters"}, which is not asked of the store.
bool asks_for_counters(std::string_view request);

/// Why admin refuses a request that does not parse.
std::string admin_error(const Error& error);

}  // namespace aceward::app
