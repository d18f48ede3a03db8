#include "aceward/ace/client/token_cache.h"

#include <gtest/gtest.h>

#include "aceward/ace/client/reasons.h"

namespace aceward::ace::client {
namespace {

const Instant cache_now{std::chrono::hours(5)};
const WallTime cache_wall{std::chrono::seconds(1'700'000'000)};

CacheBinding binding_of(std::string_view name) {
  return {std::string(name), "house", "coaps://as.example.com/token", Bytes(32, 0x11)};
}

HeldToken psk_token(std::chrono::seconds lifetime = std::chrono::seconds(3600)) {
  HeldToken token;
  token.access_token = {0xd0, 0x83, 1, 2, 3};
  token.kind = PopKind::pre_shared_key;
  token.psk = cose::Key::symmetric(Secret(Bytes(16, 0x42))).value();
  token.psk->kid = Bytes{7, 8, 9};
  token.key_id = {7, 8, 9};
  token.scope = Scope("read_temp");
  token.expires_in = static_cast<std::uint64_t>(lifetime.count());
  token.obtained_at = cache_now;
  token.expires_at = cache_now + lifetime;
  token.refresh_token = Secret(Bytes{4, 5, 6});
  return token;
}

HeldToken raw_token() {
  SeededRandom random(9);
  HeldToken token = psk_token();
  token.kind = PopKind::raw_public_key;
  token.psk.reset();
  token.rs_key = cose::Key::from_public(crypto::PrivateKey::generate(crypto::Curve::p256, random).value().public_key());
  token.refresh_token.reset();
  return token;
}

Result<CachedToken> through_a_file(const HeldToken& token, Instant now, WallTime wall) {
  const Secret file =
      serialize_token(binding_of("rs"), token, Scope("read_temp x"), true, token.obtained_at, cache_wall);
  const auto stored = parse_stored_token(file.expose());
  if (!stored) return std::unexpected(stored.error());
  return restore_token(*stored, binding_of("rs"), now, wall);
}

TEST(TokenCache, ATokenComesBackWhole) {
  const HeldToken before = psk_token();
  // A program that was started later: its monotonic clock means something else.
  const Instant later{std::chrono::seconds(3)};
  const auto cached = through_a_file(before, later, cache_wall + std::chrono::seconds(600));
  ASSERT_TRUE(cached) << cached.error().id();
  const HeldToken& after = cached->token;
  EXPECT_EQ(after.access_token, before.access_token);
  EXPECT_EQ(after.kind, PopKind::pre_shared_key);
  EXPECT_TRUE(after.psk->same_key(*before.psk));
  EXPECT_EQ(after.key_id, before.key_id);
  EXPECT_EQ(after.scope, before.scope);
  EXPECT_EQ(cached->asked, Scope("read_temp x"));
  EXPECT_TRUE(cached->uploaded);
  EXPECT_TRUE(after.refresh_token->equals(*before.refresh_token));
  EXPECT_TRUE(after.usable_at(later + std::chrono::seconds(2999)));
  EXPECT_FALSE(after.usable_at(later + std::chrono::seconds(3000)));
  EXPECT_EQ(after.renew_at(std::chrono::hours(1)), later + std::chrono::seconds(3000 - 720));
}

TEST(TokenCache, ARawKeyTokenKeepsTheServersKey) {
  const HeldToken before = raw_token();
  const auto cached = through_a_file(before, cache_now, cache_wall);
  ASSERT_TRUE(cached) << cached.error().id();
  EXPECT_TRUE(cached->token.rs_key->same_key(*before.rs_key));
  EXPECT_FALSE(cached->token.psk);
  EXPECT_FALSE(cached->token.refresh_token);
}

TEST(TokenCache, AClockThatWasSetBackMakesNoTokenLiveLonger) {
  const auto cached = through_a_file(psk_token(), cache_now, cache_wall - std::chrono::hours(1000));
  ASSERT_TRUE(cached);
  EXPECT_TRUE(cached->token.usable_at(cache_now + std::chrono::seconds(3599)));
  EXPECT_FALSE(cached->token.usable_at(cache_now + std::chrono::seconds(3600)));
}

TEST(TokenCache, AnExpiredTokenComesBackForItsRefreshTokenAlone) {
  const auto cached = through_a_file(psk_token(), cache_now, cache_wall + std::chrono::seconds(3600));
  ASSERT_TRUE(cached);
  EXPECT_FALSE(cached->token.usable_at(cache_now));
  EXPECT_TRUE(cached->token.refresh_token);
}

TEST(TokenCache, ATokenOfAnotherIsNotUsed) {
  const Secret file = serialize_token(binding_of("rs"), psk_token(), {}, false, cache_now, cache_wall);
  const auto stored = parse_stored_token(file.expose());
  ASSERT_TRUE(stored);
  std::vector<CacheBinding> others(4, binding_of("rs"));
  others[0].server = "garage";
  others[1].audience = "garage";
  others[2].as_uri = "coaps://as.evil.example/token";
  others[3].client[31] ^= 1;
  for (const CacheBinding& other : others) {
    EXPECT_EQ(restore_token(*stored, other, cache_now, cache_wall).error(), reason::cached_token_foreign);
  }
  EXPECT_TRUE(restore_token(*stored, binding_of("rs"), cache_now, cache_wall));
}

TEST(TokenCache, DamagedFilesAreRefused) {
  const Secret file = serialize_token(binding_of("rs"), psk_token(), Scope("x"), true, cache_now, cache_wall);
  const Bytes whole = to_bytes(file.expose());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(parse_stored_token(BytesView(whole).first(size)).error(), reason::cached_token_malformed);
  }
  Bytes longer = whole;
  longer.push_back(0);
  EXPECT_EQ(parse_stored_token(longer).error(), reason::cached_token_malformed);
  EXPECT_EQ(parse_stored_token(Bytes(max_cached_token_size + 1)).error(), reason::cached_token_malformed);
}

TEST(TokenCache, KeysMustBeThoseThatTheKindNeeds) {
  const auto refused = [](auto change) {
    StoredToken stored =
        parse_stored_token(serialize_token(binding_of("rs"), psk_token(), {}, false, cache_now, cache_wall).expose())
            .value();
    change(stored);
    return parse_stored_token(cbor::serialize(stored));
  };
  EXPECT_TRUE(refused([](StoredToken&) {}));
  EXPECT_FALSE(refused([](StoredToken& stored) { stored.psk.reset(); }));
  EXPECT_FALSE(refused([](StoredToken& stored) { stored.kind = PopKind::raw_public_key; }));
  EXPECT_FALSE(refused([](StoredToken& stored) { stored.kind = static_cast<PopKind>(7); }));
  EXPECT_FALSE(refused([](StoredToken& stored) { stored.key_id = {1}; }));
  EXPECT_FALSE(refused([](StoredToken& stored) { stored.rs_key = stored.psk->clone(); }));
  EXPECT_FALSE(refused([](StoredToken& stored) { stored.version = 2; }));
  EXPECT_FALSE(refused([](StoredToken& stored) { stored.expires = stored.obtained - 1; }));
  EXPECT_FALSE(refused([](StoredToken& stored) { stored.expires = UINT64_MAX; }));
  EXPECT_FALSE(refused([](StoredToken& stored) { stored.client = {1}; }));
  EXPECT_FALSE(refused([](StoredToken& stored) { stored.access_token.clear(); }));
  EXPECT_FALSE(refused([](StoredToken& stored) {
    SeededRandom random(9);
    stored.kind = PopKind::raw_public_key;
    stored.psk.reset();
    // With its private part: that is nobody's business here.
    stored.rs_key =
        cose::Key::from_private(crypto::PrivateKey::generate(crypto::Curve::p256, random).value()).serialize();
  }));
}

}  // namespace
}  // namespace aceward::ace::client
