// Uri-Host and Uri-Port (RFC 7252 section 5.10.1), and who evaluates preconditions.
#include <gtest/gtest.h>

#include "aceward/coap/resource/router.h"
#include "aceward/coap/resource/scripted_layer.h"
#include "aceward/coap/resource/stored_resource.h"

namespace aceward::coap {
namespace {

class CoapVirtualHosts : public ::testing::Test {
 protected:
  /// The answer's payload, or its code if it has none. The request was sent to [2001:db8::1]:5683.
  std::string ask(std::string_view host, std::optional<std::uint16_t> port = std::nullopt,
                  std::string_view path = "/r") {
    Request request{code::get, {}, {}};
    if (!host.empty()) request.options.add(option::uri_host, host);
    if (port) request.options.add_uint(option::uri_port, *port);
    request.options.add_path(path);
    const Peer peer{.remote = *Address::parse("[2001:db8::9]:40000"), .local = asked};
    layer.events.push_back(RequestArrived{ExchangeId(1), peer, std::move(request), Reliability::confirmable});
    EXPECT_FALSE(router.next_event({}));
    EXPECT_EQ(layer.answers.size(), 1U);
    if (layer.answers.empty()) return "";
    const auto answer = std::move(layer.answers.back().second);
    layer.answers.clear();
    return answer.payload.empty() ? answer.code.number() : std::string(as_text(answer.payload));
  }

  Address asked = *Address::parse("[2001:db8::1]:5683");
  ScriptedLayer layer;
  Router router{layer};
  Named plain{"plain"};
  Named a{"a"};
  Named b{"b"};
};

TEST_F(CoapVirtualHosts, TheHostPicksTheServer) {
  router.add("/r", plain);
  router.add("A.Example", "/r", a);
  router.add("b.example", "/r", b);
  EXPECT_EQ(ask(""), "plain");
  EXPECT_EQ(ask("a.example"), "a");
  EXPECT_EQ(ask("A.EXAMPLE"), "a");
  EXPECT_EQ(ask("b.example"), "b");
  EXPECT_EQ(ask("b.example", std::nullopt, "/other"), "4.04");
  router.remove("b.example", path_of("/r"));
  EXPECT_EQ(ask("b.example"), "4.04");
  EXPECT_EQ(ask(""), "plain");
}

TEST_F(CoapVirtualHosts, AnUnknownHostIsServedByDefaultOrNotFound) {
  router.add("/r", plain);
  EXPECT_EQ(ask("stranger.example"), "plain");
  router.add("a.example", "/r", a);
  EXPECT_EQ(ask("stranger.example"), "plain");
  router.serve_unknown_hosts(false);
  EXPECT_EQ(ask("stranger.example"), "4.04");
  EXPECT_EQ(ask("a.example"), "a");
  EXPECT_EQ(ask(""), "plain");
}

TEST_F(CoapVirtualHosts, WithoutAnyHostAddedUnknownOnesCanStillBeRefused) {
  router.add("/r", plain);
  router.serve_unknown_hosts(false);
  EXPECT_EQ(ask("stranger.example"), "4.04");
  EXPECT_EQ(ask(""), "plain");
}

TEST_F(CoapVirtualHosts, TheDefaultHostIsTheAddressThatWasAsked) {
  router.add("/r", plain);
  router.serve_unknown_hosts(false);
  EXPECT_EQ(ask("2001:db8:0:0::1"), "plain");
  EXPECT_EQ(ask("[2001:db8::1]"), "plain");
  EXPECT_EQ(ask("2001:db8::2"), "4.04");
  EXPECT_EQ(ask("[2001:db8::2]"), "4.04");
  EXPECT_EQ(ask("["), "4.04");
  EXPECT_EQ(ask("[]"), "4.04");
  EXPECT_EQ(ask("192.0.2.1"), "4.04");
  router.add("[2001:db8::1]", "/r", a);
  EXPECT_EQ(ask(""), "a");
  EXPECT_EQ(ask("[2001:db8::1]"), "a");
  asked = *Address::parse("192.0.2.1:5683");
  EXPECT_EQ(ask(""), "plain");
  EXPECT_EQ(ask("192.0.2.1"), "plain");
  router.add("192.0.2.1", "/r", b);
  EXPECT_EQ(ask(""), "b");
}

TEST_F(CoapVirtualHosts, AHostWithAPortIsForThatPortAlone) {
  router.add("/r", plain);
  router.add("a.example:61616", "/r", a);
  EXPECT_EQ(ask("a.example", 61616), "a");
  EXPECT_EQ(ask("a.example"), "plain");
  EXPECT_EQ(ask("a.example", 1), "plain");
  router.add("a.example", "/r", b);
  EXPECT_EQ(ask("a.example", 61616), "a");
  EXPECT_EQ(ask("a.example", 1), "b");
  asked.port = 61616;
  EXPECT_EQ(ask("a.example"), "a");
}

TEST_F(CoapVirtualHosts, ATreeBelongsToItsHost) {
  router.add_tree("a.example", {"r"}, a);
  EXPECT_EQ(ask("a.example", std::nullopt, "/r/x/y"), "a");
  EXPECT_EQ(ask("", std::nullopt, "/r/x/y"), "4.04");
}

TEST_F(CoapVirtualHosts, FindAgreesWithDispatch) {
  router.add("/r", plain);
  router.add("a.example", "/r", a);
  Options options;
  options.add(option::uri_host, "a.example").add_path("/r");
  EXPECT_EQ(router.find(Peer{}, options), &a);
  options.remove(option::uri_host);
  EXPECT_EQ(router.find(Peer{}, options), &plain);
  EXPECT_EQ(router.find(options.path()), &plain);
}

TEST_F(CoapVirtualHosts, PreconditionsThatNobodyEvaluatesAreABadOption) {
  StoredResource stored("text", {.put = true});
  router.add("/plain", plain);
  router.add("/stored", stored);
  const auto put_if = [&](std::string_view path, OptionNumber condition) {
    Request request{path == "/plain" ? code::get : code::put, {}, to_bytes("new")};
    request.options.add_path(path).add_empty(condition);
    layer.events.push_back(RequestArrived{ExchangeId(1), {}, std::move(request), Reliability::confirmable});
    EXPECT_FALSE(router.next_event({}));
    const auto code = layer.answers.back().second.code;
    layer.answers.clear();
    return code;
  };
  EXPECT_EQ(put_if("/plain", option::if_match), code::bad_option);
  EXPECT_EQ(put_if("/plain", option::if_none_match), code::bad_option);
  EXPECT_EQ(put_if("/stored", option::if_none_match), code::precondition_failed);
  EXPECT_EQ(put_if("/stored", option::if_match), code::changed);
  EXPECT_EQ(put_if("/nowhere", option::if_match), code::not_found);
}

TEST_F(CoapVirtualHosts, KnownOptionsAreWhatTheRouterHandles) {
  const auto known = Router::known_options();
  for (const auto number : {option::uri_host, option::uri_port, option::uri_path, option::uri_query, option::accept,
                            option::if_match, option::if_none_match}) {
    EXPECT_TRUE(known.has(number)) << number.value;
  }
  EXPECT_FALSE(known.has(option::proxy_uri));
}

}  // namespace
}  // namespace aceward::coap
