// ACE with the DTLS profile, whole: token, upload, access, under loss and restarts. The parties are those of
// tests/flow; only the network is another one.
#include <algorithm>

#include "aceward/ace/client/reasons.h"
#include "sim/hosts.h"
#include "sim/scenario.h"
#include "tests/flow/world.h"

namespace aceward::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

using tests::World;

/// The world of tests/flow keeps its own clock; it is set to the run's before each of its parties does something.
struct AceScene;

class AsNode final : public Node {
 public:
  explicit AsNode(AceScene& scene) : scene_(scene) {}
  void receive(const Datagram& datagram, Instant now) override;
  std::optional<Datagram> next_datagram(Instant now) override;
  void on_timeout(Instant now) override;
  std::optional<Instant> next_timeout() const override;

 private:
  AceScene& scene_;
};

class RsNode final : public Node {
 public:
  explicit RsNode(AceScene& scene) : scene_(scene) {}
  void receive(const Datagram& datagram, Instant now) override;
  std::optional<Datagram> next_datagram(Instant now) override;
  void on_timeout(Instant now) override;
  std::optional<Instant> next_timeout() const override;

 private:
  AceScene& scene_;
};

class AccessNode final : public Node {
 public:
  AccessNode(AceScene& scene, tests::ClientNode& client) : scene_(scene), client_(client) {}
  void receive(const Datagram& datagram, Instant now) override;
  std::optional<Datagram> next_datagram(Instant now) override;
  void on_timeout(Instant now) override;
  std::optional<Instant> next_timeout() const override;

 private:
  AceScene& scene_;
  tests::ClientNode& client_;
};

/// One operation of a client.
struct Wanted {
  std::string client;
  std::string path;
  coap::Code method;
  Bytes payload;
  Instant when;
  unsigned completed = 0;
  std::optional<coap::Code> code;
  std::string error;
  Instant done;
};

struct AceScene {
  explicit AceScene(Run& run_in)
      : run(run_in),
        world(run.dice.next_u64()),
        network(run),
        as(*this),
        rs(*this),
        as_probe(run, "AS"),
        rs_probe(run, "RS"),
        client_probe(run, "client") {
    world.as->stack().set_tap(&as_probe);
    world.rs->stack().set_tap(&rs_probe);
    network.attach(world.as_address, as);
    network.attach(world.rs_plain, rs);
  }

  tests::ClientNode& add_client(const std::string& name, ace::client::PopKind kind, bool in_identity) {
    tests::ClientNode& client = world.add_client(name, kind, [&](ace::dtls::AccessClientConfig& config) {
      if (in_identity) config.servers[0].transport = ace::dtls::TokenTransport::psk_identity;
    });
    client.stack->set_tap(&client_probe);
    clients.push_back({name, &client, std::make_unique<AccessNode>(*this, client), {}});
    network.attach(client.address, *clients.back().node);
    return client;
  }

  void sync() { world.clock.advance(run.now() - world.clock.now()); }

  std::size_t submit(std::size_t client, coap::Code method, std::string path, bool plain_answer_allowed) {
    sync();
    Wanted one;
    one.client = clients[client].name;
    one.path = path;
    one.method = method;
    if (!coap::is_safe(method)) one.payload = to_bytes("value " + std::to_string(wanted.size()));
    one.when = run.now();
    ace::dtls::Operation operation;
    operation.request.method = method;
    operation.request.options.add_path(path);
    operation.request.payload = one.payload;
    operation.plain_answer_allowed = plain_answer_allowed;
    const auto id = clients[client].party->access->submit(0, std::move(operation), run.now());
    clients[client].operations[id.value] = wanted.size();
    wanted.push_back(std::move(one));
    return wanted.size() - 1;
  }
  void collect_results() {
    for (auto& client : clients) {
      while (auto completed = client.party->access->next_completed()) {
        const auto found = client.operations.find(completed->id.value);
        run.require(found != client.operations.end(), "what completes was submitted");
        Wanted& one = wanted[found->second];
        ++one.completed;
        one.done = run.now();
        run.require_equal(one.completed, 1U, "an operation completes once");
        if (completed->result) {
          one.code = completed->result->code;
          if (one.code->is_success()) {
            run.require(completed->result->payload == to_bytes(one.path), "the answer is that of this operation");
          }
        } else {
          one.error = completed->result.error().id();
        }
      }
    }
  }
  bool all_done() {
    collect_results();
    return std::ranges::all_of(wanted, [](const Wanted& one) { return one.completed > 0; });
  }
  void finish() {
    run.require(network.run([this] { return all_done(); }, seconds(400)), "every operation completes within its time");
    // Each unsafe operation carries a payload of its own.
    for (const Wanted& one : wanted) {
      if (coap::is_safe(one.method)) continue;
      const auto times =
          std::ranges::count_if(world.served, [&one](const tests::Served& it) { return it.payload == one.payload; });
      run.require(times <= 1, "what is not safe acts once");
      run.require(times == 1 || !one.code || !one.code->is_success(), "what succeeded has acted");
      if (times == 1 && !one.code) run.reach("acted without the client's knowing");
    }
    for (const Wanted& one : wanted) {
      if (one.code) run.reach(one.code->is_success() ? "succeeded" : "refused");
      if (!one.code) run.reach("no answer");
    }
  }

  struct Party {
    std::string name;
    tests::ClientNode* party;
    std::unique_ptr<AccessNode> node;
    std::map<std::uint64_t, std::size_t> operations;
  };
  Run& run;
  World world;
  Network network;
  AsNode as;
  RsNode rs;
  Probe as_probe, rs_probe, client_probe;
  std::vector<Party> clients;
  std::vector<Wanted> wanted;
};

void AsNode::receive(const Datagram& datagram, Instant now) {
  scene_.sync();
  if (datagram.to != scene_.world.as_address) return;
  scene_.world.as->receive(datagram.from, datagram.to, datagram.octets, now);
}
std::optional<Datagram> AsNode::next_datagram(Instant now) {
  scene_.sync();
  const World& world = scene_.world;
  world.as->pump(now);
  auto out = world.as->next_datagram(now);
  if (!out) return std::nullopt;
  return Datagram{world.as_address, out->to, std::move(out->datagram)};
}
void AsNode::on_timeout(Instant now) {
  scene_.sync();
  scene_.world.as->on_timeout(now);
}
std::optional<Instant> AsNode::next_timeout() const { return scene_.world.as->next_timeout(); }

void RsNode::receive(const Datagram& datagram, Instant now) {
  scene_.sync();
  const World& world = scene_.world;
  if (datagram.to != world.rs_plain && datagram.to != world.rs_secure) return;
  world.rs->receive(datagram.to == world.rs_plain ? coaps::ListenerKind::plain : coaps::ListenerKind::secure,
                    datagram.from, datagram.to, datagram.octets, now);
}
std::optional<Datagram> RsNode::next_datagram(Instant now) {
  scene_.sync();
  const World& world = scene_.world;
  world.rs->pump(now);
  auto out = world.rs->next_datagram(now);
  if (!out) return std::nullopt;
  return Datagram{out->kind == coaps::ListenerKind::plain ? world.rs_plain : world.rs_secure, out->to,
                  std::move(out->datagram)};
}
void RsNode::on_timeout(Instant now) {
  scene_.sync();
  scene_.world.rs->on_timeout(now);
}
std::optional<Instant> RsNode::next_timeout() const { return scene_.world.rs->next_timeout(); }

void AccessNode::receive(const Datagram& datagram, Instant now) {
  scene_.sync();
  if (datagram.to.port < client_.address.port) return;
  client_.stack->receive(datagram.to.port - client_.address.port, datagram.from, datagram.octets, now);
}
std::optional<Datagram> AccessNode::next_datagram(Instant now) {
  scene_.sync();
  client_.access->pump(now);
  auto out = client_.stack->next_datagram(now);
  if (!out) return std::nullopt;
  Address from = client_.address;
  from.port = static_cast<std::uint16_t>(from.port + out->channel);
  return Datagram{from, out->to, std::move(out->datagram)};
}
void AccessNode::on_timeout(Instant now) {
  scene_.sync();
  client_.stack->on_timeout(now);
  client_.access->on_timeout(now);
}
std::optional<Instant> AccessNode::next_timeout() const {
  return earlier(client_.stack->next_timeout(), client_.access->next_timeout());
}

Weather bearable_weather(Run& run) {
  auto weather = random_weather(run);
  weather.loss = std::min(weather.loss, 200U);
  weather.most_delay = std::min<std::chrono::nanoseconds>(weather.most_delay, seconds(2));
  return weather;
}

void set_up(AceScene& scene) {
  Run& run = scene.run;
  const auto kind = run.chance(500) ? ace::client::PopKind::raw_public_key : ace::client::PopKind::pre_shared_key;
  const bool in_identity = kind == ace::client::PopKind::pre_shared_key && run.chance(500);
  scene.add_client("alice", kind, in_identity);
  scene.world.allow("alice", "rTemp");
  scene.world.allow("alice", "rwLed");
  scene.world.allow("alice", "wDoor");
}

struct Choice {
  coap::Code method;
  const char* path;
};
constexpr Choice allowed[] = {
    {coap::code::get, "temp"}, {coap::code::get, "led"}, {coap::code::put, "led"}, {coap::code::post, "door"}};

// A client without anything asks its way to the resource: hints, token, upload, handshake, access.
void play_flow(Run& run) {
  AceScene scene(run);
  scene.network.set_weather(bearable_weather(run));
  set_up(scene);
  const auto count = run.between(2, 4);
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto& choice = allowed[run.dice.below(std::size(allowed))];
    scene.network.after(run.between(seconds(0), seconds(60)),
                        [&scene, choice] { scene.submit(0, choice.method, choice.path, false); });
  }
  const bool trespasses = run.chance(300);
  if (trespasses) {
    scene.network.after(run.between(seconds(0), seconds(60)),
                        [&scene] { scene.submit(0, coap::code::get, "config", false); });
  }
  scene.network.run([] { return false; }, seconds(61));
  scene.finish();
  for (const auto& served : scene.world.served) {
    run.require(served.path != "config", "what policy does not grant is never served");
  }
  if (trespasses) run.reach("trespassed");
  if (scene.network.weather().loss == 0 && scene.network.weather().most_delay < milliseconds(10)) {
    for (const Wanted& one : scene.wanted) {
      run.require(one.code.has_value(), "in fair weather every operation is answered");
      run.require(one.path == "config" || one.code->is_success(), "in fair weather what is allowed succeeds");
    }
  }
}

// The resource server forgets sessions and tokens. The client finds its way back; how long that takes is reported.
void play_restart(Run& run) {
  AceScene scene(run);
  auto weather = bearable_weather(run);
  weather.loss = std::min(weather.loss, 50U);
  weather.most_delay = std::min<std::chrono::nanoseconds>(weather.most_delay, milliseconds(300));
  scene.network.set_weather(weather);
  set_up(scene);
  scene.submit(0, coap::code::get, "temp", false);
  scene.network.run([&] { return scene.all_done(); }, seconds(100));
  scene.network.idle(seconds(run.between(1, 20)));
  scene.sync();
  scene.world.start_rs();
  scene.world.rs->stack().set_tap(&scene.rs_probe);
  run.reach("server restarted");
  const Instant restarted = run.now();
  // A user who tries again: the first request into the old session may be lost with it.
  const bool unsafe = run.chance(300);
  for (int attempt = 0; attempt < 4; ++attempt) {
    const auto& choice = unsafe && attempt == 0 ? allowed[3] : allowed[0];
    const auto number = scene.submit(0, choice.method, choice.path, false);
    scene.network.run([&] { return scene.all_done(); }, seconds(400));
    const Wanted& one = scene.wanted[number];
    if (one.code && one.code->is_success()) {
      run.recovered(run.now() - restarted);
      run.reach(attempt == 0 ? "recovered at once" : "recovered by another request");
      break;
    }
  }
  scene.finish();
  run.require(std::ranges::any_of(scene.wanted,
                                  [restarted](const Wanted& one) {
                                    return one.when >= restarted && one.code && one.code->is_success();
                                  }),
              "a client finds back to a server that was restarted");
}

}  // namespace

std::vector<Scenario> ace_scenarios() {
  return {
      {"ace-flow",
       "from nothing to the resource: hints, token, upload, handshake, access",
       &play_flow,
       {"succeeded", "refused", "no answer", "trespassed", "session established", "code 2.01", "code 4.03",
        "code 2.04"}},
      {"ace-restart",
       "the resource server forgets its sessions and tokens",
       &play_restart,
       {"server restarted", "succeeded", "recovered at once"}},
  };
}

}  // namespace aceward::sim
