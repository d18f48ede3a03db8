// CoAP over DTLS: sessions under loss, and what a restart of the server does to them.
#include "sim/ledger.h"
#include "sim/scenario.h"

namespace aceward::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

struct SecureWorld {
  explicit SecureWorld(Run& run_in) : run(run_in), network(run), ledger(run, network), server_key(raw_key(run.dice)) {
    ServerSetup setup;
    setup.stack.dtls = tls::ServerConfig{.raw_key = server_key};
    setup.credentials = &credentials;
    server = std::make_unique<ServerHost>(run, std::move(setup));
    network.attach(server->setup().plain, *server);
    ledger.serve(*server);
  }

  ClientHost& add_client() {
    ClientSetup setup;
    setup.name = "client " + std::to_string(clients.size());
    setup.address = Address::v4(10, 0, 1, static_cast<std::uint8_t>(clients.size() + 1), 40000);
    clients.push_back(std::make_unique<ClientHost>(run, std::move(setup)));
    ClientHost& client = *clients.back();
    network.attach(client.setup().address, client);
    ledger.listen(client);
    client.on_session = [this](const coaps::SessionEvent& event) {
      if (std::holds_alternative<coaps::SessionEstablished>(event)) ++established;
      if (std::holds_alternative<coaps::SessionClosed>(event)) ++closed;
      if (std::holds_alternative<coaps::SessionFailed>(event)) ++failed;
      if (std::holds_alternative<coaps::SessionStalled>(event)) ++stalled;
    };
    return client;
  }

  coap::Peer connect_psk(ClientHost& client) {
    const Bytes identity = to_bytes(client.setup().name);
    const Bytes key = to_bytes("0123456789abcdef");
    credentials.keys[identity] = key;
    return client.stack()
        .connect(server->setup().secure, tls::PskClient{identity, Secret::copy_of(key)}, run.now())
        .value();
  }
  coap::Peer connect_raw(ClientHost& client) {
    const auto pair = raw_key(run.dice);
    credentials.raw_keys.push_back(to_bytes(pair.spki()));
    return client.stack()
        .connect(server->setup().secure, tls::RawKeyClient{pair, to_bytes(server_key.spki())}, run.now())
        .value();
  }

  void ask_over(ClientHost& client, const coap::Peer& peer, std::chrono::nanoseconds span, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      network.after(run.between(seconds(0), span), [this, &client, peer] { ledger.ask_anything(client, peer); });
    }
  }

  void finish() {
    run.require(network.run([this] { return ledger.all_ended(); }, seconds(400)),
                "every request comes to an end within EXCHANGE_LIFETIME");
    ledger.check_each_ended_once();
    for (const auto& client : clients) {
      client->stack().close_all(run.now());
    }
    network.set_weather({});
    network.idle(seconds(700));
    for (const auto& client : clients) {
      run.require_equal(client->stack().connection_count(), std::size_t{0}, "the client closed all its sessions");
      check_empty(run, client->stack().endpoint().occupancy(), "a client");
    }
    run.require_equal(server->stack().half_open_count(), std::size_t{0}, "no handshake is left half open");
  }

  Run& run;
  Network network;
  Ledger ledger;
  ListedClients credentials;
  tls::RawKeyPair server_key;
  std::unique_ptr<ServerHost> server;
  std::vector<std::unique_ptr<ClientHost>> clients;
  unsigned established = 0;
  unsigned closed = 0;
  unsigned failed = 0;
  unsigned stalled = 0;
};

/// Loss that a handshake survives within its thirty seconds more often than not.
Weather session_weather(Run& run) {
  auto weather = random_weather(run);
  weather.loss = std::min(weather.loss, 250U);
  weather.most_delay = std::min<std::chrono::nanoseconds>(weather.most_delay, seconds(3));
  return weather;
}

void note_outcomes(Run& run, const SecureWorld& world, Ledger& ledger) {
  run.reach("handshake lost", world.failed);
  for (const Asked& asked : ledger.asked()) {
    if (asked.answered) run.reach("answered");
    if (asked.error) run.reach("ended without answer");
  }
}

void play_sessions(Run& run, bool raw) {
  SecureWorld world(run);
  world.network.set_weather(session_weather(run));
  const auto count = raw ? 1 : run.between(1, 2);
  std::size_t asked = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    ClientHost& client = world.add_client();
    const auto peer = raw ? world.connect_raw(client) : world.connect_psk(client);
    world.ask_over(client, peer, seconds(40), asked += run.between(2, 5));
  }
  world.network.run([] { return false; }, seconds(41));
  // Nothing that a network without an attacker does ends a session.
  run.require_equal(world.closed, 0U, "sessions survive the weather");
  run.require_equal(world.established + world.failed, static_cast<unsigned>(count), "each handshake came to an end");
  world.finish();
  world.ledger.check_none_acted_twice();
  note_outcomes(run, world, world.ledger);
}

void play_psk(Run& run) { play_sessions(run, false); }
void play_raw_key(Run& run) { play_sessions(run, true); }

// The server loses its sessions. What the client sent into the old one never acts. After two retransmissions without
// answer the stack says that the session stalls; the client opens a fresh one beside it, on another port, and repeats
// there what is safe.
void play_restart(Run& run) {
  SecureWorld world(run);
  auto weather = session_weather(run);
  weather.loss = std::min(weather.loss, 100U);
  world.network.set_weather(weather);
  ClientHost& client = world.add_client();
  const auto old_session = world.connect_psk(client);
  if (!world.network.run([&] { return world.established + world.failed > 0; }, seconds(60)) || world.failed > 0) {
    run.reach("handshake lost");
    return;
  }
  world.ask_over(client, old_session, seconds(10), 3);
  world.network.after(run.between(seconds(1), seconds(9)), [&] {
    world.server->restart();
    world.stalled = 0;
    run.reach("server restarted");
  });
  world.network.run([] { return false; }, seconds(10));
  const Instant began = run.now();
  const auto method = run.chance(500) ? coap::code::post : coap::code::get;
  Asked* into_the_void = world.ledger.ask(client, old_session, method, coap::Reliability::confirmable);
  world.network.run([&] { return world.stalled > 0 || into_the_void->ended > 0; }, seconds(300));
  run.require(world.stalled > 0, "a request that is not answered is told of before it times out");
  run.reach("session stalled");
  // If the first fresh session does not come about, the user tries again.
  bool recovered = false;
  for (int attempt = 0; attempt < 5 && !recovered; ++attempt) {
    const auto fresh = world.connect_psk(client);
    Asked* again = world.ledger.ask(client, fresh, coap::code::get, coap::Reliability::confirmable);
    world.network.run([&] { return again->ended > 0; }, seconds(300));
    recovered = again->answered;
    // How long the server thinks about it is not part of it.
    if (recovered) run.recovered(run.now() - began - again->thinking);
  }
  run.require(recovered, "a fresh session works beside the old one");
  run.reach("fresh session answers");
  world.network.run([&] { return into_the_void->ended > 0; }, seconds(300));
  run.require(into_the_void->ended == 1 && !into_the_void->answered, "nothing is answered in a session that is gone");
  run.require_equal(into_the_void->acted, 0U, "nothing acts in a session that is gone");
  world.finish();
  // Also across the restart: a record of the old session is not readable by the new life.
  world.ledger.check_none_acted_twice();
  note_outcomes(run, world, world.ledger);
}

}  // namespace

std::vector<Scenario> dtls_scenarios() {
  return {
      {"dtls-psk",
       "sessions with pre-shared keys, handshakes and requests under loss",
       &play_psk,
       {"session established", "handshake failed", "session closed", "retransmitted", "duplicate suppressed",
        "piggybacked", "separate CON", "separate NON", "timed out", "answered", "ended without answer"}},
      {"dtls-raw-key",
       "the same with raw public keys",
       &play_raw_key,
       {"session established", "session closed", "retransmitted", "duplicate suppressed", "piggybacked", "separate CON",
        "answered"}},
      {"dtls-restart",
       "the server forgets its sessions; a fresh one works",
       &play_restart,
       {"server restarted", "session stalled", "fresh session answers", "retransmitted", "ended without answer"}},
  };
}

}  // namespace aceward::sim
