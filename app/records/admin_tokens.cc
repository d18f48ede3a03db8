// Issued tokens, and requests that wait for the owner of a server.
#include <algorithm>

#include "app/records/admin_request.h"
#include "app/records/hours_text.h"
#include "app/records/record_members.h"

namespace aceward::app {

namespace {

constexpr std::int64_t default_page = 100;
/// How long a client is told that it was denied, where nobody says otherwise.
constexpr std::chrono::seconds default_denial{std::chrono::hours(24 * 7)};

}  // namespace

void AdminRequest::list_tokens() {
  const std::int64_t limit = number("limit", default_page);
  if (limit < 1) return answer(Error(reason::record_invalid, "limit"));
  const std::string server = text("rs");
  if (!context_.asker.is_administrator && !server.empty() && !administers(server)) {
    return answer(Error(reason::record_missing));
  }
  store::TokenFilter filter{.client = text("client"), .server = server, .live_at = {}, .after = {}, .limit = {}};
  if (const auto live = json_.find("live"); live != json_.end() && *live == true) filter.live_at = now_;
  filter.after = ace::as::TokenNumber(number("after", 0));
  filter.limit = static_cast<std::size_t>(limit);
  if (!context_.asker.is_administrator) filter.client.clear();  // whether there is such a client is not for everybody
  const auto tokens = store_.tokens(filter);
  if (!tokens) return answer(tokens.error());
  const std::string client = text("client");
  Json all = Json::array();
  for (const auto& token : *tokens) {
    if (administers(token) && (client.empty() || token.client == client)) all.push_back(to_json(token, now_));
  }
  answer(Json{{"tokens", std::move(all)}});
}

void AdminRequest::show_token() {
  const auto token = store_.token(ace::as::TokenNumber(number("number", 0)));
  if (!token) return answer(token.error());
  if (!administers(*token)) return answer(Error(reason::record_missing));
  answer(to_json(*token, now_));
}

void AdminRequest::revoke() {
  const std::string client = text("client");
  const std::string server = text("rs");
  const std::string audience = text("audience");
  const std::int64_t number_asked = number("number", 0);
  const int ways =
      (client.empty() ? 0 : 1) + (server.empty() ? 0 : 1) + (audience.empty() ? 0 : 1) + (number_asked == 0 ? 0 : 1);
  if (ways != 1) return answer(Error(reason::record_invalid, "one of number, client, rs, audience"));
  if (!context_.asker.is_administrator) {
    // A client's tokens are good at servers of others too.
    if (!client.empty()) return answer(Error(reason::asker_not_allowed));
    const auto registry = store_.registry();
    if (!registry) return answer(registry.error());
    const auto servers = (*registry)->servers_of_audience(audience);
    const bool owns_audience = !servers.empty() && std::ranges::all_of(servers, [&](const auto* one) {
      return context_.asker.administers(*one);
    });
    const auto token = store_.token(ace::as::TokenNumber(number_asked));
    const bool is_own = !server.empty()     ? administers(server)
                        : !audience.empty() ? owns_audience
                                            : token && administers(*token);
    if (!is_own) return answer(Error(reason::record_missing));
  }
  auto done = told<std::int64_t>([](std::int64_t count) { return Json{{"tokens_revoked", count}}; });
  if (!client.empty()) return store_.revoke_client(client, std::move(done));
  if (!server.empty()) return store_.revoke_server(server, std::move(done));
  if (!audience.empty()) return store_.revoke_audience(audience, std::move(done));
  store_.revoke_token(ace::as::TokenNumber(number_asked), std::move(done));
}

void AdminRequest::list_requests() {
  const std::int64_t limit = number("limit", default_page);
  if (limit < 1) return answer(Error(reason::record_invalid, "limit"));
  store::RequestFilter filter;
  filter.server = text("rs");
  filter.live_at = now_;
  filter.after = ace::as::RequestNumber(number("after", 0));
  filter.limit = static_cast<std::size_t>(limit);
  if (context_.asker.is_administrator) {
    filter.client = text("client");
  } else {
    filter.owner = context_.asker.name;
    if (filter.owner.empty() || (!filter.server.empty() && !administers(filter.server))) {
      return answer(Error(reason::record_missing));
    }
  }
  const auto requests = store_.requests(filter);
  if (!requests) return answer(requests.error());
  const std::string client = text("client");
  Json all = Json::array();
  for (const auto& request : *requests) {
    if (client.empty() || request.client == client) all.push_back(to_json(request, now_));
  }
  answer(Json{{"requests", std::move(all)}});
}

void AdminRequest::show_request() {
  const auto request = store_.request(ace::as::RequestNumber(number("number", 0)));
  if (!request) return answer(request.error());
  if (!administers(request->server)) return answer(Error(reason::record_missing));
  answer(to_json(*request, now_));
}

void AdminRequest::approve_request() {
  const ace::as::RequestNumber asked(number("number", 0));
  const auto request = store_.request(asked);
  if (!request) return answer(request.error());
  if (!administers(request->server)) return answer(Error(reason::record_missing));
  ace::as::PolicyRule rule;
  rule.name = text("name");
  rule.client = request->client;
  rule.server = request->server;
  Json members = json_;
  members.erase("number");
  for (const char* fixed : {"client", "group", "rs"}) {
    if (members.contains(fixed)) return answer(Error(reason::record_invalid, fixed));
  }
  if (const auto applied = apply_members(rule, members); !applied) return answer(applied.error());
  if (request->scope.empty() && rule.text_scope.empty() && rule.aif_scope.empty()) {
    return answer(Error(reason::record_invalid, "scope: the request names none"));
  }
  if (dry_run_) return answer(Json{{"name", rule.name}});
  store_.approve_request(asked, std::move(rule),
                         told<store::Added>([](const store::Added& added) { return Json{{"name", added.name}}; }));
}

void AdminRequest::deny_request() {
  const ace::as::RequestNumber asked(number("number", 0));
  const auto request = store_.request(asked);
  if (!request) return answer(request.error());
  if (!administers(request->server)) return answer(Error(reason::record_missing));
  const std::chrono::seconds how_long(number("for", default_denial.count()));
  if (how_long.count() < 1) return answer(Error(reason::record_invalid, "for"));
  if (dry_run_) return answer(Json{{"number", asked.value}});
  store_.deny_request(asked, now_ + how_long, [reply = reply_, asked](Result<> denied) {
    reply(denied ? line_of({{"number", asked.value}}) : admin_error(denied.error()));
  });
}

}  // namespace aceward::app
