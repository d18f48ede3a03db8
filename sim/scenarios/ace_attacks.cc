// ACE under attack: by who holds the network, by a client that is registered and false, by a server that is registered
// and false. What is asked of every run: no right that policy did not give, no token used by another, no server's token
// taken by another, nobody kept out.
#include <algorithm>

#include "aceward/cose/cwt/token.h"
#include "aceward/cose/usable_key.h"
#include "aceward/crypto/key.h"
#include "sim/attacker.h"
#include "sim/rogue.h"
#include "sim/scenario.h"
#include "sim/town.h"

namespace aceward::sim {
namespace {

using ace::client::PopKind;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr const char* scopes[] = {"rTemp", "rwLed", "wDoor", "rConfig"};
constexpr const char* paths[] = {"temp", "led", "door", "config"};

/// Two servers, three honest clients, each with some rights at some servers.
struct Place {
  explicit Place(Run& run) : town(run) {
    town.add_server("house");
    town.add_server("barn");
    for (const char* name : {"alice", "bob", "carol"})
      town.add_client(name, run.chance(500) ? PopKind::raw_public_key : PopKind::pre_shared_key);
    for (std::size_t client = 0; client < 3; ++client) {
      for (std::size_t server = 0; server < 2; ++server) {
        for (const char* scope : scopes) {
          if (run.chance(400)) town.allow(client, server, scope, seconds(run.between(60, 3000)));
        }
      }
    }
    // Whoever is kept out is missed.
    town.allow(0, 0, "rTemp");
  }

  void wish_something() {
    Run& run = town.run;
    const coap::Code methods[] = {coap::code::get, coap::code::put, coap::code::post};
    town.wish(run.dice.below(3), run.dice.below(2), methods[run.dice.below(3)], paths[run.dice.below(4)]);
  }
  void wish_now_and_then(unsigned times, seconds span) {
    for (unsigned i = 0; i < times; ++i)
      town.network.after(town.run.between(seconds(0), span), [this] { wish_something(); });
  }
  /// When the attack is over, and also while it goes on: who has a right gets what it allows.
  void check_nobody_is_kept_out(std::string_view when) {
    const auto number = town.wish(0, 0, coap::code::get, "temp");
    town.settle();
    const auto code = town.wishes[number].code;
    town.run.require(code && code->is_success(), when);
  }

  Town town;
};

ace::TokenRequest any_wish(Run& run, const Town& town, const cose::Key& own) {
  ace::TokenRequest wish;
  if (run.chance(900)) wish.audience = run.chance(900) ? town.servers[run.dice.below(2)].name : std::string("nowhere");
  if (run.chance(700)) wish.scope = ace::Scope(std::string(scopes[run.dice.below(4)]));
  switch (run.dice.below(5)) {
    case 0: wish.req_cnf = cwt::Confirmation(own.public_part().value()); break;
    // Somebody else's key: a token for it would let its owner's requests count as the liar's, or the other way round.
    case 1: wish.req_cnf = cwt::Confirmation(town.clients[run.dice.below(3)].key.public_part().value()); break;
    case 2: {
      // The kid of somebody's live key.
      if (town.ledger.tokens.empty()) break;
      const auto& token = town.ledger.tokens[run.dice.below(town.ledger.tokens.size())];
      if (!token.key_id.empty()) wish.req_cnf = cwt::Confirmation(cwt::KeyId{token.key_id});
      break;
    }
    case 3: wish.req_cnf = cwt::Confirmation(cwt::KeyId{run.dice.bytes(4)}); break;
    default: break;
  }
  if (run.chance(200)) wish.client_id = town.clients[run.dice.below(3)].name;
  if (run.chance(100)) wish.client_secret = Secret(run.dice.bytes(16));
  if (run.chance(200)) wish.cnonce = run.dice.bytes(8);
  return wish;
}

void check_ledger(Run& run, const Town& town) {
  for (const auto& token : town.ledger.tokens) {
    for (std::size_t i = 0; i < town.client_records.size(); ++i) {
      if (equal(town.client_records[i].key_thumbprint, token.key_thumbprint)) {
        run.require(token.client_id == town.client_records[i].id, "no token binds a client to another's key");
      }
    }
  }
}

// Who holds the network sees tokens on their way to authz-info, repeats them, spoils them, posts them elsewhere, tries
// handshakes with them, and floods.
void play_network(Run& run) {
  Place place(run);
  Town& town = place.town;
  Attacker attacker(run, town.network);
  Rogue rogue(town, Address::v4(203, 0, 113, 7, 20000));
  attacker.follow({.replay = static_cast<unsigned>(run.between(0, 400)),
                   .replay_moved = static_cast<unsigned>(run.between(0, 200)),
                   .reflect = static_cast<unsigned>(run.between(0, 200)),
                   .truncate = static_cast<unsigned>(run.between(0, 200)),
                   .corrupt = static_cast<unsigned>(run.between(0, 300)),
                   .swallow = static_cast<unsigned>(run.between(0, 100))});
  place.wish_now_and_then(6, seconds(60));
  for (int i = 0; i < 60; ++i) {
    town.network.after(run.between(seconds(1), seconds(90)), [&] {
      const auto server = run.dice.below(2);
      switch (run.dice.below(4)) {
        case 0: return rogue.post_token(server, rogue.any_token());
        case 1: return rogue.post_token(server, rogue.spoilt(rogue.any_token()));
        case 2: {
          // The token as identity is right; the key is a guess.
          const auto peer =
              rogue.connect(town.servers[server].secure, tls::PskClient{rogue.any_token(), Secret(run.dice.bytes(16))});
          if (peer) rogue.try_all(*peer);
          return;
        }
        default:
          return attacker.send(
              attacker.anybody(), town.servers[server].plain,
              request_message(run.dice, coap::Type::confirmable, coap::code::post, "authz-info", rogue.any_token(),
                              [](coap::Options& options) { options.set_content_format(coap::content_format::cwt); }));
      }
    });
  }
  town.network.run([] { return false; }, seconds(95));
  attacker.stop();
  town.settle();
  run.require_equal(rogue.successes(), std::size_t{0}, "who only has the network gets nothing");
  attacker.replay_everything(seconds(20));
  town.network.idle(seconds(30));
  place.check_nobody_is_kept_out("whose token was seen by others is not kept out");
  town.check_served();
  town.check_limits();
  check_ledger(run, town);
  if (rogue.answers(coap::code::created) > 0) run.reach("attack: a stranger's upload was valid");
  if (rogue.answers(coap::code::too_many_requests) > 0) run.reach("attack: uploads were limited");
}

// A registered client with little asks for everything, in everybody's name and with everybody's keys, and uses whatever
// it gets wherever it can.
void play_client(Run& run) {
  Place place(run);
  Town& town = place.town;
  // Registered, but driven by hand.
  const auto mallory = town.add_client("mallory", PopKind::raw_public_key);
  town.allow(mallory, 1, "rTemp");
  const cose::Key& key = town.clients[mallory].key;
  const tls::RawKeyPair pair = tls::RawKeyPair::from_key(key.private_key().value()).value();
  town.network.detach(town.clients[mallory].address);
  Rogue rogue(town, town.clients[mallory].address);
  const auto spki_of = [](const cose::Key& of) {
    return to_bytes(tls::RawKeyPair::from_key(of.private_key().value()).value().spki());
  };
  place.wish_now_and_then(6, seconds(60));
  std::optional<coap::Peer> as;
  for (int i = 0; i < 50; ++i) {
    town.network.after(run.between(seconds(0), seconds(90)), [&] {
      const auto server = run.dice.below(2);
      if (!as || run.chance(100))
        as = rogue.connect(town.as_address, tls::RawKeyClient{pair, spki_of(town.as_channel_key)});
      switch (run.dice.below(5)) {
        case 0:
        case 1:
          if (as) rogue.ask_for_token(*as, any_wish(run, town, key));
          return;
        case 2: return rogue.post_token(server, run.chance(800) ? rogue.any_token() : rogue.spoilt(rogue.any_token()));
        case 3: {
          const auto peer =
              rogue.connect(town.servers[server].secure, tls::RawKeyClient{pair, spki_of(town.servers[server].key)});
          if (peer) rogue.try_all(*peer);
          return;
        }
        default: {
          // Its own tokens with keys that it knows, as identities.
          Secret guess(run.dice.bytes(16));
          for (const auto& token : town.ledger.tokens) {
            if (token.client_id != static_cast<std::int64_t>(mallory + 1) || !run.chance(500)) continue;
            const auto known = cose::Key::parse(token.pop_key.expose());
            if (known && known->is_symmetric()) guess = Secret::copy_of(known->k());
          }
          const auto peer =
              rogue.connect(town.servers[server].secure, tls::PskClient{rogue.any_token(), std::move(guess)});
          if (peer) rogue.try_all(*peer);
        }
      }
    });
  }
  town.network.run([] { return false; }, seconds(95));
  town.settle();
  town.network.idle(seconds(120));
  place.check_nobody_is_kept_out("what one client does keeps no other out");
  town.check_served();
  town.check_limits();
  check_ledger(run, town);
  if (rogue.tokens_obtained() > 0) run.reach("attack: the client got tokens");
  if (rogue.successes() > 0) run.reach("attack: the client used its own right");
}

// A registered resource server knows the tokens and keys that clients brought it, and the key under which its own
// tokens are encrypted. It uses them at another server, poses as its clients, mints tokens, asks the authorization
// server, and answers in the other server's place.
void play_server(Run& run) {
  Place place(run);
  Town& town = place.town;
  constexpr std::size_t honest = 0;
  constexpr std::size_t evil = 1;
  Rogue rogue(town, Address::v4(203, 0, 113, 8, 20000));
  place.wish_now_and_then(8, seconds(60));
  const auto known_key = [&]() -> std::optional<cose::Key> {
    // The proof-of-possession keys of the tokens for it.
    std::vector<const ace::as::IssuedToken*> known;
    for (const auto& token : town.ledger.tokens)
      if (token.server_id == static_cast<std::int64_t>(evil + 1)) known.push_back(&token);
    if (known.empty()) return std::nullopt;
    auto key = cose::Key::parse(known[run.dice.below(known.size())]->pop_key.expose());
    if (!key || !key->is_symmetric()) return std::nullopt;
    return std::move(*key);
  };
  const auto minted = [&]() -> Bytes {
    cose::Key pop = cose::Key::symmetric(Secret(Bytes(16, 0x4d))).value();
    pop.kid = run.dice.bytes(4);
    cwt::Claims claims;
    claims.iss = "coaps://10.0.0.1";
    claims.aud = cwt::Audience(town.servers[run.chance(800) ? honest : evil].name);
    claims.iat = cwt::NumericDate(run.clock.wall());
    claims.exp = cwt::NumericDate(run.clock.wall() + seconds(1000));
    claims.cti = run.dice.bytes(8);
    claims.scope = ace::Scope(std::string("rTemp rwLed wDoor rConfig"));
    claims.cnf = cwt::Confirmation(std::move(pop));
    cose::Key own = cose::Key::symmetric(Secret::copy_of(town.servers[evil].token_key)).value();
    own.kid = town.server_records[run.chance(500) ? honest : evil].token_key_id;
    const auto content = cose::ContentKey::from(own, cose::alg::aes_ccm_16_64_128).value();
    return cwt::encrypt(claims, content, run.dice).value();
  };
  for (int i = 0; i < 40; ++i) {
    town.network.after(run.between(seconds(5), seconds(90)), [&] {
      switch (run.dice.below(4)) {
        case 0: return rogue.post_token(honest, rogue.any_token());
        case 1: {
          const Bytes token = minted();
          rogue.post_token(honest, token);
          const auto peer = rogue.connect(town.servers[honest].secure, tls::PskClient{token, Secret(Bytes(16, 0x4d))});
          if (peer) rogue.try_all(*peer);
          return;
        }
        case 2: {
          // As one of its clients.
          const auto key = known_key();
          if (!key) return;
          const Bytes identity = run.chance(500) && key->kid ? *key->kid : rogue.any_token();
          const auto peer =
              rogue.connect(town.servers[honest].secure, tls::PskClient{identity, Secret::copy_of(key->k())});
          if (peer) rogue.try_all(*peer);
          run.reach("attack: posed as a client of its own");
          return;
        }
        default: {
          const tls::RawKeyPair pair = tls::RawKeyPair::from_key(town.servers[evil].key.private_key().value()).value();
          const auto as = rogue.connect(
              town.as_address,
              tls::RawKeyClient{
                  pair, to_bytes(tls::RawKeyPair::from_key(town.as_channel_key.private_key().value()).value().spki())});
          if (as) rogue.ask_for_token(*as, any_wish(run, town, town.servers[evil].key));
        }
      }
    });
  }
  // For a while it answers at the other's address.
  const bool takes_its_place = run.chance(500);
  if (takes_its_place) {
    town.network.after(seconds(30), [&] {
      std::swap(town.servers[evil].plain, town.servers[honest].plain);
      std::swap(town.servers[evil].secure, town.servers[honest].secure);
      town.network.attach(town.servers[honest].plain, *town.servers[honest].node);
      town.network.attach(town.servers[evil].plain, *town.servers[evil].node);
      run.reach("attack: took the other's place");
    });
  }
  town.network.run([] { return false; }, seconds(95));
  town.settle();
  run.require_equal(rogue.tokens_obtained(), std::size_t{0}, "a server is no client: it gets no token");
  run.require_equal(rogue.successes(), std::size_t{0}, "what a server knows is worth nothing elsewhere");
  town.check_served();
  town.check_limits();
  check_ledger(run, town);
  if (!takes_its_place) place.check_nobody_is_kept_out("a false server keeps nobody from another one");
}

}  // namespace

std::vector<Scenario> ace_attack_scenarios() {
  return {
      {"attack-ace-network",
       "tokens are seen, repeated, spoilt and posted elsewhere by who holds the network",
       &play_network,
       {"succeeded", "refused", "served", "attack: a stranger's upload was valid", "code 2.01", "code 4.01"}},
      {"attack-ace-client",
       "a registered client asks for everything in everybody's name",
       &play_client,
       {"succeeded", "served", "attack: the client got tokens", "attack: the client used its own right", "code 4.00",
        "code 4.03"}},
      {"attack-ace-server",
       "a registered resource server uses at another what it learns from its clients",
       &play_server,
       {"succeeded", "served", "attack: posed as a client of its own", "attack: took the other's place"}},
  };
}

}  // namespace aceward::sim
