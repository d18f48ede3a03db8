#include "aceward/coap/blockwise/block_option.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "aceward/coap/blockwise/keyed_hash.h"
#include "aceward/coap/blockwise/message_size.h"
#include "aceward/coap/blockwise/reasons.h"
#include "aceward/coap/message/message.h"

namespace aceward::coap {
namespace {

// RFC 7959 section 3: 33 is 2/0/32, 59 is 3/1/128.
TEST(BlockOption, ReadsTheExamplesOfTheStandard) {
  EXPECT_EQ(parse_block(Bytes{33}).value(), (BlockOption{2, false, Szx(1)}));
  EXPECT_EQ(parse_block(Bytes{59}).value(), (BlockOption{3, true, Szx(3)}));
  EXPECT_EQ(Szx(1).size(), 32U);
  EXPECT_EQ(Szx(3).size(), 128U);
}

TEST(BlockOption, SurvivesTheRoundTripAtEachLength) {
  for (const std::uint32_t num : {0U, 1U, 15U, 16U, 4095U, 4096U, BlockOption::max_num}) {
    for (unsigned szx = 0; szx <= 6; ++szx) {
      for (const bool more : {false, true}) {
        const BlockOption block{num, more, Szx(szx)};
        Options options;
        set_block(options, option::block2, block);
        EXPECT_LE(options.at(0).value.size(), 3U);
        EXPECT_EQ(find_block(options, option::block2).value(), block);
      }
    }
  }
  Options options;
  set_block(options, option::block1, {0, false, Szx(0)});
  EXPECT_TRUE(options.at(0).value.empty());
}

TEST(BlockOption, RefusesTheReservedSizeLongValuesAndRepetition) {
  EXPECT_EQ(parse_block(Bytes{0x07}).error(), reason::coap_block_malformed);
  EXPECT_EQ(parse_block(Bytes{0x1f}).error(), reason::coap_block_malformed);
  EXPECT_EQ(parse_block(Bytes{0, 0, 0, 1}).error(), reason::coap_block_malformed);
  Options twice;
  twice.add_uint(option::block1, 0).add_uint(option::block1, 16);
  EXPECT_EQ(find_block(twice, option::block1).error(), reason::coap_block_malformed);
}

TEST(BlockOption, AnAbsentOptionIsNotAnEmptyOne) {
  Options options;
  EXPECT_FALSE(find_block(options, option::block2).value().has_value());
  options.add_empty(option::block2);
  EXPECT_EQ(find_block(options, option::block2).value(), (BlockOption{0, false, Szx(0)}));
}

TEST(BlockOption, NumbersEndAtTwentyBits) {
  EXPECT_EQ(BlockOption::at(std::size_t{BlockOption::max_num} * 16, true, Szx(0))->num, BlockOption::max_num);
  EXPECT_FALSE(BlockOption::at((std::size_t{BlockOption::max_num} + 1) * 16, true, Szx(0)).has_value());
  EXPECT_EQ((BlockOption{3, false, Szx(6)}.offset()), 3072U);
}

TEST(BlockOption, TheFittingSizeIsTheGreatestWithin) {
  EXPECT_EQ(Szx::fitting(5000), Szx(6));
  EXPECT_EQ(Szx::fitting(1023), Szx(5));
  EXPECT_EQ(Szx::fitting(16), Szx(0));
  EXPECT_EQ(Szx::fitting(3), Szx(0));
}

TEST(BlockMessageSize, IsThatOfTheSerializedMessage) {
  Message message;
  message.code = code::content;
  message.token = Token(Bytes(8));
  for (const std::size_t length : {0U, 1U, 12U, 13U, 268U, 269U, 700U}) {
    message.options.add(option::uri_path, Bytes(length));
    message.options.add(option::request_tag, Bytes(length % 8));
    message.options.add(option::etag, Bytes(length % 9));
    message.payload.resize(length);
    EXPECT_EQ(message_size(message.options, message.payload.size()), serialize(message).size());
  }
}

TEST(BlockKeyedHash, DependsOnEveryOctetTheLengthAndTheKey) {
  SeededRandom random(1);
  const KeyedHash hash(random);
  const KeyedHash other(random);
  std::vector<std::uint64_t> seen;
  for (std::size_t length = 0; length < 20; ++length) {
    seen.push_back(hash(Bytes(length)));
    for (std::size_t i = 0; i < length; ++i) {
      Bytes octets(length);
      octets[i] = 1;
      seen.push_back(hash(octets));
    }
  }
  const auto count = seen.size();
  std::ranges::sort(seen);
  EXPECT_EQ(static_cast<std::size_t>(std::ranges::unique(seen).begin() - seen.begin()), count);
  EXPECT_NE(hash(Bytes(3)), other(Bytes(3)));
}

}  // namespace
}  // namespace aceward::coap
