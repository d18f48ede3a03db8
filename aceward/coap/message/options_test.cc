#include "aceward/coap/message/options.h"

#include <gtest/gtest.h>

#include "aceward/coap/message/option_check.h"

namespace aceward::coap {
namespace {

std::vector<std::uint16_t> numbers_in(const Options& options) {
  std::vector<std::uint16_t> numbers;
  for (const auto one : options) numbers.push_back(one.number.value);
  return numbers;
}

TEST(CoapOptions, StaySortedAndKeepTheOrderOfRepetitions) {
  Options options;
  options.add(option::uri_query, "q").add(option::uri_path, "a").add_empty(option::if_none_match);
  options.add(option::uri_path, "b").add(option::uri_host, "h");
  EXPECT_EQ(numbers_in(options), (std::vector<std::uint16_t>{3, 5, 11, 11, 15}));
  EXPECT_EQ(options.path(), (std::vector<std::string_view>{"a", "b"}));
  EXPECT_EQ(options.count(option::uri_path), 2U);
  EXPECT_FALSE(options.has(option::accept));
}

TEST(CoapOptions, UnsignedIntegersTakeTheShortestForm) {
  const std::pair<std::uint64_t, std::string_view> values[] = {
      {0, ""}, {1, "01"}, {255, "ff"}, {256, "0100"}, {65536, "010000"}, {UINT64_MAX, "ffffffffffffffff"}};
  for (const auto& [value, hex] : values) {
    Options options;
    options.add_uint(option::size1, value);
    EXPECT_EQ(to_hex(*options.find(option::size1)), hex);
    EXPECT_EQ(options.find_uint(option::size1), value);
  }
  EXPECT_EQ(parse_uint(from_hex("000005").value()), 5U);  // leading zeros are read, never written
  EXPECT_EQ(parse_uint(Bytes(9, 0)), std::nullopt);
  EXPECT_EQ(Options().find_uint(option::size1), std::nullopt);
}

TEST(CoapOptions, SetReplacesAllAndRemoveCounts) {
  Options options;
  options.add(option::etag, "one").add(option::etag, "two").add(option::uri_path, "p");
  options.set(option::etag, as_bytes("three"));
  EXPECT_EQ(options.all_text(option::etag), std::vector<std::string_view>{"three"});
  EXPECT_EQ(options.remove(option::etag), 1U);
  EXPECT_EQ(options.remove(option::etag), 0U);
  EXPECT_EQ(options.path(), std::vector<std::string_view>{"p"});
  EXPECT_EQ(options.value_size(), 1U);
}

TEST(CoapOptions, AValueMayBeBorrowedFromTheSameOptions) {
  Options options;
  options.add(option::etag, "abcd").add(option::uri_path, "path");
  for (int i = 0; i < 50; ++i) options.add(option::uri_query, *options.find(option::uri_path));
  for (const auto query : options.queries()) EXPECT_EQ(query, "path");
  options.set(option::etag, options.find(option::etag)->subspan(1));
  EXPECT_EQ(options.find_text(option::etag), "bcd");
}

TEST(CoapOptions, ReplacingTheSameOptionForeverTakesNoMoreRoom) {
  Options options;
  options.add_path("a/b");
  for (std::uint64_t i = 0; i < 10'000; ++i) options.set_uint(option::block2, i);
  EXPECT_LE(options.value_size(), 8U);
  EXPECT_EQ(options.path(), (std::vector<std::string_view>{"a", "b"}));
}

TEST(CoapOptions, PathIsSplitAtSlashesOnly) {
  EXPECT_EQ(Options().add_path("/.well-known/core").path(), (std::vector<std::string_view>{".well-known", "core"}));
  EXPECT_TRUE(Options().add_path("/").empty());
  EXPECT_TRUE(Options().add_path("").empty());
  EXPECT_EQ(Options().add_path("a//b/").path(), (std::vector<std::string_view>{"a", "", "b", ""}));
}

TEST(CoapOptions, EqualityLooksAtContentAlone) {
  Options a;
  a.add(option::uri_path, "x").add(option::uri_host, "h");
  Options b;
  b.add(option::uri_host, "h").add(option::uri_path, "x");
  EXPECT_EQ(a, b);
  b.add(option::uri_path, "y");
  EXPECT_NE(a, b);
}

TEST(CoapOptions, ContentFormatBeyondSixteenBitsIsNone) {
  Options options;
  options.set_uint(option::content_format, 65536);
  EXPECT_FALSE(options.content_format());
  options.set_content_format(content_format::ace_cbor);
  EXPECT_EQ(options.content_format(), content_format::ace_cbor);
  EXPECT_EQ(to_string(content_format::ace_cbor), "19 (application/ace+cbor)");
  EXPECT_EQ(to_string(ContentFormat(65000)), "65000");
}

// RFC 7252 table 4 and the rows that others added: number, critical, unsafe, no-cache-key, repeatable.
TEST(CoapOptionNumber, PropertiesFollowTable4) {
  struct Row {
    OptionNumber number;
    std::string_view flags;
  };
  const Row rows[] = {{option::if_match, "C--R"},       {option::uri_host, "CU--"},  {option::etag, "---R"},
                      {option::if_none_match, "C---"},  {option::observe, "-U--"},   {option::uri_port, "CU--"},
                      {option::location_path, "---R"},  {option::oscore, "C---"},    {option::uri_path, "CU-R"},
                      {option::content_format, "----"}, {option::max_age, "-U--"},   {option::uri_query, "CU-R"},
                      {option::hop_limit, "----"},      {option::accept, "C---"},    {option::location_query, "---R"},
                      {option::edhoc, "C---"},          {option::block2, "CU--"},    {option::block1, "CU--"},
                      {option::size2, "--N-"},          {option::proxy_uri, "CU--"}, {option::proxy_scheme, "CU--"},
                      {option::size1, "--N-"},          {option::echo, "--N-"},      {option::no_response, "-U--"},
                      {option::request_tag, "---R"},    {option::q_block1, "CU--"},  {option::q_block2, "CU-R"}};
  for (const auto& [number, flags] : rows) {
    const auto* definition = find_definition(number);
    ASSERT_NE(definition, nullptr) << number.value;
    EXPECT_EQ(definition->number, number);
    std::string seen;
    seen += is_critical(number) ? 'C' : '-';
    seen += is_unsafe(number) ? 'U' : '-';
    seen += is_no_cache_key(number) ? 'N' : '-';
    seen += definition->repeatable ? 'R' : '-';
    EXPECT_EQ(seen, flags) << definition->name;
  }
  EXPECT_EQ(find_definition(OptionNumber(65001)), nullptr);
  EXPECT_EQ(to_string(OptionNumber(65001)), "Option 65001");
  EXPECT_EQ(to_string(option::uri_path), "Uri-Path");
}

TEST(CoapOptionCheck, UnknownCriticalOptionIsNamedUnknownElectiveStays) {
  Options options;
  options.add_path("a").add(OptionNumber(65000), "elective").add(OptionNumber(65001), "critical");
  EXPECT_EQ(check_options(options, KnownOptions::in_requests()), OptionNumber(65001));
  auto known = KnownOptions::in_requests();
  known.add(OptionNumber(65001));
  EXPECT_EQ(check_options(options, known), std::nullopt);
  EXPECT_EQ(options.size(), 3U);
}

TEST(CoapOptionCheck, WrongLengthIsTreatedAsUnrecognized) {
  const std::pair<OptionNumber, std::size_t> critical[] = {{option::uri_host, 0},    {option::uri_host, 256},
                                                           {option::uri_port, 3},    {option::uri_path, 256},
                                                           {option::uri_query, 256}, {option::accept, 3}};
  for (const auto& [number, length] : critical) {
    Options options;
    options.add(number, Bytes(length, 'x'));
    EXPECT_EQ(check_options(options, KnownOptions::in_requests()), number) << number.value << " " << length;
  }
  const std::pair<OptionNumber, std::size_t> elective[] = {
      {option::etag, 0},    {option::etag, 9},  {option::content_format, 3}, {option::max_age, 5},
      {option::observe, 4}, {option::size1, 5}, {option::echo, 41},          {option::echo, 0}};
  for (const auto& [number, length] : elective) {
    Options options;
    options.add_path("p").add(number, Bytes(length, 'x'));
    EXPECT_EQ(check_options(options, KnownOptions::in_requests()), std::nullopt);
    EXPECT_FALSE(options.has(number)) << number.value << " " << length;
    EXPECT_TRUE(options.has(option::uri_path));
  }
}

TEST(CoapOptionCheck, SupernumeraryOccurrencesAreTreatedAsUnrecognized) {
  Options elective;
  elective.add_uint(option::max_age, 1).add_uint(option::max_age, 2).add_uint(option::max_age, 3);
  EXPECT_EQ(check_options(elective, {}), std::nullopt);
  EXPECT_EQ(elective.count(option::max_age), 1U);
  EXPECT_EQ(elective.find_uint(option::max_age), 1U);
  Options critical;
  critical.add_uint(option::accept, 50).add_uint(option::accept, 60);
  EXPECT_EQ(check_options(critical, KnownOptions::in_requests()), option::accept);
  Options repeatable;
  repeatable.add_path("a/b/c");
  EXPECT_EQ(check_options(repeatable, KnownOptions::in_requests()), std::nullopt);
}

TEST(CoapOptionCheck, DotSegmentsAreNoUriPath) {
  for (const auto* dots : {".", ".."}) {
    Options options;
    options.add(option::uri_path, dots);
    EXPECT_EQ(check_options(options, KnownOptions::in_requests()), option::uri_path);
  }
  Options three;
  three.add(option::uri_path, "...");
  EXPECT_EQ(check_options(three, KnownOptions::in_requests()), std::nullopt);
}

}  // namespace
}  // namespace aceward::coap
