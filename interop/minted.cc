#include "interop/minted.h"

#include <algorithm>
#include <fstream>

#include "aceward/ace/profile/dtls/psk_identity.h"
#include "aceward/cose/cwt/token.h"
#include "aceward/cose/usable_key.h"
#include "aceward/crypto/encoding.h"
#include "aceward/store/reasons.h"

namespace aceward::interop {

namespace {

constexpr std::string_view issuer_name = "as";
constexpr std::string_view symmetric_kid = "interop";
// libcoap's command line takes identity and key as C strings: neither may hold a NUL.
constexpr std::string_view symmetric_key = "0123456789abcdef";
constexpr std::string_view inline_key = "fedcba9876543210";

/// Keys of no value: the same in every run.
Result<cose::Key> signing_key(std::uint64_t seed) {
  SeededRandom random(seed);
  cose::Key key = cose::Key::from_private(ACEWARD_TRY(crypto::PrivateKey::generate(crypto::Curve::p256, random)));
  key.kid = to_bytes("k");
  return key;
}

Result<cose::Key> token_key() {
  cose::Key key = ACEWARD_TRY(cose::Key::symmetric(Secret(Bytes(16, 0x42))));
  key.kid = to_bytes("t");
  return key;
}

Result<> write(const std::filesystem::path& file, BytesView octets) {
  std::ofstream out(file, std::ios::binary);
  out.write(reinterpret_cast<const char*>(octets.data()), static_cast<std::streamsize>(octets.size()));
  out.close();
  if (!out) return fail(reason::record_invalid, "a file cannot be written");
  return {};
}

Result<> write_token(const std::filesystem::path& file, const Result<Bytes>& octets) {
  if (!octets) return std::unexpected(octets.error());
  return write(file, *octets);
}

cwt::Claims claims_for(cose::Key key, std::string_view scope, WallTime now) {
  cwt::Claims claims;
  claims.aud = cwt::Audience(std::string(audience));
  claims.exp = now + std::chrono::hours(1);
  claims.scope = std::string(scope);
  claims.cnf = cwt::Confirmation(std::move(key));
  return claims;
}

Result<> mint_symmetric(const std::filesystem::path& folder, WallTime now, Random& random) {
  const cose::Key shared = ACEWARD_TRY(token_key());
  const auto content = ACEWARD_TRY(cose::ContentKey::from(shared, cose::alg::aes_ccm_16_64_128));
  cose::Key key = ACEWARD_TRY(cose::Key::symmetric(Secret::copy_of(as_bytes(symmetric_key))));
  key.kid = to_bytes(symmetric_kid);
  ACEWARD_TRY(write_token(folder / "psk.cwt", cwt::encrypt(claims_for(std::move(key), "read", now), content, random)));
  ACEWARD_TRY(write(folder / "psk.identity", ace::dtls::serialize_kid_identity(as_bytes(symmetric_kid))));
  ACEWARD_TRY(write(folder / "psk.key", as_bytes(symmetric_key)));

  // The nonce is drawn anew until there is no NUL.
  for (int attempt = 0; attempt < 1000; ++attempt) {
    cose::Key other = ACEWARD_TRY(cose::Key::symmetric(Secret::copy_of(as_bytes(inline_key))));
    other.kid = to_bytes("i");
    const Bytes token = ACEWARD_TRY(cwt::encrypt(claims_for(std::move(other), "read", now), content, random));
    if (std::ranges::find(token, 0) != token.end()) continue;
    ACEWARD_TRY(write(folder / "inline.cwt", token));
    return write(folder / "inline.key", as_bytes(inline_key));
  }
  return fail(reason::record_invalid, "no token without a NUL");
}

Result<> mint_raw(const std::filesystem::path& folder, WallTime now, Random& random) {
  const cose::Key own = ACEWARD_TRY(signing_key(1));
  const cose::Key other = ACEWARD_TRY(signing_key(2));
  const auto signer = ACEWARD_TRY(cose::SigningKey::from(own));
  const auto forger = ACEWARD_TRY(cose::SigningKey::from(other));
  const auto private_key = ACEWARD_TRY(crypto::PrivateKey::generate(crypto::Curve::p256, random));
  const auto stranger = ACEWARD_TRY(crypto::PrivateKey::generate(crypto::Curve::p256, random));
  const auto claims = [&] { return claims_for(cose::Key::from_public(private_key.public_key()), "read", now); };
  ACEWARD_TRY(write_token(folder / "raw.cwt", cwt::sign(claims(), signer)));
  ACEWARD_TRY(write_token(folder / "forged.cwt", cwt::sign(claims(), forger)));
  cwt::Claims expired = claims();
  expired.exp = now - std::chrono::seconds(1);
  ACEWARD_TRY(write_token(folder / "expired.cwt", cwt::sign(expired, signer)));
  cwt::Claims elsewhere = claims();
  elsewhere.aud = cwt::Audience("another");
  ACEWARD_TRY(write_token(folder / "other-audience.cwt", cwt::sign(elsewhere, signer)));
  const auto both_halves = [](const crypto::PrivateKey& key) {
    const std::string public_part = crypto::public_key_pem(key.public_key());
    Bytes pem = to_bytes(crypto::private_key_pem(key).expose());
    pem.insert(pem.end(), public_part.begin(), public_part.end());
    return pem;
  };
  ACEWARD_TRY(write(folder / "raw.pem", both_halves(private_key)));
  ACEWARD_TRY(write(folder / "raw-public.pem", as_bytes(crypto::public_key_pem(private_key.public_key()))));
  return write(folder / "stranger.pem", BytesView(both_halves(stranger)));
}

}  // namespace

ace::TokenVerifierConfig verifier_config() {
  ace::TokenVerifierConfig config;
  ace::TrustedIssuer issuer{.iss = std::string(issuer_name), .verifying_keys = {}, .token_keys = {}};
  if (const auto key = signing_key(1)) {
    if (auto public_part = key->public_part()) issuer.verifying_keys.push_back(std::move(*public_part));
  }
  if (auto key = token_key()) issuer.token_keys.push_back(std::move(*key));
  config.issuers.push_back(std::move(issuer));
  config.audiences = {std::string(audience)};
  config.text_scopes.emplace("read", *ace::Aif::parse_text("/temp=GET"));
  return config;
}

Result<> mint(const std::filesystem::path& folder, WallTime now, Random& random) {
  ACEWARD_TRY(mint_symmetric(folder, now, random));
  return mint_raw(folder, now, random);
}

}  // namespace aceward::interop
