// The token hash of drafts/ace-revoked-token-notification section 4.
#include "aceward/ace/params/token_hash.h"

#include <gtest/gtest.h>

namespace aceward::ace {
namespace {

TEST(TokenHash, OfTheTokenInFigure3) {
  const Bytes token = from_hex(
                          "d83dd0835820a3010a044c53796d6d6574726963313238054d99a0d7846e762c49ffe8a63e0ba05858b918a11fd8"
                          "1e438b7f973d9e2e119bcb22424ba0f38a80f27562f400ee1d0d6c0fdb559c02421fd384fc2ebe22d7071378b0ea"
                          "7428fff157444d45f7e6afcda1aae5f6495830c58627087fc5b4974f319a8707a635dd643b")
                          .value();
  EXPECT_EQ(to_hex(token_hash(token)), "011a06427bcbe5d29385202b8255820b8370ae481065a1e94017c0185bfbd51707");
  EXPECT_EQ(to_hex(token_digest(token)), "ebcdbc31a15296abfb703fe91c5e3a9cc6653440a824567f062682d877884572");
}

// Computed independently: SHA-256 of "", "Zg", "Zm8", "Zm9v" and "-vv8_f7_".
TEST(TokenHash, OfEveryLengthThatBase64HasNoPaddingFor) {
  const auto hash_of = [](std::string_view hex) { return to_hex(token_hash(from_hex(hex).value())); };
  EXPECT_EQ(hash_of(""), "01e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hash_of("66"), "01351eb80f0736735b2c0b31044ed404c03def09a2c9691713a327e96b0ae73d4c");
  EXPECT_EQ(hash_of("666f"), "019160401b4853e50494f444b4012d097a96dcbf63d16d2047447269d8821e2fdc");
  EXPECT_EQ(hash_of("666f6f"), "01a9348e4afdda1c9e00c21e7a8be625e5c75360bf6f741804551b58b7f491f3f2");
  EXPECT_EQ(hash_of("fafbfcfdfeff"), "0168bd9c02c2599671dcb602285c23b14478202d9dc678482ad7cebd4e8f058891");
}

TEST(TokenHash, HasTheSizeThatIsPromised) {
  EXPECT_EQ(token_hash(Bytes(200, 7)).size(), token_hash_size);
  EXPECT_EQ(token_digest(Bytes(200, 7)).size(), 32U);
}

}  // namespace
}  // namespace aceward::ace
