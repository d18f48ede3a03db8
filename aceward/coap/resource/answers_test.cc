#include "aceward/coap/resource/answers.h"

#include <gtest/gtest.h>

#include "aceward/coap/resource/location.h"
#include "aceward/coap/resource/reasons.h"

namespace aceward::coap {
namespace {

Request with(OptionNumber number, std::initializer_list<Bytes> values, Code method = code::put) {
  Request request{method, {}, {}};
  for (const auto& value : values) request.options.add(number, value);
  return request;
}

// RFC 7252 section 5.10.8.1
TEST(CoapPreconditions, IfMatchHoldsIfAnyTagIsTheCurrentOne) {
  const Bytes current{1, 2};
  EXPECT_FALSE(refuse_precondition(with(option::if_match, {{1, 2}}), current));
  EXPECT_FALSE(refuse_precondition(with(option::if_match, {{9}, {1, 2}}), current));
  EXPECT_EQ(refuse_precondition(with(option::if_match, {{9}, {1}}), current)->code, code::precondition_failed);
  EXPECT_EQ(refuse_precondition(with(option::if_match, {{1, 2, 0}}), current)->code, code::precondition_failed);
  EXPECT_EQ(refuse_precondition(with(option::if_match, {{1, 2}}), std::nullopt)->code, code::precondition_failed);
  // What exists without a tag matches no tag.
  EXPECT_EQ(refuse_precondition(with(option::if_match, {{1, 2}}), BytesView{})->code, code::precondition_failed);
}

TEST(CoapPreconditions, AnEmptyIfMatchAsksForAnyRepresentation) {
  EXPECT_FALSE(refuse_precondition(with(option::if_match, {{}}), Bytes{1}));
  EXPECT_FALSE(refuse_precondition(with(option::if_match, {{}}), BytesView{}));
  EXPECT_FALSE(refuse_precondition(with(option::if_match, {{7}, {}}), Bytes{1}));
  EXPECT_EQ(refuse_precondition(with(option::if_match, {{}}), std::nullopt)->code, code::precondition_failed);
}

// RFC 7252 section 5.10.8.2
TEST(CoapPreconditions, IfNoneMatchAsksForNoRepresentation) {
  EXPECT_FALSE(refuse_precondition(with(option::if_none_match, {{}}), std::nullopt));
  EXPECT_EQ(refuse_precondition(with(option::if_none_match, {{}}), Bytes{1})->code, code::precondition_failed);
  EXPECT_EQ(refuse_precondition(with(option::if_none_match, {{}}), BytesView{})->code, code::precondition_failed);
}

TEST(CoapPreconditions, BothTogetherNeverHold) {
  auto both = with(option::if_match, {{}});
  both.options.add_empty(option::if_none_match);
  EXPECT_TRUE(refuse_precondition(both, Bytes{1}));
  EXPECT_TRUE(refuse_precondition(both, std::nullopt));
  EXPECT_FALSE(refuse_precondition(Request{code::put, {}, {}}, std::nullopt));
}

TEST(CoapETag, HasOneToEightOctets) {
  EXPECT_FALSE(ETag::of({}));
  EXPECT_FALSE(ETag::of(Bytes(9)));
  EXPECT_EQ(ETag::of(Bytes(8))->view().size(), 8U);
  EXPECT_NE(ETag::of(Bytes(7)), ETag::of(Bytes(8)));
  Options options;
  EXPECT_FALSE(ETag::in(options));
  options.add(option::etag, Bytes{5});
  EXPECT_EQ(ETag::in(options), ETag::of(Bytes{5}));
}

TEST(CoapETag, OfContentChangesWithContentAndFormatAlone) {
  EXPECT_EQ(etag_of(Bytes{1, 2}), etag_of(Bytes{1, 2}));
  EXPECT_NE(etag_of(Bytes{1, 2}), etag_of(Bytes{2, 1}));
  EXPECT_NE(etag_of(Bytes{}), etag_of(Bytes{0}));
  EXPECT_NE(etag_of(Bytes{1}, content_format::cbor), etag_of(Bytes{1}, content_format::json));
  // FNV-1a of the octets 00 2a: the tag is the same after a restart and on every machine.
  EXPECT_EQ(to_hex(etag_of(Bytes{}).view()), "08329e07b4eb954f");
}

// RFC 7252 section 5.10.6.2
TEST(CoapETag, ARequestWithTheCurrentOneIsAnsweredValid) {
  const auto current = *ETag::of(Bytes{1, 2});
  const auto valid = validated(with(option::etag, {{9}, {1, 2}}, code::get), current);
  ASSERT_TRUE(valid);
  EXPECT_EQ(valid->code, code::valid);
  EXPECT_EQ(valid->options.size(), 1U);
  EXPECT_EQ(ETag::in(valid->options), current);
  EXPECT_TRUE(valid->payload.empty());
  EXPECT_TRUE(validated(with(option::etag, {{1, 2}}, code::fetch), current));
  EXPECT_FALSE(validated(with(option::etag, {{1}, {2}}, code::get), current));
  EXPECT_FALSE(validated(with(option::etag, {{1, 2}}, code::put), current));
  EXPECT_FALSE(validated(Request{code::get, {}, {}}, current));
}

TEST(CoapMaxAge, SixtySecondsAreLeftOut) {
  Options options;
  EXPECT_EQ(max_age_of(options), std::chrono::seconds(60));
  set_max_age(options, std::chrono::seconds(0));
  EXPECT_EQ(options.find(option::max_age)->size(), 0U);
  EXPECT_EQ(max_age_of(options), std::chrono::seconds(0));
  set_max_age(options, std::chrono::hours(100'000'000));
  EXPECT_EQ(max_age_of(options), std::chrono::seconds(UINT32_MAX));
  set_max_age(options, std::chrono::seconds(60));
  EXPECT_FALSE(options.has(option::max_age));
}

TEST(CoapAnswers, AnUnsupportedFormatIsToldWhatToUse) {
  const std::array formats{ContentFormat(51), ContentFormat(52)};
  auto request = with(option::content_format, {{60}}, code::patch);
  const auto refused = refuse_content_format(request, formats);
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->code, code::unsupported_content_format);
  EXPECT_EQ(as_text(refused->payload), "use Content-Format 51 or 52");
  EXPECT_FALSE(refused->options.has(option::content_format));
  request.options.set_content_format(ContentFormat(52));
  EXPECT_FALSE(refuse_content_format(request, formats));
  request.options.remove(option::content_format);
  EXPECT_TRUE(refuse_content_format(request, formats));
  EXPECT_FALSE(refuse_content_format(request, formats, true));
  // Three octets are no Content-Format, and not a missing one either.
  request.options.add(option::content_format, Bytes{1, 0, 0});
  EXPECT_TRUE(refuse_content_format(request, formats, true));
}

TEST(CoapAnswers, ABodyTooLargeIsToldTheSizeThatFits) {
  Request request{code::put, {}, Bytes(11)};
  const auto refused = refuse_size(request, 10);
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->code, code::request_entity_too_large);
  EXPECT_EQ(refused->options.find_uint(option::size1), 10U);
  EXPECT_FALSE(refuse_size(request, 11));
}

// RFC 7252 section 5.10.7
TEST(CoapLocation, IsWrittenAndRead) {
  Options options;
  ASSERT_TRUE(add_location(options, Location{{"a/b", ""}, {"x=1", "y"}}));
  EXPECT_EQ(options.count(option::location_path), 2U);
  const auto location = location_in(options);
  ASSERT_TRUE(location);
  EXPECT_EQ(**location, (Location{{"a/b", ""}, {"x=1", "y"}}));
  EXPECT_EQ(to_string(**location), "/a%2Fb/?x=1&y");
  Options other;
  ASSERT_TRUE(add_location(other, "/created/7"));
  EXPECT_EQ(to_string(**location_in(other)), "/created/7");
  EXPECT_EQ(*location_in(Options{}), std::nullopt);
}

TEST(CoapLocation, IsResolvedAgainstTheRequest) {
  const auto request = *parse_uri("coap://h.example:61616/collection?filter=1");
  EXPECT_EQ(compose_uri(resolve(request, Location{{"collection", "7"}, {}})), "coap://h.example:61616/collection/7");
  // A query alone means the path "/".
  EXPECT_EQ(compose_uri(resolve(request, Location{{}, {"id=7"}})), "coap://h.example:61616/?id=7");
  EXPECT_EQ(to_string(Location{{}, {"id=7"}}), "/?id=7");
}

TEST(CoapLocation, DotSegmentsAndReservedOptionsAreRefused) {
  for (const std::string_view segment : {".", ".."}) {
    Options options;
    const auto added = add_location(options, Location{{"a", std::string(segment)}, {}});
    ASSERT_FALSE(added);
    EXPECT_EQ(added.error(), reason::location_malformed);
    EXPECT_TRUE(options.empty());
    options.add(option::location_path, segment);
    EXPECT_EQ(location_in(options).error(), reason::location_malformed);
  }
  for (const auto reserved : {OptionNumber(128), OptionNumber(132), OptionNumber(136), OptionNumber(140)}) {
    Options options;
    options.add(reserved, Bytes{1});
    EXPECT_TRUE(location_in(options));
    options.add(option::location_query, "x");
    EXPECT_EQ(location_in(options).error(), reason::location_reserved);
  }
}

TEST(CoapLocation, NothingAndTooMuchCannotBeWritten) {
  Options options;
  EXPECT_FALSE(add_location(options, Location{}));
  EXPECT_FALSE(add_location(options, "/"));
  EXPECT_FALSE(add_location(options, Location{{std::string(256, 'x')}, {}}));
  EXPECT_FALSE(add_location(options, Location{{}, {std::string(256, 'x')}}));
  EXPECT_TRUE(add_location(options, Location{{std::string(255, 'x')}, {}}));
}

}  // namespace
}  // namespace aceward::coap
