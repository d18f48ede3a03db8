// Making and opening CWTs.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "aceward/base/random.h"
#include "aceward/cose/cwt/claims.h"
#include "aceward/cose/message.h"

namespace aceward::cwt {

/// CBOR tag of a CWT (RFC 8392 section 6).
inline constexpr std::uint64_t cwt_tag = 61;

enum class Tagging : std::uint8_t {
  none,          ///< the context says that it is a CWT, and of which kind
  cose,          ///< 16, 17 or 18
  cose_and_cwt,  ///< 61 before it
  /// 61 before it, every header parameter protected, and of the two signatures that ECDSA has for each message the one
  /// with the smaller s: nobody can make other octets of it that verify too (RFC 9770 sections 3 and 14.6). Tokens that
  /// may have to be revoked by their hash are of this form; see one_form.h.
  one_form,
};

// The kid of the key, when it has one, goes into the unprotected bucket, as in RFC 8392 appendix A, except in one_form.

/// Signs (COSE_Sign1). Errors: `cwt_key_unprotected` when claims.carries_bare_secret(); those of serialize and
/// Sign1::create.
Result<Bytes> sign(const Claims& claims, const cose::SigningKey& key, Tagging tagging = Tagging::cose);
/// MACs (COSE_Mac0). Errors as for sign.
Result<Bytes> mac(const Claims& claims, const cose::MacKey& key, Tagging tagging = Tagging::cose);
/// Encrypts (COSE_Encrypt0) under a nonce drawn from `random`. Errors: `cwt_nonce_too_short`, those of serialize and
/// Encrypt0::create.
Result<Bytes> encrypt(const Claims& claims, const cose::ContentKey& key, Random& random,
                      Tagging tagging = Tagging::cose);
/// Signs, then encrypts (RFC 8392 section 8): the order in which nobody can strip the signature.
Result<Bytes> sign_then_encrypt(const Claims& claims, const cose::SigningKey& signing, const cose::ContentKey& content,
                                Random& random, Tagging tagging = Tagging::cose);

enum class Protection : std::uint8_t { signature, mac, encryption };

/// Whose key it is: a number that the KeySource gives and understands.
using IssuerId = Strong<struct IssuerIdTag, std::uint64_t>;

/// The port that is asked for keys. One per thread, as the keys keep contexts.
class KeySource {
 public:
  /// What a layer of a token says about its key. Views live for the call.
  struct Query {
    Protection protection;
    cose::Algorithm algorithm;
    std::optional<BytesView> kid;
  };
  /// A key that may fit. The pointer stays valid while `open` runs. Its kind must be the one asked for, others are
  /// passed over, as are keys of another algorithm.
  struct Candidate {
    std::variant<const cose::VerifyingKey*, const cose::MacKey*, const cose::ContentKey*> key;
    IssuerId issuer;
  };

  virtual ~KeySource() = default;
  /// Appends every key that may fit. A kid is no proof of anything and not unique (RFC 9052 section 3.1): two issuers
  /// may use one, so all of that kid are given; and all keys, when the token has no kid.
  virtual void candidates(const Query& query, std::vector<Candidate>& out) = 0;
};

struct OpenOptions {
  /// The kind of an untagged token. Without it an untagged token is refused.
  std::optional<Protection> untagged = {};
  std::size_t max_octets = 16384;
  /// Layers, the innermost included: 2 for sign-then-encrypt.
  std::size_t max_layers = 3;
  /// Keys tried on one layer; more are not looked at.
  std::size_t max_candidates = 16;
};

/// A token whose every layer verified. Only `open` makes one. Its times, audience and scope are NOT checked.
class OpenedToken {
 public:
  struct Layer {
    Protection protection;
    cose::Algorithm algorithm;
    std::optional<Bytes> kid;
    IssuerId issuer;
  };

  const Claims& claims() const { return claims_; }
  /// Outermost first; at least one.
  const std::vector<Layer>& layers() const { return layers_; }
  /// Whose key protects the claims set itself: that of the innermost layer.
  IssuerId issuer() const { return layers_.back().issuer; }
  bool is_encrypted() const;
  /// The token, exactly as received.
  const Bytes& octets() const { return octets_; }
  /// The encoded claims set.
  BytesView claims_octets() const { return claims_octets_.expose(); }

 private:
  friend Result<OpenedToken> open(BytesView token, KeySource& keys, const OpenOptions& options);
  OpenedToken() = default;
  Claims claims_;
  std::vector<Layer> layers_;
  Bytes octets_;
  Secret claims_octets_;
};

/// Verifies or decrypts layer by layer (RFC 8392 section 7.2). alg must be in the protected bucket of each. No clock.
/// Errors: `cwt_malformed`, `cwt_nested_too_deep`, `cwt_key_unknown`, `cwt_verification_failed`, those of the COSE
/// messages and of Claims::parse.
Result<OpenedToken> open(BytesView token, KeySource& keys, const OpenOptions& options = {});

/// RFC 8747 section 3.2: a symmetric key in the clear only inside an encrypted token. Errors: `cwt_key_unprotected`.
Result<> check_key_protected(const OpenedToken& token);

}  // namespace aceward::cwt
