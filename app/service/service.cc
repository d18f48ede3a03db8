#include "app/service/service.h"

#include <algorithm>
#include <csignal>

#include "app/config/role_settings.h"
#include "app/records/admin.h"
#include "app/records/ask.h"
#include "app/service/metrics_text.h"

namespace aceward::app {

namespace {

constexpr std::chrono::minutes housekeeping_interval{10};
constexpr std::chrono::milliseconds drain_look{10};
/// Small steps, with room for the commits of others between them.
constexpr std::int64_t tokens_removed_at_once = 1000;
constexpr std::chrono::milliseconds cleaning_step{100};

Failure start_failure(const std::string& what, const Error& error) {
  // Whatever keeps a role from starting is for whoever set it up.
  return Failure::of(ExitCode::configuration, error, what);
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

}  // namespace

Service::Service(Config config, const Console& console, std::unique_ptr<Capture> capture)
    : config_(std::move(config)),
      console_(console),
      notifier_(net::ServiceNotifier::from_environment()),
      started_(loop_.clock().wall()),
      capture_(std::move(capture)),
      log_(config_.log, loop_.clock(), console.json()),
      cleaning_(loop_, [this] { clean(); }),
      watchdog_(loop_, [this] { keep_alive(); }),
      draining_(loop_, [this] { drain_on(); }) {}

Service::~Service() {
  metrics_.reset();
  admin_.reset();
  // The store's last completions still find this service.
  rs_.reset();
  as_.reset();
}

Outcome<> Service::start(const std::vector<std::string>& roles) {
  roles_ = roles;
  if (auto started = start_audit(); !started) return started;
  for (const std::string& role : roles) {
    if (auto started = role == "as" ? start_as() : start_rs(); !started) return started;
  }
  if (auto started = start_admin(); !started) return started;
  return start_metrics();
}

Outcome<> Service::start_audit() {
  if (!config_.audit.path) return {};
  auto opened = AuditLog::open(*config_.audit.path, config_.audit.strangers_per_second, loop_.clock(),
                               [this](const std::string& text) { log_.said("audit", "trouble", text); });
  if (!opened) return std::unexpected(opened.error());
  audit_ = std::move(*opened);
  return {};
}

Outcome<> Service::start_as() {
  auto settings = as_settings(config_);
  if (!settings) return std::unexpected(settings.error());
  settings->audit = [this](const ace::as::AuditRecord& record) { on_audit(record); };
  settings->on_session = [this](const coaps::SessionEvent& event) { log_.session("as", event); };
  settings->dtls.key_log = capture_->key_log();
  auto role = AsRole::start(loop_, std::move(*settings), random_);
  if (!role) return std::unexpected(start_failure("as", role.error()));
  as_ = std::move(*role);
  as_->stack().set_tap(capture_->tap("AS"));
  for (const Address& address : as_->addresses()) announce("as", "coaps://" + address.to_string());
  clean();
  return {};
}

Outcome<> Service::start_rs() {
  auto settings = rs_settings(config_);
  if (!settings) return std::unexpected(settings.error());
  settings->on_decision = [this](const ace::rs::Decision& decision) { on_decision(decision); };
  settings->on_session = [this](const coaps::SessionEvent& event) { log_.session("rs", event); };
  settings->dtls.key_log = capture_->key_log();
  auto role = RsRole::start(loop_, std::move(*settings), random_);
  if (!role) return std::unexpected(start_failure("rs", role.error()));
  rs_ = std::move(*role);
  rs_->service().stack().set_tap(capture_->tap("RS"));
  for (const Address& address : rs_->addresses()) announce("rs", "coaps://" + address.to_string());
  for (const Address& address : rs_->plain_addresses()) announce("rs", "coap://" + address.to_string());
  return {};
}

Outcome<> Service::start_admin() {
  if (!as_ && !rs_) return {};
  net::LocalAccess access{.group = {}, .anybody = config_.admin.open_to_anybody};
  if (config_.admin.group) {
    access.group = group_number(*config_.admin.group);
    if (!access.group) {
      return std::unexpected(config_failure(config_.file, {}, "[admin] group is \"" + *config_.admin.group + "\"",
                                            "name a group that this system has"));
    }
  }
  // Where there are no records, the socket tells counters alone.
  const std::string path = as_ ? config_.store.socket.string() : config_.rs->socket.string();
  auto admin =
      net::LocalServer::listen(loop_, path, as_ ? access : net::LocalAccess(),
                               [this](const net::LocalPeer& peer, const std::string& request,
                                      net::LocalServer::Reply reply) { on_admin(peer, request, std::move(reply)); });
  if (!admin && as_) return std::unexpected(start_failure(path, admin.error()));
  if (!admin) {
    // A resource server that cannot have this socket (a folder that is not to be written to) runs all the same.
    const Failure failure = Failure::of(ExitCode::configuration, admin.error(), path);
    console_.note("aceward: no counters can be asked for: " + printable_line(failure.what));
    return {};
  }
  admin_ = std::move(*admin);
  announce("admin", path);
  return {};
}

Outcome<> Service::start_metrics() {
  if (!config_.metrics.listen) return {};
  auto metrics =
      net::MetricsServer::listen(loop_, {.listen = *config_.metrics.listen}, [this] { return metrics_page(); });
  if (!metrics) return std::unexpected(start_failure("[metrics] listen", metrics.error()));
  metrics_ = std::move(*metrics);
  announce("metrics", "http://" + metrics_->address().to_string() + "/metrics");
  return {};
}

void Service::announce(const std::string& role, const std::string& where) {
  console_.out(console_.json() ? "{\"role\":" + json_quoted(role) + ",\"listening\":" + json_quoted(where) + "}\n"
                               : role + " " + where + "\n");
}

void Service::run() {
  loop_.handle_signals([this](int signal) { on_signal(signal); });
  notifier_.ready("serving as " + joined(roles_));
  keep_alive();
  console_.out(console_.json() ? "{\"ready\":true}\n" : "ready\n");
  loop_.run();
  for (const CounterGroup& group : counters()) console_.detail(counters_line(group));
  console_.note("aceward: ended");
}

void Service::keep_alive() {
  if (!notifier_.watchdog()) return;
  notifier_.alive();
  watchdog_.set(loop_.now() + *notifier_.watchdog() / 2);
}

void Service::on_signal(int signal) {
  if (signal == SIGHUP) return drain_until_ ? void() : reload();
  if (!drain_until_) return drain();
  // Told twice: as the signal does by itself. What was promised to somebody is on disk already.
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

void Service::drain() {
  notifier_.stopping("draining");
  drain_until_ = loop_.now() + config_.limits.drain_timeout;
  if (as_) as_->stop_receiving();
  if (rs_) rs_->stop_receiving();
  drain_on();
}

bool Service::has_answers_due() const { return (as_ && as_->has_answers_due()) || (rs_ && rs_->has_answers_due()); }

void Service::drain_on() {
  if (has_answers_due() && loop_.now() < *drain_until_) return draining_.set(loop_.now() + drain_look);
  if (has_answers_due()) log_.said("serve", "ending", "with answers that are still due");
  if (as_) as_->close_sessions();
  if (rs_) rs_->close_sessions();
  loop_.stop();
}

void Service::clean() {
  const WallTime by = deleting_.at(loop_.now(), loop_.clock().wall());
  as_->store().remove_expired(by, tokens_removed_at_once, [this](Result<std::int64_t> removed) {
    const bool has_more = removed && *removed == tokens_removed_at_once;
    cleaning_.set(loop_.now() + (has_more ? std::chrono::nanoseconds(cleaning_step) : housekeeping_interval));
  });
}

std::vector<CounterGroup> Service::counters() {
  std::vector<CounterGroup> groups;
  if (as_) groups = counters_of(*as_);
  if (rs_) std::ranges::move(counters_of(*rs_), std::back_inserter(groups));
  return groups;
}

std::string Service::metrics_page() {
  MetricsText page;
  page.info("aceward_build_info", "The version that runs.", "version", ACEWARD_VERSION);
  if (as_) add_decisions(page, decisions_of(*as_));
  add_groups(page, counters());
  if (audit_) {
    const AuditLog::Counters& audit = audit_->counters();
    page.counter("aceward_audit_lines", "Lines of the audit log.", static_cast<double>(audit.lines));
    page.counter("aceward_audit_bytes", "Size of those lines.", static_cast<double>(audit.octets));
    page.counter("aceward_audit_lost_lines", "Lines that could not be written.", static_cast<double>(audit.lost));
    page.counter("aceward_audit_suppressed_lines", "Lines about strangers beyond [audit] strangers_per_second.",
                 static_cast<double>(audit.suppressed));
  }
  page.counter("aceward_reloads", "Configurations that SIGHUP brought.", static_cast<double>(reloads_));
  page.counter("aceward_reloads_refused", "Configurations that SIGHUP could not bring.",
               static_cast<double>(reloads_refused_));
  add_process(page, started_);
  return std::move(page).finish();
}

}  // namespace aceward::app
