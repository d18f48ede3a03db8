// TD_COAP_OBS_01, 02, 04 to 10: each test is one description.
#include "aceward/coap/observe/sequence.h"
#include "tests/plugtest/wire.h"

namespace aceward::plugtest {
namespace {

namespace code = coap::code;
namespace option = coap::option;
namespace content_format = coap::content_format;
using coap::Reliability;
using coap::Type;

struct PlugtestObserve : Wire {
  static std::optional<std::uint32_t> order(const Seen& one) {
    const auto value = one.options().find_uint(option::observe);
    return value ? std::optional(static_cast<std::uint32_t>(*value)) : std::nullopt;
  }
  void change() {
    now += std::chrono::seconds(5);
    resources->tick(now);
    server->on_timeout(now);
    settle();
  }
  /// The steps that nearly all begin with: registration, first response, a notification and its acknowledgement.
  void begin(const std::string& path = "/obs") {
    id = observe(path);
    ASSERT_EQ(seen.size(), 2U) << story();
    EXPECT_EQ(seen[0].message.type, Type::confirmable);
    EXPECT_EQ(seen[0].message.code, code::get);
    EXPECT_FALSE(seen[0].message.token.empty());
    ASSERT_TRUE(seen[0].options().find(option::observe));
    EXPECT_TRUE(seen[0].options().find(option::observe)->empty());  // the number 0
    expect_answer(seen[1], seen[0], Type::acknowledgement, code::content);
    ASSERT_TRUE(order(seen[1]));
    change();
    ASSERT_EQ(seen.size(), 4U) << story();
    expect_notification(seen[2], seen[1]);
    EXPECT_TRUE(seen[3].of_client);
    EXPECT_EQ(seen[3].message.type, Type::acknowledgement);
    EXPECT_EQ(seen[3].message.message_id, seen[2].message.message_id);
    EXPECT_EQ(notified, (std::vector<std::string>{"State 0", "State 1"}));
  }
  void expect_notification(const Seen& notification, const Seen& before, Type type = Type::confirmable) {
    expect_answer(notification, seen[0], type, code::content);
    EXPECT_EQ(notification.options().content_format(), before.options().content_format());
    ASSERT_TRUE(order(notification) && order(before)) << story();
    EXPECT_TRUE(coap::is_later_observe(*order(before), *order(notification)));
  }
  void expect_silence() {
    const std::size_t before = seen.size();
    change();
    wait(std::chrono::seconds(200));
    EXPECT_TRUE(of_server(before).empty()) << story();
  }

  coap::ExchangeId id;
};

TEST_F(PlugtestObserve, TdCoapObs01) {
  begin();
  change();
  ASSERT_EQ(seen.size(), 6U) << story();
  expect_notification(seen[4], seen[2]);
  EXPECT_EQ(notified.back(), "State 2");
}

TEST_F(PlugtestObserve, TdCoapObs02) {
  observe("/obs-non", Reliability::non_confirmable);
  ASSERT_EQ(seen.size(), 2U) << story();
  EXPECT_EQ(seen[0].message.type, Type::non_confirmable);
  EXPECT_TRUE(seen[0].options().find(option::observe)->empty());
  expect_answer(seen[1], seen[0], Type::non_confirmable, code::content);
  for (int i = 0; i < 3; ++i) {
    change();
    ASSERT_EQ(seen.size(), 3U + static_cast<std::size_t>(i)) << story();
    expect_notification(seen.back(), seen[seen.size() - 2], Type::non_confirmable);
  }
  EXPECT_EQ(notified, (std::vector<std::string>{"State 0", "State 1", "State 2", "State 3"}));
}

TEST_F(PlugtestObserve, TdCoapObs04) {
  begin();
  restart_server();
  const std::size_t before = seen.size();
  change();
  EXPECT_TRUE(of_server(before).empty());
  EXPECT_EQ(notified.size(), 2U);
  resources->set("/obs", content_format::text_plain, "After the restart", now);
  // Max-Age (60 s) and a random 5 to 15 s later the client registers again, with the same token.
  wait(std::chrono::seconds(80));
  ASSERT_EQ(seen.size(), before + 2) << story();
  EXPECT_EQ(seen[before].message.type, Type::confirmable);
  EXPECT_EQ(seen[before].message.code, code::get);
  EXPECT_EQ(seen[before].message.token, seen[0].message.token);
  EXPECT_TRUE(seen[before].options().find(option::observe)->empty());
  expect_answer(seen[before + 1], seen[before], Type::acknowledgement, code::content);
  EXPECT_TRUE(order(seen[before + 1]));
  change();
  ASSERT_EQ(seen.size(), before + 4) << story();
  expect_notification(seen[before + 2], seen[before + 1]);
  EXPECT_EQ(seen[before + 3].message.type, Type::acknowledgement);
  EXPECT_FALSE(observation_over);
}

TEST_F(PlugtestObserve, TdCoapObs05) {
  begin();
  const std::size_t before = seen.size();
  lose = [](const Seen&) { return true; };  // the client is switched off
  change();
  resources->tick(now + std::chrono::seconds(1));
  wait(std::chrono::seconds(100));
  // What our client, cut off, sends meanwhile is not looked at.
  std::vector<Seen> repeated;
  for (std::size_t i = before; i < seen.size(); ++i) {
    if (!seen[i].of_client) repeated.push_back(seen[i]);
  }
  ASSERT_GE(repeated.size(), 2U) << story();
  std::uint32_t last = order(seen[2]).value();
  for (const Seen& one : repeated) {
    EXPECT_EQ(one.message.type, Type::confirmable);
    EXPECT_EQ(one.message.token, seen[0].message.token);
    ASSERT_TRUE(order(one));
    EXPECT_FALSE(coap::is_later_observe(*order(one), last)) << story();
    last = *order(one);
  }
  EXPECT_TRUE(coap::is_later_observe(*order(repeated.front()), last)) << "the state changed meanwhile\n" << story();
  // MAX_TRANSMIT_WAIT after the first that was not acknowledged the server gives the client up.
  wait(std::chrono::seconds(300));
  EXPECT_EQ(server->observations().observers(), 0U);
  expect_silence();
}

TEST_F(PlugtestObserve, TdCoapObs06) {
  begin();
  // A client that was restarted knows nothing of it.
  client.cancel(id);
  const std::size_t before = seen.size();
  change();
  ASSERT_EQ(seen.size(), before + 2) << story();
  expect_notification(seen[before], seen[2]);
  EXPECT_EQ(seen[before + 1].message.type, Type::reset);
  EXPECT_EQ(seen[before + 1].message.message_id, seen[before].message.message_id);
  EXPECT_EQ(seen[before + 1].size, 4U);
  EXPECT_EQ(server->observations().observers(), 0U);
  expect_silence();
  EXPECT_EQ(notified.size(), 2U);
}

/// The last notification: an error, without Observe, after which there is silence.
void expect_end(Wire& wire, std::size_t index, coap::Code why) {
  ASSERT_GT(wire.seen.size(), index) << wire.story();
  const Seen& last = wire.seen[index];
  EXPECT_EQ(last.message.type, Type::confirmable);
  EXPECT_EQ(last.message.code, why);
  EXPECT_EQ(last.message.token, wire.seen[0].message.token);
  EXPECT_FALSE(last.options().has(option::observe));
  EXPECT_TRUE(wire.observation_over);
  EXPECT_EQ(wire.server->observations().observers(), 0U);
}

TEST_F(PlugtestObserve, TdCoapObs07) {
  begin();
  ask(code::delete_, "/obs");
  EXPECT_EQ(last_response().code, code::deleted);
  wait(std::chrono::seconds(1));
  const auto of_the_server = of_server(4);
  ASSERT_EQ(of_the_server.size(), 2U) << story();  // the answer to the DELETE, and the last notification
  const bool answer_first = of_the_server[0].message.code == code::deleted;
  std::size_t index = 4;
  while (seen[index].of_client || seen[index].message.code == code::deleted) ++index;
  EXPECT_TRUE(answer_first || of_the_server[1].message.code == code::deleted);
  expect_end(*this, index, code::not_found);
  expect_silence();
}

TEST_F(PlugtestObserve, TdCoapObs08) {
  begin();
  const std::size_t before = seen.size();
  resources->set("/obs", content_format::json, "{}", now);
  server->on_timeout(now);
  settle();
  wait(std::chrono::seconds(1));
  expect_end(*this, before, code::not_acceptable);
  EXPECT_EQ(notified.size(), 3U);  // the error, too, is told
  resources->set("/obs", content_format::json, "[]", now);
  wait(std::chrono::seconds(200));
  EXPECT_TRUE(of_server(before + 1).empty()) << story();
}

TEST_F(PlugtestObserve, TdCoapObs09) {
  begin();
  ask(code::put, "/obs", "New state");
  EXPECT_EQ(last_response().code, code::changed);
  wait(std::chrono::seconds(1));
  std::size_t index = 4;
  while (index < seen.size() && (seen[index].of_client || seen[index].message.code != code::content)) ++index;
  ASSERT_LT(index, seen.size()) << story();
  expect_notification(seen[index], seen[2]);
  EXPECT_EQ(seen[index].text(), "New state");
  EXPECT_EQ(notified.back(), "New state");
  EXPECT_EQ(of_client(index + 1).back().message.message_id, seen[index].message.message_id);
}

TEST_F(PlugtestObserve, TdCoapObs10) {
  begin();
  const std::size_t before = seen.size();
  ask(code::get, "/obs?again", {}, Reliability::automatic,
      [](coap::Request& request) { request.options.remove(option::uri_query); });
  // The cache may answer from the notification while it is fresh, so another client's plain GET is looked at, too.
  if (seen.size() == before) {
    EXPECT_EQ(as_text(last_response().payload), "State 1");
    coap::Message plain;
    plain.code = code::get;
    plain.message_id = 99;
    plain.token = coap::Token(Bytes{9, 9});
    plain.options.add_path("/obs");
    from_foreign_client(plain);
    foreign_client = false;
  }
  ASSERT_EQ(seen.size(), before + 2) << story();
  EXPECT_FALSE(seen[before].options().has(option::observe));
  EXPECT_NE(seen[before].message.token, seen[0].message.token);
  expect_answer(seen[before + 1], seen[before], Type::acknowledgement, code::content);
  EXPECT_FALSE(seen[before + 1].options().has(option::observe));
  EXPECT_EQ(seen[before + 1].options().content_format(), seen[1].options().content_format());
  change();
  ASSERT_EQ(seen.size(), before + 4) << story();
  expect_notification(seen[before + 2], seen[2]);
  EXPECT_EQ(seen[before + 3].message.type, Type::acknowledgement);
  EXPECT_EQ(notified.back(), "State 2");
}

TEST_F(PlugtestObserve, TdCoapObs01WithALargeResource) {
  observe("/obs-large");
  change();
  ASSERT_EQ(notified.size(), 2U) << story();
  EXPECT_EQ(notified[0], "State 0\n" + Resources::large_text());
  EXPECT_EQ(notified[1], "State 1\n" + Resources::large_text());
}

TEST_F(PlugtestObserve, TdCoapObs01WithALateNotification) {
  begin();
  change();
  // The first notification once more, out of order, from the network: it is acknowledged, and not shown.
  coap::Message late = seen[2].message;
  late.message_id = static_cast<std::uint16_t>(late.message_id + 1000);
  const std::size_t before = seen.size();
  from_foreign_server(late);
  ASSERT_EQ(of_client(before).size(), 1U) << story();
  EXPECT_EQ(of_client(before)[0].message.type, Type::acknowledgement);
  EXPECT_EQ(notified.back(), "State 2");
}

}  // namespace
}  // namespace aceward::plugtest
