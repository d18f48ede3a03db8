#include "aceward/ace/params/scope.h"

#include <gtest/gtest.h>

#include <string>

#include "aceward/ace/params/reasons.h"

namespace aceward::ace {
namespace {

TextScope text_scope(std::string_view text) { return TextScope::parse(text).value(); }

TEST(TextScope, IsASetWhoseOrderDoesNotMatter) {
  EXPECT_EQ(text_scope("write read"), text_scope("read write"));
  EXPECT_EQ(text_scope("write read").to_string(), "read write");
  EXPECT_TRUE(text_scope("write read").contains("read"));
  EXPECT_FALSE(text_scope("write read").contains("rea"));
}

TEST(TextScope, TokensAreCaseSensitive) { EXPECT_FALSE(text_scope("Read").contains("read")); }

TEST(TextScope, TakesEveryCharacterOfTheGrammarAndNoOther) {
  for (int octet = 0; octet < 256; ++octet) {
    const bool allowed = octet == 0x21 || (octet >= 0x23 && octet <= 0x5b) || (octet >= 0x5d && octet <= 0x7e);
    const std::string token = std::string("a") + static_cast<char>(octet) + "b";
    if (octet == ' ') {
      EXPECT_TRUE(TextScope::parse(token));  // two tokens
    } else {
      EXPECT_EQ(TextScope::parse(token).has_value(), allowed) << octet;
    }
  }
}

TEST(TextScope, RefusesWhatIsNoList) {
  for (const char* text : {"", " ", " a", "a ", "a  b", "a a", "b a b", "a\tb"})
    EXPECT_EQ(TextScope::parse(text).error(), reason::scope_malformed) << text;
}

TEST(TextScope, IsBounded) {
  EXPECT_TRUE(TextScope::parse(std::string(128, 'a')));
  EXPECT_FALSE(TextScope::parse(std::string(129, 'a')));
  std::string text = "t0";
  for (int i = 1; i < 64; ++i) text += " t" + std::to_string(i);
  EXPECT_TRUE(TextScope::parse(text));
  EXPECT_FALSE(TextScope::parse(text + " t64"));
}

TEST(TextScope, UnionAndIntersection) {
  const TextScope a = text_scope("read list"), b = text_scope("write read");
  EXPECT_EQ(a.union_with(b).to_string(), "list read write");
  EXPECT_EQ(a.intersection_with(b).to_string(), "read");
  EXPECT_TRUE(a.intersection_with(text_scope("delete")).empty());
  EXPECT_EQ(a.union_with(TextScope()), a);
  EXPECT_TRUE(a.intersection_with(TextScope()).empty());
}

}  // namespace
}  // namespace aceward::ace
