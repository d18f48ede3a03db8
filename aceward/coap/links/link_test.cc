#include "aceward/coap/links/link.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "aceward/base/random.h"
#include "aceward/coap/links/filter.h"
#include "aceward/coap/links/reasons.h"

namespace aceward::coap::links {
namespace {

// RFC 6690 section 5, without the line feeds that were inserted for readability.
constexpr std::string_view two_sensors = R"(</sensors/temp>;if="sensor",</sensors/light>;if="sensor")";
constexpr std::string_view entry_point = R"(</sensors>;ct=40)";
constexpr std::string_view below_sensors =
    R"(</sensors/temp>;rt="temperature-c";if="sensor",</sensors/light>;rt="light-lux";if="sensor")";
constexpr std::string_view several_types = R"(</sensors/light>;rt="light-lux core.sen-light";if="sensor")";
constexpr std::string_view anchored =
    R"(</sensors>;ct=40;title="Sensor Index",</sensors/temp>;rt="temperature-c";if="sensor",)"
    R"(</sensors/light>;rt="light-lux";if="sensor",)"
    R"(<http://www.example.com/sensors/t123>;anchor="/sensors/temp";rel="describedby",)"
    R"(</t>;anchor="/sensors/temp";rel="alternate")";
constexpr std::string_view firmware = R"(</firmware/v2.1>;rt="firmware";sz=262144)";
constexpr std::array section_5{two_sensors, entry_point, below_sensors, several_types, anchored, firmware};

std::vector<Link> links_of(std::string_view document) {
  auto links = parse(document);
  EXPECT_TRUE(links) << document;
  return links ? *links : std::vector<Link>{};
}

std::string filtered(std::string_view document, std::string_view query) {
  const auto filter = Filter::parse(query);
  EXPECT_TRUE(filter) << query;
  auto links = links_of(document);
  std::erase_if(links, [&](const Link& link) { return !filter->matches(link); });
  return serialize(links);
}

Error refusal(std::string_view document, const LinkLimits& limits = {}) {
  const auto links = parse(document, Reading::strict, limits);
  EXPECT_FALSE(links) << document;
  return links ? Error(reason::link_malformed, "none") : links.error();
}

TEST(LinkFormatExamples, AllOfSection5ReadAndWriteTheSame) {
  for (const auto document : section_5) {
    EXPECT_EQ(serialize(links_of(document)), document);
    EXPECT_EQ(parse(document, Reading::tolerant), parse(document));
  }
}

TEST(LinkFormatExamples, TheirContent) {
  const auto links = links_of(anchored);
  ASSERT_EQ(links.size(), 5U);
  EXPECT_EQ(links[0].target, "/sensors");
  EXPECT_EQ(links[0].value("ct"), "40");
  EXPECT_EQ(links[0].value("title"), "Sensor Index");
  EXPECT_EQ(links[3].target, "http://www.example.com/sensors/t123");
  EXPECT_EQ(links[3].value("anchor"), "/sensors/temp");
  EXPECT_EQ(links_of(several_types)[0].values("rt"), (std::vector<std::string_view>{"light-lux", "core.sen-light"}));
  EXPECT_EQ(links_of(firmware)[0].size_estimate(), 262144U);
}

TEST(LinkFormatExamples, AreWhatTheBuilderWrites) {
  const std::vector<Link> built{Link{"/sensors", {}}.add("ct", 40U).add("title", "Sensor Index"),
                                Link{"/t", {}}.add("anchor", "/sensors/temp").add("rel", "alternate"),
                                Link{"/firmware/v2.1", {}}.add("rt", "firmware").add("sz", 262144U).add("obs")};
  EXPECT_EQ(serialize(built), R"(</sensors>;ct=40;title="Sensor Index",</t>;anchor="/sensors/temp";rel="alternate",)"
                              R"(</firmware/v2.1>;rt="firmware";sz=262144;obs)");
  for (const auto& link : built) EXPECT_TRUE(check(link));
}

TEST(LinkFormatExamples, TheLineFeedsOfTheDocumentAreForTheTolerant) {
  constexpr std::string_view as_printed =
      "</sensors>;ct=40;title=\"Sensor Index\",\n"
      "</sensors/temp>;rt=\"temperature-c\";if=\"sensor\",\n"
      "</sensors/light>;rt=\"light-lux\";if=\"sensor\",\n"
      "<http://www.example.com/sensors/t123>;anchor=\"/sensors/temp\"\n"
      ";rel=\"describedby\",\n"
      "</t>;anchor=\"/sensors/temp\";rel=\"alternate\"\n";
  EXPECT_FALSE(parse(as_printed));
  EXPECT_EQ(parse(as_printed, Reading::tolerant), parse(anchored));
}

TEST(LinkFormat, AnEmptyDocumentHasNoLinks) {
  EXPECT_TRUE(links_of("").empty());
  EXPECT_EQ(serialize({}), "");
}

TEST(LinkFormat, CommasAndSemicolonsInTargetsAndQuotesEndNothing) {
  const auto links = links_of(R"(</a,b;c>;title="x, y; <z> \"q\" \\",</d>)");
  ASSERT_EQ(links.size(), 2U);
  EXPECT_EQ(links[0].target, "/a,b;c");
  EXPECT_EQ(links[0].value("title"), R"(x, y; <z> "q" \)");
  EXPECT_EQ(serialize(links), R"(</a,b;c>;title="x, y; <z> \"q\" \\",</d>)");
}

TEST(LinkFormat, TakesEachFormOfTheGrammar) {
  for (const std::string_view good : {
           R"(<>)",
           R"(<?q>;rel=next)",
           R"(<coap://[2001:db8::1]:61616/a%20b?c#d>;rel="next http://example.org/rel")",
           R"(<//h/a>;rev=alternate;hreflang=de;hreflang=en-GB;media=screen)",
           R"(<a>;title*=UTF-8'en'%e2%82%ac%20rates)",
           R"(<a>;title*=UTF-8''x)",
           R"(<a>;my*=iso-8859-1'de-AT'gr%FC%DFe)",
           R"(<a>;type=text/plain)",
           R"(<a>;type="application/link-format")",
           R"(<a>;media="screen, tv")",
           R"(<a>;rt=temperature-c)",
           R"(<a>;rt="urn:x:y  core.s")",
           R"(<a>;sz=0)",
           R"(<a>;sz=99999999999999999999999999)",
           R"(<a>;ct="0 40 65535")",
           R"(<a>;ct=0;ct=40)",
           R"(<a>;obs;x;y=!#$%&'()*+-./09:<=>?@AZ[]^_`{|}~)",
           R"(<a>;x="";y="")",
           "<a>;title=\"gr\xc3\xbc\xc3\x9f\xff\"",
           "<a>;title=\"tab\t\"",
           "<a>;title=\"escaped \\\n control\"",
       }) {
    EXPECT_TRUE(parse(good)) << good;
    EXPECT_EQ(serialize(links_of(good)), good);
  }
}

TEST(LinkFormat, RefusesWhatIsNoListOfLinks) {
  for (const std::string_view bad :
       {"a",        "<a",          "<a>,",         ",<a>",         "<a>,,<b>",       "<a>;",
        "<a>;;b",   "<a>;=b",      "<a>;b=",       "<a>;b c",      "<a> ;b",         "<a>; b",
        "<a>, <b>", "<a>;b=\"c",   "<a>;b=\"c\\",  "<a>;b=\"c\"d", "<a>;b=c\"",      "<a>;b=c,d",
        "<a>x",     "<a b>",       "<a>;b=\"\n\"", "<\x80>",       "<%2>",           "<%zz>",
        "<1:b>",    "<a:b:c#d#e>", "<//h:port>",   "<//[::1>",     "<a>;\xc3\xbc=1", "<a>;b=\"\\\xc3\"",
        "<<a>>",    "<a[>"}) {
    EXPECT_EQ(refusal(bad), reason::link_malformed) << bad;
  }
}

TEST(LinkFormat, RefusesKnownAttributesOfAnotherForm) {
  for (const std::string_view bad : {"rel",
                                     "rel=\"\"",
                                     "rel=\" a\"",
                                     "rel=\"a \"",
                                     "rel=Next",
                                     "rel=\"next Up\"",
                                     "rt=\"Ticks\"",
                                     "if=1x",
                                     "rev",
                                     "anchor=/a",
                                     "anchor=\"a b\"",
                                     "anchor",
                                     "hreflang=\"de\"",
                                     "hreflang=d_e",
                                     "hreflang=toolonglang",
                                     "hreflang=de-",
                                     "media",
                                     "title=token",
                                     "title",
                                     "title*=\"UTF-8''x\"",
                                     "title*=x",
                                     "title*=''x",
                                     "title*=UTF-8'e_n'x",
                                     "title*=UTF-8''a%2",
                                     "type=text",
                                     "type=\"text/plain;charset=utf-8\"",
                                     "type=/x",
                                     "sz=\"5\"",
                                     "sz=05",
                                     "sz=-1",
                                     "sz=",
                                     "sz",
                                     "ct=65536",
                                     "ct=x",
                                     "ct",
                                     "ct=\"\"",
                                     "ct=\"40  \"",
                                     "ct=007",
                                     "x*=\"UTF-8''x\"",
                                     "href=\"/a\""}) {
    const auto links = parse("<a>;" + std::string(bad));
    ASSERT_FALSE(links) << bad;
    EXPECT_EQ(links.error(), bad == "sz=" ? reason::link_malformed : reason::link_attribute_malformed) << bad;
  }
}

TEST(LinkFormat, WhatMayStandOnceIsRefusedTwice) {
  for (const std::string_view twice :
       {"rel=a;rel=b", "rev=a;rev=b", "anchor=\"a\";anchor=\"b\"", "media=a;media=b", "title=\"a\";title=\"b\"",
        "title*=UTF-8''a;title*=UTF-8''b", "type=a/b;type=c/d", "rt=a;rt=b", "if=a;if=b", "sz=1;sz=2", "obs;obs"}) {
    EXPECT_EQ(refusal("<a>;" + std::string(twice)), reason::link_attribute_repeated) << twice;
    const auto tolerant = parse("<a>;" + std::string(twice), Reading::tolerant);
    ASSERT_TRUE(tolerant) << twice;
    EXPECT_EQ(tolerant->front().attributes.size(), 1U) << twice;
  }
  EXPECT_TRUE(parse("<a>;hreflang=de;hreflang=en;title=\"a\";title*=UTF-8''b"));
}

TEST(LinkFormat, TheTolerantReadWhatIsFoundInTheField) {
  const auto links =
      parse("</>;title=\"General Info\";ct=0,</time>;if=\"clock\";rt=\"Ticks\" ; title=x;href=y ,\r\n <a b>",
            Reading::tolerant);
  EXPECT_FALSE(links);
  const auto good =
      parse(" </>;title=\"General Info\";ct=0 ,\r\n</time> ; if = \"clock\";rt=\"Ticks\";title=x;href=y;sz=\"7\" ",
            Reading::tolerant);
  ASSERT_TRUE(good);
  ASSERT_EQ(good->size(), 2U);
  EXPECT_EQ(good->at(1).value("rt"), "Ticks");
  EXPECT_EQ(good->at(1).value("if"), "clock");
  EXPECT_FALSE(good->at(1).has("href"));
  EXPECT_EQ(good->at(1).size_estimate(), 7U);
  EXPECT_TRUE(
      parse("<gr\xc3\xbc\xc3\x9f"
            "e>",
            Reading::tolerant));
  EXPECT_FALSE(parse("<a\x1b>", Reading::tolerant));
}

TEST(LinkFormat, LimitsHold) {
  EXPECT_EQ(refusal("<a>,<b>,<c>", {.links = 2}), reason::link_too_many);
  EXPECT_EQ(refusal("<a>;b;c;d", {.attributes = 2}), reason::link_too_many);
  EXPECT_EQ(refusal("<a>,<b>", {.size = 6}), reason::link_too_large);
  EXPECT_TRUE(parse("<a>;b;c,<b>", Reading::strict, {.size = 11, .links = 2, .attributes = 2}));
}

TEST(LinkFormat, SizeEstimatesBeyondAllBoundsAreTheLargest) {
  EXPECT_EQ(links_of("<a>;sz=18446744073709551615")[0].size_estimate(), UINT64_MAX);
  EXPECT_EQ(links_of("<a>;sz=18446744073709551616")[0].size_estimate(), UINT64_MAX);
  EXPECT_EQ(links_of("<a>;sz=18446744073709551614")[0].size_estimate(), UINT64_MAX - 1);
  EXPECT_FALSE(links_of("<a>")[0].size_estimate());
}

TEST(LinkFormat, ALinkThatWouldNotReadBackFailsItsCheck) {
  EXPECT_FALSE(check(Link{"/a>,</b", {}}));
  EXPECT_FALSE(check(Link{"/a b", {}}));
  EXPECT_FALSE(check(Link{"/a", {}}.add("x=y", "z")));
  EXPECT_FALSE(check(Link{"/a", {}}.add("rt", "Upper")));
  EXPECT_TRUE(check(Link{"/a", {}}.add("title", "\"; <b>,\x01\\")));
}

TEST(LinkFormat, AnyValueSurvivesBeingWritten) {
  SeededRandom random(6690);
  for (int round = 0; round < 2000; ++round) {
    Link link{"/r", {}};
    std::string value;
    for (auto length = random.below(12); length > 0; --length) value += static_cast<char>(random.below(256));
    link.add("x", value);
    const auto again = parse(serialize(std::span(&link, 1)));
    ASSERT_TRUE(again) << to_hex(as_bytes(value));
    ASSERT_EQ(again->size(), 1U);
    EXPECT_EQ(again->front(), link);
  }
}

TEST(LinkFilter, TheQueriesOfSection5) {
  EXPECT_EQ(filtered(below_sensors, "rt=light-lux"), R"(</sensors/light>;rt="light-lux";if="sensor")");
  EXPECT_EQ(filtered(several_types, "rt=light-lux"), several_types);
  EXPECT_EQ(filtered(several_types, "rt=core.sen-light"), several_types);
  EXPECT_EQ(filtered(several_types, "rt=light-lux core.sen-light"), "");
  EXPECT_EQ(filtered(anchored, "anchor=/sensors/temp"),
            R"(<http://www.example.com/sensors/t123>;anchor="/sensors/temp";rel="describedby",)"
            R"(</t>;anchor="/sensors/temp";rel="alternate")");
  EXPECT_EQ(filtered(firmware, "rt=firmware"), firmware);
}

TEST(LinkFilter, TheFormsOfSection41) {
  constexpr std::string_view document = R"(</foo>;foo=bar,</foot>;foo="barley",</fo>;foo,</x>;title="bar";if="a b")";
  EXPECT_EQ(filtered(document, "href=/foo"), "</foo>;foo=bar");
  EXPECT_EQ(filtered(document, "href=/foo*"), R"(</foo>;foo=bar,</foot>;foo="barley")");
  EXPECT_EQ(filtered(document, "foo=bar"), "</foo>;foo=bar");
  EXPECT_EQ(filtered(document, "foo=bar*"), R"(</foo>;foo=bar,</foot>;foo="barley")");
  EXPECT_EQ(filtered(document, "foo=*"), R"(</foo>;foo=bar,</foot>;foo="barley",</fo>;foo)");
  EXPECT_EQ(filtered(document, "if=b*"), R"(</x>;title="bar";if="a b")");
  EXPECT_EQ(filtered(document, "if=c*"), "");
  EXPECT_EQ(filtered(document, "none=*"), "");
  EXPECT_EQ(filtered(document, "title=ba"), "");
  EXPECT_EQ(filtered(document, "FOO=bar"), "");
}

TEST(LinkFilter, AValueOfSeveralWordsCountsWholeWhereItIsOneValue) {
  EXPECT_EQ(filtered(anchored, "title=Sensor Index"), R"(</sensors>;ct=40;title="Sensor Index")");
  EXPECT_EQ(filtered(anchored, "title=Index"), "");
  EXPECT_EQ(filtered(R"(<a>;ct="0 40")", "ct=40"), R"(<a>;ct="0 40")");
}

TEST(LinkFilter, ANameWithoutValueIsNone) {
  for (const std::string_view bad : {"", "rt", "=x", "*"}) {
    const auto filter = Filter::parse(bad);
    ASSERT_FALSE(filter) << bad;
    EXPECT_EQ(filter.error(), reason::link_filter_malformed);
  }
  EXPECT_TRUE(Filter::parse("rt="));
}

TEST(LinkFilter, SeveralNarrowDown) {
  const auto links = links_of(below_sensors);
  const std::array filters{*Filter::parse("if=sensor"), *Filter::parse("rt=light*")};
  EXPECT_FALSE(matches_all(filters, links[0]));
  EXPECT_TRUE(matches_all(filters, links[1]));
  EXPECT_TRUE(matches_all({}, links[0]));
}

}  // namespace
}  // namespace aceward::coap::links
