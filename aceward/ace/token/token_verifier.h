// Whether an access token is good for this resource server (RFC 9200 section 5.10.1.1).
#pragma once

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "aceward/ace/params/registries.h"
#include "aceward/ace/params/token_hash.h"
#include "aceward/ace/token/client_nonces.h"
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
  /// Where the key is only named and the issuer shares a key derivation key: the key, should nobody hold one of this
  /// name (RFC 9202 section 3.3.1).
  const std::optional<cose::Key>& derived_key() const { return derived_key_; }
  /// SHA-256 of the token's octets.
  const std::array<std::uint8_t, 32>& digest() const { return digest_; }
  /// By which revocation lists name it.
  const std::array<std::uint8_t, token_hash_size>& hash() const { return hash_; }
  /// Of a token with exi: the number that its issuer gave it. `expires_at` is then counted from this very moment.
  std::optional<std::uint64_t> exi_sequence() const { return exi_sequence_; }
  /// The text of a text scope; empty for AIF.
  const std::string& text_scope() const { return text_scope_; }

  /// Lets the token end at `time`, if that is before expires_at().
  void end_by(WallTime time) { expires_at_ = std::min(expires_at_, time); }

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
  std::optional<cose::Key> derived_key_;
  std::array<std::uint8_t, 32> digest_{};
  std::array<std::uint8_t, token_hash_size> hash_{};
  std::optional<std::uint64_t> exi_sequence_;
  std::string text_scope_;
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
  /// Whether `now` is civil time. Without it exp is no date that could be compared: a token must have exi, or a fresh
  /// cnonce and iat, after which its exp is counted from the moment at which the nonce was given out: never too long,
  /// as the token was issued later than that. `now` is then any time that grows steadily.
  bool clock_is_synchronized = true;
  /// Whether exi is counted. Whoever sets it keeps ExpiredSequences (RFC 9200 section 5.10.3).
  bool takes_exi = false;
  /// Null: tokens need no cnonce. Outlives the verifier.
  const ClientNonces* nonces = nullptr;
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
  ///  3. cnonce: `token_cnonce_missing`, `token_cnonce_stale`; exi: `token_exi_unsupported`,
  ///     `token_exi_without_sequence`; exp: `token_without_expiry`, `token_expired`, `token_clock_needed`; nbf:
  ///     `token_not_yet_valid`; iat: `token_from_the_future`, with five minutes of grace, since a token of a future
  ///     that never came would count as the latest of its key for good.
  ///  4. aud: `token_audience_unknown`, also when absent.
  ///  5. scope: `token_scope_unrecognised`, also when absent; `scope_malformed` and those of cbor/ for AIF.
  ///  6. ace_profile: `token_profile_unsupported`.
  ///  7. cnf: `token_cnf_missing`, `token_cnf_unusable`, `cwt_key_unprotected` (RFC 8747 section 3.2).
  /// A token with both exi and exp ends with the first of them.
  Result<VerifiedToken> verify(BytesView token, WallTime now);
  /// The same for what the authorization server `iss`, a trusted one, said about a token over an authenticated channel
  /// (RFC 9200 section 5.9): it vouches for times and audience, so that exp and aud may be absent, and exp is not
  /// judged without a clock; what is there is checked, exi as in any token. With neither the token ends at
  /// WallTime::max(). Errors: those of `verify` from 2.
  Result<VerifiedToken> verify_introspected(BytesView token, const cwt::Claims& claims, std::string_view iss,
                                            WallTime now);

  const ScopeMap& scopes() const { return scopes_; }
  const std::vector<std::string>& audiences() const { return audiences_; }
  bool trusts(std::string_view iss) const { return issuers_.find(iss).has_value(); }

 private:
  struct Term {
    WallTime expires_at = WallTime::max();
    std::optional<std::uint64_t> sequence;
  };
  Result<Term> term_of(const cwt::Claims& claims, bool is_vouched_for, WallTime now) const;
  Result<VerifiedToken> verify_claims(BytesView token, const cwt::Claims& claims, const cwt::OpenedToken* opened,
                                      cwt::IssuerId issuer, WallTime now);
  TokenVerifier(TrustedIssuers issuers, ScopeMap scopes, TokenVerifierConfig config);

  TrustedIssuers issuers_;
  ScopeMap scopes_;
  std::vector<std::string> audiences_;
  Profile profile_;
  std::size_t max_token_octets_;
  bool clock_is_synchronized_;
  bool takes_exi_;
  const ClientNonces* nonces_;
};

/// The sequence number in the cti of a token with exi: what follows one of the audiences, the longest that it begins
/// with; of any other cti the last eight octets. Big-endian; nullopt for nothing. (RFC 9200 section 5.10.3 says what is
/// put together, not where one part ends.)
std::optional<std::uint64_t> exi_sequence_in(BytesView cti, const std::vector<std::string>& audiences);

/// What authz-info answers to a token that was refused for this reason (RFC 9200 section 5.10.1.1): 4.00, 4.01, 4.03,
/// or a bare 5.00 for what is our own fault.
coap::Code wire_answer(const Error& error);

}  // namespace aceward::ace
