#include "aceward/tls/credentials.h"

#include <gtest/gtest.h>

#include "aceward/tls/client.h"
#include "aceward/tls/reasons.h"

namespace aceward::tls {
namespace {

// The key pair of RFC 7515 appendix A.3.
constexpr std::string_view jws_x = "7fcdce2770f6c45d4183cbee6fdb4b7b580733357be9ef13bacf6e3c7bd15445";
constexpr std::string_view jws_y = "c7f144cd1bbd9b7e872cdfedb9eeb9f4b3695d6ea90b24ad8a4623288588e5ad";
constexpr std::string_view jws_d = "8e9b109e719098bf980487df1f5d77e9cb29606ebed2263b5f57c213df84f4b2";

P256Point jws_point() {
  P256Point point;
  std::ranges::copy(from_hex(jws_x).value(), point.x.begin());
  std::ranges::copy(from_hex(jws_y).value(), point.y.begin());
  return point;
}

TEST(RawKeyPair, TakesCoordinatesThatBelongTogether) {
  const auto pair = RawKeyPair::from_coordinates(jws_point(), from_hex(jws_d).value());
  ASSERT_TRUE(pair);
  EXPECT_EQ(pair->point(), jws_point());
  EXPECT_EQ(to_hex(pair->spki()),
            "3059301306072a8648ce3d020106082a8648ce3d03010703420004" + std::string(jws_x) + std::string(jws_y));
}

TEST(RawKeyPair, RefusesHalvesOfDifferentPairs) {
  Bytes d = from_hex(jws_d).value();
  d.back() ^= 1;
  const auto pair = RawKeyPair::from_coordinates(jws_point(), d);
  ASSERT_FALSE(pair);
  EXPECT_EQ(pair.error(), reason::raw_key_malformed);
}

TEST(RawKeyPair, RefusesAPointOffTheCurve) {
  P256Point point = jws_point();
  point.y[31] ^= 1;
  EXPECT_FALSE(RawKeyPair::from_coordinates(point, from_hex(jws_d).value()));
}

TEST(RawKeyPair, RefusesAScalarOfAnotherLength) {
  Bytes d = from_hex(jws_d).value();
  d.pop_back();
  EXPECT_FALSE(RawKeyPair::from_coordinates(jws_point(), d));
}

// Made with a library other than the one under test: PKCS#8 of the same pair.
constexpr std::string_view jws_pem =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgjpsQnnGQmL+YBIff\n"
    "H1136cspYG6+0iY7X1fCE9+E9LKhRANCAAR/zc4ncPbEXUGDy+5v20t7WAczNXvp\n"
    "7xO6z248e9FURcfxRM0bvZt+hyzf7bnuufSzaV1uqQskrYpGIyiFiOWt\n"
    "-----END PRIVATE KEY-----\n";

TEST(RawKeyPair, ReadsPkcs8Pem) {
  const auto pair = RawKeyPair::from_pem(Secret::copy_of(as_bytes(jws_pem)));
  ASSERT_TRUE(pair);
  EXPECT_EQ(pair->point(), jws_point());
}

TEST(RawKeyPair, RefusesPemThatIsNoP256Key) {
  // An Ed25519 key (RFC 8410 section 10.3).
  constexpr std::string_view ed25519 =
      "-----BEGIN PRIVATE KEY-----\n"
      "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
      "-----END PRIVATE KEY-----\n";
  for (const std::string_view text : {ed25519, std::string_view("no PEM at all"), std::string_view()}) {
    const auto pair = RawKeyPair::from_pem(Secret::copy_of(as_bytes(text)));
    ASSERT_FALSE(pair);
    EXPECT_EQ(pair.error(), reason::raw_key_malformed);
  }
}

TEST(RawKeyPair, GeneratesDifferentPairs) {
  const auto a = RawKeyPair::generate();
  const auto b = RawKeyPair::generate();
  ASSERT_TRUE(a && b);
  EXPECT_NE(a->point(), b->point());
}

TEST(Spki, ReadsBackWhatItWrote) {
  const auto point = parse_spki(serialize_spki(jws_point()));
  ASSERT_TRUE(point);
  EXPECT_EQ(*point, jws_point());
}

TEST(Spki, RefusesAnyOtherForm) {
  const Bytes sound = serialize_spki(jws_point());
  Bytes longer = sound;
  longer.push_back(0);
  Bytes shorter(sound.begin(), sound.end() - 1);
  Bytes other_curve = sound;
  other_curve[22] = 0x06;
  Bytes compressed = sound;
  compressed[26] = 0x02;
  for (const Bytes& der : {longer, shorter, other_curve, compressed, Bytes{}}) {
    const auto point = parse_spki(der);
    ASSERT_FALSE(point);
    EXPECT_EQ(point.error(), reason::spki_malformed);
  }
}

TEST(DtlsClientCredentials, AnEmptyIdentityOrKeyIsRefused) {
  const auto server = Address::v4(192, 0, 2, 1, 5684);
  for (const auto& [identity, key] : {std::pair{"", "key"}, std::pair{"identity", ""}}) {
    const auto client =
        Client::create(SessionId(1), server, PskClient{to_bytes(identity), Secret::copy_of(as_bytes(key))});
    ASSERT_FALSE(client);
    EXPECT_EQ(client.error(), reason::psk_unusable);
  }
}

TEST(DtlsClientCredentials, ARawKeyClientMustSayWhichServerItWants) {
  const auto client = Client::create(SessionId(1), Address::v4(192, 0, 2, 1, 5684),
                                     RawKeyClient{RawKeyPair::generate().value(), Bytes{}});
  ASSERT_FALSE(client);
  EXPECT_EQ(client.error(), reason::spki_malformed);
}

}  // namespace
}  // namespace aceward::tls
