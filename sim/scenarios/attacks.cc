// Attackers on and off the path, against plain CoAP and against DTLS.
#include <algorithm>

#include "aceward/coap/reasons.h"
#include "aceward/tls/client.h"
#include "sim/attacker.h"
#include "sim/ledger.h"
#include "sim/scenario.h"

namespace aceward::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::nanoseconds;
using std::chrono::seconds;

/// A server that speaks plain CoAP and DTLS, one client with a plain peer and, if wanted, a session.
struct Scene {
  explicit Scene(Run& run_in, ServerSetup setup = {})
      : run(run_in), network(run), ledger(run, network), attacker(run, network) {
    setup.stack.dtls = tls::ServerConfig{};
    setup.credentials = &credentials;
    server = std::make_unique<ServerHost>(run, std::move(setup));
    client = std::make_unique<ClientHost>(run, ClientSetup{});
    network.attach(server->setup().plain, *server);
    network.attach(client->setup().address, *client);
    ledger.serve(*server);
    ledger.listen(*client);
    plain = client->stack().plain_peer(server->setup().plain);
    credentials.keys[to_bytes("client")] = to_bytes("0123456789abcdef");
    const auto count = [this](const coaps::SessionEvent& event) {
      if (std::holds_alternative<coaps::SessionEstablished>(event)) ++established;
      if (std::holds_alternative<coaps::SessionClosed>(event)) ++closed;
      if (std::holds_alternative<coaps::SessionFailed>(event)) ++failed;
    };
    client->on_session = count;
    server->on_session = [this](const coaps::SessionEvent& event) {
      if (std::holds_alternative<coaps::SessionClosed>(event)) ++closed_at_server;
    };
  }

  /// A session with the server, before anybody attacks.
  coap::Peer connect() {
    const auto peer =
        client->stack()
            .connect(server->setup().secure,
                     tls::PskClient{to_bytes("client"), Secret::copy_of(as_bytes("0123456789abcdef"))}, run.now())
            .value();
    run.require(network.run([this] { return established > 0; }, seconds(31)), "the handshake completes");
    return peer;
  }
  void ask_over(const coap::Peer& peer, nanoseconds span, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      network.after(run.between(seconds(0), span), [this, peer] { ledger.ask_anything(*client, peer); });
    }
  }
  void settle() {
    network.run([] { return false; }, seconds(60));
    attacker.stop();
    run.require(network.run([this] { return ledger.all_ended(); }, seconds(400)),
                "every request comes to an end within EXCHANGE_LIFETIME");
    ledger.check_each_ended_once();
  }
  void check_nothing_kept() {
    client->stack().close_all(run.now());
    network.idle(seconds(800));
    check_empty(run, server->stack().endpoint().occupancy(), "the server");
    check_empty(run, client->stack().endpoint().occupancy(), "the client");
  }
  void note() {
    for (const Asked& asked : ledger.asked()) {
      run.reach(asked.answered ? "answered" : "ended without answer");
      if (asked.error) run.reach(asked.error->id());
    }
  }

  Run& run;
  Network network;
  Ledger ledger;
  Attacker attacker;
  ListedClients credentials;
  std::unique_ptr<ServerHost> server;
  std::unique_ptr<ClientHost> client;
  coap::Peer plain;
  unsigned established = 0;
  unsigned closed = 0;
  unsigned closed_at_server = 0;
  unsigned failed = 0;
};

// Off the path: forges addresses, but sees nothing and guesses.
void play_guesses(Run& run) {
  Scene scene(run);
  scene.ask_over(scene.plain, seconds(20), 5);
  const Address& server = scene.server->setup().plain;
  const Address& client = scene.client->setup().address;
  for (int i = 0; i < 300; ++i) {
    scene.network.after(run.between(seconds(0), seconds(25)), [&scene, &run, server, client] {
      const auto guess = static_cast<std::uint16_t>(run.dice.next_u64());
      const bool at_server = run.chance(500);
      const Address& from = at_server ? client : server;
      const Address& to = at_server ? server : client;
      switch (run.dice.below(4)) {
        case 0: return scene.attacker.send(from, to, empty_message(coap::Type::reset, guess));
        case 1: return scene.attacker.send(from, to, empty_message(coap::Type::acknowledgement, guess));
        case 2: return scene.attacker.send(from, to, run.dice.bytes(run.dice.below(60)));
        default: break;
      }
      coap::Message answer;
      answer.type = static_cast<coap::Type>(run.dice.below(3));
      answer.code = coap::code::content;
      answer.message_id = guess;
      answer.token = coap::Token(run.dice.bytes(run.dice.below(9)));
      answer.payload = to_bytes("guessed");
      scene.attacker.send(from, to, coap::serialize(answer));
    });
  }
  scene.settle();
  scene.ledger.check_none_acted_twice();
  // 300 guesses among 65536 Message IDs spoil a request now and then; an answer they cannot forge at all.
  for (const Asked& asked : scene.ledger.asked()) {
    run.require(asked.answered || asked.error == reason::coap_reset_by_peer ||
                    asked.error == reason::coap_not_answered || asked.thinking.count() > 0 ||
                    asked.reliability == coap::Reliability::non_confirmable,
                "guessing keeps nobody from an answer");
  }
  scene.note();
  scene.check_nothing_kept();
}

// On the path of plain CoAP: sees Message IDs, but does not change what is said.
void play_plain_on_path(Run& run) {
  Scene scene(run);
  scene.attacker.follow({.replay = static_cast<unsigned>(run.between(0, 600)),
                         .reflect = static_cast<unsigned>(run.between(0, 300)),
                         .swallow = static_cast<unsigned>(run.between(0, 200)),
                         .forge_reset = run.chance(300) ? 100U : 0U,
                         .forge_ack = run.chance(500) ? 200U : 0U,
                         .forge_answer = static_cast<unsigned>(run.between(0, 500))});
  scene.ask_over(scene.plain, seconds(40), 6);
  scene.settle();
  scene.ledger.check_none_acted_twice();
  scene.note();
  scene.check_nothing_kept();
}

// On the path of DTLS, with everything an attacker has: the session goes on, and what it carries is untouched.
void play_dtls_on_path(Run& run) {
  Scene scene(run);
  const auto session = scene.connect();
  scene.attacker.follow({.replay = static_cast<unsigned>(run.between(0, 600)),
                         .replay_moved = static_cast<unsigned>(run.between(0, 200)),
                         .reflect = static_cast<unsigned>(run.between(0, 300)),
                         .truncate = static_cast<unsigned>(run.between(0, 300)),
                         .corrupt = static_cast<unsigned>(run.between(0, 500)),
                         .swallow = static_cast<unsigned>(run.between(0, 200)),
                         .forge_reset = static_cast<unsigned>(run.between(0, 200)),
                         .forge_ack = static_cast<unsigned>(run.between(0, 200)),
                         .forge_answer = static_cast<unsigned>(run.between(0, 200))});
  scene.ask_over(session, seconds(40), 6);
  scene.settle();
  scene.ledger.check_none_acted_twice();
  run.require_equal(scene.closed + scene.closed_at_server, 0U, "nobody without the keys ends a session");
  Asked* after = scene.ledger.ask(*scene.client, session, coap::code::get, coap::Reliability::confirmable);
  run.require(scene.network.run([&] { return after->ended > 0; }, seconds(300)) && after->answered,
              "the session works when the attacker is gone");
  scene.note();
  scene.check_nothing_kept();
}

// Everything that was ever sent comes again: soon, and long after every lifetime.
void play_replay_everything(Run& run) {
  Scene scene(run);
  const auto session = scene.connect();
  scene.ask_over(session, seconds(20), 5);
  scene.settle();
  const auto acted = [&scene] {
    std::size_t sum = 0;
    for (const Asked& asked : scene.ledger.asked()) sum += asked.acted;
    return sum;
  };
  const auto before = acted();
  scene.attacker.replay_everything(seconds(30));
  scene.network.idle(seconds(run.chance(500) ? 120 : 1000));
  scene.attacker.replay_everything(seconds(30));
  scene.network.idle(seconds(120));
  run.require_equal(acted(), before, "a record of DTLS acts once, however late it comes again");
  run.require_equal(scene.closed + scene.closed_at_server, 0U, "replayed records and handshakes end no session");
  Asked* after = scene.ledger.ask(*scene.client, session, coap::code::post, coap::Reliability::confirmable);
  run.require(scene.network.run([&] { return after->ended > 0; }, seconds(300)) && after->answered,
              "the session works afterwards");
  scene.note();
  scene.check_nothing_kept();
}

/// A ClientHello as it leaves a real client, without cookie.
Bytes client_hello(Run& run) {
  auto client = tls::Client::create(tls::SessionId(1), Address::v4(10, 0, 0, 1, 5684),
                                    tls::PskClient{to_bytes("nobody"), Secret::copy_of(as_bytes("0123456789abcdef"))})
                    .value();
  client.start(run.now());
  return client.next_datagram()->datagram;
}

// ClientHellos from everywhere: no state, and hardly more octets come back than were sent.
void play_hellos(Run& run) {
  Scene scene(run);
  const auto hello = client_hello(run);
  for (int i = 0; i < 200; ++i) {
    const auto when = run.between(milliseconds(0), milliseconds(3000));
    scene.attacker.send(scene.attacker.anybody(), scene.server->setup().secure, hello, when);
  }
  scene.network.after(run.between(milliseconds(0), milliseconds(2500)), [&scene] {
    static_cast<void>(scene.client->stack().connect(
        scene.server->setup().secure, tls::PskClient{to_bytes("client"), Secret::copy_of(as_bytes("0123456789abcdef"))},
        scene.run.now()));
  });
  run.require(scene.network.run([&] { return scene.established > 0; }, seconds(10)),
              "an honest client gets its session in the middle of it");
  scene.network.idle(seconds(5));
  run.require_equal(scene.server->stack().half_open_count(), std::size_t{0}, "who echoes no cookie costs no state");
  run.require_equal(scene.server->stack().session_count(), std::size_t{1}, "there is the honest session alone");
  for (const auto& [address, traffic] : scene.attacker.victims()) {
    run.require(traffic.octets_received <= traffic.octets_forged, "a forged ClientHello is not amplified");
    run.reach("attack: ClientHello answered", traffic.datagrams_received);
  }
}

// Handshakes past the cookie that never go on, from many addresses.
void play_half_open(Run& run) {
  ServerSetup setup;
  Scene scene(run, std::move(setup));
  const auto session = scene.connect();
  struct Lurker {
    tls::Client client;
    Address address;
  };
  std::map<Address, std::unique_ptr<Lurker>> lurkers;
  const Address server = scene.server->setup().secure;
  // The attacker owns these addresses: it hears the cookie and echoes it, and then says nothing more.
  const auto on_stray = scene.network.on_stray;
  scene.network.on_stray = [&](const Datagram& datagram) {
    on_stray(datagram);
    const auto found = lurkers.find(datagram.to);
    if (found == lurkers.end() || !found->second) return;
    found->second->client.receive(datagram.octets, run.now());
    while (auto out = found->second->client.next_datagram()) {
      scene.attacker.send(datagram.to, server, std::move(out->datagram));
    }
    found->second.reset();
  };
  const auto count = run.between(80, 150);
  const bool one_host = run.chance(500);
  for (std::uint64_t i = 0; i < count; ++i) {
    const Address address = one_host ? Address::v4(203, 0, 113, 9, static_cast<std::uint16_t>(2000 + i))
                                     : Address::v4(203, 0, static_cast<std::uint8_t>(i), 9, 4000);
    scene.network.after(run.between(milliseconds(0), milliseconds(4000)), [&scene, &lurkers, &run, address, server] {
      auto client = tls::Client::create(tls::SessionId(1), server,
                                        tls::PskClient{to_bytes("x"), Secret::copy_of(as_bytes("0123456789abcdef"))});
      auto lurker = std::make_unique<Lurker>(Lurker{std::move(*client), address});
      lurker->client.start(run.now());
      scene.attacker.send(address, server, lurker->client.next_datagram()->datagram);
      lurkers[address] = std::move(lurker);
    });
  }
  const auto limit = scene.server->setup().stack.dtls->max_half_open;
  std::size_t most = 0;
  scene.network.run(
      [&] {
        most = std::max(most, scene.server->stack().half_open_count());
        run.require(most <= limit, "half-open handshakes stay within their limit");
        return false;
      },
      seconds(5));
  if (most == limit) run.reach("half-open limit reached");
  Asked* meanwhile = scene.ledger.ask(*scene.client, session, coap::code::post, coap::Reliability::confirmable);
  const auto fresh = scene.client->stack().connect(
      server, tls::PskClient{to_bytes("client"), Secret::copy_of(as_bytes("0123456789abcdef"))}, run.now());
  run.require(fresh.has_value() && scene.network.run([&] { return scene.established > 1; }, seconds(31)),
              "an honest client still gets a session");
  run.require(scene.network.run([&] { return meanwhile->ended > 0; }, seconds(300)) && meanwhile->answered,
              "live sessions go on");
  scene.network.idle(seconds(60));
  run.require_equal(scene.server->stack().half_open_count(), std::size_t{0}, "half-open handshakes time out");
  run.require_equal(scene.closed + scene.closed_at_server, 0U, "no live session gave way");
}

// Requests in the name of victims, for answers as large as can be: see RFC 9175 section 2.4.
void play_amplification(Run& run) {
  Scene scene(run);
  const Bytes large(1000, 'x');
  scene.server->on_event = [&](coap::Event event) {
    const auto* arrived = std::get_if<coap::RequestArrived>(&event);
    if (arrived == nullptr) return;
    run.reach(arrived->answer_limit ? "address not known" : "address known");
    const auto answer = [&scene, &run, large, id = arrived->id] {
      scene.server->top().respond(id, {coap::code::content, {}, large}, {}, run.now());
    };
    if (run.chance(700)) return answer();
    scene.network.after(run.between(milliseconds(0), seconds(5)), answer);
  };
  const coap::Code methods[] = {coap::code::get, coap::code::post, coap::code::put, coap::code::fetch};
  for (int i = 0; i < 60; ++i) {
    const Address victim = scene.attacker.anybody();
    const auto times = run.between(1, 4);
    for (std::uint64_t j = 0; j < times; ++j) {
      const auto type = run.chance(500) ? coap::Type::confirmable : coap::Type::non_confirmable;
      const auto more = [&run](coap::Options& options) {
        if (run.chance(200)) options.add_uint(coap::option::observe, 0);
        if (run.chance(200)) options.add(coap::option::echo, run.dice.bytes(8));
      };
      scene.attacker.send(victim, scene.server->setup().plain,
                          request_message(run.dice, type, methods[run.dice.below(4)], "/large", {}, more),
                          run.between(milliseconds(0), seconds(5)));
    }
  }
  scene.network.idle(seconds(300));
  for (const auto& [address, traffic] : scene.attacker.victims()) {
    run.require(traffic.largest_received <= coap::Limits{}.unverified_answer,
                "no datagram to an unproven address is larger than the limit");
    if (traffic.datagrams_received > 0) run.reach("victim got something");
    // Whoever never answers gets the retransmissions of a confirmable separate response too.
    run.require(traffic.octets_received <= traffic.datagrams_forged * 136 * 6,
                "what an unproven address gets is bounded by what was asked in its name");
    if (traffic.octets_received > 3 * traffic.octets_forged) run.reach("amplified more than three times");
  }
  scene.network.idle(seconds(800));
  check_empty(run, scene.server->stack().endpoint().occupancy(), "the server");
}

// POSTs from invented addresses fill the memory of what acted; honest peers are served all the same.
void play_memory_flood(Run& run) {
  ServerSetup setup;
  setup.stack.limits.remembered = 200;
  setup.stack.limits.remembered_per_peer = 20;
  setup.stack.limits.peers = 1000;
  setup.stack.limits.answers = 100;
  Scene scene(run, std::move(setup));
  for (int i = 0; i < 800; ++i) {
    const auto method = run.chance(700) ? coap::code::post : coap::code::get;
    const auto type = run.chance(800) ? coap::Type::confirmable : coap::Type::non_confirmable;
    scene.attacker.send(scene.attacker.anybody(), scene.server->setup().plain,
                        request_message(run.dice, type, method, "/ledger", as_bytes("flood")),
                        run.between(milliseconds(0), seconds(60)));
  }
  for (int i = 0; i < 4; ++i) {
    scene.network.after(run.between(seconds(5), seconds(50)), [&scene] {
      scene.ledger.ask(*scene.client, scene.plain, coap::code::get, coap::Reliability::confirmable);
    });
  }
  std::size_t most = 0;
  scene.network.run(
      [&] {
        const auto held = scene.server->stack().endpoint().occupancy();
        most = std::max(most, held.remembered);
        run.require(held.remembered <= 200 && held.peers <= 1000 && held.answers <= 100, "every limit holds");
        return false;
      },
      seconds(61));
  if (most >= 100) run.reach("memory half full");
  scene.settle();
  scene.ledger.check_none_acted_twice();
  for (const Asked& asked : scene.ledger.asked()) run.require(asked.answered, "honest peers are served in a flood");
  scene.note();
  scene.check_nothing_kept();
}

}  // namespace

std::vector<Scenario> attack_scenarios() {
  return {
      {"attack-guesses",
       "off the path: guessed Message IDs and tokens, Resets and acknowledgements",
       &play_guesses,
       {"answered", "unmatched", "rejected", "ignored"}},
      {"attack-plain-on-path",
       "on the path of plain CoAP: replay, reflection, forged Resets and acknowledgements",
       &play_plain_on_path,
       {"answered", "ended without answer", "coap_reset_by_peer", "attack: replayed", "attack: reflected",
        "attack: swallowed", "attack: forged Reset", "attack: forged acknowledgement", "attack: forged answer",
        "duplicate suppressed", "unmatched", "rejected"}},
      {"attack-dtls-on-path",
       "on the path of DTLS, with everything",
       &play_dtls_on_path,
       {"answered", "attack: replayed", "attack: replayed from another port", "attack: reflected", "attack: truncated",
        "attack: corrupted", "attack: swallowed", "session closed"}},
      {"attack-replay",
       "everything that was sent comes again, soon and late",
       &play_replay_everything,
       {"answered", "attack: replayed"}},
      {"attack-hellos",
       "ClientHellos from everywhere",
       &play_hellos,
       {"attack: ClientHello answered", "session established"}},
      {"attack-half-open",
       "handshakes that go no further than the cookie",
       &play_half_open,
       {"half-open limit reached", "session established"}},
      {"attack-amplification",
       "requests in the name of victims, for large answers",
       &play_amplification,
       {"address not known", "challenged with Echo", "answer cut", "bad Echo", "victim got something"}},
      {"attack-memory-flood", "POSTs from invented addresses", &play_memory_flood, {"answered", "memory half full"}},
  };
}

}  // namespace aceward::sim
