#include "aceward/ace/token/permissions.h"

#include <gtest/gtest.h>

#include "aceward/ace/params/reasons.h"
#include "aceward/ace/token/reasons.h"

namespace aceward::ace {
namespace {

Permissions permissions_of(std::string_view text) { return *Permissions::from_aif(*Aif::parse_text(text)); }

coap::Options request_options(std::initializer_list<std::string_view> path,
                              std::initializer_list<std::string_view> queries = {}) {
  coap::Options options;
  for (const auto segment : path) options.add(coap::option::uri_path, segment);
  for (const auto query : queries) options.add(coap::option::uri_query, query);
  return options;
}

TEST(Target, TakesPathsApartLikeAUri) {
  EXPECT_EQ(Target::parse("/"), (Target{{}, {}}));
  EXPECT_EQ(Target::parse("/s/temp"), (Target{{"s", "temp"}, {}}));
  EXPECT_EQ(Target::parse("/a/"), (Target{{"a", ""}, {}}));
  EXPECT_EQ(Target::parse("//"), (Target{{"", ""}, {}}));
  EXPECT_EQ(Target::parse("/a%2Fb/%c3%a9"), (Target{{"a/b", "\xc3\xa9"}, {}}));
  EXPECT_EQ(Target::parse("/t?u=C&max"), (Target{{"t"}, {"u=C", "max"}}));
  EXPECT_EQ(Target::parse("/t?u=%26%2f"), (Target{{"t"}, {"u=&/"}}));
}

TEST(Target, RefusesWhatIsNoAbsolutePath) {
  for (const std::string_view text : {"", "a", "?q", "/a#f", "/%", "/%4", "/%4g", "/%g4"}) {
    const auto parsed = Target::parse(text);
    ASSERT_FALSE(parsed.has_value()) << text;
    EXPECT_EQ(parsed.error(), reason::scope_malformed) << text;
  }
  EXPECT_FALSE(Target::parse("/" + std::string(256, 'a')).has_value());
  EXPECT_TRUE(Target::parse("/" + std::string(255, 'a')).has_value());
}

TEST(Target, IsWrittenSoThatItReadsTheSame) {
  for (const std::string_view text : {"/", "/a/", "//", "/a%2Fb/x", "/a?b&c=d", "/%25/%3F?%26&/?", "/%00%FF"}) {
    const auto target = Target::parse(text);
    ASSERT_TRUE(target.has_value()) << text;
    EXPECT_EQ(target->to_local_path(), text);
  }
}

TEST(Permissions, ComparePathsOptionByOption) {
  const auto permissions = permissions_of("/a/b=GET");
  EXPECT_EQ(permissions.judge(request_options({"a", "b"}), coap::code::get), Verdict::allowed);
  EXPECT_EQ(permissions.judge(request_options({"a/b"}), coap::code::get), Verdict::target_not_covered);
  EXPECT_EQ(permissions.judge(request_options({"a"}), coap::code::get), Verdict::target_not_covered);
  EXPECT_EQ(permissions.judge(request_options({"a", "b", "c"}), coap::code::get), Verdict::target_not_covered);
  EXPECT_EQ(permissions.judge(request_options({"a", "b", ""}), coap::code::get), Verdict::target_not_covered);
  EXPECT_EQ(permissions.judge(request_options({"A", "b"}), coap::code::get), Verdict::target_not_covered);
  EXPECT_EQ(permissions.judge(request_options({}), coap::code::get), Verdict::target_not_covered);
}

TEST(Permissions, KeepAnEncodedSlashWithinItsSegment) {
  const auto permissions = permissions_of("/a%2Fb=GET");
  EXPECT_EQ(permissions.judge(request_options({"a/b"}), coap::code::get), Verdict::allowed);
  EXPECT_EQ(permissions.judge(request_options({"a", "b"}), coap::code::get), Verdict::target_not_covered);
}

TEST(Permissions, CoverTheRootAloneWithASlash) {
  const auto permissions = permissions_of("/=GET");
  EXPECT_EQ(permissions.judge(request_options({}), coap::code::get), Verdict::allowed);
  EXPECT_EQ(permissions.judge(request_options({"a"}), coap::code::get), Verdict::target_not_covered);
}

TEST(Permissions, CompareQueriesInOrder) {
  Aif aif;
  ASSERT_TRUE(aif.add("/t?u=C&x", MethodSet{1}));
  const auto permissions = *Permissions::from_aif(aif);
  EXPECT_EQ(permissions.judge(request_options({"t"}, {"u=C", "x"}), coap::code::get), Verdict::allowed);
  EXPECT_EQ(permissions.judge(request_options({"t"}, {"x", "u=C"}), coap::code::get), Verdict::target_not_covered);
  EXPECT_EQ(permissions.judge(request_options({"t"}, {"u=C"}), coap::code::get), Verdict::target_not_covered);
  EXPECT_EQ(permissions.judge(request_options({"t"}, {"u=C", "x", "y"}), coap::code::get), Verdict::target_not_covered);
  EXPECT_EQ(permissions.judge(request_options({"t"}), coap::code::get), Verdict::target_not_covered);
}

TEST(Permissions, WithoutAQueryDoNotCoverOne) {
  EXPECT_EQ(permissions_of("/t=GET").judge(request_options({"t"}, {"u=C"}), coap::code::get),
            Verdict::target_not_covered);
}

TEST(Permissions, TellMethodFromTarget) {
  const auto permissions = permissions_of("/t=GET,iPATCH");
  EXPECT_EQ(permissions.judge(request_options({"t"}), coap::code::ipatch), Verdict::allowed);
  for (const auto method : {coap::code::post, coap::code::put, coap::code::delete_, coap::code::fetch,
                            coap::code::patch, coap::Code(0, 8), coap::Code(0, 31)}) {
    EXPECT_EQ(permissions.judge(request_options({"t"}), method), Verdict::method_not_covered) << method.number();
  }
  // A response code whose detail is that of GET is no method.
  EXPECT_EQ(permissions.judge(request_options({"t"}), coap::Code(2, 1)), Verdict::method_not_covered);
}

TEST(Permissions, DynamicMethodsAllowNothing) {
  EXPECT_EQ(permissions_of("/t=POST,Dynamic-GET").judge(request_options({"t"}), coap::code::get),
            Verdict::method_not_covered);
}

TEST(Permissions, UnitePathsThatDecodeToTheSame) {
  Aif aif;
  ASSERT_TRUE(aif.add("/ab", MethodSet{1}) && aif.add("/a%62", MethodSet{2}));
  const auto permissions = *Permissions::from_aif(aif);
  EXPECT_EQ(permissions.judge(request_options({"ab"}), coap::code::get), Verdict::allowed);
  EXPECT_EQ(permissions.judge(request_options({"ab"}), coap::code::post), Verdict::allowed);
}

TEST(Permissions, HoldAtMost256Targets) {
  Permissions all;
  for (int i = 0; i < 256; ++i) ASSERT_TRUE(all.add(permissions_of("/" + std::to_string(i) + "=GET")));
  const auto before = all;
  EXPECT_FALSE(all.add(permissions_of("/256=GET")).has_value());
  EXPECT_EQ(all, before);
  EXPECT_TRUE(all.add(permissions_of("/255=PUT")).has_value());
}

TEST(ScopeMap, UnitesTheScopeTokensThatItKnows) {
  const auto map = *ScopeMap::from({{"r", *Aif::parse_text("/t=GET")}, {"w", *Aif::parse_text("/t=PUT")}});
  const auto permissions = map.resolve(Scope(std::string("r unknown w")));
  ASSERT_TRUE(permissions.has_value());
  EXPECT_EQ(*permissions, permissions_of("/t=GET,PUT"));
  EXPECT_EQ(map.resolve(Scope(std::string("r unknown"))), permissions_of("/t=GET"));
}

TEST(ScopeMap, RefusesWhenItKnowsNone) {
  const auto map = *ScopeMap::from({{"r", *Aif::parse_text("/t=GET")}});
  EXPECT_EQ(map.resolve(Scope(std::string("x y"))).error(), reason::token_scope_unrecognised);
  EXPECT_EQ(map.resolve(Scope(std::string("R"))).error(), reason::token_scope_unrecognised);
  EXPECT_EQ(map.resolve(Scope(std::string())).error(), reason::scope_malformed);
  EXPECT_EQ(map.resolve(Scope(std::string("r  r"))).error(), reason::scope_malformed);
}

TEST(ScopeMap, ReadsAByteStringAsAif) {
  const auto map = *ScopeMap::from({});
  // RFC 9237 figure 5.
  const auto permissions = map.resolve(Scope(*from_hex("8382672f732f74656d700182662f612f6c65640582652f64746c7302")));
  ASSERT_TRUE(permissions.has_value());
  EXPECT_EQ(permissions->judge(request_options({"s", "temp"}), coap::code::get), Verdict::allowed);
  EXPECT_EQ(permissions->judge(request_options({"a", "led"}), coap::code::put), Verdict::allowed);
  EXPECT_EQ(permissions->judge(request_options({"a", "led"}), coap::code::post), Verdict::method_not_covered);
  EXPECT_EQ(permissions->judge(request_options({"dtls"}), coap::code::post), Verdict::allowed);
  EXPECT_FALSE(map.resolve(Scope(Bytes{0xff})).has_value());
  EXPECT_FALSE(map.resolve(Scope(*from_hex("8182622f2501"))).has_value());  // "/%"
}

TEST(ScopeMap, AnEmptyAifIsRecognisedAndAllowsNothing) {
  const auto permissions = ScopeMap::from({})->resolve(Scope(Bytes{0x80}));
  ASSERT_TRUE(permissions.has_value());
  EXPECT_TRUE(permissions->empty());
}

TEST(ScopeMap, SuggestsTheFirstScopeTokenThatWouldDo) {
  const auto map = *ScopeMap::from(
      {{"b", *Aif::parse_text("/t=GET")}, {"a", *Aif::parse_text("/u=GET")}, {"c", *Aif::parse_text("/t=GET,PUT")}});
  EXPECT_EQ(*map.suggest(request_options({"t"}), coap::code::get), "b");
  EXPECT_EQ(*map.suggest(request_options({"t"}), coap::code::put), "c");
  EXPECT_EQ(map.suggest(request_options({"t"}), coap::code::post), nullptr);
  EXPECT_EQ(map.suggest(request_options({"v"}), coap::code::get), nullptr);
}

TEST(ScopeMap, RefusesNamesThatAreNoScopeTokens) {
  EXPECT_FALSE(ScopeMap::from({{"a b", Aif()}}).has_value());
  EXPECT_FALSE(ScopeMap::from({{"", Aif()}}).has_value());
}

}  // namespace
}  // namespace aceward::ace
