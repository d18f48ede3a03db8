// The revocation list as drafts/ace-revoked-token-notification has it: portions, updates, cursors.
#include <gtest/gtest.h>

#include "aceward/ace/as/reasons.h"
#include "aceward/ace/as/revocation_test_world.h"
#include "aceward/cbor/diagnostic.h"

namespace aceward::ace::as {
namespace {

using std::chrono::seconds;

/// The payload in diagnostic notation; hashes are 01 and the token's number.
std::string told(const coap::Response& response) {
  EXPECT_EQ(response.code, coap::code::content);
  EXPECT_EQ(response.options.content_format(), coap::content_format::ace_trl_cbor);
  return cbor::to_diagnostic(response.payload);
}

std::optional<TrlError> error_in(const coap::Response& response) {
  EXPECT_EQ(response.code, coap::code::bad_request);
  EXPECT_EQ(response.options.content_format(), coap::content_format::concise_problem_details_cbor);
  return trl_error_of(response);
}

TEST(RevocationList, IsEmptyAtFirst) {
  RevocationWorld world;
  EXPECT_EQ(world.ask(world.as_client(0)).code, coap::code::service_unavailable) << "the ledger was not read yet";
  EXPECT_TRUE(world.update().empty());
  EXPECT_EQ(told(world.ask(world.as_client(0))), "{0: [], 2: null}");
  EXPECT_EQ(told(world.ask(world.as_server(0), {"diff=3"})), "{1: [], 2: null, 3: false}");
}

TEST(RevocationList, EachAskerSeesItsOwnPortion) {
  RevocationWorld world;
  world.update();
  world.issue_and_revoke(0, 0);
  world.issue_and_revoke(1, 0);
  world.issue_and_revoke(1, 1);
  EXPECT_EQ(told(world.ask(world.as_client(0))), "{0: [h'0101'], 2: 0}");
  EXPECT_EQ(told(world.ask(world.as_client(1))), "{0: [h'0102', h'0103'], 2: 1}");
  EXPECT_EQ(told(world.ask(world.as_server(0))), "{0: [h'0101', h'0102'], 2: 1}");
  EXPECT_EQ(told(world.ask(world.as_server(1))), "{0: [h'0103'], 2: 0}");
  EXPECT_EQ(told(world.ask(world.as_server(2))), "{0: [], 2: null}");
  EXPECT_EQ(told(world.ask(world.as_client(0), {"diff=0"})), "{1: [[[], [h'0101']]], 2: 0, 3: false}");
  EXPECT_EQ(told(world.ask(world.as_server(2), {"diff=0"})), "{1: [], 2: null, 3: false}");
}

TEST(RevocationList, AnAdministratorSeesAll) {
  RevocationListConfig config = RevocationWorld::indexed_from_zero();
  config.administrators = {"panel"};
  RevocationWorld world(config);
  world.update();
  world.issue_and_revoke(0, 0);
  world.issue_and_revoke(0, 1);
  const RevocationAsker administrator = world.as_client(1);
  EXPECT_TRUE(administrator.administrator);
  EXPECT_FALSE(world.as_client(0).administrator);
  EXPECT_EQ(told(world.ask(administrator)), "{0: [h'0101', h'0102'], 2: 1}");
  EXPECT_EQ(told(world.ask(administrator, {"diff=1"})), "{1: [[[], [h'0102']]], 2: 1, 3: false}");
}

TEST(RevocationList, EachServerOfAGroupAudienceSeesTheToken) {
  RevocationWorld world;
  world.update();
  const TokenNumber number = world.issue(0, 0);
  world.ledger.tokens.back().more_servers = {world.servers[1].id};
  world.ledger.revoke(number);
  const auto changes = world.update();
  for (const std::size_t server : {0, 1}) {
    EXPECT_TRUE(changes.concerns(world.as_server(server)));
    EXPECT_EQ(told(world.ask(world.as_server(server))), "{0: [h'0101'], 2: 0}");
  }
  EXPECT_FALSE(changes.concerns(world.as_server(2)));
}

TEST(RevocationList, TheServerThatTakesAnAudienceOverSeesItsTokensToo) {
  RevocationWorld world;
  world.update();
  world.issue_and_revoke(0, 0);
  world.ledger.tokens.back().more_servers = {world.servers[2].id};  // as the store has it then
  const auto changes = world.update();
  EXPECT_TRUE(changes.concerns(world.as_server(2)));
  EXPECT_FALSE(changes.concerns(world.as_server(0)));
  EXPECT_EQ(told(world.ask(world.as_server(2))), "{0: [h'0101'], 2: 0}");
  EXPECT_EQ(told(world.ask(world.as_server(2), {"diff=0"})), "{1: [[[], [h'0101']]], 2: 0, 3: false}");
  EXPECT_EQ(told(world.ask(world.as_server(0), {"diff=0"})), "{1: [[[], [h'0101']]], 2: 0, 3: false}");
  EXPECT_TRUE(world.update().empty());
  world.clock.advance(std::chrono::hours(2));
  EXPECT_TRUE(world.update().concerns(world.as_server(2)));
  EXPECT_EQ(told(world.ask(world.as_server(2))), "{0: [], 2: 1}");
}

TEST(RevocationList, APartyThatIsBothSeesBothPortionsAsOne) {
  RevocationWorld world;
  world.update();
  RevocationAsker both = world.as_server(0);
  both.client_id = world.as_client(0).client_id;
  EXPECT_EQ(told(world.ask(both)), "{0: [], 2: null}");
  world.issue(0, 0);
  world.issue(0, 1);
  world.issue(1, 0);
  world.issue(1, 1);
  for (int i = 1; i <= 4; ++i) world.ledger.revoke(TokenNumber(i));
  world.update();
  EXPECT_EQ(told(world.ask(both)), "{0: [h'0101', h'0102', h'0103'], 2: 0}");
  EXPECT_EQ(told(world.ask(both, {"diff=0"})), "{1: [[[], [h'0101', h'0102', h'0103']]], 2: 0, 3: false}");
}

TEST(RevocationList, ATokenThatExpiresLeavesTheListAsAnUpdate) {
  RevocationWorld world;
  world.update();
  world.issue_and_revoke(0, 0, seconds(60));
  ASSERT_EQ(world.list->next_update(), world.clock.wall() + seconds(60));
  world.clock.advance(seconds(59));
  EXPECT_TRUE(world.update().empty());
  world.clock.advance(seconds(1));
  const auto changes = world.update();
  EXPECT_TRUE(changes.concerns(world.as_client(0)));
  EXPECT_TRUE(changes.concerns(world.as_server(0)));
  EXPECT_FALSE(changes.concerns(world.as_client(1)));
  EXPECT_EQ(world.list->size(), 0U);
  EXPECT_EQ(told(world.ask(world.as_client(0))), "{0: [], 2: 1}");
  EXPECT_EQ(told(world.ask(world.as_server(0), {"diff=0"})), "{1: [[[h'0101'], []], [[], [h'0101']]], 2: 1, 3: false}");
  EXPECT_FALSE(world.list->next_update());
}

TEST(RevocationList, WhatIsRevokedTogetherIsOneUpdate) {
  RevocationWorld world;
  world.update();
  world.issue_and_revoke(0, 0, seconds(10));
  for (int i = 0; i < 2; ++i) world.ledger.revoke(world.issue(0, 0));
  world.clock.advance(seconds(10));
  world.update();
  EXPECT_EQ(told(world.ask(world.as_server(0), {"diff=1"})), "{1: [[[h'0101'], [h'0102', h'0103']]], 2: 1, 3: false}");
}

TEST(RevocationList, ATokenThatAlreadyExpiredIsNotListed) {
  RevocationWorld world;
  world.update();
  const TokenNumber number = world.issue(0, 0, seconds(5));
  world.clock.advance(seconds(5));
  world.ledger.revoke(number);
  EXPECT_TRUE(world.update().empty());
  EXPECT_EQ(told(world.ask(world.as_client(0))), "{0: [], 2: null}");
}

// Figures 10 and 11 without, 13 with cursor: t1 and t2 are revoked, then expire one after the other.
TEST(RevocationList, TheNotificationsOfFigures10And13) {
  RevocationWorld world;
  world.update();
  const RevocationAsker rs = world.as_server(0);
  const auto states = [&](std::string_view full, std::string_view diff) {
    EXPECT_EQ(told(world.ask(rs)), full);
    EXPECT_EQ(told(world.ask(rs, {"diff=3"})), diff);
  };
  states("{0: [], 2: null}", "{1: [], 2: null, 3: false}");
  const TokenNumber t1 = world.issue(0, 0, seconds(10));
  const TokenNumber t2 = world.issue(1, 0, seconds(20));
  world.ledger.revoke(t1);
  world.update();
  states("{0: [h'0101'], 2: 0}", "{1: [[[], [h'0101']]], 2: 0, 3: false}");
  world.ledger.revoke(t2);
  world.update();
  states("{0: [h'0101', h'0102'], 2: 1}", "{1: [[[], [h'0102']], [[], [h'0101']]], 2: 1, 3: false}");
  world.clock.advance(seconds(10));
  world.update();
  states("{0: [h'0102'], 2: 2}", "{1: [[[h'0101'], []], [[], [h'0102']], [[], [h'0101']]], 2: 2, 3: false}");
  world.clock.advance(seconds(10));
  world.update();
  states("{0: [], 2: 3}", "{1: [[[h'0102'], []], [[h'0101'], []], [[], [h'0102']]], 2: 3, 3: false}");
  EXPECT_EQ(told(world.ask(rs, {"diff=3", "cursor=3"})), "{1: [], 2: 3, 3: false}");
}

// Figure 14: eight updates after index 2, in batches of five.
TEST(RevocationList, TheBatchesOfFigure14) {
  RevocationWorld world;
  world.update();
  for (int i = 0; i < 10; ++i) world.issue_and_revoke(0, 0);
  const RevocationAsker rs = world.as_server(0);
  EXPECT_EQ(
      told(world.ask(rs, {"diff=8", "cursor=2"})),
      "{1: [[[], [h'0108']], [[], [h'0107']], [[], [h'0106']], [[], [h'0105']], [[], [h'0104']]], 2: 7, 3: true}");
  EXPECT_EQ(told(world.ask(rs, {"diff=8", "cursor=7"})), "{1: [[[], [h'010a']], [[], [h'0109']]], 2: 9, 3: false}");
  EXPECT_EQ(told(world.ask(rs, {"diff=8", "cursor=9"})), "{1: [], 2: 9, 3: false}");
}

TEST(RevocationList, WithoutACursorTheEldestOfTheLatestComeFirst) {
  RevocationWorld world;
  world.update();
  for (int i = 0; i < 8; ++i) world.issue_and_revoke(0, 0);
  const RevocationAsker rs = world.as_server(0);
  // 7 of 8 wanted, 5 fit.
  EXPECT_EQ(
      told(world.ask(rs, {"diff=7"})),
      "{1: [[[], [h'0106']], [[], [h'0105']], [[], [h'0104']], [[], [h'0103']], [[], [h'0102']]], 2: 5, 3: true}");
  EXPECT_EQ(told(world.ask(rs, {"diff=5"})).substr(0, 21), "{1: [[[], [h'0108']],");
  EXPECT_EQ(told(world.ask(rs, {"diff=99"})), told(world.ask(rs, {"diff=0"})));
}

TEST(RevocationList, KeepsTheLatestUpdatesAlone) {
  RevocationListConfig config = RevocationWorld::indexed_from_zero();
  config.updates_kept = 3;
  config.updates_in_answer = 3;
  RevocationWorld world(config);
  world.update();
  for (int i = 0; i < 5; ++i) world.issue_and_revoke(0, 0);
  const RevocationAsker rs = world.as_server(0);
  EXPECT_EQ(told(world.ask(rs, {"diff=0"})),
            "{1: [[[], [h'0105']], [[], [h'0104']], [[], [h'0103']]], 2: 4, 3: false}");
  // The update after cursor 1 has index 2 and is the eldest kept; that after 0 is gone.
  EXPECT_EQ(told(world.ask(rs, {"diff=0", "cursor=1"})),
            "{1: [[[], [h'0105']], [[], [h'0104']], [[], [h'0103']]], 2: 4, 3: false}");
  EXPECT_EQ(told(world.ask(rs, {"diff=0", "cursor=0"})), "{1: [], 2: null, 3: true}");
}

TEST(RevocationList, ACursorBeyondTheLastUpdateIsOutOfBound) {
  RevocationWorld world;
  world.update();
  EXPECT_EQ(told(world.ask(world.as_server(0), {"diff=3", "cursor=7"})), "{1: [], 2: null, 3: false}")
      << "where there are no updates every cursor is taken";
  world.issue_and_revoke(0, 0);
  const auto error = error_in(world.ask(world.as_server(0), {"diff=3", "cursor=1"}));
  ASSERT_TRUE(error);
  EXPECT_EQ(error->error_id, TrlErrorId::cursor_out_of_bound);
  EXPECT_FALSE(error->cursor);
}

TEST(RevocationList, QueriesThatAreWrongGet400) {
  RevocationListConfig config = RevocationWorld::indexed_from_zero();
  config.last_possible_index = 100;
  RevocationWorld world(config);
  world.update();
  const RevocationAsker rs = world.as_server(0);
  EXPECT_EQ(error_in(world.ask(rs, {"diff=-1", "cursor=-53"})), (TrlError{TrlErrorId::invalid_parameter_value, {}}));
  EXPECT_EQ(error_in(world.ask(rs, {"cursor=-53"})), (TrlError{TrlErrorId::invalid_parameter_set, {}}));
  EXPECT_EQ(error_in(world.ask(rs, {"diff=1", "cursor=-53"})),
            (TrlError{TrlErrorId::invalid_parameter_value, TrlCursor()}));
  world.issue_and_revoke(0, 0);
  EXPECT_EQ(error_in(world.ask(rs, {"diff=1", "cursor=-53"})),
            (TrlError{TrlErrorId::invalid_parameter_value, TrlCursor(0)}));
  EXPECT_EQ(error_in(world.ask(rs, {"diff=1", "cursor=101"})),
            (TrlError{TrlErrorId::invalid_parameter_value, TrlCursor(0)}));
  EXPECT_EQ(error_in(world.ask(rs, {"diff=1", "cursor=100"}))->error_id, TrlErrorId::cursor_out_of_bound);
  EXPECT_EQ(told(world.ask(rs, {"x", "pmax=3"})), "{0: [h'0101'], 2: 0}") << "unknown parameters are ignored";
}

TEST(RevocationList, IndicesWrapAround) {
  RevocationListConfig config = RevocationWorld::indexed_from_zero();
  config.updates_kept = 3;
  config.updates_in_answer = 3;
  config.last_possible_index = 4;
  RevocationWorld world(config);
  world.update();
  for (int i = 0; i < 6; ++i) world.issue_and_revoke(0, 0);  // indices 0 to 4, then 0
  const RevocationAsker rs = world.as_server(0);
  EXPECT_EQ(told(world.ask(rs, {"diff=0"})),
            "{1: [[[], [h'0106']], [[], [h'0105']], [[], [h'0104']]], 2: 0, 3: false}");
  EXPECT_EQ(told(world.ask(rs, {"diff=0", "cursor=4"})), "{1: [[[], [h'0106']]], 2: 0, 3: false}");
  EXPECT_EQ(told(world.ask(rs, {"diff=0", "cursor=0"})), "{1: [], 2: 0, 3: false}");
  EXPECT_EQ(told(world.ask(rs, {"diff=0", "cursor=1"})), "{1: [], 2: null, 3: true}")
      << "after a wrap-around no cursor is out of bound";
}

TEST(RevocationList, ACursorOfAFormerLifeIsNeverTakenForOneOfNow) {
  RevocationWorld world(RevocationListConfig{});
  world.update();
  for (int i = 0; i < 4; ++i) world.issue_and_revoke(0, 0);
  const auto before = parse_revocation_answer(world.ask(world.as_server(0)).payload).value();
  ASSERT_TRUE(before.cursor && *before.cursor);
  const std::string cursor = "cursor=" + std::to_string(**before.cursor);
  world.clock.advance(seconds(1));
  world.start(RevocationListConfig{});
  world.update();
  // Everything that is listed is one update of the new life; the asker is sent to the full set.
  EXPECT_EQ(told(world.ask(world.as_server(0), {"diff=0", cursor})), "{1: [], 2: null, 3: true}");
  const auto after = parse_revocation_answer(world.ask(world.as_server(0)).payload).value();
  EXPECT_EQ(after.full_set->size(), 4U);
  ASSERT_TRUE(after.cursor && *after.cursor);
  EXPECT_GT(**after.cursor, **before.cursor);
}

TEST(RevocationList, BoundsAreBroughtIntoOrder) {
  RevocationListConfig config;
  config.updates_kept = 0;
  config.updates_in_answer = 9;
  config.first_index = 7;
  config.last_possible_index = 3;
  RevocationWorld world(config);
  EXPECT_EQ(world.list->config().updates_kept, 1U);
  EXPECT_EQ(world.list->config().updates_in_answer, 1U);
  EXPECT_EQ(world.list->config().first_index, 3U);
}

TEST(RevocationList, AListThatWouldBeTooLongIsNotTold) {
  RevocationListConfig config = RevocationWorld::indexed_from_zero();
  config.most_listed = 2;
  RevocationWorld world(config);
  for (int i = 0; i < 2; ++i) world.ledger.revoke(world.issue(0, 0));
  world.update();
  world.ledger.revoke(world.issue(0, 0, seconds(5)));
  EXPECT_EQ(world.list->update(world.clock.wall()).error(), reason::revocation_list_too_long);
  EXPECT_EQ(world.ask(world.as_server(0)).code, coap::code::service_unavailable);
  world.clock.advance(seconds(5));
  world.update();
  EXPECT_EQ(told(world.ask(world.as_server(0))), "{0: [h'0101', h'0102'], 2: 0}");
}

TEST(RevocationList, IsNotToldWhileTheLedgerIsOutOfReach) {
  static constexpr Reason unavailable{"store_unavailable", ErrorClass::internal, "", ""};
  RevocationWorld world;
  world.update();
  world.ledger.look_up_error = Error(unavailable);
  EXPECT_FALSE(world.list->update(world.clock.wall()));
  const coap::Response response = world.ask(world.as_server(0));
  EXPECT_EQ(response.code, coap::code::service_unavailable);
  EXPECT_TRUE(response.options.has(coap::option::max_age));
}

TEST(RevocationList, NobodyUnknownHasAPortion) {
  RevocationWorld world;
  world.update();
  EXPECT_FALSE(world.list->asker_of(std::nullopt, std::nullopt));
  const auto client = AuthenticationMint::with_pre_shared_key(world.clients[0]);
  world.clients[0].id = 55;  // removed, and another registered under the name
  world.register_all();
  EXPECT_FALSE(world.list->asker_of(client, std::nullopt));
}

TEST(RevocationList, WhatIsKeptForThoseThatAreGoneIsDropped) {
  RevocationWorld world;
  world.update();
  world.issue_and_revoke(0, 0);
  EXPECT_EQ(world.list->collections(), 3U);  // client, server, administrators
  world.clients.erase(world.clients.begin());
  world.register_all();
  EXPECT_EQ(world.list->collections(), 2U);
  world.issue_and_revoke(0, 0);
  EXPECT_EQ(told(world.ask(world.as_server(0))), "{0: [h'0101', h'0102'], 2: 1}");
}

TEST(RevocationList, AnotherAcceptIsRefused) {
  RevocationWorld world;
  world.update();
  coap::Request request;
  request.options.set_accept(coap::content_format::json);
  EXPECT_EQ(world.list->answer(world.as_server(0), request).code, coap::code::not_acceptable);
}

}  // namespace
}  // namespace aceward::ace::as
