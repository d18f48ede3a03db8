// AIF-REST: which methods may be used on which resources (RFC 9237).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "aceward/base/bytes.h"
#include "aceward/base/result.h"

namespace aceward::ace {

/// REST-method-set (RFC 9237 section 3): bit N stands for the CoAP method N + 1; bit 32 + N for the same method on
/// resources that the subject has created dynamically. Bits without a method are kept.
struct MethodSet {
  std::uint64_t bits = 0;

  static constexpr std::uint64_t dynamic_offset = 32;

  /// `method` is the detail of the CoAP code: GET 1, POST 2, PUT 3, DELETE 4, FETCH 5, PATCH 6, iPATCH 7.
  constexpr bool allows(unsigned method) const {
    return method >= 1 && method <= 32 && (bits >> (method - 1) & 1) != 0;
  }
  constexpr void add(unsigned method) {
    if (method >= 1 && method <= 32) bits |= std::uint64_t{1} << (method - 1);
  }
  constexpr bool empty() const { return bits == 0; }
  friend constexpr bool operator==(MethodSet, MethodSet) = default;
};

/// `AIF-REST = [* [local-path: tstr, REST-method-set: uint]]`
///
/// An allow-list: what is not listed is denied (RFC 9237 section 2). Entries with the same local-path are merged. A
/// local-path is an absolute path, with a query where the resource has one: `/s/temp`. At most 256 entries of at most
/// 255 octets.
class Aif {
 public:
  /// Errors: the CBOR reader's, `scope_malformed` for a path that is not absolute or a limit that is passed.
  static Result<Aif> parse(BytesView cbor);
  /// Deterministic, sorted by path.
  Bytes serialize() const;

  /// `/temp=GET,PUT /led=PUT`: how people write it on the command line. Errors: `scope_malformed`.
  static Result<Aif> parse_text(std::string_view text);
  std::string to_text() const;

  /// Errors: `scope_malformed`.
  Result<> add(std::string_view path, MethodSet methods);
  bool empty() const { return entries_.empty(); }
  const std::map<std::string, MethodSet, std::less<>>& entries() const { return entries_; }

  Aif union_with(const Aif& other) const;
  /// Per path the methods that both allow; paths left without any are dropped.
  Aif intersection_with(const Aif& other) const;

  friend bool operator==(const Aif&, const Aif&) = default;

 private:
  std::map<std::string, MethodSet, std::less<>> entries_;
};

/// The name of a method by its number: `GET`; "" where there is none.
std::string_view method_name(unsigned method);

}  // namespace aceward::ace
