#include "app/records/admin.h"

#include <memory>
#include <nlohmann/json.hpp>

#include "app/records/record_json.h"

namespace aceward::app {

namespace {

using store::Store;

std::string line_of(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

/// One request with the way back to whoever asked.
class Request {
 public:
  Request(Store& store, const Json& json, WallTime now, AdminReply reply)
      : store_(store), json_(json), now_(now), reply_(std::move(reply)) {}

  void execute() {
    const auto found = json_.find("do");
    const std::string what = found != json_.end() && found->is_string() ? found->get<std::string>() : "";
    if (const auto flag = json_.find("dry_run"); flag != json_.end()) {
      dry_run_ = *flag == true;
      json_.erase("dry_run");
    }
    if (what == "client.add") return add(client_from_json(json_), &Store::add_client, &Store::client);
    if (what == "rs.add") return add(server_from_json(json_), &Store::add_server, &Store::server);
    if (what == "policy.add") return add(rule_from_json(json_), &Store::add_rule, &Store::rule);
    if (what == "client.show") return show(&Store::client);
    if (what == "rs.show") return show(&Store::server);
    if (what == "policy.show") return show(&Store::rule);
    if (what == "client.list") return list("clients", &ace::as::Registry::clients);
    if (what == "rs.list") return list("servers", &ace::as::Registry::servers);
    if (what == "policy.list") return list("rules", &ace::as::Registry::rules);
    if (what == "client.remove") return remove(&Store::client, &Store::remove_client);
    if (what == "rs.remove") return remove(&Store::server, &Store::remove_server);
    if (what == "policy.remove") return remove_rule();
    if (what == "token.list") return list_tokens();
    if (what == "token.show") return show_token();
    if (what == "token.revoke") return revoke();
    answer(Error(reason::record_invalid, "do"));
  }

 private:
  void answer(const Json& json) { reply_(line_of(json)); }
  void answer(const Error& error) { reply_(admin_error(error)); }

  std::string text(const char* name) const {
    const auto found = json_.find(name);
    return found != json_.end() && found->is_string() ? found->get<std::string>() : "";
  }
  std::int64_t number(const char* name, std::int64_t fallback) const {
    const auto found = json_.find(name);
    return found != json_.end() && found->is_number_integer() ? found->get<std::int64_t>() : fallback;
  }

  template <class Record, class Find>
  void add(Result<Record> record, void (Store::*change)(Record, store::Done<store::Added>), Find find) {
    if (!record) return answer(record.error());
    if (dry_run_) {
      if (!record->name.empty() && (store_.*find)(record->name)) return answer(Error(reason::record_exists));
      return answer(Json{{"name", record->name}});
    }
    (store_.*change)(std::move(*record), [reply = reply_](Result<store::Added> added) {
      reply(added ? line_of({{"name", added->name}}) : admin_error(added.error()));
    });
  }

  template <class Find>
  void show(Find find) {
    const auto record = (store_.*find)(text("name"));
    if (!record) return answer(record.error());
    answer(to_json(**record));
  }

  template <class Records>
  void list(const char* member, Records records) {
    const auto registry = store_.registry();
    if (!registry) return answer(registry.error());
    Json all = Json::array();
    for (const auto& record : ((**registry).*records)()) all.push_back(to_json(record));
    answer(Json{{member, std::move(all)}});
  }

  template <class Find>
  void remove(Find find, void (Store::*change)(std::string, store::Done<store::Removal>)) {
    const std::string name = text("name");
    if (const auto record = (store_.*find)(name); !record) return answer(record.error());
    if (dry_run_) return answer(Json{{"name", name}});
    (store_.*change)(name, [reply = reply_, name](Result<store::Removal> removed) {
      reply(removed ? line_of({{"name", name}, {"rules_removed", removed->rules}, {"tokens_revoked", removed->tokens}})
                    : admin_error(removed.error()));
    });
  }

  void remove_rule() {
    const std::string name = text("name");
    if (const auto record = store_.rule(name); !record) return answer(record.error());
    if (dry_run_) return answer(Json{{"name", name}});
    store_.remove_rule(name, [reply = reply_, name](Result<> removed) {
      reply(removed ? line_of({{"name", name}}) : admin_error(removed.error()));
    });
  }

  void list_tokens() {
    const std::int64_t limit = number("limit", 100);
    if (limit < 1) return answer(Error(reason::record_invalid, "limit"));
    store::TokenFilter filter{.client = text("client"), .server = text("rs"), .live_at = {}, .after = {}, .limit = {}};
    if (const auto live = json_.find("live"); live != json_.end() && *live == true) filter.live_at = now_;
    filter.after = ace::as::TokenNumber(number("after", 0));
    filter.limit = static_cast<std::size_t>(limit);
    const auto tokens = store_.tokens(filter);
    if (!tokens) return answer(tokens.error());
    Json all = Json::array();
    for (const auto& token : *tokens) all.push_back(to_json(token, now_));
    answer(Json{{"tokens", std::move(all)}});
  }

  void show_token() {
    const auto token = store_.token(ace::as::TokenNumber(number("number", 0)));
    if (!token) return answer(token.error());
    answer(to_json(*token, now_));
  }

  void revoke() {
    const std::string client = text("client");
    const std::string server = text("rs");
    const std::int64_t number_asked = number("number", 0);
    const int ways = (client.empty() ? 0 : 1) + (server.empty() ? 0 : 1) + (number_asked == 0 ? 0 : 1);
    if (ways != 1) return answer(Error(reason::record_invalid, "one of number, client, rs"));
    auto done = [reply = reply_](Result<std::int64_t> count) {
      reply(count ? line_of({{"tokens_revoked", *count}}) : admin_error(count.error()));
    };
    if (!client.empty()) return store_.revoke_client(client, std::move(done));
    if (!server.empty()) return store_.revoke_server(server, std::move(done));
    store_.revoke_token(ace::as::TokenNumber(number_asked), std::move(done));
  }

  Store& store_;
  Json json_;
  WallTime now_;
  AdminReply reply_;
  bool dry_run_ = false;
};

}  // namespace

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

void execute(Store& store, std::string_view request, WallTime now, AdminReply reply) {
  const Json json = Json::parse(request, nullptr, false);
  if (!json.is_object()) return reply(admin_error(Error(reason::record_invalid, "not a JSON object")));
  Request(store, json, now, std::move(reply)).execute();
}

}  // namespace aceward::app
