#include "aceward/coap/resource/router.h"

#include <gtest/gtest.h>

#include "aceward/coap/resource/scripted_layer.h"

namespace aceward::coap {
namespace {

class CoapRouter : public ::testing::Test {
 protected:
  std::string ask(const std::vector<std::string>& segments, Code method = code::get) {
    Request request{method, {}, {}};
    for (const auto& segment : segments) request.options.add(option::uri_path, segment);
    layer.events.push_back(RequestArrived{ExchangeId(++ids), {}, std::move(request), Reliability::confirmable});
    EXPECT_FALSE(router.next_event({}));
    if (layer.answers.empty()) return "";
    const auto answer = std::move(layer.answers.back().second);
    layer.answers.clear();
    return answer.payload.empty() ? answer.code.number() : std::string(as_text(answer.payload));
  }

  ScriptedLayer layer;
  Router router{layer};
  std::uint64_t ids = 0;
};

TEST_F(CoapRouter, ComparesPathsOptionByOption) {
  Named ab("ab");
  Named slashed("slashed");
  Named root("root");
  router.add("/a/b", ab);
  router.add(Path{"a/b"}, slashed);
  router.add("/", root);
  EXPECT_EQ(ask({"a", "b"}), "ab");
  EXPECT_EQ(ask({"a/b"}), "slashed");
  EXPECT_EQ(ask({}), "root");
  EXPECT_EQ(ask({"a"}), "4.04");
  EXPECT_EQ(ask({"a", "b", ""}), "4.04");
  EXPECT_EQ(ask({"A", "b"}), "4.04");
  EXPECT_EQ(ask({""}), "4.04");
  router.remove({"a/b"});
  EXPECT_EQ(ask({"a/b"}), "4.04");
  EXPECT_EQ(ask({"a", "b"}), "ab");
}

TEST_F(CoapRouter, AMethodThatTheResourceDoesNotTakeIs405) {
  Named thing("thing");
  router.add("t", thing);
  EXPECT_EQ(ask({"t"}, code::fetch), "thing");
  EXPECT_EQ(ask({"t"}, code::post), "4.05");
  EXPECT_EQ(ask({"t"}, Code(0, 31)), "4.05");
  EXPECT_EQ(ask({"u"}, code::post), "4.04");
}

TEST_F(CoapRouter, ATreeServesWhatLiesBelowIt) {
  Named leaf("leaf");
  Named outer("outer");
  Named inner("inner");
  router.add("a/b/leaf", leaf);
  router.add_tree({"a"}, outer);
  router.add_tree({"a", "b"}, inner);
  EXPECT_EQ(ask({"a", "b", "leaf"}), "leaf");
  EXPECT_EQ(ask({"a", "b", "x", "y"}), "inner");
  EXPECT_EQ(ask({"a", "c"}), "outer");
  EXPECT_EQ(ask({"a"}), "outer");
  EXPECT_EQ(ask({"b"}), "4.04");
}

TEST_F(CoapRouter, AHandlerMayAnswerLaterOrNever) {
  Named later("later");
  Named silent("silent");
  router.add("later", later);
  router.add("silent", silent);
  EXPECT_EQ(ask({"later"}), "");
  router.layer().respond(later.last, make_response(code::content), {}, {});
  ASSERT_EQ(layer.answers.size(), 1U);
  EXPECT_EQ(layer.answers[0].first, later.last);
  layer.answers.clear();
  EXPECT_EQ(ask({"silent"}), "");
  EXPECT_EQ(layer.cancelled, std::vector{ExchangeId(2)});
}

TEST_F(CoapRouter, OtherEventsAreHandedOn) {
  layer.events.push_back(ResponseArrived{ExchangeId(5), {}, {}, std::nullopt, true});
  const auto event = router.next_event({});
  ASSERT_TRUE(event);
  EXPECT_EQ(std::get<ResponseArrived>(*event).id, ExchangeId(5));
  EXPECT_FALSE(router.next_event({}));
}

TEST(CoapRouterAnswers, ContentFormatAndAcceptAreChecked) {
  Request request{code::post, {}, {}};
  EXPECT_EQ(refuse_content_format(request, content_format::ace_cbor)->code, code::unsupported_content_format);
  EXPECT_FALSE(refuse_content_format(request, content_format::ace_cbor, true));
  EXPECT_FALSE(refuse_accept(request, {content_format::ace_cbor}));
  request.options.set_content_format(content_format::cbor).set_accept(content_format::cbor);
  EXPECT_EQ(refuse_content_format(request, content_format::ace_cbor, true)->code, code::unsupported_content_format);
  EXPECT_FALSE(refuse_content_format(request, content_format::cbor));
  EXPECT_EQ(refuse_accept(request, {content_format::ace_cbor})->code, code::not_acceptable);
  EXPECT_FALSE(refuse_accept(request, {content_format::ace_cbor, content_format::cbor}));
  const auto response = make_response(code::content, content_format::cbor, Bytes{0xf6});
  EXPECT_EQ(response.options.content_format(), content_format::cbor);
}

}  // namespace
}  // namespace aceward::coap
