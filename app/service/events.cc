// What a service does with decisions, and with what the local socket asks.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "app/records/admin.h"
#include "app/records/record_json.h"
#include "app/service/service.h"

namespace aceward::app {

namespace {

std::string text_in(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// Reading is not recorded; being refused is.
bool is_recorded(const Json& asked, bool is_done) {
  if (!is_done) return true;
  const std::string what = text_in(asked, "do");
  static constexpr std::string_view reads[] = {".list", ".show", ".test", ".status"};
  const bool is_read = std::ranges::any_of(reads, [&](std::string_view verb) { return what.ends_with(verb); });
  return !is_read && asked.value("dry_run", Json()) != true;
}

}  // namespace

void Service::record_change(const std::string& request, const std::string& reply, const Asker& asker) {
  const Json asked = Json::parse(request, nullptr, false);
  const Json answered = Json::parse(reply, nullptr, false);
  if (!audit_ || !asked.is_object() || !answered.is_object()) return;
  const auto error = answered.find("error");
  const bool is_done = error == answered.end();
  if (!is_recorded(asked, is_done)) return;
  const std::string what = text_in(asked, "do");
  const std::string why = is_done ? "" : text_in(*error, "reason");
  AuditEvent event{.role = "admin", .what = what, .granted = is_done, .reason = why};
  event.by = asker.to_string();
  event.client = text_in(asked, "client");
  event.server = text_in(asked, "rs");
  event.audience = text_in(asked, "audience");
  event.scope = text_in(asked, "scope");
  event.name = text_in(answered, "name");
  if (event.name.empty()) event.name = text_in(asked, "name");
  if (const auto number = asked.find("number"); number != asked.end() && number->is_number_integer()) {
    event.number = number->get<std::int64_t>();
  }
  event.is_stranger = !asker.is_administrator && !is_done;
  audit_->write(event);
}

void Service::on_admin(const net::LocalPeer& peer, const std::string& request, net::LocalServer::Reply reply) {
  const Asker asker = asker_of(peer.user);
  if (asker.is_administrator && asks_for_counters(request)) return reply(counters_json(counters()));
  if (!as_) return reply(admin_error(Error(reason::record_invalid, "do")));
  execute({.store = as_->store(),
           .now = loop_.clock().wall(),
           .asker = asker,
           .maximum_lifetime = config_.as->maximum_lifetime},
          request, [this, asker, request, reply = std::move(reply)](std::string line) {
            record_change(request, line, asker);
            reply(std::move(line));
            if (as_) as_->on_records_changed();
          });
}

void Service::on_audit(const ace::as::AuditRecord& record) {
  const std::string client = record.client.empty() ? "somebody" : record.client;
  const std::string server = record.server.empty() ? "" : " for " + record.server;
  const std::string what(ace::as::name_of(record.kind));
  if (!record.granted) {
    log_.refused("as", client + server, record.reason, record.detail);
  } else if (record.number.value != 0) {
    log_.granted("as",
                 client + server + ": " + what + " " + std::to_string(record.number.value) + ", scope " + record.scope);
  } else {
    log_.granted("as", client + server + ": " + what);
  }
  if (!audit_) return;
  AuditEvent event{.role = "as", .what = ace::as::name_of(record.kind)};
  event.granted = record.granted;
  event.reason = record.reason;
  event.detail = record.detail;
  event.client = record.client;
  if (record.authentication) event.authentication = ace::as::name_of(*record.authentication);
  event.server = record.server;
  event.scope = record.scope;
  if (record.number.value != 0) event.number = record.number.value;
  event.rules = record.rules;
  event.is_stranger = !record.authentication && record.client.empty();
  audit_->write(event);
}

void Service::on_decision(const ace::rs::Decision& decision) {
  const std::string method(decision.method.name());
  const std::string text = decision.peer.remote.to_string() + " " + method;
  if (decision.why) {
    log_.refused("rs", text + ": " + decision.answered.to_string(), *decision.why);
  } else {
    log_.granted("rs", text);
  }
  if (!audit_) return;
  AuditEvent event{.role = "rs", .what = "access"};
  event.granted = !decision.why;
  if (decision.why) {
    event.reason = decision.why->id();
    event.detail = decision.why->detail();
    event.code = decision.answered.to_string();
  }
  event.by = decision.peer.remote.to_string();
  event.method = method;
  event.is_stranger = decision.peer.session == 0;
  audit_->write(event);
}

}  // namespace aceward::app
