#include "app/records/admin.h"

#include <algorithm>

#include "app/records/admin_request.h"
#include "app/records/record_members.h"

namespace aceward::app {

using ace::as::ClientRecord;
using ace::as::PolicyRule;
using ace::as::ServerRecord;
using store::Store;

std::string line_of(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

void AdminRequest::execute() {
  const std::string what = text("do");
  if (const auto flag = json_.find("dry_run"); flag != json_.end()) {
    dry_run_ = *flag == true;
    json_.erase("dry_run");
  }
  if (what == "rs.show") return show_server();
  if (what == "rs.list") return list("servers", &ace::as::Registry::servers);
  if (what == "policy.add") return add_rule();
  if (what == "policy.show") return show_rule();
  if (what == "policy.list") return list("rules", &ace::as::Registry::rules);
  if (what == "policy.set") return set_rule();
  if (what == "policy.remove") return remove_rule();
  if (what == "policy.test") return test_policy();
  if (what == "token.list") return list_tokens();
  if (what == "token.show") return show_token();
  if (what == "token.revoke") return revoke();
  if (what == "request.list") return list_requests();
  if (what == "request.show") return show_request();
  if (what == "request.approve") return approve_request();
  if (what == "request.deny") return deny_request();
  if (!context_.asker.is_administrator) return answer(Error(reason::asker_not_allowed));
  if (!execute_for_administrator(what)) answer(Error(reason::record_invalid, "do"));
}

bool AdminRequest::execute_for_administrator(const std::string& what) {
  if (what == "client.add") return add(client_from_json(json_), &Store::add_client, &Store::client), true;
  if (what == "rs.add") return add(server_from_json(json_), &Store::add_server, &Store::server), true;
  if (what == "client.show") return show(&Store::client), true;
  if (what == "client.list") return list("clients", &ace::as::Registry::clients), true;
  if (what == "client.set") return set<ClientRecord>(&Store::client, &Store::set_client), true;
  if (what == "rs.set") return set<ServerRecord>(&Store::server, &Store::set_server), true;
  if (what == "client.remove") return remove(&Store::client, &Store::remove_client), true;
  if (what == "rs.remove") return remove(&Store::server, &Store::remove_server), true;
  return false;
}

std::string AdminRequest::text(const char* name) const {
  const auto found = json_.find(name);
  return found != json_.end() && found->is_string() ? found->get<std::string>() : "";
}

std::int64_t AdminRequest::number(const char* name, std::int64_t fallback) const {
  const auto found = json_.find(name);
  return found != json_.end() && found->is_number_integer() ? found->get<std::int64_t>() : fallback;
}

bool AdminRequest::administers(const std::string& server) const {
  const auto found = store_.server(server);
  return found ? context_.asker.administers(**found) : context_.asker.is_administrator;
}

bool AdminRequest::administers(const ace::as::IssuedToken& token) const {
  if (context_.asker.is_administrator) return true;
  const auto registry = store_.registry();
  if (!registry) return false;
  // A token for several servers belongs to whoever administers all of them.
  std::vector<std::int64_t> servers = token.more_servers;
  servers.push_back(token.server_id);
  return std::ranges::all_of(servers, [&](std::int64_t id) {
    const ServerRecord* server = (*registry)->server_by_id(id);
    return server != nullptr && context_.asker.administers(*server);
  });
}

template <class Record, class Find>
void AdminRequest::add(Result<Record> record, void (Store::*change)(Record, store::Done<store::Added>), Find find) {
  if (!record) return answer(record.error());
  if (dry_run_) {
    if (!record->name.empty() && (store_.*find)(record->name)) return answer(Error(reason::record_exists));
    return answer(Json{{"name", record->name}});
  }
  (store_.*change)(std::move(*record),
                   told<store::Added>([](const store::Added& added) { return Json{{"name", added.name}}; }));
}

template <class Find>
void AdminRequest::show(Find find) {
  const auto record = (store_.*find)(text("name"));
  if (!record) return answer(record.error());
  answer(to_json(**record));
}

template <class Records>
void AdminRequest::list(const char* member, Records records) {
  const auto registry = store_.registry();
  if (!registry) return answer(registry.error());
  Json all = Json::array();
  for (const auto& record : ((**registry).*records)()) {
    if constexpr (requires { record.audience; }) {
      if (!context_.asker.administers(record)) continue;
    } else if constexpr (requires { record.server; }) {
      if (!administers(record.server)) continue;
    }
    all.push_back(to_json(record));
  }
  answer(Json{{member, std::move(all)}});
}

template <class Record, class Find>
void AdminRequest::set(Find find, void (Store::*change)(Record, store::Done<store::Revision>)) {
  const std::string name = text("name");
  const auto found = (store_.*find)(name);
  if (!found) return answer(found.error());
  Record record = copy_of(**found);
  if (const auto applied = apply_members(record, json_); !applied) return answer(applied.error());
  if (dry_run_) return answer(Json{{"name", name}});
  (store_.*change)(std::move(record), told<store::Revision>([name](const store::Revision& revision) {
                     return Json{{"name", name}, {"tokens_revoked", revision.tokens}};
                   }));
}

template <class Find>
void AdminRequest::remove(Find find, void (Store::*change)(std::string, store::Done<store::Removal>)) {
  const std::string name = text("name");
  if (const auto record = (store_.*find)(name); !record) return answer(record.error());
  if (dry_run_) return answer(Json{{"name", name}});
  (store_.*change)(name, told<store::Removal>([name](const store::Removal& removed) {
                     return Json{{"name", name}, {"rules_removed", removed.rules}, {"tokens_revoked", removed.tokens}};
                   }));
}

void AdminRequest::show_server() {
  const auto record = store_.server(text("name"));
  if (!record) return answer(record.error());
  if (!context_.asker.administers(**record)) return answer(Error(reason::record_missing));
  answer(to_json(**record));
}

void AdminRequest::add_rule() {
  auto rule = rule_from_json(json_);
  if (rule && !administers(rule->server)) return answer(Error(reason::record_missing));
  add(std::move(rule), &Store::add_rule, &Store::rule);
}

void AdminRequest::show_rule() {
  const auto rule = store_.rule(text("name"));
  if (!rule) return answer(rule.error());
  if (!administers((*rule)->server)) return answer(Error(reason::record_missing));
  answer(to_json(**rule));
}

void AdminRequest::set_rule() {
  const std::string name = text("name");
  const auto found = store_.rule(name);
  if (!found) return answer(found.error());
  PolicyRule rule = **found;
  if (!administers(rule.server)) return answer(Error(reason::record_missing));
  if (const auto applied = apply_members(rule, json_); !applied) return answer(applied.error());
  if (!administers(rule.server)) return answer(Error(reason::record_missing));
  if (rule.client.empty() == rule.group.empty()) {
    return answer(Error(reason::record_invalid, "one of client and group"));
  }
  if (dry_run_) return answer(Json{{"name", name}});
  store_.set_rule(std::move(rule), [reply = reply_, name](Result<> set) {
    reply(set ? line_of({{"name", name}}) : admin_error(set.error()));
  });
}

void AdminRequest::remove_rule() {
  const std::string name = text("name");
  const auto rule = store_.rule(name);
  if (!rule) return answer(rule.error());
  if (!administers((*rule)->server)) return answer(Error(reason::record_missing));
  if (dry_run_) return answer(Json{{"name", name}});
  store_.remove_rule(name, [reply = reply_, name](Result<> removed) {
    reply(removed ? line_of({{"name", name}}) : admin_error(removed.error()));
  });
}

std::string admin_error(const Error& error) {
  std::string what(error.reason().what);
  if (!error.detail().empty()) what.append(" (").append(error.detail()).append(")");
  return line_of({{"error",
                   {{"reason", error.id()},
                    {"class", name_of(error.error_class())},
                    {"what", what},
                    {"check", error.reason().check}}}});
}

bool asks_for_counters(std::string_view request) {
  const Json json = Json::parse(request, nullptr, false);
  return json.is_object() && json.value("do", Json()) == "counters";
}

void execute(const AdminContext& context, std::string_view request, AdminReply reply) {
  const Json json = Json::parse(request, nullptr, false);
  if (!json.is_object()) return reply(admin_error(Error(reason::record_invalid, "not a JSON object")));
  AdminRequest(context, json, std::move(reply)).execute();
}

}  // namespace aceward::app
