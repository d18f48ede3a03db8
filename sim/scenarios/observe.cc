// Observation: order, the latest state in the end, observers that are lost.
#include <algorithm>
#include <charconv>

#include "aceward/coap/observe/observation_client.h"
#include "aceward/coap/observe/observations.h"
#include "sim/ledger.h"
#include "sim/scenario.h"

namespace aceward::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

struct ObserveScene {
  explicit ObserveScene(Run& run_in) : run(run_in), network(run) {
    large = run.chance(200);
    settings.notifications = run.chance(300)   ? coap::Reliability::confirmable
                             : run.chance(500) ? coap::Reliability::non_confirmable
                                               : coap::Reliability::automatic;
    settings.max_age = static_cast<std::uint32_t>(run.between(20, 120));
    ServerSetup setup;
    setup.stack.blockwise.response_szx = coap::Szx(3);
    setup.make_layers = [this](coap::Layer& below, Random& random) {
      Layers layers;
      auto layer = std::make_unique<coap::Observations>(below, random);
      layer->allow("/state", settings);
      observations = layer.get();
      layers.push_back(std::move(layer));
      return layers;
    };
    server = std::make_unique<ServerHost>(run, std::move(setup));
    network.attach(server->setup().plain, *server);
    server->on_event = [this](coap::Event event) {
      const auto* arrived = std::get_if<coap::RequestArrived>(&event);
      if (arrived == nullptr) return;
      const auto answer = [this, id = arrived->id, life = server->life()] {
        if (server->life() == life) server->top().respond(id, representation(), {}, run.now());
      };
      if (!run.chance(100)) return answer();
      network.after(run.between(milliseconds(1), seconds(3)), answer);
    };
  }

  coap::Response representation() const {
    auto text = "state " + std::to_string(state) + " ";
    if (large) text.append(300 + state % 7, static_cast<char>('a' + state % 26));
    return {coap::code::content, {}, to_bytes(text)};
  }

  struct Observer {
    std::unique_ptr<ClientHost> host;
    coap::ObservationClient* layer = nullptr;
    coap::ExchangeId id;
    bool observing = false;
    bool over = false;
    std::uint64_t heard = 0;
    std::uint64_t notifications = 0;
  };

  Observer& add_client() {
    auto observer = std::make_unique<Observer>();
    Observer* at = observer.get();
    ClientSetup setup;
    setup.name = "client " + std::to_string(observers.size());
    setup.address = Address::v4(10, 0, 1, static_cast<std::uint8_t>(observers.size() + 1), 40000);
    setup.make_layers = [at](coap::Layer& below, Random& random) {
      Layers layers;
      auto layer = std::make_unique<coap::ObservationClient>(below, random);
      at->layer = layer.get();
      layers.push_back(std::move(layer));
      return layers;
    };
    observer->host = std::make_unique<ClientHost>(run, std::move(setup));
    network.attach(observer->host->setup().address, *observer->host);
    observer->host->on_event = [this, at](coap::Event event) { on_event(*at, event); };
    observers.push_back(std::move(observer));
    return *at;
  }

  void observe(Observer& observer) {
    coap::Request request;
    request.options.add_path("/state").set_uint(coap::option::observe, 0);
    if (run.chance(300)) request.options.add(coap::option::uri_query, "q=1");
    const auto reliability = run.chance(300) ? coap::Reliability::non_confirmable : coap::Reliability::confirmable;
    const auto id = observer.host->top().request(observer.host->stack().plain_peer(server->setup().plain),
                                                 std::move(request), {reliability, seconds(0)}, run.now());
    if (!id) return run.reach("not sent");
    observer.id = *id;
    observer.observing = true;
  }

  void on_event(Observer& observer, const coap::Event& event) {
    if (const auto* gone = std::get_if<coap::ExchangeGone>(&event)) {
      run.require(gone->id == observer.id && !observer.over, "what ends was begun");
      observer.over = true;
      run.reach("observation lost");
      return;
    }
    const auto* arrived = std::get_if<coap::ResponseArrived>(&event);
    if (arrived == nullptr) return;
    run.require(arrived->id == observer.id, "a notification of an observation that there is");
    run.require(!observer.over, "nothing comes after the end");
    if (arrived->final) {
      observer.over = true;
      run.reach("observation ended");
    }
    if (!arrived->response.code.is_success()) return;
    const auto text = as_text(arrived->response.payload);
    run.require(text.starts_with("state "), "a representation arrives whole");
    std::uint64_t value = 0;
    std::from_chars(text.data() + 6, text.data() + text.size(), value);
    if (large) {
      run.require(text.size() > 300 && text.find_first_not_of(static_cast<char>('a' + value % 26),
                                                              text.find(' ', 6) + 1) == std::string_view::npos,
                  "all blocks of a notification are of one state");
    }
    run.require(value >= observer.heard, "no notification is delivered out of order");
    run.require(value <= state, "no state is invented");
    if (value == observer.heard && observer.notifications > 0) run.reach("same state again");
    if (value > observer.heard + 1) run.reach("state skipped");
    observer.heard = value;
    ++observer.notifications;
    run.reach("notified");
  }

  void change() {
    ++state;
    observations->changed("/state", run.now());
  }

  void note() {
    const auto& counters = observations->counters();
    run.reach("registered", counters.registered);
    run.reach("registration replaced", counters.replaced);
    run.reach("deregistered", counters.deregistered);
    run.reach("notification confirmable", counters.confirmable);
    run.reach("observer lost", counters.lost);
    for (const auto& observer : observers) {
      if (observer->layer == nullptr) continue;
      run.reach("stale dropped", observer->layer->counters().stale);
      run.reach("re-registered", observer->layer->counters().reregistered);
      run.reach("retried", observer->layer->counters().retried);
    }
  }

  Run& run;
  Network network;
  bool large = false;
  coap::ObservableSettings settings;
  coap::Observations* observations = nullptr;
  std::unique_ptr<ServerHost> server;
  std::vector<std::unique_ptr<Observer>> observers;
  std::uint64_t state = 1;
};

void play_observe(Run& run) {
  ObserveScene scene(run);
  auto weather = random_weather(run);
  weather.most_delay = std::min<std::chrono::nanoseconds>(weather.most_delay, seconds(20));
  scene.network.set_weather(weather);
  const auto clients = run.between(1, 3);
  for (std::uint64_t i = 0; i < clients; ++i) {
    auto& observer = scene.add_client();
    scene.network.after(run.between(seconds(0), seconds(10)), [&scene, &observer] { scene.observe(observer); });
  }
  const auto span = seconds(run.between(30, 200));
  for (auto changes = run.between(1, 25); changes > 0; --changes) {
    scene.network.after(run.between(seconds(1), span), [&scene] { scene.change(); });
  }
  if (run.chance(250)) {
    const auto cut = run.between(seconds(5), span);
    const Address& one = scene.observers[0]->host->setup().address;
    scene.network.after(cut, [&scene, one] { scene.network.separate(one, scene.server->setup().plain); });
    run.reach("cut");
  }
  if (run.chance(200)) {
    scene.network.after(run.between(seconds(5), span), [&scene, &run] {
      scene.note();
      scene.server->restart();
      run.reach("server restarted");
    });
  }
  scene.network.run([] { return false; }, span + seconds(1));

  // It heals, and nothing changes any more: whoever still observes comes to know the latest state.
  scene.network.set_weather({});
  scene.network.join_all();
  const Instant healed = run.now();
  const auto everybody_knows = [&scene] {
    return std::ranges::all_of(scene.observers, [&scene](const auto& observer) {
      return !observer->observing || observer->over || observer->heard == scene.state;
    });
  };
  run.require(scene.network.run(everybody_knows, minutes(40)), "whoever observes learns the latest state in the end");
  run.recovered(run.now() - healed);

  // Those who say so are no longer told; those who vanish are noticed.
  for (const auto& observer : scene.observers) {
    if (!observer->observing) continue;
    if (run.chance(300)) {
      observer->layer->deregister(observer->id, run.now());
      run.reach("said farewell");
    } else if (run.chance(300)) {
      observer->host->top().cancel(observer->id);
      run.reach("forgot its observation");
    } else {
      scene.network.detach(observer->host->setup().address);
      run.reach("vanished");
    }
    observer->observing = false;
    observer->over = true;
    observer->host->on_event = {};
  }
  for (int i = 0; i < 4; ++i) {
    scene.network.after(minutes(10 * i), [&scene] { scene.change(); });
  }
  scene.network.idle(minutes(60));
  run.require_equal(scene.observations->observers(), std::size_t{0}, "observers that left or are lost are not kept");
  check_empty(run, scene.server->stack().endpoint().occupancy(), "the server");
  scene.note();
}

}  // namespace

std::vector<Scenario> observe_scenarios() {
  return {
      {"observe",
       "notifications in order, the latest state in the end, lost observers noticed",
       &play_observe,
       {"registered", "registration replaced", "deregistered", "notified", "notification confirmable", "observer lost",
        "stale dropped", "re-registered", "retried", "state skipped", "same state again", "said farewell",
        "forgot its observation", "vanished", "server restarted", "cut", "reset", "challenged with Echo"}},
  };
}

}  // namespace aceward::sim
