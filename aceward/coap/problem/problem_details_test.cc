#include "aceward/coap/problem/problem_details.h"

#include <gtest/gtest.h>

#include "aceward/cbor/diagnostic.h"
#include "aceward/coap/problem/reasons.h"

namespace aceward::coap {
namespace {

Bytes encoded(std::string_view notation) {
  auto octets = cbor::from_diagnostic(notation);
  EXPECT_TRUE(octets) << notation;
  return octets ? *octets : Bytes{};
}

Result<ProblemDetails> parsed(std::string_view notation) { return parse_problem_details(encoded(notation)); }

// RFC 9290 figures 3 and 4; they differ in the key of the custom entry alone.
std::string figure(std::string_view key) {
  return std::string(R"({
     / title /         -1: "title of the error",
     / detail /        -2: "detailed information about the error",
     / instance /      -3: "coaps://pd.example/FA317434",
     / response-code / -4: 128, / 4.00 /
     )") +
         std::string(key) + R"(: {
       / cause /  0: "machine-readable error cause",
       / invalidParams / 1: [
         [ / param / "first parameter name", / reason / "must be a positive integer" ],
         [ / param / "second parameter name" ]
       ],
       / supportedFeatures / 2: "d34db33f"
     }
   })";
}

TEST(ProblemDetailsFigures, Figure3HasACustomEntryNamedByAUri) {
  const auto octets = encoded(figure(R"("tag:3gpp.org,2022-03:TS29112")"));
  const auto problem = parse_problem_details(octets);
  ASSERT_TRUE(problem);
  EXPECT_EQ(problem->title->text, "title of the error");
  EXPECT_FALSE(problem->title->language);
  EXPECT_EQ(problem->detail->text, "detailed information about the error");
  EXPECT_EQ(problem->instance, "coaps://pd.example/FA317434");
  EXPECT_EQ(problem->response_code, code::bad_request);
  const auto* custom = problem->find("tag:3gpp.org,2022-03:TS29112");
  ASSERT_NE(custom, nullptr);
  EXPECT_EQ(custom->map.octets, encoded(R"({0: "machine-readable error cause",
                        1: [["first parameter name", "must be a positive integer"], ["second parameter name"]],
                        2: "d34db33f"})"));
  EXPECT_EQ(problem->find("tag:other"), nullptr);
  EXPECT_EQ(problem->find(std::uint64_t{4711}), nullptr);
}

TEST(ProblemDetailsFigures, Figure4HasACustomEntryWithANumber) {
  const auto problem = parsed(figure("4711"));
  ASSERT_TRUE(problem);
  EXPECT_NE(problem->find(std::uint64_t{4711}), nullptr);
  const auto again = serialize(*problem);
  EXPECT_EQ(parse_problem_details(again), *problem);
  // Deterministic: 4711 sorts before the negative keys, whose major type is higher.
  EXPECT_EQ(again, encoded(R"({4711: {0: "machine-readable error cause",
                        1: [["first parameter name", "must be a positive integer"], ["second parameter name"]],
                        2: "d34db33f"}, -1: "title of the error", -2: "detailed information about the error",
                        -3: "coaps://pd.example/FA317434", -4: 128})"));
}

TEST(ProblemDetailsFigures, LanguageTaggedStringsOfAppendixA3) {
  const auto with_title = [](std::string_view hex) {
    Bytes octets = *from_hex("a120");
    const auto title = *from_hex(hex);
    octets.insert(octets.end(), title.begin(), title.end());
    return octets;
  };
  const auto hello = with_title("d826 82 62 656e 65 48656c6c6f");
  const auto bonjour = with_title("d826 82 62 6672 67 426f6e6a6f7572");
  const auto shalom = with_title("d826 83 62 6865 68 d7a9d79cd795d79d f5");
  EXPECT_EQ(parse_problem_details(hello)->title, ProblemText("en", "Hello"));
  EXPECT_EQ(parse_problem_details(bonjour)->title, ProblemText("fr", "Bonjour"));
  EXPECT_EQ(parse_problem_details(shalom)->title,
            ProblemText("he", "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d", TextDirection::right_to_left));
  for (const auto& octets : {hello, bonjour, shalom}) EXPECT_EQ(serialize(*parse_problem_details(octets)), octets);
}

TEST(ProblemDetails, EveryStandardKeyIsReadAndWrittenAgain) {
  ProblemDetails problem;
  problem.title = "No such sensor";
  problem.detail = ProblemText("de-AT", "Den Sensor gibt es nicht", TextDirection::left_to_right);
  problem.instance = "/problems/7?x=y";
  problem.response_code = code::not_found;
  problem.base_uri = "coap://h.example";
  problem.base_lang = "en";
  problem.base_direction = TextDirection::automatic;
  problem.unprocessed_options = {1, 65001};
  const auto octets = serialize(problem);
  EXPECT_EQ(octets, encoded(R"({-1: "No such sensor", -2: 38(["de-AT", "Den Sensor gibt es nicht", false]),
                               -3: "/problems/7?x=y", -4: 132, -5: "coap://h.example", -6: "en", -7: null,
                               -8: [1, 65001]})"));
  EXPECT_EQ(parse_problem_details(octets), problem);
}

TEST(ProblemDetails, OneUnprocessedOptionIsANumberAndSeveralAreAList) {
  EXPECT_EQ(parsed("{-8: 65001}")->unprocessed_options, std::vector<std::uint64_t>{65001});
  EXPECT_EQ(serialize(*parsed("{-8: 65001}")), encoded("{-8: 65001}"));
  EXPECT_EQ(parsed("{-8: [3, 1]}")->unprocessed_options, (std::vector<std::uint64_t>{3, 1}));
  EXPECT_FALSE(parsed("{-8: [3]}"));
  EXPECT_FALSE(parsed("{-8: []}"));
  EXPECT_FALSE(parsed("{-8: -1}"));
}

TEST(ProblemDetails, UnknownEntriesAreKept) {
  const auto octets = encoded(R"({7807: {0: "https://example.com/probs/out-of-credit", 1: 403, "balance": 30}, -1: "t",
                  -9: {"x": [1, 2]}, -18446744073709551616: 1, "urn:x:y": {-1: h'00'}})");
  const auto problem = parse_problem_details(octets);
  ASSERT_TRUE(problem);
  EXPECT_EQ(problem->other_standard.size(), 2U);
  EXPECT_EQ(problem->custom.size(), 2U);
  EXPECT_EQ(parse_problem_details(serialize(*problem)), *problem);
}

TEST(ProblemDetails, TheOrderOfTheEntriesDoesNotMatter) {
  const auto one = parsed(R"({-10: 1, -9: 2, "urn:b": {0: 1}, "urn:a": {0: 1}, 9: {0: 1}, 8: {0: 1}})");
  const auto other = parsed(R"({8: {0: 1}, "urn:a": {0: 1}, -9: 2, -10: 1, 9: {0: 1}, "urn:b": {0: 1}})");
  ASSERT_TRUE(one);
  EXPECT_EQ(one, other);
  EXPECT_EQ(parse_problem_details(serialize(*one)), one);
}

TEST(ProblemDetails, RefusesWhatTheCddlDoesNotAllow) {
  for (const std::string_view notation :
       {"{}", "{'k': {0: 1}}", "{1.5: {0: 1}}", "{\"no-uri\": {0: 1}}", "{\"/relative\": {0: 1}}", "{4711: {}}",
        "{4711: 5}", "{-3: \"not a uri reference\"}", "{-5: \"/relative\"}", "{-6: \"e_n\"}", "{-6: \"123\"}",
        "{-1: 38([\"123-toolongtag\", \"x\"])}"}) {
    const auto problem = parsed(notation);
    ASSERT_FALSE(problem) << notation;
    EXPECT_EQ(problem.error(), reason::problem_malformed) << notation;
  }
  for (const std::string_view notation :
       {"[]", "\"x\"", "{-1: 5}", "{-1: 39([\"en\", \"x\"])}", "{-1: 38([\"en\"])}",
        "{-1: 38([\"en\", \"x\", true, 1])}", "{-1: 38([\"en\", \"x\", 0])}", "{-3: 32(\"coap://h\")}", "{-4: 256}",
        "{-4: \"4.04\"}", "{-7: 0}", "{-1: \"a\", -1: \"b\"}", "{7: {0: 1}, 7: {0: 1}}", "{7: {0: 1, 0: 1}}",
        "{-1: \"a\"}, 0", "{-1: \"a\"_1}", "{_ -1: \"a\"}"}) {
    EXPECT_FALSE(parsed(notation)) << notation;
  }
  EXPECT_FALSE(parse_problem_details({}));
}

TEST(ProblemDetails, TagsOnTheElementsOfALanguageTaggedStringAreAllowed) {
  EXPECT_EQ(parsed(R"({-1: 38([100("en"), 101(102("x"))])})")->title, ProblemText("en", "x"));
}

TEST(ProblemDetails, TheLimitsOfTheReaderHold) {
  const auto octets = encoded("{4711: {0: [[[[[[[[1]]]]]]]]}}");
  EXPECT_TRUE(parse_problem_details(octets));
  EXPECT_FALSE(parse_problem_details(octets, {.max_depth = 5}));
  EXPECT_FALSE(parse_problem_details(octets, {.max_size = 4}));
}

TEST(ProblemResponse, TheResponseCodeInsideIsThatOfTheResponse) {
  ProblemDetails problem;
  problem.title = "x";
  problem.response_code = code::bad_request;
  const auto response = make_problem_response(code::not_found, problem);
  EXPECT_EQ(response.code, code::not_found);
  EXPECT_EQ(response.options.content_format(), content_format::concise_problem_details_cbor);
  EXPECT_EQ(response.payload, encoded("{-1: \"x\", -4: 132}"));
  const auto bare = make_problem_response(code::not_found, {});
  EXPECT_TRUE(bare.payload.empty());
  EXPECT_TRUE(bare.options.empty());
}

TEST(ErrorPayload, IsADiagnosticOnlyWithoutContentFormat) {
  Response response{code::bad_request, {}, to_bytes("no such filter")};
  EXPECT_EQ(std::get<DiagnosticText>(error_payload(response)).text, "no such filter");
  response.options.set_content_format(content_format::text_plain);
  EXPECT_EQ(std::get<OtherPayload>(error_payload(response)).format, content_format::text_plain);
  response.options.set_content_format(content_format::concise_problem_details_cbor);
  EXPECT_EQ(std::get<OtherPayload>(error_payload(response)).format, content_format::concise_problem_details_cbor);
  response.payload = encoded(R"({-1: "Busy", -2: "come back", -3: "/p/1", -8: 1})");
  EXPECT_EQ(std::get<ProblemDetails>(error_payload(response)).title->text, "Busy");
  EXPECT_EQ(describe(error_payload(response)), "Busy: come back; not processed: If-Match; instance /p/1");
  response.code = code::content;
  EXPECT_TRUE(std::holds_alternative<std::monostate>(error_payload(response)));
  EXPECT_EQ(describe(error_payload(response)), "");
}

TEST(ErrorPayload, ADiagnosticCannotReachTheTerminal) {
  const Response hostile{code::bad_request,
                         {},
                         to_bytes("a\x1b[2J\xff\xe2\x80\xae"
                                  "b\xc2\x9b")};
  EXPECT_EQ(describe(error_payload(hostile)),
            "a\xef\xbf\xbd[2J\xef\xbf\xbd\xef\xbf\xbd"
            "b\xef\xbf\xbd");
  Response problem{code::bad_request, {}, encoded(R"({-1: "a\u001b[2J", -2: "b\u202e\n", -3: "/p"})")};
  problem.options.set_content_format(content_format::concise_problem_details_cbor);
  EXPECT_EQ(describe(error_payload(problem)), "a\xef\xbf\xbd[2J: b\xef\xbf\xbd\xef\xbf\xbd; instance /p");
  const Response long_one{code::bad_request, {}, Bytes(5000, 'x')};
  EXPECT_EQ(describe(error_payload(long_one, 100)).size(), 100U);
}

}  // namespace
}  // namespace aceward::coap
