// The CWT Claims Set.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "aceward/base/secret.h"
#include "aceward/base/time.h"
#include "aceward/cose/cwt/confirmation.h"

namespace aceward::cwt {

/// IANA "CBOR Web Token (CWT) Claims".
namespace claim {
inline constexpr std::int64_t iss = 1;  // RFC 8392
inline constexpr std::int64_t sub = 2;
inline constexpr std::int64_t aud = 3;
inline constexpr std::int64_t exp = 4;
inline constexpr std::int64_t nbf = 5;
inline constexpr std::int64_t iat = 6;
inline constexpr std::int64_t cti = 7;
inline constexpr std::int64_t cnf = 8;    // RFC 8747
inline constexpr std::int64_t scope = 9;  // RFC 9200
inline constexpr std::int64_t ace_profile = 38;
inline constexpr std::int64_t cnonce = 39;
inline constexpr std::int64_t exi = 40;
}  // namespace claim

/// Seconds since 1970 as an integer or a finite float, without tag 1 (RFC 8392 section 2). Keeps which of the two it
/// is.
class NumericDate {
 public:
  NumericDate(WallTime time) : value_(std::int64_t{time.time_since_epoch().count()}) {}  // NOLINT: a date is a date
  explicit NumericDate(std::int64_t seconds) : value_(seconds) {}
  /// Errors: `cwt_claim_malformed` when not finite.
  static Result<NumericDate> from_float(double seconds);

  bool is_float() const { return std::holds_alternative<double>(value_); }
  const std::variant<std::int64_t, double>& value() const { return value_; }
  /// Rounded down, and held within what WallTime can say.
  WallTime floor() const;
  /// Is `time` at or after this date?
  bool reached_at(WallTime time) const;

  friend bool operator==(const NumericDate&, const NumericDate&) = default;

 private:
  explicit NumericDate(std::variant<std::int64_t, double> value) : value_(value) {}

  std::variant<std::int64_t, double> value_;
};

/// One StringOrURI, or an array of them (RFC 8392 section 3.1.3).
struct Audience {
  std::vector<std::string> values;
  bool as_array = false;

  Audience() = default;
  explicit Audience(std::string one) : values{std::move(one)} {}
  /// Compared octet by octet (RFC 7519 section 4.1.3).
  bool contains(std::string_view name) const;
  friend bool operator==(const Audience&, const Audience&) = default;
};

/// Text, or a byte string whose meaning the application knows, such as AIF (RFC 9200 section 5.8.1, RFC 9237).
using Scope = std::variant<std::string, Bytes>;

///   claims = { ? 1 => tstr, ? 2 => tstr, ? 3 => tstr / [* tstr], ? 4 => date, ? 5 => date, ? 6 => date, ? 7 => bstr,
///              ? 8 => cnf, ? 9 => tstr / bstr, ? 38 => int, ? 39 => bstr, ? 40 => uint, * (int / tstr) => any }
///   date = int / float
///
/// No claim is mandatory here; which are is for the application (RFC 8392 section 3). Unknown ones are kept in
/// `others`. Move-only, as cnf may hold a secret.
struct Claims {
  std::optional<std::string> iss;
  std::optional<std::string> sub;
  std::optional<Audience> aud;
  std::optional<NumericDate> exp;
  std::optional<NumericDate> nbf;
  std::optional<NumericDate> iat;
  std::optional<Bytes> cti;
  std::optional<Confirmation> cnf;
  std::optional<Scope> scope;
  std::optional<std::int64_t> ace_profile;
  std::optional<Bytes> cnonce;
  /// Seconds the token is valid from the moment the recipient first sees it (RFC 9200 section 5.10.3).
  std::optional<std::uint64_t> exi;
  std::vector<cose::Member> others;

  Claims clone() const;
  const cose::Member* other(const cose::Label& name) const;
  /// Does cnf carry a symmetric key that is not encrypted by itself? Such a token must be encrypted (RFC 8747 section
  /// 3.2). A cnf with osc counts too: it holds the OSCORE master secret (RFC 9203 section 3.2.1).
  bool carries_bare_secret() const;

  /// One map in `encoded`, no more. A value of iss, sub or aud with a colon must start like a URI (RFC 7519 section 2).
  /// Errors: `cwt_malformed`, `cwt_claim_malformed`, those of Confirmation::parse and cbor/.
  static Result<Claims> parse(BytesView encoded);
  /// Deterministic CBOR. Errors: `cwt_claim_malformed` for values that parse would refuse.
  Result<Secret> serialize() const;
};

/// Is the token in its time? At or after exp + leeway it has expired, before nbf - leeway it is not yet valid (RFC 7519
/// sections 4.1.4 and 4.1.5). exi is the application's. Errors: `token_expired`, `token_not_yet_valid`.
Result<> check_times(const Claims& claims, WallTime now, std::chrono::seconds leeway = std::chrono::seconds(0));

}  // namespace aceward::cwt
