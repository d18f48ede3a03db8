// What our server costs over loopback, beside libcoap's and beside a bare echo.
#include <signal.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <memory>

#include "aceward/crypto/openssl/random.h"
#include "app/loadgen/run.h"
#include "bench/harness.h"
#include "bench/processes.h"
#include "bench/serve.h"

namespace aceward::bench {

namespace {

using std::chrono::milliseconds;

struct Extent {
  std::size_t rounds;
  milliseconds warm_up;
  milliseconds window;
  std::size_t endpoints;
  double plain_rate;
  double secure_rate;
  std::uint64_t burst;
  std::size_t idle_peers;
};
constexpr Extent whole{3, milliseconds(200), milliseconds(500), 1024, 8'000, 4'000, 32, 8'000};
constexpr Extent glance{1, milliseconds(50), milliseconds(200), 64, 4'000, 2'000, 32, 500};

/// A server under measurement.
struct Contestant {
  std::string name;
  std::string what;  ///< command line and build
  std::unique_ptr<Process> process;
  Address address{};
  bool secure = false;
};

app::LoadPlan plan_for(const Contestant& server, const Extent& extent) {
  app::LoadPlan plan;
  plan.server = server.address;
  plan.endpoints = extent.endpoints;
  plan.exchange.request.options.add_path("/temp");
  plan.exchange.expected_payload = to_bytes(served_payload);
  plan.exchange.timeout = std::chrono::seconds(5);
  if (server.secure) {
    plan.credentials = [] {
      return tls::ClientCredentials(tls::PskClient{to_bytes(served_identity), Secret::copy_of(as_bytes(served_psk))});
    };
  }
  return plan;
}

app::LoadReport run(const app::LoadPlan& plan, const app::LoadWatch& watch = {}) {
  crypto::openssl::SystemRandom random;
  if (const auto objection = app::objection_to(plan)) give_up(objection->what + "; " + objection->check);
  return need(app::run_load(plan, random, watch), "load");
}

/// A figure of a server that answers wrongly, or hardly at all, means nothing. On a busy machine some datagrams are
/// lost.
void check(const app::LoadReport& report, const Contestant& server) {
  const auto& counts = report.counts;
  const std::uint64_t wrong = counts.wrong_code + counts.wrong_payload + counts.wrong_token + counts.wrong_message_id +
                              counts.malformed + counts.resets;
  const std::uint64_t missing = counts.timeouts + report.unsent;
  constexpr std::uint64_t tolerated = 3;  // one in so many
  if (counts.answered == 0 || wrong != 0 || missing > counts.sent / tolerated ||
      report.sessions_failed > report.sessions / tolerated) {
    give_up(server.name + ": " + std::to_string(counts.answered) + " good answers, " + std::to_string(wrong) +
            " wrong ones, " + std::to_string(missing) + " missing, " + std::to_string(report.sessions_failed) +
            " sessions failed");
  }
}

std::unique_ptr<Contestant> start_own(const std::string& what) {
  auto server = std::make_unique<Contestant>();
  server->name = what == "echo" ? "recvmmsg and sendmmsg alone" : "aceward";
  server->what = "aceward-bench serve " + what;
  server->process = std::make_unique<Process>(std::vector<std::string>{"/proc/self/exe", "serve", what}, true);
  const auto port = server->process->read_line();
  if (!port) give_up("our own server did not start");
  server->address = Address::v4(127, 0, 0, 1, static_cast<std::uint16_t>(std::stoul(*port)));
  server->secure = what == "secure";
  return server;
}

/// Fills /temp with what the others serve, and so waits until the server is there.
bool fill(const Contestant& server) {
  app::LoadPlan plan = plan_for(server, glance);
  plan.endpoints = 1;
  plan.outstanding = 1;
  plan.requests = 1;
  plan.exchange.request.method = coap::code::put;
  plan.exchange.request.payload = to_bytes(served_payload);
  plan.exchange.expected = coap::code::created;
  plan.exchange.expected_payload.reset();
  plan.exchange.timeout = milliseconds(200);
  plan.credentials = {};
  for (int i = 0; i < 20; ++i) {
    const auto counts = run(plan).counts;
    if (counts.answered + counts.wrong_code > 0) return true;
  }
  return false;
}

/// libcoap's example server; `port` and the next one are free. Null where it is not installed.
std::unique_ptr<Contestant> start_libcoap(const std::string& program, bool secure, std::uint16_t port) {
  if (!find_program(program)) return nullptr;
  auto server = std::make_unique<Contestant>();
  std::vector<std::string> words{program, "-A", "127.0.0.1", "-p", std::to_string(port), "-d", "1", "-v", "1"};
  if (secure) words.insert(words.end(), {"-k", std::string(served_psk)});
  for (const std::string& word : words) server->what += (server->what.empty() ? "" : " ") + word;
  server->what += " (" + line_of({program, "-h"}, "Build") + ", " + line_of({program, "-h"}, "TLS Library") + ")";
  server->name = "libcoap's " + program;
  server->process = std::make_unique<Process>(words, false);
  server->address = Address::v4(127, 0, 0, 1, port);
  if (!fill(*server)) give_up(program + " does not answer");
  if (secure) server->address.port = static_cast<std::uint16_t>(port + 1);
  server->secure = secure;
  return server;
}

/// One that is free now, and the next one: libcoap does not tell which port it took.
std::uint16_t free_port() {
  crypto::openssl::SystemRandom random;
  return static_cast<std::uint16_t>(20'000 + random.below(5'000) * 2);
}

struct Cost {
  double each = 0;   ///< nanoseconds of processor time a request
  double share = 0;  ///< of its processor
  double generator_share = 0;
  std::string cipher_suite{};  ///< that the sessions agreed on; empty without DTLS
};

Cost cost_of(const Contestant& server, double rate, std::uint64_t burst, const Extent& extent) {
  app::LoadPlan plan = plan_for(server, extent);
  plan.rate = rate;
  plan.burst = burst;
  plan.warm_up = extent.warm_up;
  plan.duration = extent.window;
  std::chrono::nanoseconds before{};
  std::chrono::nanoseconds after{};
  app::LoadWatch watch;
  watch.window_begins = [&] { before = server.process->processor_time(); };
  watch.window_ends = [&] { after = server.process->processor_time(); };
  const auto report = run(plan, watch);
  check(report, server);
  const auto spent = static_cast<double>((after - before).count());
  const auto window = static_cast<double>(report.window.count());
  return {spent / static_cast<double>(report.answered_in_window), spent / window,
          static_cast<double>(report.own_processor_time.count()) / window, report.cipher_suite};
}

std::string percent(double share) {
  char text[16];
  std::snprintf(text, sizeof text, "%.0f %%", share * 100);
  return text;
}

/// The processor time a request, in turns; the first is ours.
struct Beside {
  const Contestant* server;
  std::optional<double> goal;
};
void compare_costs(Report& report, const std::string& name, const Contestant& ours, const std::vector<Beside>& others,
                   double rate, std::uint64_t burst, const Extent& extent) {
  std::vector<std::vector<Cost>> all(others.size() + 1);
  for (std::size_t round = 0; round < extent.rounds; ++round) {
    all[0].push_back(cost_of(ours, rate, burst, extent));
    for (std::size_t i = 0; i < others.size(); ++i)
      all[i + 1].push_back(cost_of(*others[i].server, rate, burst, extent));
  }
  const auto middle = [&](std::size_t which, double Cost::* member) {
    std::vector<double> values;
    for (const Cost& cost : all[which]) values.push_back(cost.*member);
    return median(values);
  };
  const auto share = [&](std::size_t which) { return percent(middle(which, &Cost::share)); };
  // Like with like: a ratio between two cipher suites would say nothing.
  const auto suite = [&](std::size_t which) {
    const std::string& name_of_suite = all[which].back().cipher_suite;
    return name_of_suite.empty() ? std::string() : ", " + name_of_suite;
  };
  for (std::size_t i = 0; i < others.size(); ++i) {
    const Contestant& other = *others[i].server;
    report.add({name + ", " + other.name,
                middle(i + 1, &Cost::each),
                "",
                0,
                {},
                "ns",
                other.what + ": " + share(i + 1) + " of its processor" + suite(i + 1)});
    std::vector<double> ratios;
    for (std::size_t round = 0; round < extent.rounds; ++round) {
      ratios.push_back(all[0][round].each / all[i + 1][round].each);
    }
    char load[96];
    std::snprintf(load, sizeof load, "%.0f requests/s from %zu endpoints, %llu leave together: ", rate,
                  extent.endpoints, static_cast<unsigned long long>(burst));
    report.add({name + ", aceward", middle(0, &Cost::each), name + ", " + other.name, median(ratios), others[i].goal,
                "ns",
                load + share(0) + " of its processor, the load " + percent(middle(0, &Cost::generator_share)) +
                    " of the other" + suite(0)});
  }
}

struct Latency {
  double p50;
  double p99;
};
Latency latency_of(const Contestant& server, const Extent& extent) {
  app::LoadPlan plan = plan_for(server, extent);
  plan.outstanding = 1;
  plan.warm_up = extent.warm_up;
  plan.duration = extent.window;
  const auto report = run(plan);
  check(report, server);
  return {static_cast<double>(report.latency.quantile(0.5).count()),
          static_cast<double>(report.latency.quantile(0.99).count())};
}

void compare_latency(Report& report, const std::string& name, const Contestant& ours, const Contestant& other,
                     const Extent& extent) {
  std::vector<Latency> of_ours;
  std::vector<Latency> of_other;
  for (std::size_t round = 0; round < extent.rounds; ++round) {
    of_ours.push_back(latency_of(ours, extent));
    of_other.push_back(latency_of(other, extent));
  }
  for (const auto& [label, member] : {std::pair("p50", &Latency::p50), std::pair("p99", &Latency::p99)}) {
    std::vector<double> mine;
    std::vector<double> theirs;
    std::vector<double> ratios;
    for (std::size_t round = 0; round < extent.rounds; ++round) {
      mine.push_back(of_ours[round].*member);
      theirs.push_back(of_other[round].*member);
      ratios.push_back(mine.back() / theirs.back());
    }
    const std::string what = name + " with one outstanding, " + label;
    report.add({what + ", " + other.name, median(theirs), "", 0, {}, "ns", "time on the clock; " + other.what});
    report.add(
        {what + ", aceward", median(mine), what + ", " + other.name, median(ratios), 1.0, "ns", "time on the clock"});
  }
}

/// One request from each of many endpoints, and what the server holds for each of them afterwards.
void measure_memory(Report& report, const std::string& name, const Contestant& server, std::size_t peers,
                    const Extent& extent) {
  // What every first request makes it load is not a peer's.
  app::LoadPlan first = plan_for(server, extent);
  first.endpoints = 1;
  first.outstanding = 1;
  first.requests = 1;
  check(run(first), server);
  app::LoadPlan plan = plan_for(server, extent);
  plan.endpoints = peers;
  plan.outstanding = std::min<std::size_t>(peers, 16);
  plan.requests = peers;
  const std::uint64_t before = server.process->resident();
  std::uint64_t after = 0;
  app::LoadWatch watch;
  watch.window_ends = [&] { after = server.process->resident(); };
  check(run(plan, watch), server);
  report.add({name + ", " + server.name,
              static_cast<double>(after - std::min(after, before)) / static_cast<double>(peers),
              "",
              0,
              {},
              "octets",
              "resident memory of the process, over " + std::to_string(peers) + " of them"});
}

/// What the whole server process allocates, its sockets included.
void measure_allocations(Report& report, const std::string& name, const Contestant& server, double rate,
                         const Extent& extent) {
  const auto ask = [&] {
    server.process->signal(SIGHUP);
    const auto line = server.process->read_line();
    unsigned long long answered = 0;
    unsigned long long allocated = 0;
    if (!line || std::sscanf(line->c_str(), "%llu %llu", &answered, &allocated) != 2) give_up("no counts");
    return std::pair(answered, allocated);
  };
  app::LoadPlan plan = plan_for(server, extent);
  plan.rate = rate;
  plan.burst = extent.burst;
  plan.warm_up = extent.window;
  plan.duration = extent.window;
  std::pair<unsigned long long, unsigned long long> before;
  std::pair<unsigned long long, unsigned long long> after;
  app::LoadWatch watch;
  watch.window_begins = [&] { before = ask(); };
  watch.window_ends = [&] { after = ask(); };
  check(run(plan, watch), server);
  report.add(
      {name,
       static_cast<double>(after.second - before.second) / static_cast<double>(after.first - before.first),
       "",
       0,
       {},
       "allocations",
       "operator new of the server's process, over " + std::to_string(after.first - before.first) + " requests"});
}

}  // namespace

void measure_servers(Report& report, bool brief) {
  const Extent& extent = brief ? glance : whole;
  pin_to(0, 1);
  {
    const auto ours = start_own("plain");
    const auto echo = start_own("echo");
    const auto libcoap = start_libcoap("coap-server-notls", false, free_port());
    std::vector<Beside> others;
    if (libcoap) others.push_back({libcoap.get(), 0.4});
    others.push_back({echo.get(), 1.55});
    compare_costs(report, "plain GET, together", *ours, others, extent.plain_rate, extent.burst, extent);
    // What a wake-up for each request costs is the system's, and the same for all: no goal.
    for (Beside& other : others) other.goal.reset();
    compare_costs(report, "plain GET, one by one", *ours, others, extent.plain_rate, 1, extent);
    measure_allocations(report, "plain GET in steady state", *ours, extent.plain_rate, extent);
    if (libcoap) {
      compare_latency(report, "plain GET", *ours, *libcoap, extent);
    } else {
      report.skip("plain GET beside libcoap's server", "coap-server-notls (libcoap3-bin) is not installed");
    }
  }
  {
    const auto ours = start_own("secure");
    const auto libcoap = start_libcoap("coap-server-gnutls", true, free_port());
    if (libcoap) {
      compare_costs(report, "DTLS-PSK GET, together", *ours, {{libcoap.get(), 0.5}}, extent.secure_rate, extent.burst,
                    extent);
    } else {
      report.skip("DTLS-PSK GET beside libcoap's server", "coap-server-gnutls (libcoap3-bin) is not installed");
    }
    measure_allocations(report, "DTLS-PSK GET in steady state", *ours, extent.secure_rate, extent);
  }
  measure_memory(report, "an idle peer", *start_own("plain"), extent.idle_peers, extent);
  measure_memory(report, "a DTLS session", *start_own("secure"), std::min<std::size_t>(extent.idle_peers, 2'000),
                 extent);
}

}  // namespace aceward::bench
