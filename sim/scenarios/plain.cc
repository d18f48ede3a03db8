// Plain CoAP: requests of all methods, restarts, partitions.
#include "sim/ledger.h"
#include "sim/scenario.h"

namespace aceward::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// Longer than anything that the message layer remembers.
constexpr auto all_lifetimes = seconds(700);

struct PlainWorld {
  PlainWorld(Run& run_in, std::size_t clients_wanted)
      : run(run_in), network(run), ledger(run, network), server(run, {}) {
    network.attach(server.setup().plain, server);
    ledger.serve(server);
    for (std::size_t i = 0; i < clients_wanted; ++i) {
      ClientSetup setup;
      setup.name = "client " + std::to_string(i);
      setup.address = Address::v4(10, 0, 1, static_cast<std::uint8_t>(i + 1), 40000);
      clients.push_back(std::make_unique<ClientHost>(run, std::move(setup)));
      network.attach(clients.back()->setup().address, *clients.back());
      ledger.listen(*clients.back());
    }
  }
  void ask(ClientHost& client) { ledger.ask_anything(client, client.stack().plain_peer(server.setup().plain)); }
  /// Each client asks at times of its own.
  void ask_over(std::chrono::nanoseconds span, std::size_t each) {
    for (const auto& client : clients) {
      for (std::size_t i = 0; i < each; ++i) {
        network.after(run.between(seconds(0), span), [this, &host = *client] { ask(host); });
      }
    }
    network.run([] { return false; }, span);
  }
  void finish() {
    run.require(network.run([this] { return ledger.all_ended(); }, seconds(400)),
                "every request comes to an end within EXCHANGE_LIFETIME");
    ledger.check_each_ended_once();
    network.idle(all_lifetimes);
    check_empty(run, server.stack().endpoint().occupancy(), "the server");
    for (const auto& client : clients) check_empty(run, client->stack().endpoint().occupancy(), "a client");
  }

  Run& run;
  Network network;
  Ledger ledger;
  ServerHost server;
  std::vector<std::unique_ptr<ClientHost>> clients;
};

void note_outcomes(Run& run, Ledger& ledger) {
  for (const Asked& asked : ledger.asked()) {
    if (asked.answered) run.reach("answered");
    if (asked.answered && asked.refused) run.reach("answered with a refusal");
    if (asked.error) run.reach("ended without answer");
    if (asked.acted > 0 && !asked.answered) run.reach("acted without the client's knowing");
    if (asked.acted > 1) run.reach("safe or idempotent, acted twice");
  }
  if (ledger.answered() == ledger.asked().size()) run.reach("all answered");
}

void play_requests(Run& run) {
  PlainWorld world(run, run.between(1, 3));
  const auto weather = random_weather(run);
  world.network.set_weather(weather);
  world.ask_over(seconds(run.between(1, 60)), run.between(1, 6));
  world.finish();
  world.ledger.check_none_acted_twice();
  if (weather.loss == 0) run.require(world.ledger.answered() > 0, "in fair weather somebody is answered");
  note_outcomes(run, world.ledger);
}

// A server that restarts forgets what it acted on: each life may act once. A client that restarts begins with new
// tokens and Message IDs, and answers to its earlier life are nobody's.
void play_restarts(Run& run) {
  PlainWorld world(run, 2);
  world.network.set_weather(random_weather(run));
  const auto restarts = run.between(1, 3);
  for (std::uint64_t i = 0; i < restarts; ++i) {
    const auto when = run.between(seconds(0), seconds(40));
    if (run.chance(500)) {
      world.network.after(when, [&world, &run] {
        world.server.restart();
        run.reach("server restarted");
      });
    } else {
      world.network.after(when, [&world, &run] {
        auto& client = *world.clients[run.dice.below(world.clients.size())];
        world.ledger.forget(client);
        client.restart();
        run.reach("client restarted");
      });
    }
  }
  world.ask_over(seconds(60), 4);
  world.finish();
  world.ledger.check_none_acted_twice(1 + world.server.life());
  note_outcomes(run, world.ledger);
}

// The network is cut and heals: what was asked in time arrives, what comes afterwards works at once.
void play_partitions(Run& run) {
  PlainWorld world(run, 2);
  auto weather = random_weather(run);
  weather.loss = std::min(weather.loss, 100U);
  weather.most_delay = std::min<std::chrono::nanoseconds>(weather.most_delay, milliseconds(500));
  world.network.set_weather(weather);
  const Address& server = world.server.setup().plain;
  const Address& client = world.clients[0]->setup().address;
  const auto cut_at = run.between(seconds(0), seconds(10));
  const auto healed_at = cut_at + run.between(seconds(1), seconds(90));
  world.network.after(cut_at, [&] { world.network.separate(server, client); });
  Instant healed;
  world.network.after(healed_at, [&] {
    world.network.join(server, client);
    healed = run.now();
  });
  world.ask_over(seconds(120), 4);
  Asked* after = world.ledger.ask(*world.clients[0], world.clients[0]->stack().plain_peer(server), coap::code::get,
                                  coap::Reliability::confirmable);
  world.finish();
  world.ledger.check_none_acted_twice();
  run.require(after != nullptr && (after->answered || weather.loss > 0 || after->error), "the cut has healed");
  for (const Asked& asked : world.ledger.asked()) {
    if (asked.answered && asked.when < healed && asked.ended_at > healed && asked.thinking.count() == 0) {
      run.recovered(asked.ended_at - healed);
      run.reach("answered after the cut");
    }
  }
  note_outcomes(run, world.ledger);
}

}  // namespace

std::vector<Scenario> plain_scenarios() {
  return {
      {"plain-requests",
       "requests of all methods over a network that loses, repeats and reorders",
       &play_requests,
       {"lost",
        "repeated by the network",
        "retransmitted",
        "duplicate suppressed",
        "piggybacked",
        "acknowledged",
        "separate CON",
        "separate NON",
        "reset",
        "timed out",
        "unmatched",

        "answered",
        "answered with a refusal",
        "ended without answer",
        "acted without the client's knowing",
        "all answered",
        "code 0.01",
        "code 0.02",
        "code 0.03",
        "code 0.04",
        "code 0.05",
        "code 0.06",
        "code 0.07",
        "code 2.01",
        "code 2.02",
        "code 2.04",
        "code 2.05",
        "code 4.09"}},
      {"plain-restarts",
       "servers and clients lose their state in the middle",
       &play_restarts,
       {"server restarted", "client restarted", "retransmitted", "reset", "unmatched", "answered",
        "ended without answer", "timed out"}},
      {"plain-partitions",
       "the network is cut and heals",
       &play_partitions,
       {"retransmitted", "timed out", "answered after the cut", "ended without answer", "answered"}},
  };
}

}  // namespace aceward::sim
