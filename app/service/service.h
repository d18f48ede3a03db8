// One process with its roles, from the configuration to the end: `aceward serve`.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "aceward/crypto/openssl/random.h"
#include "aceward/net/http/metrics_server.h"
#include "aceward/net/local_socket.h"
#include "aceward/net/service_notify.h"
#include "app/capture/capture.h"
#include "app/config/config.h"
#include "app/counters.h"
#include "app/records/asker.h"
#include "app/service/audit_log.h"
#include "app/service/patient_time.h"
#include "app/service/server_log.h"

namespace aceward::app {

/// Belongs to one thread, which runs it. Stays where it is made.
class Service {
 public:
  /// `console` outlives the service.
  Service(Config config, const Console& console, std::unique_ptr<Capture> capture);
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  /// `roles` are `as` and `rs`. What listens is announced on standard output, line by line.
  Outcome<> start(const std::vector<std::string>& roles);
  /// Says that it is ready, and serves until SIGTERM or SIGINT. The first one drains: nothing new is taken, answers
  /// that are due leave, sessions are closed; all of it within `[limits] drain_timeout`. The second one ends the
  /// process at once. SIGHUP reads the configuration again.
  void run();

 private:
  Outcome<> start_audit();
  Outcome<> start_as();
  Outcome<> start_rs();
  Outcome<> start_admin();
  Outcome<> start_metrics();
  void announce(const std::string& role, const std::string& where);
  void keep_alive();

  void on_signal(int signal);
  void reload();
  /// What is wrong with the new configuration; nothing has changed then.
  Outcome<> take(Config fresh);
  Outcome<> take_audit(const Config& fresh);
  void drain();
  void drain_on();
  bool has_answers_due() const;
  void clean();

  void on_admin(const net::LocalPeer& peer, const std::string& request, net::LocalServer::Reply reply);
  void record_change(const std::string& request, const std::string& reply, const Asker& asker);
  void on_audit(const ace::as::AuditRecord& record);
  void on_decision(const ace::rs::Decision& decision);
  std::vector<CounterGroup> counters();
  std::string metrics_page();

  Config config_;
  const Console& console_;
  std::vector<std::string> roles_;
  net::ServiceNotifier notifier_;
  crypto::openssl::SystemRandom random_;
  net::EventLoop loop_;
  const WallTime started_;
  std::unique_ptr<Capture> capture_;
  ServerLog log_;
  std::unique_ptr<AuditLog> audit_;
  std::unique_ptr<AsRole> as_;
  std::unique_ptr<RsRole> rs_;
  std::unique_ptr<net::LocalServer> admin_;
  std::unique_ptr<net::MetricsServer> metrics_;
  PatientTime deleting_;
  net::Timer cleaning_;
  net::Timer watchdog_;
  net::Timer draining_;
  std::optional<Instant> drain_until_;
  std::uint64_t reloads_ = 0;
  std::uint64_t reloads_refused_ = 0;
};

/// What differs between the two and cannot change while the roles run: `[as] listen`, … A change of it takes a restart.
std::vector<std::string> needs_restart(const Config& before, const Config& after);

}  // namespace aceward::app
