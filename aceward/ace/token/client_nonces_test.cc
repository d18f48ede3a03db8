#include "aceward/ace/token/client_nonces.h"

#include <gtest/gtest.h>

namespace aceward::ace {
namespace {

using std::chrono::seconds;

const WallTime nonce_start{seconds(1000)};

TEST(ClientNonces, AreGoodForTheirLifetimeAndNotLonger) {
  SeededRandom random(1);
  const ClientNonces nonces(seconds(60), random);
  const Bytes nonce = nonces.give(nonce_start);
  EXPECT_EQ(nonce.size(), ClientNonces::size);
  EXPECT_EQ(nonces.given_at(nonce, nonce_start), nonce_start);
  EXPECT_EQ(nonces.given_at(nonce, nonce_start + seconds(59)), nonce_start);
  EXPECT_EQ(nonces.given_at(nonce, nonce_start + seconds(60)), std::nullopt);
  EXPECT_EQ(nonces.given_at(nonce, nonce_start - seconds(1)), std::nullopt);
}

TEST(ClientNonces, NobodyElseMakesThem) {
  SeededRandom random(1);
  const ClientNonces nonces(seconds(60), random);
  const ClientNonces of_another(seconds(60), random);
  const Bytes nonce = nonces.give(nonce_start);
  EXPECT_EQ(of_another.given_at(nonce, nonce_start), std::nullopt);
  for (std::size_t i = 0; i < nonce.size(); ++i) {
    Bytes changed = nonce;
    changed[i] ^= 1;
    EXPECT_EQ(nonces.given_at(changed, nonce_start + seconds(1)), std::nullopt) << i;
  }
  EXPECT_EQ(nonces.given_at(BytesView(nonce).first(15), nonce_start), std::nullopt);
  EXPECT_EQ(nonces.given_at({}, nonce_start), std::nullopt);
}

}  // namespace
}  // namespace aceward::ace
