#include "aceward/coap/message/uri.h"

#include <gtest/gtest.h>

#include "aceward/coap/reasons.h"

namespace aceward::coap {
namespace {

using Parts = std::vector<std::string>;

TEST(CoapUri, ParsesSchemeHostPortPathQuery) {
  const auto uri = parse_uri("coap://example.net:61616/.well-known/core?rt=temp&if=x").value();
  EXPECT_FALSE(uri.secure);
  EXPECT_EQ(uri.host, "example.net");
  EXPECT_EQ(uri.port, 61616);
  EXPECT_EQ(uri.path, (Parts{".well-known", "core"}));
  EXPECT_EQ(uri.query, (Parts{"rt=temp", "if=x"}));
  EXPECT_EQ(parse_uri("coap://h").value().port, 5683);
  EXPECT_EQ(parse_uri("coaps://h").value().port, 5684);
  EXPECT_EQ(parse_uri("coaps://h:").value().port, 5684);
}

// RFC 7252 section 6.3: these three are the same resource.
TEST(CoapUri, TheEquivalentUrisOfSection63AreEqual) {
  const auto first = parse_uri("coap://example.com:5683/~sensors/temp.xml").value();
  EXPECT_EQ(parse_uri("coap://EXAMPLE.com/%7Esensors/temp.xml").value(), first);
  EXPECT_EQ(parse_uri("coap://EXAMPLE.com:/%7esensors/temp.xml").value(), first);
  EXPECT_EQ(compose_uri(first), "coap://example.com/~sensors/temp.xml");
}

TEST(CoapUri, AnEncodedSlashStaysInOneSegment) {
  const auto uri = parse_uri("coap://h/a%2Fb/c").value();
  EXPECT_EQ(uri.path, (Parts{"a/b", "c"}));
  Options options;
  ASSERT_TRUE(add_uri_options(uri, 5683, options));
  EXPECT_EQ(options.path(), (std::vector<std::string_view>{"a/b", "c"}));
  EXPECT_EQ(compose_uri(uri), "coap://h/a%2Fb/c");
}

TEST(CoapUri, EmptyPathAndSlashAreTheSameButATrailingSlashCounts) {
  EXPECT_EQ(parse_uri("coap://h").value(), parse_uri("coap://h/").value());
  EXPECT_EQ(parse_uri("coap://h/a/").value().path, (Parts{"a", ""}));
  EXPECT_EQ(parse_uri("coap://h//").value().path, (Parts{"", ""}));
  EXPECT_EQ(parse_uri("coap://h?q").value().query, (Parts{"q"}));
  EXPECT_EQ(parse_uri("coap://h/?").value().query, (Parts{""}));
  EXPECT_EQ(parse_uri("coap://h/?a&&b").value().query, (Parts{"a", "", "b"}));
}

TEST(CoapUri, DotSegmentsAreResolvedEvenWhenEncoded) {
  EXPECT_EQ(parse_uri("coap://h/a/./b").value().path, (Parts{"a", "b"}));
  EXPECT_EQ(parse_uri("coap://h/a/../b").value().path, (Parts{"b"}));
  EXPECT_EQ(parse_uri("coap://h/a/%2e%2E/../../b").value().path, (Parts{"b"}));
  EXPECT_EQ(parse_uri("coap://h/..").value().path, Parts{});
  EXPECT_EQ(parse_uri("coap://h/a/b/..").value().path, (Parts{"a", ""}));
}

TEST(CoapUri, IpLiteralsBecomeNoUriHost) {
  const auto v6 = parse_uri("coap://[2001:DB8::2:1]/x").value();
  EXPECT_EQ(v6.host, "2001:db8::2:1");
  ASSERT_TRUE(v6.literal());
  EXPECT_EQ(v6.literal()->to_string(), "[2001:db8::2:1]:5683");
  const auto v4 = parse_uri("coaps://192.0.2.1:7").value();
  ASSERT_TRUE(v4.literal());
  EXPECT_EQ(*v4.literal(), Address::v4(192, 0, 2, 1, 7));
  Options options;
  ASSERT_TRUE(add_uri_options(v6, 5683, options));
  EXPECT_FALSE(options.has(option::uri_host));
  EXPECT_FALSE(options.has(option::uri_port));
  EXPECT_EQ(compose_uri(v6), "coap://[2001:db8::2:1]/x");
  EXPECT_FALSE(parse_uri("coap://example.net").value().literal());
}

TEST(CoapUri, OptionsCarryHostAndADifferentPort) {
  const auto uri = parse_uri("coap://Example.NET:61616/a?b").value();
  Options same;
  ASSERT_TRUE(add_uri_options(uri, 61616, same));
  EXPECT_EQ(same.find_text(option::uri_host), "example.net");
  EXPECT_FALSE(same.has(option::uri_port));
  Options other;
  ASSERT_TRUE(add_uri_options(uri, 5683, other));
  EXPECT_EQ(other.find_uint(option::uri_port), 61616U);
  EXPECT_EQ(other.queries(), std::vector<std::string_view>{"b"});
}

TEST(CoapUri, ComposesFromTheOptionsOfARequest) {
  Options options;
  options.add(option::uri_path, "a b").add(option::uri_path, "\xc3\xbc").add(option::uri_query, "x&y=1/2?");
  const auto destination = Address::parse("[2001:db8::1]:5684").value();
  EXPECT_EQ(compose_uri(uri_of(options, true, destination)), "coaps://[2001:db8::1]/a%20b/%C3%BC?x%26y=1/2?");
  EXPECT_EQ(compose_uri(uri_of({}, false, Address::v4(192, 0, 2, 7, 61616))), "coap://192.0.2.7:61616/");
  options.add(option::uri_host, "example.net").add_uint(option::uri_port, 5683);
  EXPECT_EQ(compose_uri(uri_of(options, false, destination)), "coap://example.net/a%20b/%C3%BC?x%26y=1/2?");
}

// RFC 7252 section 6.5, step 2
TEST(CoapUri, AUriHostThatIsNoHostFailsTheComposition) {
  const auto destination = Address::v4(192, 0, 2, 7, 5683);
  const auto composed = [&](std::string_view host) {
    Options options;
    options.add(option::uri_host, host).add_path("/a");
    return request_uri(options, false, destination);
  };
  EXPECT_EQ(composed("example.net"), "coap://example.net/a");
  EXPECT_EQ(composed("caf\xc3\xa9.example"), "coap://caf%C3%A9.example/a");
  EXPECT_EQ(composed("192.0.2.1"), "coap://192.0.2.1/a");
  EXPECT_EQ(composed("[2001:db8::1]"), "coap://[2001:db8::1]/a");
  EXPECT_EQ(composed("a%41"), "coap://a%41/a");
  for (const std::string_view bad : {"a b", "a/b", "a?b", "a#b", "u@h", "h:1", "2001:db8::1", "[h]", "[]", "[::1", "a%",
                                     "a%4x", "a\\b", "\x01", "a[b]"}) {
    const auto refused = composed(bad);
    ASSERT_FALSE(refused) << bad;
    EXPECT_EQ(refused.error(), reason::uri_malformed);
  }
  EXPECT_EQ(request_uri(Options().add_path("/a"), false, destination), "coap://192.0.2.7/a");
}

TEST(CoapUri, RefusesWhatIsNoAbsoluteCoapUri) {
  EXPECT_EQ(parse_uri("http://h/").error(), reason::uri_scheme_unknown);
  EXPECT_EQ(parse_uri("coap+tcp://h/").error(), reason::uri_scheme_unknown);
  EXPECT_EQ(parse_uri("coap://h/#f").error(), reason::uri_has_fragment);
  for (const auto* text : {"",
                           "/a",
                           "coap:h",
                           "coap:///a",
                           "coap://",
                           "coap://u@h/",
                           "coap://h:65536/",
                           "coap://h:0/",
                           "coap://h:x/",
                           "coap://h:-1/",
                           "coap://[::1/",
                           "coap://[h]/",
                           "coap://[192.0.2.1]/",
                           "coap://[::1]x/",
                           "coap://h/a%2",
                           "coap://h/%zz",
                           "coap://h/a b",
                           "coap://h/\"",
                           "coap://h/?^",
                           "coap://::1/",
                           "coap://%3a%3a1/",
                           "coap://h/[x]"}) {
    EXPECT_EQ(parse_uri(text).error(), reason::uri_malformed) << text;
  }
}

TEST(CoapUri, PartsThatDoNotFitTheirOptionAreRefused) {
  Options options;
  auto uri = parse_uri("coap://h/" + std::string(255, 'a')).value();
  EXPECT_TRUE(add_uri_options(uri, 5683, options));
  uri.path[0] += 'a';
  options.clear();
  EXPECT_EQ(add_uri_options(uri, 5683, options).error(), reason::uri_option_too_long);
  EXPECT_TRUE(options.empty());
}

}  // namespace
}  // namespace aceward::coap
