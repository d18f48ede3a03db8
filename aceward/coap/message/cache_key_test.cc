#include "aceward/coap/message/cache_key.h"

#include <gtest/gtest.h>

namespace aceward::coap {
namespace {

Options options_for_key() {
  Options options;
  options.add_path("a/b").add(option::uri_query, "x=1");
  return options;
}

TEST(CacheKey, CountsTheMethodAndEveryOptionOfTheKey) {
  const auto key = cache_key(code::get, options_for_key());
  EXPECT_EQ(key, cache_key(code::get, options_for_key()));
  EXPECT_NE(key, cache_key(code::fetch, options_for_key()));
  for (const auto number :
       {option::accept, option::etag, option::content_format, option::request_tag, option::block1}) {
    auto more = options_for_key();
    more.add_empty(number);
    EXPECT_NE(key, cache_key(code::get, more)) << to_string(number);
    EXPECT_EQ(key, cache_key(code::get, more, {number})) << to_string(number);
  }
}

// RFC 7252 section 5.4.6: Size1, Size2 and Echo are NoCacheKey by their numbers; Observe is by RFC 7641 section 2.
TEST(CacheKey, LeavesOutNoCacheKeyOptionsAndObserve) {
  const auto key = cache_key(code::get, options_for_key());
  for (const auto number : {option::size1, option::size2, option::echo, option::observe}) {
    auto more = options_for_key();
    more.add_uint(number, 7);
    EXPECT_EQ(key, cache_key(code::get, more)) << to_string(number);
  }
}

TEST(CacheKey, BoundariesBetweenOptionsCount) {
  Options one;
  one.add(option::uri_path, "ab");
  Options two;
  two.add(option::uri_path, "a").add(option::uri_path, "b");
  Options swapped;
  swapped.add(option::uri_path, "b").add(option::uri_path, "a");
  EXPECT_NE(cache_key(code::get, one), cache_key(code::get, two));
  EXPECT_NE(cache_key(code::get, two), cache_key(code::get, swapped));
}

TEST(CacheKey, APayloadIsToldFromAnOption) {
  Options options;
  const auto bare = cache_key(code::fetch, options);
  const auto with = cache_key(code::fetch, options, {}, as_bytes("q"));
  EXPECT_NE(bare, with);
  EXPECT_NE(with, cache_key(code::fetch, options, {}, as_bytes("r")));
}

}  // namespace
}  // namespace aceward::coap
