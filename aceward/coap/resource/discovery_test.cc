// /.well-known/core (RFC 6690 section 4, RFC 7252 section 7.2).
#include <gtest/gtest.h>

#include "aceward/coap/resource/router.h"
#include "aceward/coap/resource/scripted_layer.h"
#include "aceward/coap/resource/stored_resource.h"

namespace aceward::coap {
namespace {

class CoapDiscovery : public ::testing::Test {
 protected:
  CoapDiscovery() {
    temperature.attributes->add("rt", "temperature-c").add("if", "sensor");
    light.attributes->add("rt", "light-lux core.sen-light").add("if", "sensor");
    router.add("/sensors/temp", temperature);
    router.add("/sensors/light", light);
    router.well_known_core(true);
  }

  std::optional<Response> discover(std::vector<std::string> queries = {}, Options options = {},
                                   Code method = code::get) {
    Request request{method, std::move(options), {}};
    request.options.add_path("/.well-known/core");
    for (const auto& query : queries) request.options.add(option::uri_query, query);
    layer.events.push_back(RequestArrived{ExchangeId(1), peer, std::move(request), Reliability::confirmable});
    EXPECT_FALSE(router.next_event({}));
    if (layer.answers.empty()) return std::nullopt;
    auto answer = std::move(layer.answers.back().second);
    layer.answers.clear();
    return answer;
  }
  std::string listed(std::vector<std::string> queries = {}) {
    const auto answer = discover(std::move(queries));
    EXPECT_EQ(answer->code, code::content);
    EXPECT_EQ(answer->options.content_format(), content_format::link_format);
    return std::string(as_text(answer->payload));
  }

  Peer peer;
  ScriptedLayer layer;
  Router router{layer};
  Named temperature{"t"};
  Named light{"l"};
};

TEST_F(CoapDiscovery, ListsTheResourcesInTheOrderOfTheirPaths) {
  EXPECT_EQ(listed(), R"(</sensors/light>;rt="light-lux core.sen-light";if="sensor",)"
                      R"(</sensors/temp>;rt="temperature-c";if="sensor")");
}

TEST_F(CoapDiscovery, FiltersNarrowTheList) {
  EXPECT_EQ(listed({"rt=light-lux"}), R"(</sensors/light>;rt="light-lux core.sen-light";if="sensor")");
  EXPECT_EQ(listed({"href=/sensors/t*"}), R"(</sensors/temp>;rt="temperature-c";if="sensor")");
  EXPECT_EQ(listed({"if=sensor", "rt=temp*"}), R"(</sensors/temp>;rt="temperature-c";if="sensor")");
  // A unicast request is answered even if nothing is left: with a payload of no octets.
  EXPECT_EQ(listed({"rt=nothing"}), "");
  EXPECT_EQ(discover({"rt"})->code, code::bad_request);
}

TEST_F(CoapDiscovery, AMulticastRequestThatNothingMatchesIsNotAnswered) {
  for (const auto* group : {"224.0.1.187:5683", "[ff02::fd]:5683"}) {
    peer.local = *Address::parse(group);
    EXPECT_FALSE(discover({"rt=nothing"})) << group;
    EXPECT_TRUE(discover({"rt=light-lux"})) << group;
    EXPECT_TRUE(discover()) << group;
  }
  EXPECT_EQ(layer.cancelled.size(), 2U);
}

TEST_F(CoapDiscovery, AcceptIsHonouredAndOtherMethodsAreNot) {
  Options cbor;
  cbor.set_accept(content_format::cbor);
  EXPECT_EQ(discover({}, cbor)->code, code::not_acceptable);
  Options links;
  links.set_accept(content_format::link_format);
  EXPECT_EQ(discover({}, links)->code, code::content);
  EXPECT_EQ(discover({}, {}, code::post)->code, code::method_not_allowed);
  Options conditional;
  conditional.add_empty(option::if_match);
  EXPECT_EQ(discover({}, conditional)->code, code::bad_option);
}

TEST_F(CoapDiscovery, AnUnchangedListIsValidated) {
  const auto first = discover();
  Options known;
  known.add(option::etag, *first->options.find(option::etag));
  EXPECT_EQ(discover({}, known)->code, code::valid);
  EXPECT_TRUE(discover({}, known)->payload.empty());
  router.remove({"sensors", "temp"});
  EXPECT_EQ(discover({}, known)->code, code::content);
}

TEST_F(CoapDiscovery, AResourceMayStayUnlisted) {
  light.attributes = std::nullopt;
  EXPECT_EQ(listed(), R"(</sensors/temp>;rt="temperature-c";if="sensor")");
}

TEST_F(CoapDiscovery, WhoAsksMaySeeOnlyPartOfIt) {
  router.show_links(
      [](const Peer& who, const links::Link& link) { return who.session != 0 || link.target != "/secret"; });
  router.list(links::Link{"/secret", {}}.add("rt", "core.x"));
  EXPECT_EQ(listed({"rt=core.x"}), "");
  peer.session = 7;
  EXPECT_EQ(listed({"rt=core.x"}), R"(</secret>;rt="core.x")");
}

TEST_F(CoapDiscovery, IsOffUnlessAsked) {
  router.well_known_core(false);
  EXPECT_EQ(discover()->code, code::not_found);
}

TEST_F(CoapDiscovery, WhatTheRouterServesIsKnownBeforehand) {
  const auto serves = [&](std::string_view path) { return router.serves(peer, Options().add_path(path)); };
  EXPECT_TRUE(serves("/sensors/temp"));
  EXPECT_TRUE(serves("/.well-known/core"));
  EXPECT_FALSE(serves("/.well-known"));
  EXPECT_FALSE(serves("/.well-known/core/x"));
  router.well_known_core(false);
  EXPECT_FALSE(serves("/.well-known/core"));
}

TEST_F(CoapDiscovery, AResourceOfOnesOwnGoesFirst) {
  Named own("own");
  router.add("/.well-known/core", own);
  EXPECT_EQ(as_text(discover()->payload), "own");
}

TEST_F(CoapDiscovery, EachHostListsItsOwn) {
  Named other("o");
  router.add("a.example", "/only-here", other);
  Options options;
  options.add(option::uri_host, "a.example");
  EXPECT_EQ(as_text(discover({}, options)->payload), "</only-here>");
  EXPECT_EQ(router.listed(peer, {}).size(), 2U);
}

TEST_F(CoapDiscovery, TargetsArePercentEncodedAndReadBack) {
  Named odd("odd");
  router.add(Path{"a/b", "\xc3\xbc >", ""}, odd);
  router.add("/", odd);
  const auto document = listed();
  EXPECT_NE(document.find("</a%2Fb/%C3%BC%20%3E/>"), std::string::npos) << document;
  EXPECT_NE(document.find("</>"), std::string::npos) << document;
  EXPECT_TRUE(links::parse(document));
}

TEST_F(CoapDiscovery, AStoredResourceTellsItsFormatWhileItExists) {
  StoredResource stored(content_format::cbor, Bytes{0xf6}, {.link = links::Link{}.add("rt", "core.s")});
  router.add("/stored", stored);
  EXPECT_EQ(listed({"href=/stored"}), R"(</stored>;rt="core.s";ct=60)");
  stored.erase({});
  EXPECT_EQ(listed({"href=/stored"}), "");
}

}  // namespace
}  // namespace aceward::coap
