// What the owner's policy says, and why.
#include "aceward/ace/as/policy.h"

#include <gtest/gtest.h>

#include <array>

#include "aceward/ace/as/reasons.h"
#include "aceward/ace/params/reasons.h"

namespace aceward::ace::as {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

/// A Tuesday, 22:13:20 UTC.
constexpr WallTime tuesday_evening{seconds(1'700'000'000)};
constexpr WallTime tuesday{std::chrono::sys_days(std::chrono::year(2023) / 11 / 14)};

constexpr std::uint8_t monday_bit = 1, tuesday_bit = 2, wednesday_bit = 4;

/// Clients alice (of the group staff) and bob; servers door and gate.
struct PolicyWorld {
  std::vector<PolicyRule> rules;
  std::vector<ScopeFormat> formats{ScopeFormat::text, ScopeFormat::text};
  seconds maximum_lifetime = hours(24 * 30);
  seconds token_lifetime = hours(1);
  std::unique_ptr<Registry> registry;

  PolicyRule& allow(std::string name, std::string client, std::string server, std::string scope) {
    PolicyRule rule;
    rule.name = std::move(name);
    (client == "staff" ? rule.group : rule.client) = std::move(client);
    rule.server = std::move(server);
    rule.text_scope = std::move(scope);
    return rules.emplace_back(std::move(rule));
  }

  PolicyDecision decide(std::optional<Scope> wish, std::vector<std::string> audience = {"door"},
                        WallTime now = tuesday_evening, std::string_view client = "alice") {
    std::vector<ClientRecord> clients(2);
    clients[0].id = 1;
    clients[0].name = "alice";
    clients[0].groups = {"staff"};
    clients[1].id = 2;
    clients[1].name = "bob";
    std::vector<ServerRecord> servers(2);
    for (std::size_t i = 0; i < servers.size(); ++i) {
      servers[i].id = static_cast<std::int64_t>(i) + 10;
      servers[i].name = i == 0 ? "door" : "gate";
      servers[i].audience = servers[i].name;
      servers[i].scope_format = formats[i];
      servers[i].token_lifetime = token_lifetime;
    }
    registry = std::make_unique<Registry>(1, std::move(clients), std::move(servers), rules);
    std::vector<const ServerRecord*> asked;
    for (const std::string& name : audience) asked.push_back(registry->server_by_name(name));
    return decide_by_policy({*registry, client, asked, wish, now, maximum_lifetime});
  }
};

TEST(Policy, SaysOfEachRuleWhatItDid) {
  PolicyWorld world;
  world.allow("open", "alice", "door", "open");
  world.allow("same", "staff", "door", "open").lifetime = minutes(10);
  world.allow("look", "alice", "door", "look");
  world.allow("by day", "staff", "door", "open").hours = Hours{0x7f, 8 * 60, 18 * 60};
  world.allow("last year", "alice", "door", "open").until = tuesday_evening - days(300);
  world.allow("of bob", "bob", "door", "open");
  const PolicyDecision decision = world.decide(Scope("open"));
  ASSERT_TRUE(decision.granted);
  EXPECT_EQ(decision.granted->value, Scope("open"));
  EXPECT_TRUE(decision.granted->as_requested);
  ASSERT_EQ(decision.findings.size(), 5U) << "rules of others are not looked at";
  const std::array expected{RuleEffect::gave, RuleEffect::covered, RuleEffect::nothing_asked, RuleEffect::outside_hours,
                            RuleEffect::ended};
  for (std::size_t i = 0; i < expected.size(); ++i)
    EXPECT_EQ(decision.findings[i].effect, expected[i]) << decision.findings[i].rule->name;
  EXPECT_EQ(decision.findings[0].scope, "open");
  EXPECT_EQ(decision.findings[2].scope, "");
  EXPECT_EQ(decision.findings[1].lifetime, minutes(10));
}

TEST(Policy, EveryEffectHasAName) {
  for (int i = 1; i <= 6; ++i) EXPECT_NE(name_of(static_cast<RuleEffect>(i)), "");
  EXPECT_EQ(name_of(static_cast<RuleEffect>(7)), "");
}

TEST(Policy, ARuleOfAGroupIsForItsMembersAlone) {
  PolicyWorld world;
  world.allow("staff opens", "staff", "door", "open");
  EXPECT_TRUE(world.decide(Scope("open")).granted);
  EXPECT_EQ(world.decide(Scope("open"), {"door"}, tuesday_evening, "bob").granted.error(),
            reason::audience_without_policy);
  EXPECT_EQ(world.decide(Scope("open"), {"door"}, tuesday_evening, "nobody").granted.error(),
            reason::audience_without_policy);
}

TEST(Policy, ARuleShortensOnlyWhereItGivesWhatNoOtherDoes) {
  PolicyWorld world;
  world.allow("always", "alice", "door", "open look");
  world.allow("shortly", "alice", "door", "open lock").lifetime = seconds(30);
  EXPECT_EQ(world.decide(Scope("open look")).lifetime, hours(1));
  EXPECT_EQ(world.decide(Scope("open lock")).lifetime, seconds(30));
  EXPECT_EQ(world.decide(Scope("lock")).lifetime, seconds(30));
  EXPECT_EQ(world.decide(std::nullopt).lifetime, seconds(30));
  world.rules[1].lifetime = hours(5);
  EXPECT_EQ(world.decide(Scope("lock")).lifetime, hours(1)) << "a rule never lengthens";
  world.maximum_lifetime = minutes(2);
  EXPECT_EQ(world.decide(Scope("lock")).lifetime, minutes(2));
}

TEST(Policy, NoTokenOutlivesTheHoursOfItsRule) {
  PolicyWorld world;
  world.allow("evening", "alice", "door", "open").hours = Hours{tuesday_bit, 20 * 60, 22 * 60 + 30};
  const PolicyDecision decision = world.decide(Scope("open"));
  EXPECT_EQ(decision.lifetime, minutes(16) + seconds(40));
  EXPECT_EQ(decision.findings[0].holds_until, tuesday + hours(22) + minutes(30));
  EXPECT_EQ(world.decide(Scope("open"), {"door"}, tuesday + hours(22) + minutes(30) - seconds(1)).lifetime, seconds(1));
  EXPECT_EQ(world.decide(Scope("open"), {"door"}, tuesday + hours(22) + minutes(30)).granted.error(),
            reason::scope_denied);
  EXPECT_EQ(world.decide(Scope("open"), {"door"}, tuesday + hours(20) - seconds(1)).granted.error(),
            reason::scope_denied);
  EXPECT_TRUE(world.decide(Scope("open"), {"door"}, tuesday + hours(20)).granted);
  EXPECT_FALSE(world.decide(Scope("open"), {"door"}, tuesday + days(1) + hours(21)).granted);
}

TEST(Policy, NoTokenOutlivesTheEndOfItsRule) {
  PolicyWorld world;
  PolicyRule& rule = world.allow("guest", "alice", "door", "open");
  rule.until = tuesday_evening + seconds(90);
  EXPECT_EQ(world.decide(Scope("open")).lifetime, seconds(90));
  EXPECT_EQ(world.decide(Scope("open")).findings[0].holds_until, rule.until);
  EXPECT_TRUE(world.decide(Scope("open"), {"door"}, *world.rules[0].until - seconds(1)).granted);
  EXPECT_FALSE(world.decide(Scope("open"), {"door"}, *world.rules[0].until).granted);
}

TEST(Policy, WhatOtherHoursDecideIsDecided) {
  PolicyWorld world;
  world.allow("by day", "alice", "door", "open").hours = Hours{0x7f, 8 * 60, 18 * 60};
  EXPECT_FALSE(world.decide(Scope("open")).is_undecided) << "the owner has said when";
  EXPECT_TRUE(world.decide(Scope("lock")).is_undecided);
  EXPECT_FALSE(world.decide(Scope("lock open")).is_undecided) << "a part is decided";
  world.rules[0].until = tuesday_evening - seconds(1);
  EXPECT_TRUE(world.decide(Scope("open")).is_undecided) << "what has ended decides nothing";
  world.rules.clear();
  EXPECT_TRUE(world.decide(Scope("open")).is_undecided);
  EXPECT_FALSE(world.decide(Scope("two  spaces")).granted);
}

TEST(Policy, AMalformedWishIsNotUndecided) {
  PolicyWorld world;
  world.allow("open", "alice", "door", "open");
  const PolicyDecision malformed = world.decide(Scope("two  spaces"));
  EXPECT_EQ(malformed.granted.error(), reason::scope_malformed);
  EXPECT_FALSE(malformed.is_undecided);
  EXPECT_EQ(world.decide(Scope(Bytes{0x80})).granted.error(), reason::scope_format_mismatch);
}

TEST(Policy, ForSeveralServersWhatAllOfThemGive) {
  PolicyWorld world;
  world.allow("a", "alice", "door", "open look");
  EXPECT_EQ(world.decide(std::nullopt, {"door", "gate"}).granted.error(), reason::audience_without_policy);
  EXPECT_EQ(world.decide(std::nullopt, {"gate", "door"}).granted.error(), reason::audience_without_policy);
  world.allow("b", "alice", "gate", "look lock").lifetime = seconds(60);
  for (const auto& order : {std::vector<std::string>{"door", "gate"}, {"gate", "door"}}) {
    const PolicyDecision all = world.decide(std::nullopt, order);
    ASSERT_TRUE(all.granted);
    EXPECT_EQ(all.granted->value, Scope("look"));
    EXPECT_FALSE(all.granted->as_requested);
    EXPECT_EQ(all.lifetime, seconds(60));
    EXPECT_FALSE(world.decide(Scope("look open"), order).granted->as_requested);
    EXPECT_TRUE(world.decide(Scope("look"), order).granted->as_requested);
    EXPECT_EQ(world.decide(Scope("open"), order).granted.error(), reason::scope_denied);
  }
}

TEST(Policy, OneAudienceOfTwoScopeFormatsIsOurOwnFault) {
  PolicyWorld world;
  world.formats[1] = ScopeFormat::aif;
  world.allow("a", "alice", "door", "open");
  world.allow("b", "alice", "gate", "").aif_scope = Aif::parse_text("/a=GET")->serialize();
  EXPECT_EQ(world.decide(std::nullopt, {"door", "gate"}).granted.error(), reason::policy_unusable);
}

TEST(Policy, ARuleThatCannotBeReadSpoilsTheDecisionAndIsNamed) {
  PolicyWorld world;
  world.allow("good", "alice", "door", "open");
  world.allow("bad", "alice", "door", "two  spaces");
  world.allow("never", "alice", "door", "open").hours = Hours{0, 0, 1440};
  const PolicyDecision decision = world.decide(Scope("open"));
  EXPECT_EQ(decision.granted.error(), reason::policy_unusable);
  ASSERT_EQ(decision.findings.size(), 3U);
  EXPECT_EQ(decision.findings[1].effect, RuleEffect::unusable);
  EXPECT_EQ(decision.findings[2].effect, RuleEffect::unusable);
}

struct WindowCase {
  const char* name;
  Hours hours;
  seconds at;                    ///< after the beginning of that Tuesday
  std::optional<seconds> until;  ///< the same; absent: outside
};

const WindowCase window_cases[] = {
    {"WithinADay", {tuesday_bit, 600, 660}, minutes(630), minutes(660)},
    {"AtItsBeginning", {tuesday_bit, 600, 660}, minutes(600), minutes(660)},
    {"ASecondBefore", {tuesday_bit, 600, 660}, minutes(600) - seconds(1), std::nullopt},
    {"AtItsEnd", {tuesday_bit, 600, 660}, minutes(660), std::nullopt},
    {"OnAnotherDay", {monday_bit, 600, 660}, minutes(630), std::nullopt},
    {"OverMidnightBefore", {tuesday_bit, 22 * 60, 6 * 60}, hours(23), hours(30)},
    {"OverMidnightAfter", {monday_bit, 22 * 60, 6 * 60}, hours(5), hours(6)},
    {"OverMidnightItsOwnMorning", {tuesday_bit, 22 * 60, 6 * 60}, hours(5), std::nullopt},
    {"OneWholeDay", {tuesday_bit, 0, 1440}, hours(23), hours(24)},
    {"TwoWholeDaysAreOneWindow", {tuesday_bit | wednesday_bit, 0, 1440}, hours(1), hours(48)},
    {"FromNoonToNoonEachDayNeverEnds", {0x7f, 720, 720}, hours(1), hours(24 * 365 * 100)},
};

class PolicyWindow : public ::testing::TestWithParam<WindowCase> {};

TEST_P(PolicyWindow, EndsWhereItShould) {
  const WindowCase& c = GetParam();
  const auto end = window_end(c.hours, tuesday + c.at);
  ASSERT_EQ(end.has_value(), c.until.has_value());
  if (!end) return;
  if (*c.until > days(30)) {
    EXPECT_GT(*end, tuesday + *c.until);
  } else {
    EXPECT_EQ(*end, tuesday + *c.until);
  }
}

INSTANTIATE_TEST_SUITE_P(All, PolicyWindow, ::testing::ValuesIn(window_cases),
                         [](const auto& c) { return std::string(c.param.name); });

/// The slow way: minute by minute.
TEST(Policy, WindowsAreThoseOfTheCalendar) {
  for (const Hours& window : {Hours{0x41, 1300, 200}, Hours{0x15, 0, 1440}, Hours{0x7f, 60, 30}, Hours{0x20, 5, 5}}) {
    const auto is_open = [&](WallTime at) {
      for (int back = 0; back <= 1; ++back) {
        const auto day = std::chrono::floor<days>(at) - days(back);
        const unsigned bit = std::chrono::weekday(day).iso_encoding() - 1;
        const auto minute = (at - WallTime(day)) / minutes(1);
        const int length = window.to > window.from ? window.to - window.from : 1440 - window.from + window.to;
        if ((window.days >> bit & 1) != 0 && minute >= window.from && minute < window.from + length) return true;
      }
      return false;
    };
    for (int i = 0; i < 7 * 1440; i += 7) {
      const WallTime at = tuesday + minutes(i);
      const auto end = window_end(window, at);
      ASSERT_EQ(end.has_value(), is_open(at)) << i;
      if (!end || *end > at + days(8)) continue;
      ASSERT_FALSE(is_open(*end)) << i;
      ASSERT_TRUE(is_open(*end - seconds(1))) << i;
    }
  }
}

}  // namespace
}  // namespace aceward::ace::as
