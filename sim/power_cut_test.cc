// What a store keeps of what it told, when the power is cut at any write or sync, or the process is killed there.
#include "sim/power_cut.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

#include "aceward/base/random.h"
#include "aceward/store/sqlite/database.h"
#include "aceward/store/sqlite/store.h"

namespace aceward::sim {
namespace {

using ace::as::TokenNumber;
using store::Durability;
using store::Store;

WallTime at(std::int64_t seconds) { return WallTime(std::chrono::seconds(seconds)); }

/// What the store told before the cut, and therefore owes.
struct Told {
  std::int64_t highest = 0;  ///< the highest number given out
  std::set<std::int64_t> recorded;
  std::set<std::int64_t> revoked;
  std::set<std::string> clients;
  std::set<std::string> rules;
  std::int64_t requests = 0;
};

class PowerCut : public testing::Test {
 protected:
  static constexpr const char* path = "/as.db";

  /// One life of a store on a disk of its own, cut at `step`.
  struct Life {
    explicit Life(Durability durability) : disk("power-cut-" + std::to_string(++made)) {
      options.vfs = disk.name();
      options.durability = durability;
      options.number_block = 2;
      options.token_retention = std::chrono::seconds(0);
      auto store = open();
      client = store->add_client_now(client_record("c"))->id;
      server = store->add_server_now(server_record("s"))->id;
    }
    std::unique_ptr<Store> open() {
      auto opened = Store::open(path, options, random);
      if (!opened) return nullptr;
      return std::move(*opened);
    }
    static ace::as::ClientRecord client_record(std::string name) {
      ace::as::ClientRecord record;
      record.name = std::move(name);
      return record;
    }
    static ace::as::ServerRecord server_record(std::string name) {
      ace::as::ServerRecord record;
      record.audience = name;
      record.name = std::move(name);
      return record;
    }
    ace::as::IssuedToken token(std::int64_t number, std::int64_t expires_at) const {
      ace::as::IssuedToken token;
      token.number = TokenNumber(number);
      token.client_id = client;
      token.server_id = server;
      token.scope = Bytes(300, 0x61);  // some of them fill a page
      token.key_id = {static_cast<std::uint8_t>(number)};
      token.token_hash = Bytes(33, static_cast<std::uint8_t>(number));
      token.refresh_digest = Bytes(32, 1);
      token.issued_at = at(0);
      token.expires_at = at(expires_at);
      return token;
    }
    /// Waits until the writer is idle, without changing a page: so that each life takes the same steps.
    bool settled(Store& store) const { return store.remove_expired_now(at(0), 1).has_value(); }

    static inline int made = 0;
    PowerCutDisk disk;
    store::Options options;
    SeededRandom random{3};
    std::int64_t client = 0, server = 0;
  };

  /// False as soon as something fails.
  static bool issue(Life& life, Store& store, Told& told, std::int64_t expires_at) {
    const auto number = store.reserve_number();
    if (!number) return false;
    told.highest = std::max(told.highest, number->value);
    if (!life.settled(store)) return false;
    auto token = life.token(number->value, expires_at);
    token.exi = std::chrono::seconds(60);
    if (!store.record_now(std::move(token))) return false;
    if (expires_at > 1000) told.recorded.insert(number->value);
    return true;
  }

  static bool work(Life& life, Store& store, Told& told, int round) {
    const std::string name = "c" + std::to_string(round);
    for (int i = 0; i < 3; ++i)
      if (!issue(life, store, told, i == 0 ? 10 : 9000)) return false;
    if (!store.add_client_now(Life::client_record(name))) return false;
    told.clients.insert(name);
    if (!store.revoke_token_now(TokenNumber(told.highest))) return false;
    told.revoked.insert(told.highest);
    ace::as::PolicyRule rule;
    rule.name = "r" + std::to_string(round);
    rule.client = name;
    rule.server = "s";
    rule.text_scope = "read";
    if (!store.add_rule_now(rule)) return false;
    told.rules.insert(rule.name);
    ace::as::AccessRequest request;
    request.client_id = life.client;
    request.server_id = life.server;
    request.scope = {0x61, static_cast<std::uint8_t>('a' + round)};
    request.expires_at = at(9000);
    if (!store.keep_now(request, {})) return false;
    ++told.requests;
    return store.remove_expired_now(at(500), 10).has_value();
  }

  /// Two servings with a restart between them, which moves the log into the file.
  static void live(Life& life, Told& told) {
    for (int round = 0; round < 2; ++round) {
      const auto store = life.open();
      if (!store || !work(life, *store, told, round)) return;
    }
  }

  /// What of `told` the disk does not hold, or an empty text.
  static std::string broken_promise(Life& life, const Told& told) {
    const auto store = life.open();
    if (!store) return "it cannot be opened";
    for (const std::int64_t number : told.recorded) {
      const auto token = store->token(TokenNumber(number));
      if (!token) return "token " + std::to_string(number) + " is lost";
      if (!told.revoked.contains(number)) continue;
      if (!token->revoked || !token->refresh_digest.empty()) return "a revocation is lost";
    }
    const auto list = store->revoked(at(1000), 100);
    if (!list || list->size() < told.revoked.size()) return "the revocation list is short";
    for (const std::string& name : told.clients)
      if (!store->client(name)) return "client " + name + " is lost";
    for (const std::string& name : told.rules)
      if (!store->rule(name)) return "rule " + name + " is lost";
    const auto requests = store->requests({});
    if (!requests || std::ssize(*requests) < told.requests) return "a request is lost";
    const auto number = store->reserve_number();
    if (!number || number->value <= told.highest) return "a number comes again";
    auto database = store::Database::open(path, store::Database::Mode::read, {}, life.disk.name());
    if (!database) return "it cannot be read";
    auto check = database->prepare("PRAGMA integrity_check(1)");
    if (!check || !check->step().value_or(false) || check->text_at(0) != "ok") return "its pages are damaged";
    return {};
  }

  struct Sweep {
    std::uint64_t cuts = 0;
    std::uint64_t broken = 0;
    std::string first;  ///< broken promise
  };
  static Sweep sweep(Durability durability, Loss loss, std::uint64_t stride = 1, std::uint64_t seeds = 1) {
    Sweep found;
    for (std::uint64_t step = 1;; step += stride) {
      for (std::uint64_t seed = 0; seed < seeds; ++seed) {
        Life life(durability);
        Told told;
        life.disk.cut_at(step);
        live(life, told);
        if (!life.disk.is_cut()) return found;
        life.disk.power_on(loss, step * seeds + seed);
        ++found.cuts;
        const std::string broken = broken_promise(life, told);
        if (broken.empty()) continue;
        ++found.broken;
        if (found.first.empty()) found.first = "cut at " + std::to_string(step) + ": " + broken;
      }
    }
  }
};

TEST_F(PowerCut, WithoutACutAllIsThere) {
  Life life(Durability::full);
  Told told;
  life.disk.cut_at(0);
  live(life, told);
  EXPECT_EQ(told.recorded.size(), 4u);
  EXPECT_EQ(told.revoked.size(), 2u);
  EXPECT_EQ(broken_promise(life, told), "");
}

TEST_F(PowerCut, EachLifeTakesTheSameSteps) {
  std::set<std::uint64_t> steps;
  for (int i = 0; i < 5; ++i) {
    Life life(Durability::full);
    Told told;
    life.disk.cut_at(0);
    live(life, told);
    steps.insert(life.disk.steps());
  }
  EXPECT_EQ(steps.size(), 1u);
  EXPECT_GT(*steps.begin(), 100u);
}

TEST_F(PowerCut, NothingToldIsLostWhereverThePowerGoes) {
  const Sweep found = sweep(Durability::full, Loss::everything);
  EXPECT_GT(found.cuts, 100u);
  EXPECT_EQ(found.broken, 0u) << found.first;
}

TEST_F(PowerCut, NothingToldIsLostWhereWritesAreTorn) {
  const Sweep found = sweep(Durability::full, Loss::some, 3, 2);
  EXPECT_GT(found.cuts, 50u);
  EXPECT_EQ(found.broken, 0u) << found.first;
}

TEST_F(PowerCut, NothingToldIsLostWhereverTheProcessIsKilled) {
  const Sweep found = sweep(Durability::full, Loss::nothing);
  EXPECT_GT(found.cuts, 100u);
  EXPECT_EQ(found.broken, 0u) << found.first;
}

TEST_F(PowerCut, WithoutSyncsTheSameCutsLoseWhatWasTold) {
  const Sweep found = sweep(Durability::relaxed, Loss::everything, 7);
  EXPECT_GT(found.broken, 0u) << "the disk loses nothing: this test shows nothing";
}

TEST_F(PowerCut, ACutThatIsRepeatedAtOnceStillLosesNothing) {
  // The power goes again while the store recovers.
  for (std::uint64_t again = 1; again < 12; ++again) {
    Life life(Durability::full);
    Told told;
    life.disk.cut_at(120);
    live(life, told);
    ASSERT_TRUE(life.disk.is_cut());
    life.disk.power_on(Loss::everything);
    life.disk.cut_at(again);
    live(life, told);
    life.disk.power_on(Loss::everything);
    EXPECT_EQ(broken_promise(life, told), "") << again;
  }
}

}  // namespace
}  // namespace aceward::sim
