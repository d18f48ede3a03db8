// What a session's rights cover: this resource and this client, and nothing that only looks like them.
#include <gtest/gtest.h>

#include "tests/flow/world.h"

namespace aceward::tests {
namespace {

using ace::client::PopKind;
using std::chrono::seconds;

/// Within a session that may GET /temp: whatever else is asked of it is refused and reaches no resource.
TEST(FlowAttack, RightsToOneResourceOpenNoOtherSpellingOfIt) {
  World world;
  ClientNode& alice =
      world.add_client("alice", PopKind::raw_public_key, [](auto& config) { config.extend_rights = false; });
  world.allow("alice", "rTemp");
  ASSERT_EQ(code_of(world.ask(alice, coap::code::get, "temp")), coap::code::content);
  const auto ask_for = [&](coap::Code method, const std::vector<std::string>& path,
                           const std::vector<std::string>& query = {}) {
    ace::dtls::Operation operation;
    operation.request.method = method;
    for (const std::string& segment : path) operation.request.options.add(coap::option::uri_path, segment);
    for (const std::string& argument : query) operation.request.options.add(coap::option::uri_query, argument);
    alice.access->submit(0, std::move(operation), world.clock.now());
    world.run();
    return code_of(*alice.access->next_completed());
  };
  const std::vector<std::vector<std::string>> others = {
      {},
      {""},
      {"temp", ""},
      {"", "temp"},
      {"Temp"},
      {"%74emp"},
      {"temp/"},
      {"/temp"},
      {"temp "},
      {"temp?"},
      {"temp", "x"},
      {std::string("temp\0", 5)},
      {"authz-info", ""},
      {"Authz-Info"},
  };
  for (const auto& path : others) EXPECT_EQ(ask_for(coap::code::get, path), coap::code::forbidden);
  // RFC 7252 section 5.10.1 does not let these two be segments.
  const std::vector<std::vector<std::string>> dotted = {
      {".", "temp"}, {"temp", "."}, {"config", "..", "temp"}, {"temp", "..", "config"}};
  for (const auto& path : dotted) EXPECT_EQ(ask_for(coap::code::get, path), coap::code::bad_option);
  EXPECT_EQ(ask_for(coap::code::get, {"temp"}, {""}), coap::code::forbidden);
  EXPECT_EQ(ask_for(coap::code::get, {"temp"}, {"x=1"}), coap::code::forbidden);
  for (unsigned detail = 2; detail < 32; ++detail) {
    EXPECT_EQ(ask_for(coap::Code(0, detail), {"temp"}), coap::code::method_not_allowed) << detail;
  }
  EXPECT_EQ(world.served.size(), 1U);
  EXPECT_EQ(ask_for(coap::code::get, {"temp"}), coap::code::content);
}

/// One client's token presented by another within his own session serves its owner alone.
TEST(FlowAttack, ATokenPostedInAnotherClientsSessionGivesHimNothing) {
  World world;
  ClientNode& alice = world.add_client("alice", PopKind::raw_public_key);
  ClientNode& mallory =
      world.add_client("mallory", PopKind::raw_public_key, [](auto& config) { config.extend_rights = false; });
  world.allow("alice", "rConfig");
  world.allow("mallory", "rTemp");
  alice.access->obtain_token(0, seconds(60), world.clock.now());
  world.run();
  ASSERT_EQ(code_of(*alice.access->next_completed()), coap::code::created);
  ASSERT_EQ(code_of(world.ask(mallory, coap::code::get, "temp")), coap::code::content);
  ace::dtls::Operation post;
  post.request.method = coap::code::post;
  post.request.options.add_path("authz-info");
  post.request.options.set_content_format(coap::content_format::cwt);
  post.request.payload = alice.access->token(0)->access_token;
  mallory.access->submit(0, std::move(post), world.clock.now());
  world.run();
  EXPECT_EQ(code_of(*mallory.access->next_completed()), coap::code::created);
  EXPECT_EQ(code_of(world.ask(mallory, coap::code::get, "config")), coap::code::forbidden);
  EXPECT_EQ(code_of(world.ask(mallory, coap::code::get, "temp")), coap::code::content);
  EXPECT_EQ(code_of(world.ask(alice, coap::code::get, "config", {}, false)), coap::code::content);
}

}  // namespace
}  // namespace aceward::tests
