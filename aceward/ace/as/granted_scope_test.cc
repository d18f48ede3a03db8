#include "aceward/ace/as/granted_scope.h"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <set>
#include <vector>

#include "aceward/ace/as/reasons.h"
#include "aceward/ace/params/reasons.h"
#include "aceward/base/random.h"

namespace aceward::ace::as {
namespace {

std::vector<const PolicyRule*> pointers(const std::vector<PolicyRule>& rules) {
  std::vector<const PolicyRule*> out;
  for (const PolicyRule& rule : rules) out.push_back(&rule);
  return out;
}

PolicyRule text_rule(std::string scope) {
  PolicyRule rule;
  rule.text_scope = std::move(scope);
  return rule;
}

TEST(GrantedScope, RulesAddUp) {
  const std::vector<PolicyRule> rules{text_rule("read"), text_rule("list read")};
  const GrantedScope all = grant_scope(std::nullopt, ScopeFormat::text, pointers(rules)).value();
  EXPECT_EQ(all.value, Scope("list read"));
  EXPECT_FALSE(all.as_requested);
  const GrantedScope asked = grant_scope(Scope("read list"), ScopeFormat::text, pointers(rules)).value();
  EXPECT_TRUE(asked.as_requested);
}

TEST(GrantedScope, RulesThatAreTooLargeTogetherAreOurOwnFault) {
  std::vector<PolicyRule> rules;
  for (int i = 0; i < 65; ++i) rules.push_back(text_rule("t" + std::to_string(i)));
  EXPECT_EQ(grant_scope(std::nullopt, ScopeFormat::text, pointers(rules)).error(), reason::policy_unusable);
  EXPECT_TRUE(grant_scope(Scope("t3"), ScopeFormat::text, pointers(rules)));
}

TEST(GrantedScope, AMalformedAifIsAMalformedScope) {
  PolicyRule rule;
  rule.aif_scope = Aif::parse_text("/a=GET")->serialize();
  EXPECT_EQ(grant_scope(Scope(Bytes{0xff}), ScopeFormat::aif, pointers({rule})).error(), reason::scope_malformed);
}

/// What is granted, found the slow way: a token is granted when it was asked for and some rule has it.
TEST(GrantedScope, TextIsNeverMoreThanPolicyNorThanTheRequest) {
  SeededRandom random(1);
  constexpr std::array<std::string_view, 6> words{"a", "b", "c", "A", "ab", "x:y"};
  const auto draw = [&] {
    std::set<std::string> set;
    for (const auto word : words)
      if (random.below(2) == 0) set.emplace(word);
    return set;
  };
  const auto join = [](const std::set<std::string>& set) {
    std::string text;
    for (const auto& word : set) text += (text.empty() ? "" : " ") + word;
    return text;
  };
  int granted_count = 0;
  for (int round = 0; round < 3000; ++round) {
    std::vector<PolicyRule> rules;
    std::set<std::string> policy;
    for (std::uint64_t i = random.below(4); i > 0; --i) {
      const auto set = draw();
      if (set.empty()) continue;
      rules.push_back(text_rule(join(set)));
      policy.insert(set.begin(), set.end());
    }
    const auto asked = draw();
    const bool asks = random.below(4) != 0 && !asked.empty();
    std::set<std::string> expected;
    for (const auto& word : policy)
      if (!asks || asked.contains(word)) expected.insert(word);
    const auto granted =
        grant_scope(asks ? std::optional<Scope>(join(asked)) : std::nullopt, ScopeFormat::text, pointers(rules));
    ASSERT_EQ(granted.has_value(), !expected.empty());
    if (!granted) continue;
    ++granted_count;
    ASSERT_EQ(granted->value, Scope(join(expected)));
    ASSERT_EQ(granted->as_requested, asks && expected == asked);
  }
  EXPECT_GT(granted_count, 1000);
}

TEST(GrantedScope, AifIsNeverMoreThanPolicyNorThanTheRequest) {
  SeededRandom random(2);
  constexpr std::array<std::string_view, 4> paths{"/", "/a", "/a/b", "/A"};
  using Bits = std::map<std::string, std::uint64_t>;
  const auto draw = [&] {
    Bits bits;
    for (const auto path : paths)
      if (random.below(2) == 0) bits[std::string(path)] = random.next_u64() & random.next_u64() & random.next_u64();
    return bits;
  };
  const auto octets = [](const Bits& bits) {
    Aif aif;
    for (const auto& [path, methods] : bits) EXPECT_TRUE(aif.add(path, MethodSet{methods}));
    return aif.serialize();
  };
  int granted_count = 0;
  for (int round = 0; round < 3000; ++round) {
    std::vector<PolicyRule> rules(random.below(4));
    Bits policy;
    for (PolicyRule& rule : rules) {
      const Bits bits = draw();
      rule.aif_scope = octets(bits);
      for (const auto& [path, methods] : bits) policy[path] |= methods;
    }
    const Bits asked = draw();
    Bits expected;
    for (const auto& [path, methods] : policy) {
      const std::uint64_t both = asked.contains(path) ? methods & asked.at(path) : 0;
      if (both != 0) expected[path] = both;
    }
    const auto granted = grant_scope(Scope(octets(asked)), ScopeFormat::aif, pointers(rules));
    ASSERT_EQ(granted.has_value(), !expected.empty());
    if (!granted) continue;
    ++granted_count;
    ASSERT_EQ(granted->value, Scope(octets(expected)));
  }
  EXPECT_GT(granted_count, 1000);
}

}  // namespace
}  // namespace aceward::ace::as
