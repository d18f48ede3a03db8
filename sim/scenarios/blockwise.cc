// Block-wise transfer: bodies both ways, several at once, over a network that loses, repeats and reorders.
#include <algorithm>
#include <charconv>

#include "sim/attacker.h"
#include "sim/ledger.h"
#include "sim/scenario.h"

namespace aceward::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// Every 16 octets say whose they are and where they belong: `q00000007 000020.`
Bytes body_of(char kind, std::uint64_t number, std::size_t size) {
  Bytes body;
  body.reserve(size + 16);
  while (body.size() < size) {
    char chunk[40];
    std::snprintf(chunk, sizeof chunk, "%c%08x %05x.", kind, static_cast<unsigned>(number),
                  static_cast<unsigned>(body.size()));
    body.insert(body.end(), chunk, chunk + 16);
  }
  body.resize(size);
  return body;
}

/// The number that a body begins with; nullopt if it does not begin as body_of makes them.
std::optional<std::uint64_t> number_of(char kind, BytesView body) {
  if (body.size() < 9 || body[0] != static_cast<std::uint8_t>(kind)) return std::nullopt;
  const auto text = as_text(body).substr(1, 8);
  std::uint64_t number = 0;
  if (std::from_chars(text.data(), text.data() + 8, number, 16).ptr != text.data() + 8) return std::nullopt;
  return number;
}

struct Transfer {
  coap::Code method;
  std::size_t size = 0;        ///< of the request body
  std::size_t reply_size = 0;  ///< of the response body
  std::chrono::nanoseconds thinking{0};
  Instant when;
  unsigned acted = 0;
  unsigned ended = 0;
  bool answered = false;
};

constexpr auto whole_transfer = seconds(400);

struct BlockScene {
  explicit BlockScene(Run& run_in, const coap::BlockwiseLimits& limits_in = {})
      : run(run_in), network(run), attacker(run, network), limits(limits_in) {
    szx_at_server = coap::Szx(static_cast<unsigned>(run.between(0, 6)));
    szx_at_clients = coap::Szx(static_cast<unsigned>(run.between(0, 6)));
    ServerSetup setup;
    setup.stack.blockwise.response_szx = szx_at_server;
    setup.stack.blockwise.request_szx = szx_at_server;
    setup.stack.blockwise_limits = limits;
    server = std::make_unique<ServerHost>(run, std::move(setup));
    network.attach(server->setup().plain, *server);
    server->on_event = [this](coap::Event event) {
      if (const auto* arrived = std::get_if<coap::RequestArrived>(&event)) serve(*arrived);
    };
    version_sizes.push_back(run.between(16, largest()));
  }

  /// Some twenty of the smaller blocks, so that a run stays short.
  std::size_t largest() const { return std::max<std::size_t>(64, std::min(szx_at_server, szx_at_clients).size() * 20); }

  void add_client() {
    ClientSetup setup;
    setup.name = "client " + std::to_string(clients.size());
    setup.address = Address::v4(10, 0, 1, static_cast<std::uint8_t>(clients.size() + 1), 40000);
    setup.stack.parameters.nstart = static_cast<unsigned>(run.between(1, 4));
    setup.stack.blockwise.request_szx = szx_at_clients;
    if (run.chance(500)) setup.stack.blockwise.preferred_szx = szx_at_clients;
    setup.stack.blockwise.early_negotiation = run.chance(500);
    setup.stack.blockwise.ask_size = run.chance(300);
    const auto at = clients.size();
    clients.push_back(std::make_unique<ClientHost>(run, std::move(setup)));
    ClientHost& client = *clients.back();
    network.attach(client.setup().address, client);
    client.on_event = [this, at](coap::Event event) { on_answer(at, event); };
  }

  void begin(std::size_t client) {
    constexpr coap::Code methods[] = {coap::code::get, coap::code::post, coap::code::put, coap::code::fetch};
    Transfer transfer;
    transfer.method = methods[run.dice.below(4)];
    if (transfer.method != coap::code::get) transfer.size = run.between(16, largest());
    transfer.reply_size = run.chance(500) ? run.between(16, largest()) : 16;
    if (run.chance(300)) transfer.thinking = run.between(milliseconds(1), seconds(6));
    transfer.when = run.now();
    const auto number = transfers.size();
    coap::Request request;
    request.method = transfer.method;
    // The same for all: only Request-Tag and the layer's care keep them apart.
    request.options.add_path(transfer.method == coap::code::get ? "/version" : "/store");
    request.payload = body_of('q', number, transfer.size);
    ClientHost& host = *clients[client];
    const auto id = host.top().request(host.stack().plain_peer(server->setup().plain), std::move(request),
                                       {coap::Reliability::automatic, whole_transfer}, run.now());
    if (!id) return run.reach("not sent");
    transfers.push_back(transfer);
    by_id[{client, id->value}] = number;
    ++open;
  }

  void serve(const coap::RequestArrived& arrived) {
    const auto respond = [this, id = arrived.id, life = server->life()](coap::Response response) {
      if (server->life() == life) server->top().respond(id, std::move(response), {}, run.now());
    };
    if (arrived.request.method == coap::code::get) {
      const auto version = version_sizes.size() - 1;
      return respond({coap::code::content, {}, body_of('v', version, version_sizes[version])});
    }
    const auto number = number_of('q', arrived.request.payload);
    run.require(number && *number < transfers.size(), "a body begins as it was sent");
    Transfer& transfer = transfers[*number];
    run.require(arrived.request.method == transfer.method, "the method is that of the body's transfer");
    run.require(arrived.request.payload == body_of('q', *number, transfer.size),
                "a request body arrives exactly, without a block of another");
    ++transfer.acted;
    coap::Response response{coap::code::changed, {}, body_of('a', *number, transfer.reply_size)};
    if (transfer.method == coap::code::fetch) response.code = coap::code::content;
    if (transfer.thinking.count() == 0) return respond(std::move(response));
    network.after(transfer.thinking, [respond, response] { respond(response); });
  }

  void on_answer(std::size_t client, const coap::Event& event) {
    const auto* arrived = std::get_if<coap::ResponseArrived>(&event);
    const auto* gone = std::get_if<coap::ExchangeGone>(&event);
    if (const auto* request = std::get_if<coap::RequestArrived>(&event)) {
      // Reflected by an attacker: the client is no server, see Ledger::listen.
      return clients[client]->top().cancel(request->id);
    }
    const auto id = arrived != nullptr ? arrived->id : gone->id;
    const auto found = by_id.find({client, id.value});
    run.require(found != by_id.end(), "what ends was begun");
    Transfer& transfer = transfers[found->second];
    run.require_equal(++transfer.ended, 1U, "a transfer ends once");
    run.require(run.now() - transfer.when <= whole_transfer + seconds(1), "no transfer outlives its time");
    --open;
    if (gone != nullptr) {
      run.reach(gone->reason.id());
      return;
    }
    if (!arrived->response.code.is_success()) return run.reach("refused");
    transfer.answered = true;
    run.reach("answered");
    const auto& body = arrived->response.payload;
    if (transfer.method == coap::code::get) {
      const auto version = number_of('v', body);
      run.require(version && *version < version_sizes.size(), "a representation begins as it was served");
      run.require(body == body_of('v', *version, version_sizes[*version]), "all blocks are of one representation");
      if (*version > 0) run.reach("later version");
    } else {
      run.require(transfer.acted > 0, "what is answered has acted");
      run.require(body == body_of('a', found->second, transfer.reply_size),
                  "a response body arrives exactly, without a block of another");
    }
  }

  void change_version() {
    if (version_sizes.size() > 200) return;
    version_sizes.push_back(run.between(16, largest()));
  }

  void check_empty_blocks(const coap::BlockwiseOccupancy& held, std::string_view whose) {
    const auto sum = held.assemblies + held.assembly_bytes + held.held + held.held_bytes + held.requests +
                     held.transfers + held.answer_bytes;
    run.require_equal(sum, std::size_t{0}, std::string(whose) + " still holds bodies");
  }

  void finish() {
    run.require(network.run([this] { return open == 0; }, whole_transfer + seconds(10)), "no transfer hangs");
    for (const auto& transfer : transfers) {
      run.require(!acts_once(transfer.method) || transfer.acted <= 1 + server->life(), "a POST acts once");
    }
    network.set_weather({});
    attacker.stop();
    network.idle(seconds(1000));
    check_empty_blocks(server->stack().blockwise().occupancy(), "the server");
    check_empty(run, server->stack().endpoint().occupancy(), "the server");
    for (std::size_t i = 0; i < clients.size(); ++i) {
      check_empty_blocks(clients[i]->stack().blockwise().occupancy(), "a client");
      check_empty(run, clients[i]->stack().endpoint().occupancy(), "a client");
    }
  }

  static bool acts_once(coap::Code method) { return method == coap::code::post; }

  Run& run;
  Network network;
  Attacker attacker;
  coap::BlockwiseLimits limits;
  coap::Szx szx_at_server = coap::Szx::largest();
  coap::Szx szx_at_clients = coap::Szx::largest();
  std::unique_ptr<ServerHost> server;
  std::vector<std::unique_ptr<ClientHost>> clients;
  std::deque<Transfer> transfers;
  std::map<std::pair<std::size_t, std::uint64_t>, std::size_t> by_id;
  std::vector<std::size_t> version_sizes;
  std::size_t open = 0;
};

Weather block_weather(Run& run) {
  auto weather = random_weather(run);
  weather.loss = std::min(weather.loss, 150U);
  weather.most_delay = std::min<std::chrono::nanoseconds>(weather.most_delay, seconds(3));
  return weather;
}

void play_transfers(Run& run) {
  BlockScene scene(run);
  scene.network.set_weather(block_weather(run));
  const auto clients = run.between(1, 2);
  for (std::uint64_t i = 0; i < clients; ++i) {
    scene.add_client();
    for (auto count = run.between(1, 3); count > 0; --count) {
      scene.network.after(run.between(seconds(0), seconds(10)), [&scene, i] { scene.begin(i); });
    }
  }
  for (auto changes = run.between(0, 6); changes > 0; --changes) {
    scene.network.after(run.between(seconds(0), seconds(30)), [&scene] { scene.change_version(); });
  }
  if (run.chance(200)) scene.attacker.follow({.replay = 300});
  if (run.chance(150)) {
    scene.network.after(run.between(seconds(1), seconds(20)), [&scene, &run] {
      scene.server->restart();
      run.reach("server restarted");
    });
  }
  scene.network.run([] { return false; }, seconds(31));
  scene.finish();
}

// First blocks from everywhere, and blocks of bodies that never end: memory stays bounded, honest transfers arrive.
void play_floods(Run& run) {
  coap::BlockwiseLimits limits;
  limits.request_body = 32'768;
  limits.assemblies = 100;
  limits.assembly_bytes = 1'600'000;
  BlockScene scene(run, limits);
  scene.add_client();
  const auto block = [&run](std::uint64_t number, bool more) {
    return [number, more, &run](coap::Options& options) {
      const std::uint64_t value = (number << 4) | (more ? 8U : 0U) | 6U;
      options.add_uint(coap::option::block1, value);
      if (run.chance(300)) options.add(coap::option::request_tag, run.dice.bytes(run.between(0, 8)));
      if (run.chance(200)) options.add_uint(coap::option::size1, run.dice.below(1U << 22));
    };
  };
  const Bytes full(1024, 'x');
  const Address server = scene.server->setup().plain;
  for (int i = 0; i < 250; ++i) {
    const auto number = run.chance(700) ? 0 : run.dice.below(1 << 20);
    scene.attacker.send(
        scene.attacker.anybody(), server,
        request_message(run.dice, coap::Type::confirmable, coap::code::put, "/store", full, block(number, true)),
        run.between(milliseconds(0), seconds(20)));
  }
  const Address endless = scene.attacker.anybody();
  for (std::uint64_t i = 0; i < 100; ++i) {
    scene.attacker.send(
        endless, server,
        request_message(run.dice, coap::Type::non_confirmable, coap::code::put, "/store", full, block(i, true)),
        milliseconds(100 * i));
  }
  for (int i = 0; i < 2; ++i) {
    scene.network.after(run.between(seconds(1), seconds(15)), [&scene] { scene.begin(0); });
  }
  const coap::Limits below;
  scene.network.run(
      [&] {
        const auto held = scene.server->stack().blockwise().occupancy();
        run.require(held.assemblies <= limits.assemblies && held.assembly_bytes <= limits.assembly_bytes &&
                        held.held <= limits.held && held.held_bytes <= limits.held_bytes,
                    "what is put together stays within its limits");
        run.require(scene.server->stack().endpoint().occupancy().peers <= below.peers, "so do peers");
        if (held.assemblies > 50) run.reach("many assemblies");
        return false;
      },
      seconds(31));
  scene.finish();
  for (const auto& transfer : scene.transfers) run.require(transfer.answered, "honest transfers arrive in a flood");
}

}  // namespace

std::vector<Scenario> blockwise_scenarios() {
  return {
      {"blockwise",
       "bodies both ways, several at once, under loss",
       &play_transfers,
       {"answered", "assembled", "answer cut", "body sent", "body received", "block repeated", "asked again",
        "transfer restarted", "server restarted", "retransmitted", "duplicate suppressed", "challenged with Echo",
        "address verified", "later version", "code 2.31"}},
      {"blockwise-floods",
       "blocks from everywhere, and bodies without end",
       &play_floods,
       {"answered", "many assemblies"}},
  };
}

}  // namespace aceward::sim
