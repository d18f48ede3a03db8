#include "aceward/coap/links/uri_reference.h"

#include <gtest/gtest.h>

#include <utility>

#include "aceward/coap/links/reasons.h"

namespace aceward::coap::links {
namespace {

TEST(UriReference, TheNormalExamplesOfRfc3986Section54) {
  constexpr std::string_view base = "http://a/b/c/d;p?q";
  constexpr std::pair<std::string_view, std::string_view> examples[] = {
      {"g:h", "g:h"},
      {"g", "http://a/b/c/g"},
      {"./g", "http://a/b/c/g"},
      {"g/", "http://a/b/c/g/"},
      {"/g", "http://a/g"},
      {"//g", "http://g"},
      {"?y", "http://a/b/c/d;p?y"},
      {"g?y", "http://a/b/c/g?y"},
      {"#s", "http://a/b/c/d;p?q#s"},
      {"g#s", "http://a/b/c/g#s"},
      {"g?y#s", "http://a/b/c/g?y#s"},
      {";x", "http://a/b/c/;x"},
      {"g;x", "http://a/b/c/g;x"},
      {"g;x?y#s", "http://a/b/c/g;x?y#s"},
      {"", "http://a/b/c/d;p?q"},
      {".", "http://a/b/c/"},
      {"./", "http://a/b/c/"},
      {"..", "http://a/b/"},
      {"../", "http://a/b/"},
      {"../g", "http://a/b/g"},
      {"../..", "http://a/"},
      {"../../", "http://a/"},
      {"../../g", "http://a/g"},
      // abnormal
      {"../../../g", "http://a/g"},
      {"../../../../g", "http://a/g"},
      {"/./g", "http://a/g"},
      {"/../g", "http://a/g"},
      {"g.", "http://a/b/c/g."},
      {".g", "http://a/b/c/.g"},
      {"g..", "http://a/b/c/g.."},
      {"..g", "http://a/b/c/..g"},
      {"./../g", "http://a/b/g"},
      {"./g/.", "http://a/b/c/g/"},
      {"g/./h", "http://a/b/c/g/h"},
      {"g/../h", "http://a/b/c/h"},
      {"g;x=1/./y", "http://a/b/c/g;x=1/y"},
      {"g;x=1/../y", "http://a/b/c/y"},
      {"g?y/./x", "http://a/b/c/g?y/./x"},
      {"g?y/../x", "http://a/b/c/g?y/../x"},
      {"g#s/./x", "http://a/b/c/g#s/./x"},
      {"g#s/../x", "http://a/b/c/g#s/../x"},
      {"http:g", "http:g"},
  };
  for (const auto& [reference, expected] : examples) {
    const auto resolved = resolve(reference, base);
    ASSERT_TRUE(resolved) << reference;
    EXPECT_EQ(*resolved, expected) << reference;
  }
}

TEST(UriReference, ABaseWithoutPathOrAuthority) {
  EXPECT_EQ(resolve("g", "coap://h"), "coap://h/g");
  EXPECT_EQ(resolve("../g", "coap://h"), "coap://h/g");
  EXPECT_EQ(resolve("b", "urn:a"), "urn:b");
  EXPECT_EQ(resolve("/.//b", "urn:a"), "urn:/.//b");
  EXPECT_FALSE(resolve("g", "/relative"));
  EXPECT_FALSE(resolve("g h", "coap://h"));
}

TEST(UriReference, PartsAreTakenApart) {
  const auto parts = UriReference::parse("coap://u@[2001:db8::1]:61616/a/b?c=d&e#f");
  ASSERT_TRUE(parts);
  EXPECT_EQ(parts->scheme, "coap");
  EXPECT_EQ(parts->authority, "u@[2001:db8::1]:61616");
  EXPECT_EQ(parts->path, "/a/b");
  EXPECT_EQ(parts->query, "c=d&e");
  EXPECT_EQ(parts->fragment, "f");
  EXPECT_FALSE(UriReference::parse("a/b:c")->scheme);
}

TEST(UriReference, RefusesWhatRfc3986DoesNotAllow) {
  for (const std::string_view bad :
       {"a b",  "a%", "a%4",    "a%4g",   "\"",   "<",        "a\\b",    "^",     "`",  "{",        "|",
        "1a:b", ":a", "//h:8x", "//[::1", "//[]", "//[::1]x", "//u@v@w", "a#b#c", "?[", "\xc3\xbc", "a\x01"}) {
    const auto parts = UriReference::parse(bad);
    ASSERT_FALSE(parts) << bad;
    EXPECT_EQ(parts.error(), reason::uri_reference_malformed);
  }
}

TEST(UriReference, OriginIsSchemeAndAuthority) {
  EXPECT_EQ(origin_of("coap://h:1/a?b#c"), "coap://h:1");
  EXPECT_FALSE(origin_of("urn:a"));
  EXPECT_FALSE(origin_of("/a"));
}

// RFC 6690 section 2.1
TEST(LinkResolution, ContextIsTheAnchorElseTheOriginOfTheTargetElseThatOfTheDocument) {
  constexpr std::string_view document = "coap://h.example:61616/.well-known/core?rt=x";
  const auto plain = resolve(Link{"/sensors/temp", {}}, document);
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->context, "coap://h.example:61616");
  EXPECT_EQ(plain->target, "coap://h.example:61616/sensors/temp");

  const auto external = resolve(Link{"http://www.example.com/sensors/t123", {}}, document);
  EXPECT_EQ(external->context, "http://www.example.com");

  const auto with_anchor =
      resolve(Link{"http://www.example.com/sensors/t123", {}}.add("anchor", "/sensors/temp").add("rel", "describedby"),
              document);
  EXPECT_EQ(with_anchor->context, "coap://h.example:61616/sensors/temp");
  EXPECT_EQ(with_anchor->target, "http://www.example.com/sensors/t123");

  EXPECT_EQ(resolve(Link{"urn:dev:1", {}}, document)->context, "coap://h.example:61616");
  EXPECT_EQ(resolve(Link{"//other/x", {}}, document)->context, "coap://other");
  EXPECT_FALSE(resolve(Link{"/a", {}}, "/relative"));
}

// RFC 6690 section 6: a link to the list itself is only a link.
TEST(LinkResolution, ALinkToItselfIsNotFollowed) {
  const auto self = resolve(Link{"/.well-known/core", {}}, "coap://h/.well-known/core");
  EXPECT_EQ(self->target, "coap://h/.well-known/core");
}

}  // namespace
}  // namespace aceward::coap::links
