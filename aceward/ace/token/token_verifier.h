// Whether an access token is good for this resource server (RFC 9200 section 5.10.1.1).
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "aceward/ace/params/registries.h"
#include "aceward/ace/token/permissions.h"
#include "aceward/ace/token/trusted_issuers.h"
#include "aceward/coap/message/code.h"

namespace aceward::ace {

/// A cnf that names a key instead of carrying it: the resource server must know it from a token of the same issuer
/// (RFC 9202 sections 3.2.2, 3.3.1 and 4).
struct PopKeyReference {
  Bytes kid;
  friend bool operator==(const PopKeyReference&, const PopKeyReference&) = default;
};

/// An access token that passed every check of RFC 9200 section 5.10.1.1 at one moment. Only TokenVerifier makes one.
/// That its presenter holds the key is NOT proven by it. Move-only, as it may hold a secret.
class VerifiedToken {
 public:
  /// The `iss` of the trusted issuer whose key protects the token, whether or not the claim is there.
  const std::string& issuer() const { return issuer_; }
  const std::optional<Bytes>& cti() const { return cti_; }
  std::optional<WallTime> issued_at() const { return issued_at_; }
  /// The token is valid before this time, not at it.
  WallTime expires_at() const { return expires_at_; }
  const Permissions& permissions() const { return permissions_; }
  /// The key of which possession must be proven: a P-256 or Ed25519 public key, a symmetric key of 16 to 256 octets,
  /// or a reference.
  const std::variant<cose::Key, PopKeyReference>& pop_key() const { return pop_key_; }
  /// The kid of the key, if it has one.
  const std::optional<Bytes>& kid() const { return kid_; }
  /// SHA-256 of the token's octets.
  const std::array<std::uint8_t, 32>& digest() const { return digest_; }

 private:
  friend class TokenVerifier;
  VerifiedToken() = default;

  std::string issuer_;
  std::optional<Bytes> cti_;
  std::optional<WallTime> issued_at_;
  WallTime expires_at_;
  Permissions permissions_;
  std::variant<cose::Key, PopKeyReference> pop_key_{PopKeyReference{}};
  std::optional<Bytes> kid_;
  std::array<std::uint8_t, 32> digest_{};
};

struct TokenVerifierConfig {
  std::vector<TrustedIssuer> issuers;
  /// The audiences that this server identifies with; at least one of them must stand in aud.
  std::vector<std::string> audiences;
  /// What each scope-token allows: `{"rTempC", Aif::parse_text("/temp=GET")}`.
  std::map<std::string, Aif> text_scopes;
  /// The ace_profile that a token may name. A token need not name one.
  Profile profile = Profile::coap_dtls;
  std::size_t max_token_octets = 4096;
};

/// Checks tokens; keeps nothing of them. Not thread-safe, as the keys keep contexts.
class TokenVerifier {
 public:
  /// Errors: `issuer_config_invalid`, `scope_malformed`, those of the cose keys' `from`.
  static Result<TokenVerifier> create(TokenVerifierConfig config);

  /// The checks run in the order of RFC 9200 section 5.10.1.1, and the first that fails is the error:
  ///  1. the security wrapper: errors of cwt::open. A wrapper that does not verify is found before anything within is
  ///     looked at; claims that cannot be read, a cnf with two keys among them, before any claim is judged.
  ///  2. iss: `token_issuer_mismatch`. The claim may be absent, but all layers must be of one issuer.
  ///  3. exp: `token_exi_unsupported`, `token_without_expiry`, `token_expired`; nbf: `token_not_yet_valid`.
  ///  4. aud: `token_audience_unknown`, also when absent.
  ///  5. scope: `token_scope_unrecognised`, also when absent; `scope_malformed` and those of cbor/ for AIF.
  ///  6. ace_profile: `token_profile_unsupported`.
  ///  7. cnf: `token_cnf_missing`, `token_cnf_unusable`, `cwt_key_unprotected` (RFC 8747 section 3.2).
  /// A token with exi is refused even beside exp: to ignore exi would let it live longer than its issuer meant.
  Result<VerifiedToken> verify(BytesView token, WallTime now);

  const ScopeMap& scopes() const { return scopes_; }
  const std::vector<std::string>& audiences() const { return audiences_; }

 private:
  TokenVerifier(TrustedIssuers issuers, ScopeMap scopes, TokenVerifierConfig config);

  TrustedIssuers issuers_;
  ScopeMap scopes_;
  std::vector<std::string> audiences_;
  Profile profile_;
  std::size_t max_token_octets_;
};

/// What authz-info answers to a token that was refused for this reason (RFC 9200 section 5.10.1.1): 4.00, 4.01, 4.03,
/// or a bare 5.00 for what is our own fault.
coap::Code wire_answer(const Error& error);

}  // namespace aceward::ace
