// The messages of drafts/ace-revoked-token-notification, as its figures show them, and what is refused.
#include "aceward/ace/params/revocation.h"

#include <gtest/gtest.h>

#include "aceward/ace/params/reasons.h"
#include "aceward/cbor/diagnostic.h"
#include "aceward/coap/resource/answers.h"

namespace aceward::ace {
namespace {

Bytes answer_octets(std::string_view diagnostic) { return cbor::from_diagnostic(diagnostic).value(); }

RevocationAnswer read_answer(std::string_view diagnostic) {
  const Bytes octets = answer_octets(diagnostic);
  RevocationAnswer answer = parse_revocation_answer(octets).value();
  EXPECT_EQ(to_hex(cbor::serialize(answer)), to_hex(octets));
  return answer;
}

coap::Options with_queries(std::initializer_list<std::string_view> queries) {
  coap::Options options;
  for (const std::string_view query : queries) options.add(coap::option::uri_query, query);
  return options;
}

TEST(RevocationAnswer, Figure7WithTheHashesThatAreShown) {
  const auto answer = read_answer("{0: [h'01fa51cc4819', h'01748190223d']}");
  EXPECT_EQ(answer.full_set->size(), 2U);
  EXPECT_FALSE(answer.cursor);
  EXPECT_FALSE(answer.diff_set);
}

TEST(RevocationAnswer, Figure9WithTheHashesThatAreShown) {
  const auto answer = read_answer(
      "{1: [[[h'01fa51cc0f6a', h'017481908bce'], [h'01cdf1ca563d', h'01be41a6a057']],"
      "     [[h'0144dd1277bc', h'01231fffa2ce'], []], [[], [h'01ca986fffc1', h'01fe1a2bdef0']]]}");
  ASSERT_EQ(answer.diff_set->size(), 3U);
  EXPECT_EQ(answer.diff_set->at(1).removed.size(), 2U);
  EXPECT_TRUE(answer.diff_set->at(1).added.empty());
  EXPECT_EQ(to_hex(answer.diff_set->at(2).added.at(0)), "01ca986fffc1");
}

TEST(RevocationAnswer, WithACursor) {
  EXPECT_EQ(**read_answer("{0: [], 2: 3}").cursor, 3U);
  EXPECT_FALSE(*read_answer("{0: [], 2: null}").cursor);
  const auto answer = read_answer("{1: [], 2: null, 3: true}");
  EXPECT_TRUE(answer.diff_set->empty());
  EXPECT_EQ(answer.more, true);
}

TEST(RevocationAnswer, IgnoresParametersThatAreNotOfIt) {
  const auto answer = parse_revocation_answer(answer_octets(R"({0: [h'0102'], 9: [1], "x": 1})")).value();
  EXPECT_EQ(answer.full_set, std::vector<Bytes>{(Bytes{1, 2})});
}

TEST(RevocationAnswer, RefusesOtherShapes) {
  EXPECT_EQ(parse_revocation_answer(answer_octets("{}")).error(), reason::revocation_answer_malformed);
  EXPECT_EQ(parse_revocation_answer(answer_octets("{0: [], 1: []}")).error(), reason::revocation_answer_malformed);
  EXPECT_EQ(parse_revocation_answer(answer_octets("{0: [h'01']}")).error(), reason::revocation_answer_malformed);
  EXPECT_EQ(parse_revocation_answer(answer_octets("{1: [[[], [h'01']]]}")).error(),
            reason::revocation_answer_malformed);
  EXPECT_EQ(parse_revocation_answer(answer_octets("{1: [[[h'']  , []]]}")).error(),
            reason::revocation_answer_malformed);
  EXPECT_FALSE(parse_revocation_answer(answer_octets("{1: [[[]]]}")));
  EXPECT_FALSE(parse_revocation_answer(answer_octets("{0: [1]}")));
  EXPECT_FALSE(parse_revocation_answer(answer_octets("{0: [], 2: -1}")));
  EXPECT_FALSE(parse_revocation_answer(answer_octets("{0: h'01'}")));
  RevocationAnswer answer;
  answer.full_set = {Bytes(65, 1)};
  EXPECT_TRUE(parse_revocation_answer(cbor::serialize(answer)));
  answer.full_set->front().push_back(1);
  EXPECT_FALSE(parse_revocation_answer(cbor::serialize(answer)));
}

TEST(TrlError, Figure5) {
  const coap::Response response =
      make_trl_error({TrlErrorId::invalid_parameter_value, TrlCursor(42)}, "Invalid value for 'cursor': -53");
  EXPECT_EQ(response.code, coap::code::bad_request);
  EXPECT_EQ(response.options.content_format(), coap::content_format::concise_problem_details_cbor);
  EXPECT_EQ(to_hex(response.payload), to_hex(answer_octets(R"({ / ace-trl-error / 1: {0: 0, 1: 42},
      -1: "Invalid parameter value", -2: "Invalid value for 'cursor': -53" })")));
  const auto error = trl_error_of(response);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->error_id, TrlErrorId::invalid_parameter_value);
  EXPECT_EQ(error->cursor, TrlCursor(42));
}

TEST(TrlError, ErrorsOfTable2) {
  EXPECT_EQ(std::to_underlying(TrlErrorId::invalid_parameter_value), 0);
  EXPECT_EQ(std::to_underlying(TrlErrorId::invalid_parameter_set), 1);
  EXPECT_EQ(std::to_underlying(TrlErrorId::cursor_out_of_bound), 2);
  EXPECT_EQ(name_of(TrlErrorId::invalid_parameter_set), "Invalid set of parameters");
  EXPECT_EQ(name_of(TrlErrorId::cursor_out_of_bound), "Out of bound cursor value");
  const auto unknown = trl_error_of(make_trl_error({static_cast<TrlErrorId>(77), std::nullopt}, ""));
  ASSERT_TRUE(unknown);
  EXPECT_EQ(std::to_underlying(unknown->error_id), 77);
}

TEST(TrlError, OtherResponsesHaveNone) {
  EXPECT_FALSE(trl_error_of(coap::make_response(coap::code::bad_request)));
  EXPECT_FALSE(trl_error_of(coap::make_response(coap::code::bad_request, "text")));
  EXPECT_FALSE(
      trl_error_of(coap::make_response(coap::code::bad_request, coap::content_format::concise_problem_details_cbor,
                                       answer_octets(R"({-1: "x", 1: {5: 0}})"))));
}

TEST(TrlQuery, WithoutParametersIsAFullQuery) {
  EXPECT_TRUE(parse_trl_query(coap::Options())->asks_full());
  EXPECT_EQ(parse_trl_query(with_queries({"diffs=3", "x", "cursory=1", "pmax=60"})), TrlQuery());
}

TEST(TrlQuery, NumbersAreRead) {
  EXPECT_EQ(parse_trl_query(with_queries({"diff=0"})), (TrlQuery{0, std::nullopt}));
  EXPECT_EQ(parse_trl_query(with_queries({"cursor=18446744073709551615", "diff=3"})),
            (TrlQuery{3, 18446744073709551615U}));
  EXPECT_EQ(parse_trl_query(with_queries({"diff=99999999999999999999999"}))->diff, 18446744073709551615U);
}

TEST(TrlQuery, DiffIsAnUnsignedNumber) {
  for (const std::string_view query : {"diff=-1", "diff=", "diff", "diff=x", "diff=1.5", "diff=+1", "diff= 1"}) {
    const auto refused = parse_trl_query(with_queries({query, "cursor=-5"}));
    ASSERT_FALSE(refused) << query;
    EXPECT_EQ(refused.error().error_id, TrlErrorId::invalid_parameter_value);
    EXPECT_FALSE(refused.error().names_cursor) << query;
  }
  EXPECT_FALSE(parse_trl_query(with_queries({"diff=1", "diff=1"})));
}

TEST(TrlQuery, CursorNeedsDiff) {
  for (const std::string_view query : {"cursor=1", "cursor=-1"}) {
    const auto refused = parse_trl_query(with_queries({query}));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().error_id, TrlErrorId::invalid_parameter_set);
    EXPECT_FALSE(refused.error().names_cursor);
  }
}

TEST(TrlQuery, CursorIsAnUnsignedNumber) {
  for (const std::string_view query : {"cursor=-53", "cursor", "cursor=", "cursor=18446744073709551616"}) {
    const auto refused = parse_trl_query(with_queries({"diff=3", query}));
    ASSERT_FALSE(refused) << query;
    EXPECT_EQ(refused.error().error_id, TrlErrorId::invalid_parameter_value);
    EXPECT_TRUE(refused.error().names_cursor) << query;
  }
  EXPECT_FALSE(parse_trl_query(with_queries({"diff=3", "cursor=1", "cursor=2"})));
}

TEST(TrlQuery, IsWrittenAsItIsRead) {
  coap::Options options;
  add_trl_query(options, {3, 42});
  EXPECT_EQ(parse_trl_query(options), (TrlQuery{3, 42}));
  EXPECT_EQ(options.count(coap::option::uri_query), 2U);
}

}  // namespace
}  // namespace aceward::ace
