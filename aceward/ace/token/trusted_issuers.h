// Whose tokens a resource server takes: authorization servers and the keys that protect their tokens.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "aceward/cose/cwt/token.h"

namespace aceward::ace {

/// One authorization server that has the right to issue tokens for this resource server. Several keys of each kind may
/// live at a time, so that keys can be changed without a gap.
struct TrustedIssuer {
  /// The iss claim of its tokens; also what keeps its tokens apart from those of others.
  std::string iss;
  /// Public keys: P-256 (ES256) or Ed25519 (EdDSA).
  std::vector<cose::Key> verifying_keys;
  /// Symmetric keys that this server shares with it. One without alg and of 16 octets is for AES-CCM-16-64-128; the
  /// algorithm of any other stands in its alg, an AEAD or an HMAC.
  std::vector<cose::Key> token_keys;
  /// Keys from which those of tokens with a kid alone are derived (RFC 9202 section 3.3.1), each of 16 octets or more,
  /// the newest first. See derivation_key_id for which of them counts.
  std::vector<Secret> derivation_keys = {};
  /// It is asked about tokens (RFC 9200 section 5.9), and so needs no keys here.
  bool is_asked = false;
  /// Its list of revoked tokens is followed: no token is taken of which its holder could make another form, with
  /// another hash (RFC 9770 section 11.1). Of tokens that it is asked about, the octets are compared there.
  bool is_followed = false;
};

/// The keys, loaded. Not thread-safe.
class TrustedIssuers final : public cwt::KeySource {
 public:
  /// Errors: `issuer_config_invalid`, those of the cose keys' `from`.
  static Result<TrustedIssuers> from(std::vector<TrustedIssuer> issuers);

  /// A symmetric key that the issuer encrypted under one of the keys it shares with this server (RFC 8747 section 3.3).
  /// Errors: `token_cnf_unusable` when none of them opens it.
  Result<cose::Key> decrypt(const cwt::EncryptedKey& encrypted, cwt::IssuerId issuer) const;
  void candidates(const Query& query, std::vector<Candidate>& out) override;
  /// The iss of an issuer; it must come from `candidates`.
  const std::string& iss(cwt::IssuerId id) const { return names_[id.value]; }
  std::optional<cwt::IssuerId> find(std::string_view iss) const;
  bool is_followed(cwt::IssuerId id) const { return followed_[id.value]; }
  /// The key from which the key of a token with this kid is derived; null if the issuer has none.
  const Secret* derivation_key(cwt::IssuerId id, BytesView kid) const;

 private:
  struct Entry {
    cwt::IssuerId issuer;
    std::optional<Bytes> kid;
    std::variant<cose::VerifyingKey, cose::MacKey, cose::ContentKey> key;
  };
  struct Derivation {
    Bytes id;
    Secret key;
  };
  std::vector<std::string> names_;
  std::vector<bool> followed_;                        ///< by issuer
  std::vector<std::vector<Derivation>> derivations_;  ///< by issuer
  std::vector<Entry> entries_;
};

}  // namespace aceward::ace
