#include "aceward/ace/token/token_verifier.h"

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "aceward/ace/params/reasons.h"
#include "aceward/ace/token/key_derivation.h"
#include "aceward/ace/token/reasons.h"
#include "aceward/cose/cwt/one_form.h"
#include "aceward/cose/cwt/reasons.h"
#include "aceward/cose/reasons.h"
#include "aceward/crypto/hash.h"

namespace aceward::ace {
namespace {

constexpr std::size_t min_symmetric_size = 16;
constexpr std::size_t max_symmetric_size = 256;  // what a DTLS pre-shared key may have
constexpr std::chrono::minutes iat_grace{5};
// Beyond it no sum of times overflows, and nobody waits for the end.
constexpr std::chrono::seconds longest_lifetime = std::chrono::years(50);
constexpr std::size_t sequence_octets = 8;

Result<> check_issuer(const cwt::OpenedToken& opened, const TrustedIssuers& issuers) {
  // Layers of two issuers would make a token of which neither answers for the whole.
  for (const auto& layer : opened.layers()) {
    if (layer.issuer != opened.issuer()) return fail(reason::token_issuer_mismatch, "layers");
  }
  const auto& iss = opened.claims().iss;
  if (iss && *iss != issuers.iss(opened.issuer())) return fail(reason::token_issuer_mismatch);
  return {};
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
  // RFC 9201 section 5: possession is proven by a signature, which the key itself may rule out.
  if (!key.permits(cose::key_op::verify, key.crv() == cose::crv::p256 ? cose::alg::es256 : cose::alg::eddsa))
    return fail(reason::token_cnf_unusable, "alg or key_ops");
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
      max_token_octets_(config.max_token_octets),
      clock_is_synchronized_(config.clock_is_synchronized),
      takes_exi_(config.takes_exi),
      nonces_(config.nonces) {}

std::optional<std::uint64_t> exi_sequence_in(BytesView cti, const std::vector<std::string>& audiences) {
  BytesView number = cti.last(std::min(cti.size(), sequence_octets));
  std::size_t longest = 0;
  for (const std::string& audience : audiences) {
    const std::size_t size = audience.size();
    if (size < longest || cti.size() <= size || cti.size() > size + sequence_octets) continue;
    if (as_text(cti.first(size)) != audience) continue;
    longest = size;
    number = cti.subspan(size);
  }
  if (number.empty()) return std::nullopt;
  std::uint64_t sequence = 0;
  for (const std::uint8_t octet : number) sequence = sequence << 8 | octet;
  return sequence;
}

Result<TokenVerifier::Term> TokenVerifier::term_of(const cwt::Claims& claims, bool is_vouched_for, WallTime now) const {
  Term term;
  std::optional<WallTime> asked_at;
  if (nonces_ != nullptr) {
    if (!claims.cnonce) return fail(reason::token_cnonce_missing);
    asked_at = nonces_->given_at(*claims.cnonce, now);
    if (!asked_at) return fail(reason::token_cnonce_stale);
  }
  if (claims.exi) {
    // Whoever vouches for the token does not know when it came here, and would let it begin anew.
    if (!takes_exi_) return fail(reason::token_exi_unsupported);
    if (claims.cti) term.sequence = exi_sequence_in(*claims.cti, audiences_);
    if (!term.sequence) return fail(reason::token_exi_without_sequence);
    if (*claims.exi == 0) return fail(reason::token_expired, "exi");
    const auto most = static_cast<std::uint64_t>(longest_lifetime.count());
    term.expires_at = now + std::chrono::seconds(static_cast<std::int64_t>(std::min(*claims.exi, most)));
  }
  if (!claims.exp && !claims.exi && !is_vouched_for) return fail(reason::token_without_expiry);
  if (clock_is_synchronized_) {
    ACEWARD_TRY(cwt::check_times(claims, now));
    if (claims.iat && claims.iat->floor() > now + iat_grace) return fail(reason::token_from_the_future);
    if (!claims.exp) return term;
    // Held in whole seconds from here on; what ends within this second has ended.
    const WallTime expires_at = claims.exp->floor();
    if (expires_at <= now) return fail(reason::token_expired);
    term.expires_at = std::min(term.expires_at, expires_at);
    return term;
  }
  if (is_vouched_for) return term;
  if (claims.nbf && (!claims.iat || claims.nbf->floor() > claims.iat->floor())) {
    return fail(reason::token_clock_needed, "nbf");
  }
  if (claims.exi) return term;
  if (!asked_at || !claims.iat) return fail(reason::token_clock_needed);
  const WallTime issued_at = std::max(claims.iat->floor(), WallTime{});
  const WallTime expires_at = claims.exp->floor();
  if (expires_at <= issued_at) return fail(reason::token_expired);
  term.expires_at = *asked_at + std::min<std::chrono::seconds>(expires_at - issued_at, longest_lifetime);
  if (term.expires_at <= now) return fail(reason::token_expired);
  return term;
}

Result<VerifiedToken> TokenVerifier::verify(BytesView token, WallTime now) {
  const auto opened = ACEWARD_TRY(cwt::open(token, issuers_, {.max_octets = max_token_octets_}));
  ACEWARD_TRY(check_issuer(opened, issuers_));
  if (issuers_.is_followed(opened.issuer())) ACEWARD_TRY(cwt::check_one_form(token));
  return verify_claims(token, opened.claims(), &opened, opened.issuer(), now);
}

Result<VerifiedToken> TokenVerifier::verify_introspected(BytesView token, const cwt::Claims& claims,
                                                         std::string_view iss, WallTime now) {
  const auto issuer = issuers_.find(iss);
  if (!issuer || (claims.iss && *claims.iss != iss)) return fail(reason::token_issuer_mismatch);
  return verify_claims(token, claims, nullptr, *issuer, now);
}

Result<VerifiedToken> TokenVerifier::verify_claims(BytesView token, const cwt::Claims& claims,
                                                   const cwt::OpenedToken* opened, cwt::IssuerId issuer, WallTime now) {
  const bool is_vouched_for = opened == nullptr;
  VerifiedToken verified;
  const Term term = ACEWARD_TRY(term_of(claims, is_vouched_for, now));
  verified.expires_at_ = term.expires_at;
  verified.exi_sequence_ = term.sequence;
  if (claims.aud || !is_vouched_for) ACEWARD_TRY(check_audience(claims, audiences_));
  if (!claims.scope) return fail(reason::token_scope_unrecognised, "no scope");
  verified.permissions_ = ACEWARD_TRY(scopes_.resolve(*claims.scope));
  if (const auto* text = std::get_if<std::string>(&*claims.scope)) verified.text_scope_ = *text;
  if (claims.ace_profile && *claims.ace_profile != std::to_underlying(profile_)) {
    return fail(reason::token_profile_unsupported);
  }

  if (!claims.cnf) return fail(reason::token_cnf_missing);
  if (opened != nullptr) ACEWARD_TRY(cwt::check_key_protected(*opened));
  if (const cose::Key* key = claims.cnf->cose_key()) {
    ACEWARD_TRY(check_pop_key(*key));
    verified.kid_ = key->kid;
    verified.pop_key_ = key->clone();
  } else if (const cwt::EncryptedKey* encrypted = claims.cnf->encrypted_key()) {
    cose::Key opened_key = ACEWARD_TRY(issuers_.decrypt(*encrypted, issuer));
    ACEWARD_TRY(check_pop_key(opened_key));
    verified.kid_ = opened_key.kid;
    verified.pop_key_ = std::move(opened_key);
  } else if (const cwt::KeyId* kid = claims.cnf->kid()) {
    verified.kid_ = kid->value;
    verified.pop_key_ = PopKeyReference{kid->value};
    if (const Secret* derivation_key = issuers_.derivation_key(issuer, kid->value)) {
      Secret k = ACEWARD_TRY(derive_pop_key(*derivation_key, token));
      cose::Key derived = ACEWARD_TRY(cose::Key::symmetric(std::move(k)));
      derived.kid = kid->value;
      verified.derived_key_ = std::move(derived);
    }
  } else {
    return fail(reason::token_cnf_unusable, "confirmation method");
  }

  verified.issuer_ = issuers_.iss(issuer);
  verified.cti_ = claims.cti;
  if (claims.iat) verified.issued_at_ = claims.iat->floor();
  verified.digest_ = crypto::sha256(token);
  std::ranges::copy(token_hash(token), verified.hash_.begin());
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
