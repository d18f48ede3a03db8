// Tokens that are revoked while they are in use: by servers that follow the list, and by servers that ask about every
// token.
#include <algorithm>

#include "sim/scenario.h"
#include "sim/town.h"

namespace aceward::sim {
namespace {

using ace::client::PopKind;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

/// Everybody may read everywhere; who is revoked may nothing more.
void settle_in(Town& town, bool references) {
  Run& run = town.run;
  town.add_server("house");
  town.add_server("barn");
  if (references) town.server_records[0].protection = ace::as::TokenProtection::reference;
  for (const char* name : {"alice", "bob", "carol"})
    town.add_client(name, run.chance(500) ? PopKind::raw_public_key : PopKind::pre_shared_key);
  for (std::size_t client = 0; client < 3; ++client) {
    for (std::size_t server = 0; server < 2; ++server) town.allow(client, server, "rTemp rwLed");
  }
}

Weather gentle_weather(Run& run) {
  auto weather = random_weather(run);
  weather.loss = std::min(weather.loss, 100U);
  weather.most_delay = std::min<nanoseconds>(weather.most_delay, milliseconds(500));
  return weather;
}

void wish_for_a_while(Town& town, seconds from, seconds to, unsigned times) {
  Run& run = town.run;
  for (unsigned i = 0; i < times; ++i) {
    town.network.after(run.between(from, to), [&town, &run] {
      town.wish(run.dice.below(3), run.dice.below(2), run.chance(700) ? coap::code::get : coap::code::put, "led");
    });
  }
}

/// The revoked client is refused at both servers; the others are served.
void check_who_is_served(Town& town, std::size_t revoked) {
  Run& run = town.run;
  town.network.set_weather({});
  std::vector<std::size_t> numbers;
  for (std::size_t client = 0; client < 3; ++client) {
    for (std::size_t server = 0; server < 2; ++server)
      numbers.push_back(town.wish(client, server, coap::code::get, "temp"));
  }
  town.settle();
  for (const std::size_t number : numbers) {
    const TownWish& one = town.wishes[number];
    const bool served = one.code && one.code->is_success();
    if (one.client == revoked) {
      run.require(!served, "a revoked client is served no more");
    } else {
      run.require(served, "nobody else loses anything");
    }
  }
}

// Servers follow the revocation list over a session of their own, through loss and restarts of either side.
void play_followed(Run& run) {
  Town town(run);
  town.adjust_server = [&town](std::size_t index, ace::dtls::RsServiceConfig& config) {
    config.as_link = town.link_of(index);
    config.as_link->introspects = false;
    config.as_link->revocations.emplace();
  };
  settle_in(town, false);
  town.network.set_weather(gentle_weather(run));
  wish_for_a_while(town, seconds(0), seconds(120), 12);
  const auto revoked = run.dice.below(3);
  town.network.after(run.between(seconds(20), seconds(100)), [&] { town.revoke(revoked); });
  if (run.chance(300)) {
    town.network.after(run.between(seconds(5), seconds(120)), [&] {
      town.restart_as();
      run.reach("authorization server restarted");
    });
  }
  if (run.chance(300)) {
    town.network.after(run.between(seconds(5), seconds(120)), [&] {
      town.restart_server(run.dice.below(2));
      run.reach("server restarted");
    });
  }
  // Long enough for the follower to notice that its notifications stay away, and to poll.
  town.network.run([] { return false; }, seconds(600));
  town.settle();
  check_who_is_served(town, revoked);
  town.check_served(seconds(480));
  if (!town.revoked_at.empty()) run.reach("revoked while in use");
  nanoseconds latest{0};
  for (const TownServed& one : town.served) {
    if (one.from.ip != town.clients[revoked].address.ip || town.revoked_at.empty()) continue;
    latest = std::max<nanoseconds>(latest, one.at - town.revoked_at.begin()->second);
  }
  if (latest > nanoseconds(0)) run.reach("served for a while after");
}

// Servers ask about every token, and keep an answer for 30 seconds. Whatever the network does, and also while the
// authorization server cannot be reached, nothing is served longer than that under a token that was revoked.
void play_introspected(Run& run) {
  Town town(run);
  town.adjust_server = [&town](std::size_t index, ace::dtls::RsServiceConfig& config) {
    config.as_link = town.link_of(index);
    config.server.introspection.use = ace::rs::IntrospectionUse::always;
    config.server.introspection.cache = seconds(30);
  };
  settle_in(town, run.chance(500));
  town.network.set_weather(gentle_weather(run));
  wish_for_a_while(town, seconds(0), seconds(200), 16);
  const auto revoked = run.dice.below(3);
  town.network.after(run.between(seconds(20), seconds(150)), [&] { town.revoke(revoked); });
  if (run.chance(500)) {
    const auto server = run.dice.below(2);
    const auto cut = run.between(seconds(10), seconds(150));
    town.network.after(cut, [&town, server] { town.network.separate(town.as_address, town.servers[server].plain); });
    town.network.after(cut + run.between(seconds(5), seconds(100)), [&town] { town.network.join_all(); });
    run.reach("cut off from the authorization server");
  }
  town.network.run([] { return false; }, seconds(400));
  town.settle();
  check_who_is_served(town, revoked);
  // A second, since civil time has whole seconds.
  town.check_served(seconds(31));
  if (!town.revoked_at.empty()) run.reach("revoked while in use");
}

}  // namespace

std::vector<Scenario> ace_revocation_scenarios() {
  return {
      {"ace-revocation",
       "servers follow the list of revoked tokens",
       &play_followed,
       {"succeeded", "no answer", "served", "revoked while in use", "authorization server restarted",
        "server restarted"}},
      {"ace-introspection",
       "servers ask about every token, whatever the network does",
       &play_introspected,
       {"succeeded", "no answer", "served", "revoked while in use", "cut off from the authorization server"}},
  };
}

}  // namespace aceward::sim
