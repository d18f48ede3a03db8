#include "aceward/ace/token/token_verifier.h"

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "aceward/ace/params/reasons.h"
#include "aceward/ace/token/reasons.h"
#include "aceward/cose/cwt/reasons.h"
#include "aceward/cose/reasons.h"
#include "aceward/crypto/hash.h"

namespace aceward::ace {
namespace {

constexpr std::size_t min_symmetric_size = 16;
constexpr std::size_t max_symmetric_size = 256;  // what a DTLS pre-shared key may have

Result<> check_issuer(const cwt::OpenedToken& opened, const TrustedIssuers& issuers) {
  // Layers of two issuers would make a token of which neither answers for the whole.
  for (const auto& layer : opened.layers()) {
    if (layer.issuer != opened.issuer()) return fail(reason::token_issuer_mismatch, "layers");
  }
  const auto& iss = opened.claims().iss;
  if (iss && *iss != issuers.iss(opened.issuer())) return fail(reason::token_issuer_mismatch);
  return {};
}

Result<WallTime> check_expiry(const cwt::Claims& claims, WallTime now) {
  if (claims.exi) return fail(reason::token_exi_unsupported);
  if (!claims.exp) return fail(reason::token_without_expiry);
  ACEWARD_TRY(cwt::check_times(claims, now));
  // Held in whole seconds from here on; what ends within this second has ended.
  const WallTime expires_at = claims.exp->floor();
  if (expires_at <= now) return fail(reason::token_expired);
  return expires_at;
}

Result<> check_audience(const cwt::Claims& claims, const std::vector<std::string>& own) {
  if (!claims.aud) return fail(reason::token_audience_unknown, "no aud");
  const bool ours = std::ranges::any_of(own, [&](const std::string& name) { return claims.aud->contains(name); });
  if (!ours) return fail(reason::token_audience_unknown);
  return {};
}

Result<> check_pop_key(const cose::Key& key) {
  if (key.is_symmetric()) {
    if (key.k().size() < min_symmetric_size || key.k().size() > max_symmetric_size) {
      return fail(reason::token_cnf_unusable, "length of k");
    }
    return {};
  }
  // A token goes over unprotected channels: a private key in it is a secret no more.
  if (key.has_private()) return fail(reason::token_cnf_unusable, "private key");
  if (key.crv() != cose::crv::p256 && key.crv() != cose::crv::ed25519) return fail(reason::token_cnf_unusable, "crv");
  return {};
}

bool is_one_of(const Error& error, std::initializer_list<const Reason*> reasons) {
  return std::ranges::any_of(reasons, [&](const Reason* candidate) { return error == *candidate; });
}

}  // namespace

Result<TokenVerifier> TokenVerifier::create(TokenVerifierConfig config) {
  auto issuers = ACEWARD_TRY(TrustedIssuers::from(std::move(config.issuers)));
  auto scopes = ACEWARD_TRY(ScopeMap::from(config.text_scopes));
  return TokenVerifier(std::move(issuers), std::move(scopes), std::move(config));
}

TokenVerifier::TokenVerifier(TrustedIssuers issuers, ScopeMap scopes, TokenVerifierConfig config)
    : issuers_(std::move(issuers)),
      scopes_(std::move(scopes)),
      audiences_(std::move(config.audiences)),
      profile_(config.profile),
      max_token_octets_(config.max_token_octets) {}

Result<VerifiedToken> TokenVerifier::verify(BytesView token, WallTime now) {
  const auto opened = ACEWARD_TRY(cwt::open(token, issuers_, {.max_octets = max_token_octets_}));
  const cwt::Claims& claims = opened.claims();
  ACEWARD_TRY(check_issuer(opened, issuers_));

  VerifiedToken verified;
  verified.expires_at_ = ACEWARD_TRY(check_expiry(claims, now));
  ACEWARD_TRY(check_audience(claims, audiences_));
  if (!claims.scope) return fail(reason::token_scope_unrecognised, "no scope");
  verified.permissions_ = ACEWARD_TRY(scopes_.resolve(*claims.scope));
  if (claims.ace_profile && *claims.ace_profile != std::to_underlying(profile_)) {
    return fail(reason::token_profile_unsupported);
  }

  if (!claims.cnf) return fail(reason::token_cnf_missing);
  ACEWARD_TRY(cwt::check_key_protected(opened));
  if (const cose::Key* key = claims.cnf->cose_key()) {
    ACEWARD_TRY(check_pop_key(*key));
    verified.kid_ = key->kid;
    verified.pop_key_ = key->clone();
  } else if (const cwt::KeyId* kid = claims.cnf->kid()) {
    verified.kid_ = kid->value;
    verified.pop_key_ = PopKeyReference{kid->value};
  } else {
    return fail(reason::token_cnf_unusable, "confirmation method");
  }

  verified.issuer_ = issuers_.iss(opened.issuer());
  verified.cti_ = claims.cti;
  if (claims.iat) verified.issued_at_ = claims.iat->floor();
  verified.digest_ = crypto::sha256(token);
  return verified;
}

coap::Code wire_answer(const Error& error) {
  if (error == reason::token_audience_unknown) return coap::code::forbidden;
  // Neither is in the list of section 5.10.1.1: the token parses and is authentic, but cannot be used.
  if (is_one_of(error, {&reason::token_profile_unsupported, &reason::token_cnf_unusable, &reason::cwt_key_unprotected,
                        &reason::cwt_confirmation_unsupported, &reason::cose_key_unsupported})) {
    return coap::code::bad_request;
  }
  switch (error.error_class()) {
    case ErrorClass::malformed: return coap::code::bad_request;
    // An algorithm or header we do not know leaves the security wrapper unverified.
    case ErrorClass::unsupported:
    case ErrorClass::peer_misbehaved:
    case ErrorClass::denied: return coap::code::unauthorized;
    case ErrorClass::internal: break;
  }
  return coap::code::internal_server_error;
}

}  // namespace aceward::ace
