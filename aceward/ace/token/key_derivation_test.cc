#include "aceward/ace/token/key_derivation.h"

#include <gtest/gtest.h>

#include "aceward/ace/token/reasons.h"
#include "aceward/crypto/reasons.h"

namespace aceward::ace {
namespace {

Secret counting_key(std::size_t octets = 16) {
  Bytes key;
  for (std::size_t i = 0; i < octets; ++i) key.push_back(static_cast<std::uint8_t>(i));
  return Secret(std::move(key));
}

std::string derived_hex(const Secret& key, BytesView token, std::size_t octets) {
  const auto derived = derive_pop_key(key, token, octets);
  return derived ? to_hex(derived->expose()) : std::string(derived.error().id());
}

// The values were computed with Python's hmac and hashlib from the text of RFC 9202 section 3.3.1 alone.
TEST(KeyDerivation, IsHkdfOverTypeLengthAndToken) {
  const Bytes token = *from_hex("d08343a1010a");
  EXPECT_EQ(derived_hex(counting_key(), token, 16), "f5354b0d19d9437dc0bd4a09927fea56");
  EXPECT_EQ(derived_hex(counting_key(), token, 32), "4a1c62cd86e12bf888f704b4eb288d5bbded93dfb8d838a736ac708b9f720156");
  EXPECT_EQ(derived_hex(counting_key(), Bytes(300, 0xaa), 16), "2077762e4b5ff1fe91ca84a685e7a73a");
}

TEST(KeyDerivation, EveryOctetOfTokenAndKeyCounts) {
  const Bytes token(40, 0x11);
  const std::string whole = derived_hex(counting_key(), token, 16);
  for (std::size_t i = 0; i < token.size(); ++i) {
    Bytes changed = token;
    changed[i] ^= 1;
    EXPECT_NE(derived_hex(counting_key(), changed, 16), whole) << i;
  }
  EXPECT_NE(derived_hex(counting_key(), BytesView(token).first(39), 16), whole);
  EXPECT_NE(derived_hex(counting_key(17), token, 16), whole);
}

TEST(KeyDerivation, RefusesAShortKeyAndImpossibleLengths) {
  EXPECT_EQ(derive_pop_key(counting_key(15), Bytes(1)).error(), reason::derivation_key_too_short);
  EXPECT_EQ(derive_pop_key(counting_key(), Bytes(1), 0).error(), reason::crypto_length_wrong);
  EXPECT_EQ(derive_pop_key(counting_key(), Bytes(1), 255 * 32 + 1).error(), reason::crypto_length_wrong);
}

TEST(KeyDerivation, TheIdentifierTellsKeysApartAndIsNoPartOfAKey) {
  EXPECT_EQ(to_hex(derivation_key_id(counting_key())), "790d5bbe");
  EXPECT_NE(derivation_key_id(counting_key(17)), derivation_key_id(counting_key()));
}

}  // namespace
}  // namespace aceward::ace
