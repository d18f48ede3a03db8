// Code points of COSE. The registries are open: every value is kept, known or not.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>

#include "aceward/base/bytes.h"
#include "aceward/base/secret.h"
#include "aceward/base/strong.h"

namespace aceward::cose {

/// IANA "COSE Algorithms". Only the integers: no text identifier is registered, one that arrives is unsupported.
using Algorithm = Strong<struct AlgorithmTag, std::int64_t>;
namespace alg {
inline constexpr Algorithm a128gcm{1};  // RFC 9053 section 4.1
inline constexpr Algorithm a192gcm{2};
inline constexpr Algorithm a256gcm{3};
inline constexpr Algorithm hmac_256_64{4};  // RFC 9053 section 3.1
inline constexpr Algorithm hmac_256_256{5};
inline constexpr Algorithm hmac_384_384{6};
inline constexpr Algorithm hmac_512_512{7};
inline constexpr Algorithm aes_ccm_16_64_128{10};  // RFC 9053 section 4.2
inline constexpr Algorithm aes_ccm_16_64_256{11};
inline constexpr Algorithm chacha20_poly1305{24};  // RFC 9053 section 4.3
inline constexpr Algorithm aes_ccm_16_128_128{30};
inline constexpr Algorithm aes_ccm_16_128_256{31};
inline constexpr Algorithm es256{-7};                 // RFC 9053 section 2.1
inline constexpr Algorithm eddsa{-8};                 // RFC 9053 section 2.2
inline constexpr Algorithm direct_hkdf_sha_256{-10};  // RFC 9053 section 6.1.2
inline constexpr Algorithm sha_256{-16};              // RFC 9054
inline constexpr Algorithm ecdh_es_hkdf_256{-25};     // RFC 9053 section 6.3
inline constexpr Algorithm ecdh_ss_hkdf_256{-27};
}  // namespace alg

/// IANA "COSE Key Types".
using KeyType = Strong<struct KeyTypeTag, std::int64_t>;
namespace kty {
inline constexpr KeyType okp{1};
inline constexpr KeyType ec2{2};
inline constexpr KeyType symmetric{4};
}  // namespace kty

/// IANA "COSE Elliptic Curves".
using Curve = Strong<struct CurveTag, std::int64_t>;
namespace crv {
inline constexpr Curve p256{1};
inline constexpr Curve p384{2};
inline constexpr Curve p521{3};
inline constexpr Curve x25519{4};
inline constexpr Curve x448{5};
inline constexpr Curve ed25519{6};
inline constexpr Curve ed448{7};
}  // namespace crv

/// RFC 9052 section 7.1, table 5.
using KeyOperation = Strong<struct KeyOperationTag, std::int64_t>;
namespace key_op {
inline constexpr KeyOperation sign{1};
inline constexpr KeyOperation verify{2};
inline constexpr KeyOperation encrypt{3};
inline constexpr KeyOperation decrypt{4};
inline constexpr KeyOperation wrap_key{5};
inline constexpr KeyOperation unwrap_key{6};
inline constexpr KeyOperation derive_key{7};
inline constexpr KeyOperation derive_bits{8};
inline constexpr KeyOperation mac_create{9};
inline constexpr KeyOperation mac_verify{10};
}  // namespace key_op

/// A map key of COSE: `label = int / tstr` (RFC 9052 section 1.5).
struct Label {
  std::variant<std::int64_t, std::string> value;

  Label() = default;
  Label(std::int64_t number) : value(number) {}        // NOLINT: an integer is a label
  Label(std::string text) : value(std::move(text)) {}  // NOLINT
  bool is(std::int64_t number) const {
    const auto* own = std::get_if<std::int64_t>(&value);
    return own != nullptr && *own == number;
  }
  friend auto operator<=>(const Label&, const Label&) = default;
};

/// IANA "COSE Header Parameters".
using HeaderLabel = Label;
namespace header {
inline constexpr std::int64_t alg = 1;
inline constexpr std::int64_t crit = 2;
inline constexpr std::int64_t content_type = 3;
inline constexpr std::int64_t kid = 4;
inline constexpr std::int64_t iv = 5;
inline constexpr std::int64_t partial_iv = 6;
inline constexpr std::int64_t counter_signature = 7;  // RFC 8152, deprecated
inline constexpr std::int64_t kid_context = 10;       // RFC 8613
inline constexpr std::int64_t kcwt = 13;              // RFC 9528
inline constexpr std::int64_t kccs = 14;              // RFC 9528
inline constexpr std::int64_t cwt_claims = 15;        // RFC 9597
inline constexpr std::int64_t typ = 16;               // RFC 9596
inline constexpr std::int64_t x5chain = 33;           // RFC 9360
inline constexpr std::int64_t x5t = 34;               // RFC 9360
}  // namespace header

/// A map member that is kept without being understood: the label, and the value as its CBOR encoding. Wipes the value
/// when it goes, for it may be a secret: ms in a cnf with osc (RFC 9203) is.
struct Member {
  Label label;
  Bytes value;

  Member() = default;
  Member(Label l, Bytes v) : label(std::move(l)), value(std::move(v)) {}
  Member(const Member&) = default;
  Member(Member&&) noexcept = default;
  // The old value is wiped where `other` ends.
  Member& operator=(Member other) noexcept {
    std::swap(label, other.label);
    value.swap(other.value);
    return *this;
  }
  ~Member() { wipe(value); }
  friend bool operator==(const Member&, const Member&) = default;
};

/// CBOR tags of the single-recipient messages (RFC 9052 section 2, table 1).
enum class MessageTag : std::uint64_t { encrypt0 = 16, mac0 = 17, sign1 = 18 };

}  // namespace aceward::cose
