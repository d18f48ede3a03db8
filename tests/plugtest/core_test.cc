// TD_COAP_CORE_01 to 23 and 31: each test is one description; comments give its steps' numbers.
#include "tests/plugtest/wire.h"

namespace aceward::plugtest {
namespace {

namespace code = coap::code;
namespace option = coap::option;
namespace content_format = coap::content_format;
using coap::Reliability;
using coap::Type;

struct PlugtestCore : Wire {
  /// A request and what answers it at once: the acknowledgement, or for a non-confirmable one a message of its own.
  void expect_exchange(Type type, coap::Code method, const std::vector<std::string>& path, coap::Code answer) {
    ASSERT_EQ(seen.size(), 2U) << story();
    expect_request(seen[0], type, method, path);
    EXPECT_FALSE(seen[0].message.token.empty());
    const bool confirmable = type == Type::confirmable;
    expect_answer(seen[1], seen[0], confirmable ? Type::acknowledgement : Type::non_confirmable, answer);
    ASSERT_EQ(outcomes.size(), 1U);
    EXPECT_EQ(last_response().code, answer);
    EXPECT_EQ(last_response().payload, seen[1].message.payload);
  }
  coap::Message by_hand(Type type, coap::Code method, const std::string& path, BytesView token) {
    coap::Message message;
    message.type = type;
    message.code = method;
    message.message_id = 0x7777;
    message.token = coap::Token(token);
    message.options.add_path(path);
    return message;
  }
};

const std::vector<std::string> test_path{"test"};

TEST_F(PlugtestCore, TdCoapCore01) {
  ask(code::get, "/test");
  expect_exchange(Type::confirmable, code::get, test_path, code::content);
  EXPECT_EQ(seen[1].options().content_format(), content_format::text_plain);
  EXPECT_EQ(seen[1].text(), "The test resource");
}

TEST_F(PlugtestCore, TdCoapCore02) {
  ask(code::delete_, "/test");
  expect_exchange(Type::confirmable, code::delete_, test_path, code::deleted);
  EXPECT_EQ(resources->held("/test"), nullptr);
}

TEST_F(PlugtestCore, TdCoapCore03) {
  ask(code::put, "/test", "put there");
  expect_exchange(Type::confirmable, code::put, test_path, code::changed);
  EXPECT_EQ(seen[0].options().content_format(), content_format::text_plain);
  EXPECT_EQ(as_text(resources->held("/test")->content), "put there");
}

TEST_F(PlugtestCore, TdCoapCore04) {
  ask(code::post, "/test", "posted");
  expect_exchange(Type::confirmable, code::post, test_path, code::created);
  EXPECT_EQ(seen[0].text(), "posted");
}

TEST_F(PlugtestCore, TdCoapCore05) {
  ask(code::get, "/test", {}, Reliability::non_confirmable);
  expect_exchange(Type::non_confirmable, code::get, test_path, code::content);
  EXPECT_TRUE(seen[1].options().content_format());
}

TEST_F(PlugtestCore, TdCoapCore06) {
  ask(code::delete_, "/test", {}, Reliability::non_confirmable);
  expect_exchange(Type::non_confirmable, code::delete_, test_path, code::deleted);
}

TEST_F(PlugtestCore, TdCoapCore07) {
  ask(code::put, "/test", "put there", Reliability::non_confirmable);
  expect_exchange(Type::non_confirmable, code::put, test_path, code::changed);
  EXPECT_EQ(as_text(resources->held("/test")->content), "put there");
}

TEST_F(PlugtestCore, TdCoapCore08) {
  ask(code::post, "/test", "posted", Reliability::non_confirmable);
  expect_exchange(Type::non_confirmable, code::post, test_path, code::created);
}

/// Steps 2 to 5 of CORE_09 and CORE_11.
void expect_separate(const Wire& wire) {
  ASSERT_EQ(wire.seen.size(), 4U) << wire.story();
  const auto& [request, acknowledgement, response, last] =
      std::tie(wire.seen[0], wire.seen[1], wire.seen[2], wire.seen[3]);
  expect_request(request, Type::confirmable, code::get, {"separate"});
  EXPECT_GE(request.message.token.size(), 1U);
  EXPECT_LE(request.message.token.size(), 8U);
  EXPECT_EQ(acknowledgement.message.type, Type::acknowledgement);
  EXPECT_TRUE(acknowledgement.message.code.is_empty());
  EXPECT_EQ(acknowledgement.message.message_id, request.message.message_id);
  EXPECT_EQ(acknowledgement.size, 4U);
  EXPECT_GE(response.at - acknowledgement.at, std::chrono::seconds(2));
  expect_answer(response, request, Type::confirmable, code::content);
  EXPECT_FALSE(response.message.payload.empty());
  EXPECT_TRUE(last.of_client);
  EXPECT_EQ(last.message.type, Type::acknowledgement);
  EXPECT_EQ(last.message.message_id, response.message.message_id);
  EXPECT_EQ(last.size, 4U);
}

TEST_F(PlugtestCore, TdCoapCore09) {
  ask(code::get, "/separate");
  wait(std::chrono::seconds(10));
  expect_separate(*this);
  EXPECT_EQ(as_text(last_response().payload), "It took a while");
}

TEST_F(PlugtestCore, TdCoapCore09WithTheResponseBeforeTheAcknowledgement) {
  foreign_server = true;
  ask(code::get, "/separate");
  ASSERT_EQ(seen.size(), 1U);
  coap::Message response;
  response.type = Type::confirmable;
  response.code = code::content;
  response.message_id = 0x4242;
  response.token = seen[0].message.token;
  response.options.set_content_format(content_format::text_plain);
  response.payload = to_bytes("sooner");
  from_foreign_server(response);
  EXPECT_EQ(as_text(last_response().payload), "sooner");
  const auto acknowledged = of_client(1);
  ASSERT_EQ(acknowledged.size(), 1U);
  EXPECT_EQ(acknowledged[0].message.type, Type::acknowledgement);
  EXPECT_EQ(acknowledged[0].message.message_id, 0x4242);
  // The acknowledgement of the request comes late, and the request is not sent again.
  coap::Message late;
  late.type = Type::acknowledgement;
  late.message_id = seen[0].message.message_id;
  from_foreign_server(late);
  wait(std::chrono::seconds(100));
  EXPECT_EQ(of_client(1).size(), 1U) << story();
  EXPECT_EQ(outcomes.size(), 1U);
}

TEST_F(PlugtestCore, TdCoapCore09WithTheLastAcknowledgementLost) {
  int lost = 0;
  lose = [&](const Seen& one) { return one.of_client && one.message.type == Type::acknowledgement && lost++ == 0; };
  ask(code::get, "/separate");
  wait(std::chrono::seconds(20));
  const auto responses = of_server(2);
  ASSERT_EQ(responses.size(), 2U) << story();
  EXPECT_EQ(responses[0].message, responses[1].message);
  EXPECT_EQ(of_client(1).size(), 1U);
  EXPECT_EQ(outcomes.size(), 1U);
}

TEST_F(PlugtestCore, TdCoapCore10) {
  ask(code::get, "/test");
  expect_exchange(Type::confirmable, code::get, test_path, code::content);
  EXPECT_GE(seen[0].message.token.size(), 1U);
  EXPECT_LE(seen[0].message.token.size(), 8U);
}

TEST_F(PlugtestCore, TdCoapCore10WithTokensOfEveryLength) {
  for (std::size_t length = 1; length <= 8; ++length) {
    coap::Message request = by_hand(Type::confirmable, code::get, "/test", Bytes(length, 0xa5));
    request.message_id = static_cast<std::uint16_t>(length);
    from_foreign_client(request);
    expect_answer(seen.back(), seen[seen.size() - 2], Type::acknowledgement, code::content);
  }
}

TEST_F(PlugtestCore, TdCoapCore11) {
  ask(code::get, "/separate");
  wait(std::chrono::seconds(10));
  expect_separate(*this);
}

TEST_F(PlugtestCore, TdCoapCore12) {
  from_foreign_client(by_hand(Type::confirmable, code::get, "/test", {}));
  ASSERT_EQ(seen.size(), 2U);
  expect_answer(seen[1], seen[0], Type::acknowledgement, code::content);
  EXPECT_TRUE(seen[1].message.token.empty());
  EXPECT_EQ(seen[1].text(), "The test resource");
}

TEST_F(PlugtestCore, TdCoapCore13) {
  ask(code::get, "/seg1/seg2/seg3");
  expect_exchange(Type::confirmable, code::get, {"seg1", "seg2", "seg3"}, code::content);
  EXPECT_EQ(seen[1].text(), "Three segments down");
}

TEST_F(PlugtestCore, TdCoapCore14) {
  ask(code::get, "/query?first=1&second=2&third=3");
  expect_exchange(Type::confirmable, code::get, {"query"}, code::content);
  EXPECT_EQ(seen[0].options().queries(), (std::vector<std::string_view>{"first=1", "second=2", "third=3"}));
  EXPECT_EQ(seen[1].text(), "first=1\nsecond=2\nthird=3\n");
}

TEST_F(PlugtestCore, TdCoapCore17) {
  ask(code::get, "/separate", {}, Reliability::non_confirmable);
  wait(std::chrono::seconds(10));
  ASSERT_EQ(seen.size(), 2U) << story();
  expect_request(seen[0], Type::non_confirmable, code::get, {"separate"});
  expect_answer(seen[1], seen[0], Type::non_confirmable, code::content);
  EXPECT_GE(seen[1].at - seen[0].at, std::chrono::seconds(2));
  EXPECT_FALSE(last_response().payload.empty());
}

TEST_F(PlugtestCore, TdCoapCore18) {
  ask(code::post, "/test", "make it");
  expect_exchange(Type::confirmable, code::post, test_path, code::created);
  EXPECT_EQ(seen[1].options().all_text(option::location_path),
            (std::vector<std::string_view>{"location1", "location2", "location3"}));
}

TEST_F(PlugtestCore, TdCoapCore19) {
  ask(code::post, "/location-query", "make it");
  expect_exchange(Type::confirmable, code::post, {"location-query"}, code::created);
  EXPECT_EQ(seen[1].options().all_text(option::location_query), (std::vector<std::string_view>{"first=1", "second=2"}));
}

TEST_F(PlugtestCore, TdCoapCore20) {
  constexpr coap::ContentFormat xml{41};
  for (const auto& [format, content] :
       {std::pair{content_format::text_plain, "the same"}, std::pair{xml, "<said>the same</said>"}}) {
    const std::size_t before = seen.size();
    ask(code::get, "/multi-format", {}, Reliability::automatic,
        [format](coap::Request& request) { request.options.set_accept(format); });
    ASSERT_EQ(seen.size(), before + 2) << story();
    expect_request(seen[before], Type::confirmable, code::get, {"multi-format"});
    EXPECT_EQ(seen[before].options().accept(), format);
    expect_answer(seen[before + 1], seen[before], Type::acknowledgement, code::content);
    EXPECT_EQ(seen[before + 1].options().content_format(), format);
    EXPECT_EQ(seen[before + 1].text(), content);
  }
  EXPECT_NE(seen[0].message.message_id, seen[2].message.message_id);
}

TEST_F(PlugtestCore, TdCoapCore21) {
  ask(code::get, "/validate");
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_FALSE(seen[0].options().has(option::etag));
  const Bytes first = to_bytes(seen[1].options().find(option::etag).value());
  EXPECT_EQ(as_text(last_response().payload), "First state");
  wait(std::chrono::seconds(61));  // what the cache holds is not fresh any more

  ask(code::get, "/validate");
  ASSERT_EQ(seen.size(), 4U) << story();
  expect_request(seen[2], Type::confirmable, code::get, {"validate"});
  EXPECT_EQ(to_bytes(seen[2].options().find(option::etag).value()), first);
  expect_answer(seen[3], seen[2], Type::acknowledgement, code::valid);
  EXPECT_EQ(to_bytes(seen[3].options().find(option::etag).value()), first);
  EXPECT_TRUE(seen[3].message.payload.empty());
  EXPECT_EQ(as_text(last_response().payload), "First state");

  resources->set("/validate", content_format::text_plain, "Second state", now);
  wait(std::chrono::seconds(61));
  ask(code::get, "/validate");
  ASSERT_EQ(seen.size(), 6U) << story();
  EXPECT_EQ(to_bytes(seen[4].options().find(option::etag).value()), first);
  expect_answer(seen[5], seen[4], Type::acknowledgement, code::content);
  EXPECT_NE(to_bytes(seen[5].options().find(option::etag).value()), first);
  EXPECT_EQ(as_text(last_response().payload), "Second state");
  EXPECT_NE(seen[0].message.message_id, seen[2].message.message_id);
  EXPECT_NE(seen[2].message.message_id, seen[4].message.message_id);
}

TEST_F(PlugtestCore, TdCoapCore22) {
  const auto if_match = [](const Bytes& tag) {
    return [tag](coap::Request& request) { request.options.add(option::if_match, tag); };
  };
  ask(code::get, "/validate");
  const Bytes first = to_bytes(seen.back().options().find(option::etag).value());
  ask(code::put, "/validate", "Mine", Reliability::automatic, if_match(first));
  EXPECT_EQ(to_bytes(seen[2].options().find(option::if_match).value()), first);
  expect_answer(seen.back(), seen[2], Type::acknowledgement, code::changed);
  ask(code::get, "/validate");
  const Bytes second = to_bytes(seen.back().options().find(option::etag).value());
  EXPECT_NE(second, first);
  EXPECT_EQ(as_text(last_response().payload), "Mine");
  ask(code::put, "/validate", "Theirs");
  EXPECT_EQ(last_response().code, code::changed);
  ask(code::put, "/validate", "Mine again", Reliability::automatic, if_match(second));
  ASSERT_EQ(seen.size(), 10U) << story();
  expect_answer(seen[9], seen[8], Type::acknowledgement, code::precondition_failed);
  EXPECT_EQ(last_response().code, code::precondition_failed);
  EXPECT_EQ(as_text(resources->held("/validate")->content), "Theirs");
}

TEST_F(PlugtestCore, TdCoapCore23) {
  const auto if_none = [](coap::Request& request) { request.options.add_empty(option::if_none_match); };
  ask(code::put, "/create1", "one", Reliability::automatic, if_none);
  expect_exchange(Type::confirmable, code::put, {"create1"}, code::created);
  EXPECT_TRUE(seen[0].options().has(option::if_none_match));
  ask(code::put, "/create1", "two", Reliability::automatic, if_none);
  ASSERT_EQ(seen.size(), 4U);
  expect_answer(seen[3], seen[2], Type::acknowledgement, code::precondition_failed);
  EXPECT_EQ(as_text(resources->held("/create1")->content), "one");
}

TEST_F(PlugtestCore, TdCoapCore31) {
  std::optional<Result<>> there;
  ASSERT_TRUE(client.ping(Address::v4(192, 0, 2, 1, 5683), [&](Result<> outcome) { there = outcome; }, now));
  settle();
  ASSERT_EQ(seen.size(), 2U) << story();
  EXPECT_EQ(seen[0].size, 4U);
  EXPECT_EQ(seen[0].message.type, Type::confirmable);
  EXPECT_TRUE(seen[0].message.code.is_empty());
  EXPECT_EQ(seen[1].size, 4U);
  EXPECT_EQ(seen[1].message.type, Type::reset);
  EXPECT_EQ(seen[1].message.message_id, seen[0].message.message_id);
  ASSERT_TRUE(there);
  EXPECT_TRUE(*there);
}

TEST_F(PlugtestCore, TdCoapCore01OnALossyNetwork) {
  std::size_t count = 0;
  lose = [&](const Seen&) { return ++count <= 3; };  // the request, then the request and its answer
  ask(code::get, "/test");
  wait(std::chrono::seconds(60));
  EXPECT_EQ(as_text(last_response().payload), "The test resource");
  for (const Seen& one : of_client()) EXPECT_EQ(one.message, seen[0].message);
  EXPECT_EQ(outcomes.size(), 1U);
}

}  // namespace
}  // namespace aceward::plugtest
