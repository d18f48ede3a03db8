// `aceward serve`: one or more roles in a process, until SIGTERM or SIGINT.
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>

#include "aceward/crypto/openssl/random.h"
#include "aceward/net/local_socket.h"
#include "app/capture/capture.h"
#include "app/commands/commands.h"
#include "app/config/role_settings.h"
#include "app/counters.h"
#include "app/records/admin.h"
#include "app/records/ask.h"

namespace aceward::app {

namespace {

constexpr std::chrono::minutes housekeeping_interval{10};
constexpr std::size_t tokens_removed_at_once = 1000;
/// Refusals logged within one second; strangers cause them, so more are only counted.
constexpr unsigned refusals_logged = 50;

/// One line an event on standard error. Holds no secret: reasons, names, addresses.
class ServerLog {
 public:
  ServerLog(LogLevel level, const Clock& clock, bool json) : level_(level), clock_(clock), json_(json) {}

  void granted(std::string_view role, const std::string& text) {
    if (level_ == LogLevel::all) write(role, "granted", text, {});
  }
  void refused(std::string_view role, const std::string& text, const Error& why) {
    refused(role, text, why.id(), why.detail());
  }
  void refused(std::string_view role, const std::string& text, std::string_view reason, std::string_view detail) {
    if (level_ == LogLevel::none || !admit()) return;
    write(role, "refused", text + (detail.empty() ? "" : " (" + std::string(detail) + ")"), reason);
  }
  void session(std::string_view role, const coaps::SessionEvent& event) {
    if (const auto* failed = std::get_if<coaps::SessionFailed>(&event)) {
      refused(role, "handshake with " + failed->peer.remote.to_string(), failed->why);
    } else if (const auto* established = std::get_if<coaps::SessionEstablished>(&event)) {
      granted(role,
              "session with " + established->peer.remote.to_string() + " " + tls::describe(established->identity));
    }
  }

 private:
  bool admit() {
    const WallTime now = clock_.wall();
    if (now != second_) {
      if (in_second_ > refusals_logged) {
        write("log", "refused", std::to_string(in_second_ - refusals_logged) + " more in the second before", {});
      }
      second_ = now;
      in_second_ = 0;
    }
    return ++in_second_ <= refusals_logged;
  }

  void write(std::string_view role, std::string_view what, const std::string& text, std::string_view reason) {
    std::string line;
    const std::string time = time_text(clock_.wall());
    if (json_) {
      line = "{\"time\":" + json_quoted(time) + ",\"role\":" + json_quoted(role) + ",\"event\":" + json_quoted(what) +
             ",\"text\":" + json_quoted(text) + ",\"reason\":" + json_quoted(reason) + "}\n";
    } else {
      line = time + " " + std::string(role) + " " + std::string(what) + " " + printable_line(text) +
             (reason.empty() ? "" : " [" + std::string(reason) + "]") + "\n";
    }
    std::fputs(line.c_str(), stderr);
    std::fflush(stderr);
  }

  LogLevel level_;
  const Clock& clock_;
  bool json_;
  WallTime second_{};
  unsigned in_second_ = 0;
};

class Service {
 public:
  Service(const Config& config, const Console& console, std::unique_ptr<Capture> capture)
      : config_(config),
        console_(console),
        capture_(std::move(capture)),
        log_(config.log, loop_.clock(), console.json()) {}

  ~Service() {
    admin_.reset();
    cleaning_.reset();
  }

  Outcome<> start_as() {
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

    auto admin = net::LocalServer::listen(loop_, config_.store.socket.string(),
                                          [this](std::string request, net::LocalServer::Reply reply) {
                                            if (asks_for_counters(request)) return reply(counters_json(counters()));
                                            execute(as_->store(), request, loop_.clock().wall(), std::move(reply));
                                          });
    if (!admin) return std::unexpected(start_failure(config_.store.socket.string(), admin.error()));
    admin_ = std::move(*admin);
    announce("admin", config_.store.socket.string());
    cleaning_.emplace(loop_, [this] { clean(); });
    clean();
    return {};
  }

  Outcome<> start_rs() {
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

  /// Where a process without an authorization server is asked for its counters. A resource server that cannot have
  /// this socket (a folder that is not to be written to) runs all the same.
  void start_counters_socket() {
    if (admin_ || !rs_) return;
    auto admin = net::LocalServer::listen(
        loop_, config_.rs->socket.string(), [this](const std::string& request, const net::LocalServer::Reply& reply) {
          reply(asks_for_counters(request) ? counters_json(counters())
                                           : admin_error(Error(reason::record_invalid, "do")));
        });
    if (!admin) {
      const Failure failure = Failure::of(ExitCode::configuration, admin.error(), config_.rs->socket.string());
      return console_.note("aceward: no counters can be asked for: " + printable_line(failure.what));
    }
    admin_ = std::move(*admin);
    announce("admin", config_.rs->socket.string());
  }

  std::vector<CounterGroup> counters() {
    std::vector<CounterGroup> groups;
    if (as_) groups = counters_of(*as_);
    if (rs_) std::ranges::move(counters_of(*rs_), std::back_inserter(groups));
    return groups;
  }

  void run() {
    loop_.handle_signals([this](int signal) {
      if (signal == SIGHUP) return;
      if (as_) as_->close_sessions();
      if (rs_) rs_->close_sessions();
      loop_.stop();
    });
    console_.out(console_.json() ? "{\"ready\":true}\n" : "ready\n");
    loop_.run();
    for (const CounterGroup& group : counters()) console_.detail(counters_line(group));
    console_.note("aceward: ended");
  }

 private:
  static Failure start_failure(const std::string& what, const Error& error) {
    // Whatever keeps a role from starting is for whoever set it up.
    return Failure::of(ExitCode::configuration, error, what);
  }

  void announce(const std::string& role, const std::string& where) {
    console_.out(console_.json() ? "{\"role\":" + json_quoted(role) + ",\"listening\":" + json_quoted(where) + "}\n"
                                 : role + " " + where + "\n");
  }

  void on_audit(const ace::as::AuditRecord& record) {
    const std::string client = record.client.empty() ? "somebody" : record.client;
    const std::string server = record.server.empty() ? "" : " for " + record.server;
    if (record.granted) {
      return log_.granted(
          "as", client + server + ": token " + std::to_string(record.number.value) + ", scope " + record.scope);
    }
    log_.refused("as", client + server, record.reason, record.detail);
  }

  void on_decision(const ace::rs::Decision& decision) {
    const std::string text = decision.peer.remote.to_string() + " " + std::string(decision.method.name());
    if (decision.why) return log_.refused("rs", text + ": " + decision.answered.to_string(), *decision.why);
    log_.granted("rs", text);
  }

  void clean() {
    as_->store().remove_expired(loop_.clock().wall(), tokens_removed_at_once, [](Result<std::int64_t>) {});
    cleaning_->set(loop_.now() + housekeeping_interval);
  }

  const Config& config_;
  const Console& console_;
  crypto::openssl::SystemRandom random_;
  net::EventLoop loop_;
  std::unique_ptr<Capture> capture_;
  ServerLog log_;
  std::unique_ptr<AsRole> as_;
  std::unique_ptr<RsRole> rs_;
  std::unique_ptr<net::LocalServer> admin_;
  std::optional<net::Timer> cleaning_;
};

}  // namespace

int run_serve(const ServeOptions& options, const Console& console) {
  // GnuTLS would write the sessions' keys there without being asked to.
  ::unsetenv("SSLKEYLOGFILE");
  for (std::size_t i = 0; i < options.roles.size(); ++i) {
    if (std::ranges::count(options.roles, options.roles[i]) > 1) {
      return console.fail(Failure::usage("a role is named twice: " + options.roles[i]));
    }
  }
  const auto config = load_config(console.options());
  if (!config) return console.fail(config.error());
  auto capture = Capture::open(console);
  if (!capture) return console.fail(capture.error());
  Service service(*config, console, std::move(*capture));
  for (const std::string& role : options.roles) {
    const auto started = role == "as" ? service.start_as() : service.start_rs();
    if (!started) return console.fail(started.error());
  }
  service.start_counters_socket();
  service.run();
  return 0;
}

}  // namespace aceward::app
