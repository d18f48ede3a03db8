// The decision that the token endpoint would make, explained by the code that makes it.
#include "aceward/ace/as/policy.h"
#include "app/records/admin_request.h"

namespace aceward::app {

namespace {

Result<std::optional<ace::Scope>> scope_wanted(const std::string& text) {
  if (text.empty()) return std::nullopt;
  if (!text.starts_with('/')) return ace::Scope(text);
  const auto aif = ace::Aif::parse_text(text);
  if (!aif) return fail(reason::record_invalid, "scope");
  return ace::Scope(aif->serialize());
}

Json seconds_or_null(const std::optional<WallTime>& time) {
  return time ? Json(time->time_since_epoch().count()) : Json();
}

}  // namespace

void AdminRequest::test_policy() {
  const auto registry = store_.registry();
  if (!registry) return answer(registry.error());
  const std::string client = text("client");
  const std::string server = text("rs");
  const std::string audience = text("audience");
  if (server.empty() == audience.empty()) return answer(Error(reason::record_invalid, "one of rs and audience"));
  std::vector<const ace::as::ServerRecord*> servers;
  if (!server.empty()) {
    if (const auto* found = (*registry)->server_by_name(server)) servers.push_back(found);
  } else {
    servers = (*registry)->servers_of_audience(audience);
  }
  if (servers.empty()) return answer(Error(reason::record_missing, server.empty() ? "audience" : "rs"));
  for (const auto* one : servers) {
    if (!context_.asker.administers(*one)) return answer(Error(reason::record_missing));
  }
  if ((*registry)->client_by_name(client) == nullptr) return answer(Error(reason::record_missing, "client"));
  const auto scope = scope_wanted(text("scope"));
  if (!scope) return answer(scope.error());
  const WallTime at(std::chrono::seconds(number("at", now_.time_since_epoch().count())));
  const auto decision = ace::as::decide_by_policy({.registry = **registry,
                                                   .client = client,
                                                   .servers = servers,
                                                   .scope = *scope,
                                                   .now = at,
                                                   .maximum_lifetime = context_.maximum_lifetime});
  bool asks_owner = !decision.granted && decision.is_undecided;
  for (const auto* one : servers) asks_owner = asks_owner && one->undecided == ace::as::Undecided::ask_owner;
  Json rules = Json::array();
  for (const ace::as::RuleFinding& finding : decision.findings) {
    rules.push_back({{"name", finding.rule->name},
                     {"effect", ace::as::name_of(finding.effect)},
                     {"scope", finding.scope},
                     {"holds_until", seconds_or_null(finding.holds_until)},
                     {"lifetime", finding.lifetime.count() == 0 ? Json() : Json(finding.lifetime.count())}});
  }
  Json reply{{"granted", decision.granted.has_value()},
             {"scope", Json()},
             {"lifetime", Json()},
             {"reason", Json()},
             {"what", Json()}};
  if (decision.granted) {
    reply["scope"] = decision.granted->text;
    reply["lifetime"] = decision.lifetime.count();
  } else {
    const Error& why = decision.granted.error();
    reply["reason"] = asks_owner ? "owner_asked" : why.id();
    reply["what"] = asks_owner ? "no rule decides it: the owner of the server is asked" : why.reason().what;
  }
  reply["asks_owner"] = asks_owner;
  reply["rules"] = std::move(rules);
  answer(reply);
}

}  // namespace aceward::app
