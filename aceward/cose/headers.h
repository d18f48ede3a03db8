// The two buckets of header parameters.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "aceward/cose/registry.h"

namespace aceward::cose {

/// One bucket (RFC 9052 section 3.1):
///
///   header_map = { ? 1 => int / tstr, ? 2 => [+ label], ? 3 => tstr / uint, ? 4 => bstr,
///                  ? ( 5 => bstr // 6 => bstr ), * label => any }
struct HeaderMap {
  std::optional<Algorithm> alg;
  std::vector<Label> crit;
  std::optional<std::variant<std::uint64_t, std::string>> content_type;
  std::optional<Bytes> kid;
  std::optional<Bytes> iv;
  std::optional<Bytes> partial_iv;
  std::vector<Member> others;

  bool empty() const;
  bool contains(const Label& label) const;
  /// The encoded value of a parameter of `others`, or null.
  const Member* other(const Label& label) const;

  /// Deterministic CBOR map.
  Bytes serialize() const;
  /// One map in `encoded`, no more. Errors: `cose_header_malformed`, `cose_algorithm_unsupported`, those of cbor/.
  static Result<HeaderMap> parse(BytesView encoded);

  friend bool operator==(const HeaderMap&, const HeaderMap&) = default;
};

struct Headers {
  HeaderMap protected_map;
  HeaderMap unprotected_map;

  /// A parameter from the protected bucket, else from the other (RFC 9052 section 3).
  const std::optional<Algorithm>& alg() const;
  const std::optional<Bytes>& kid() const;
  const std::optional<Bytes>& iv() const;
  const std::optional<Bytes>& partial_iv() const;

  /// The protected bucket as received, verbatim, as it goes into Sig_structure and the like: what the byte string
  /// holds, empty also when it held an empty map (RFC 9052 section 4.4). Empty on headers that are yet to be sent.
  const Bytes& protected_octets() const { return protected_octets_; }

  /// `understood`: labels beyond alg, crit, content type, kid, IV, Partial IV that the application processes, and so
  /// may be critical. A label in both buckets is refused; so are IV together with Partial IV, and crit outside the
  /// protected bucket, empty, or naming what is absent.
  /// Errors: `cose_header_malformed`, `cose_critical_unknown`, `cose_algorithm_unsupported`, those of cbor/.
  static Result<Headers> parse(BytesView protected_octets, BytesView unprotected_encoded,
                               std::span<const Label> understood = {});
  /// The same rules for headers about to be sent. Errors: `cose_header_malformed`.
  Result<> check(std::span<const Label> understood = {}) const;

 private:
  Bytes protected_octets_;
};

}  // namespace aceward::cose
