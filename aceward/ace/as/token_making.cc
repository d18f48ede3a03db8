#include "aceward/ace/as/token_making.h"

#include <algorithm>
#include <utility>

#include "aceward/ace/as/reasons.h"
#include "aceward/ace/as/token_number.h"
#include "aceward/ace/params/access_information.h"
#include "aceward/ace/params/token_hash.h"
#include "aceward/ace/token/key_derivation.h"
#include "aceward/coap/resource/router.h"
#include "aceward/cose/cwt/token.h"

namespace aceward::ace::as {

namespace {

constexpr std::size_t symmetric_key_size = 16;

using Servers = std::vector<const ServerRecord*>;

std::unexpected<Error> not_made(const Error& error) { return fail(reason::token_not_made, error.id()); }

/// The kid of a symmetric key. The number makes it unique among all keys of this authorization server (RFC 9202 section
/// 3.3.1); the random octets keep it apart from those of other servers that count too, since a resource server that
/// trusts both could not tell which key a kid means. No leading zeros: every octet is paid for in each token. `prefix`
/// names the key that it is derived from.
Bytes key_id_of(TokenNumber number, Random& random, Bytes prefix) {
  const Bytes octets = octets_of(number);
  prefix.insert(prefix.end(), std::ranges::find_if(octets, [](std::uint8_t octet) { return octet != 0; }),
                octets.end());
  const Bytes apart = random.bytes(4);
  prefix.insert(prefix.end(), apart.begin(), apart.end());
  return prefix;
}

/// Figure 7 of RFC 9202: `{ 1 : { 1 : 4, 2 : kid } }`, a symmetric key that is named and not told.
cwt::Confirmation named_symmetric_key(BytesView kid) {
  cbor::Writer writer;
  writer.map(2);
  writer.integer(1);
  writer.integer(cose::kty::symmetric.value);
  writer.integer(2);
  writer.byte_string(kid);
  cwt::Confirmation confirmation;
  confirmation.others.emplace_back(cose::Label(cwt::confirmation_method::cose_key), writer.take());
  return confirmation;
}

/// The secret that all of them have; empty where one has none or another.
const Secret& common_secret(const Servers& servers, Secret ServerRecord::* member) {
  static const Secret none;
  const Secret& first = servers.front()->*member;
  const bool same =
      std::ranges::all_of(servers, [&](const ServerRecord* server) { return (server->*member).equals(first); });
  return same ? first : none;
}

/// One token on its way.
class Making {
 public:
  Making(const TokenMaker& maker, Grant grant, TokenNumber number, WallTime now, WallTime issued_at)
      : maker_(maker), grant_(std::move(grant)), number_(number), now_(now), issued_at_(issued_at) {}

  Result<MadeToken> make();

 private:
  bool is_group() const { return grant_.servers.size() > 1; }
  const ServerRecord& first() const { return *grant_.servers.front(); }
  bool is_reference() const { return !is_group() && first().protection == TokenProtection::reference; }

  Result<> prepare_server_key();
  Result<> prepare_key();
  cwt::Confirmation confirmation_in_token() const;
  cwt::Claims claims() const;
  Result<cose::ContentKey> content_key() const;
  Result<Bytes> protect(const cwt::Claims& claims) const;
  Result<Bytes> token();
  bool is_refreshable() const;
  coap::Response response(const Bytes& token, const std::optional<Bytes>& refresh_token) const;
  IssuedToken record(const Bytes& token, const std::optional<Bytes>& refresh_token) const;

  const TokenMaker& maker_;
  Grant grant_;
  TokenNumber number_;
  WallTime now_;
  WallTime issued_at_;
  std::optional<cose::Key> server_key_;  ///< for rs_cnf
  Bytes derived_kid_;                    ///< there: the key is yet to be derived from the token
};

/// RFC 9201 section 5: not for several servers, as the client could not tell whose key it is.
Result<> Making::prepare_server_key() {
  if (grant_.key.is_symmetric() || is_group()) return {};
  auto key = cose::Key::parse(first().public_key);
  if (!key || key->is_symmetric()) return fail(reason::server_public_key_missing);
  server_key_ = ACEWARD_TRY(key->public_part());
  return {};
}

Result<> Making::prepare_key() {
  if (grant_.key.key) return {};
  const Secret& derivation_key = common_secret(grant_.servers, &ServerRecord::derivation_key);
  if (!derivation_key.empty() && !is_reference()) {
    derived_kid_ = key_id_of(number_, maker_.random, derivation_key_id(derivation_key));
    return {};
  }
  auto key = cose::Key::symmetric(Secret(maker_.random.bytes(symmetric_key_size)));
  if (!key) return not_made(key.error());
  key->kid = key_id_of(number_, maker_.random, {});
  grant_.key.key = std::move(*key);
  return {};
}

cwt::Confirmation Making::confirmation_in_token() const {
  if (!derived_kid_.empty()) return named_symmetric_key(derived_kid_);
  const cose::Key& key = *grant_.key.key;
  const bool is_derived = key.is_symmetric() && !common_secret(grant_.servers, &ServerRecord::derivation_key).empty();
  // Derived anew it would be another key: the server looks the one up that it holds.
  if (is_derived && grant_.key.known_to_servers && key.kid &&
      common_secret(grant_.servers, &ServerRecord::token_key).empty())
    return cwt::Confirmation(cwt::KeyId{*key.kid});
  return cwt::Confirmation(key.clone());
}

cwt::Claims Making::claims() const {
  cwt::Claims claims;
  if (!maker_.issuer.empty()) claims.iss = maker_.issuer;
  claims.aud = cwt::Audience(grant_.audience);
  claims.iat = cwt::NumericDate(issued_at_);
  if (first().uses_exi) {
    claims.exi = static_cast<std::uint64_t>(grant_.lifetime.count());
    claims.cti = sequence_octets_of(grant_.audience, number_);
  } else {
    claims.exp = cwt::NumericDate(now_ + grant_.lifetime);
    claims.cti = octets_of(number_);
  }
  claims.cnf = confirmation_in_token();
  claims.scope = grant_.scope.value;
  claims.cnonce = grant_.cnonce;
  // Where there is only one it goes without saying.
  if (std::ranges::any_of(grant_.servers, [](const ServerRecord* server) { return server->profiles.size() > 1; }))
    claims.ace_profile = static_cast<std::int64_t>(grant_.profile);
  return claims;
}

Result<cose::ContentKey> Making::content_key() const {
  const Secret& key = common_secret(grant_.servers, &ServerRecord::token_key);
  if (key.empty()) return fail(reason::server_token_key_missing);
  auto shared = cose::Key::symmetric(key.clone());
  if (!shared) return not_made(shared.error());
  if (!first().token_key_id.empty()) shared->kid = first().token_key_id;
  auto content_key = cose::ContentKey::from(*shared, cose::alg::aes_ccm_16_64_128);
  if (!content_key) return not_made(content_key.error());
  return content_key;
}

Result<Bytes> Making::protect(const cwt::Claims& claims) const {
  // RFC 9202 section 3.3.1: a token that carries a symmetric key is encrypted. RFC 9200 section 6.1: one for several
  // servers is signed, since each of them could change what a shared key alone protects.
  const bool is_encrypted = claims.carries_bare_secret() || first().protection == TokenProtection::encrypted_cwt;
  Result<Bytes> token;
  if (!is_encrypted) {
    token = cwt::sign(claims, maker_.signing_key, cwt::Tagging::one_form);
  } else {
    const cose::ContentKey key = ACEWARD_TRY(content_key());
    token = is_group() ? cwt::sign_then_encrypt(claims, maker_.signing_key, key, maker_.random, cwt::Tagging::one_form)
                       : cwt::encrypt(claims, key, maker_.random, cwt::Tagging::one_form);
  }
  if (!token) return not_made(token.error());
  return token;
}

Result<Bytes> Making::token() {
  if (is_reference()) return make_opaque_token(number_, maker_.random);
  Bytes token = ACEWARD_TRY(protect(claims()));
  if (!derived_kid_.empty()) {
    auto derived =
        derive_pop_key(common_secret(grant_.servers, &ServerRecord::derivation_key), token, symmetric_key_size);
    if (!derived) return fail(reason::server_derivation_key_unusable, derived.error().id());
    auto key = cose::Key::symmetric(std::move(*derived));
    if (!key) return not_made(key.error());
    key->kid = derived_kid_;
    grant_.key.key = std::move(*key);
  }
  return token;
}

/// The token after this one has to carry the same key, also to a server that has forgotten it in the meantime.
bool Making::is_refreshable() const {
  if (grant_.origin.value != 0 || !grant_.may_be_refreshed) return false;
  if (!derived_kid_.empty() && common_secret(grant_.servers, &ServerRecord::token_key).empty()) return false;
  return std::ranges::all_of(grant_.servers,
                             [](const ServerRecord* server) { return server->refresh_lifetime.has_value(); });
}

coap::Response Making::response(const Bytes& token, const std::optional<Bytes>& refresh_token) const {
  const cose::Key& key = *grant_.key.key;
  AccessInformation information;
  information.access_token = token;
  information.expires_in = static_cast<std::uint64_t>(grant_.lifetime.count());
  if (key.is_symmetric() || grant_.key.chosen_here) information.cnf = cwt::Confirmation(key.clone());
  if (!grant_.scope.as_requested) information.scope = grant_.scope.value;
  if (grant_.tell_profile || grant_.profile != Profile::coap_dtls) information.ace_profile = grant_.profile;
  if (server_key_) information.rs_cnf = cwt::Confirmation(server_key_->clone());
  information.refresh_token = refresh_token;
  coap::Response response =
      coap::make_response(coap::code::created, coap::content_format::ace_cbor, cbor::serialize(information));
  // RFC 9202 section 3.2.1: no cache may give the answer out longer than the token lives.
  response.options.set_uint(coap::option::max_age, *information.expires_in);
  return response;
}

IssuedToken Making::record(const Bytes& token, const std::optional<Bytes>& refresh_token) const {
  const cose::Key& key = *grant_.key.key;
  IssuedToken record;
  record.number = number_;
  record.client_id = grant_.client->id;
  record.server_id = first().id;
  for (const ServerRecord* server : std::span(grant_.servers).subspan(1)) record.more_servers.push_back(server->id);
  record.client = grant_.client->name;
  record.server = is_group() ? grant_.audience : first().name;
  record.audience = grant_.audience;
  record.scope = cbor::serialize(grant_.scope.value);
  record.key_id = key.kid.value_or(Bytes());
  const auto thumbprint = key.thumbprint();
  record.key_thumbprint = to_bytes(thumbprint);
  record.pop_key = key.serialize();
  record.token_digest = token_digest(token);
  record.token_hash = token_hash(token);
  record.profile = grant_.profile;
  record.cnonce = grant_.cnonce.value_or(Bytes());
  record.issued_at = issued_at_;
  record.expires_at = now_ + grant_.lifetime;
  if (first().uses_exi && !is_reference()) {
    record.exi = grant_.lifetime;
    record.expires_at += maker_.arrival_allowance;
  }
  if (refresh_token) {
    record.refresh_digest = token_digest(*refresh_token);
    auto lifetime = *first().refresh_lifetime;
    for (const ServerRecord* server : grant_.servers) lifetime = std::min(lifetime, *server->refresh_lifetime);
    record.refresh_until = now_ + lifetime;
  }
  record.origin = grant_.origin;
  return record;
}

Result<MadeToken> Making::make() {
  ACEWARD_TRY(prepare_server_key());
  ACEWARD_TRY(prepare_key());
  const Bytes octets = ACEWARD_TRY(token());
  std::optional<Bytes> refresh_token;
  if (is_refreshable()) refresh_token = make_opaque_token(number_, maker_.random);
  return MadeToken{record(octets, refresh_token), response(octets, refresh_token)};
}

}  // namespace

Result<MadeToken> TokenMaker::make(Grant grant, TokenNumber number, WallTime now, WallTime issued_at) const {
  return Making(*this, std::move(grant), number, now, issued_at).make();
}

}  // namespace aceward::ace::as
