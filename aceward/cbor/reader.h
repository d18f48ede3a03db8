// The strict, bounded, zero-copy CBOR reader (RFC 8949).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "aceward/base/bytes.h"
#include "aceward/base/result.h"
#include "aceward/cbor/reasons.h"

namespace aceward::cbor {

/// What a data item is, as far as its first octet tells (RFC 8949 sections 3.1 and 3.3).
enum class Kind : std::uint8_t {
  unsigned_integer,  ///< major type 0
  negative_integer,  ///< major type 1
  byte_string,
  text_string,
  array,
  map,
  tag,
  boolean,
  null,
  undefined,
  simple,  ///< a simple value without a name
  floating,
};

std::string_view name_of(Kind kind);

/// How much of what RFC 8949 calls well-formed is taken.
enum class Strictness : std::uint8_t {
  /// For protocols: preferred serialization (section 4.1) with definite lengths only, valid UTF-8, no duplicate keys.
  /// The order of keys is free.
  preferred,
  /// For diagnostics: `skip` and `head` take all that is well-formed. The typed methods take longer heads, but still
  /// refuse indefinite lengths (what they return could not be borrowed) and text that is not UTF-8.
  well_formed,
};

/// What a stranger may make us do.
struct Limits {
  std::size_t max_depth = 16;      ///< arrays, maps and tags inside one another; at most `Reader::depth_cap`
  std::size_t max_items = 16384;   ///< data items read in all, nested ones, keys and tags included
  std::size_t max_size = 1 << 18;  ///< octets of the whole input
};

/// The head of a data item as it stands on the wire (section 3).
struct Head {
  static constexpr std::uint8_t indefinite_info = 31;
  std::uint8_t major = 0;      ///< 0 to 7
  std::uint8_t info = 0;       ///< additional information, 0 to 31
  std::uint64_t argument = 0;  ///< 0 if indefinite
  bool is_indefinite() const { return info == indefinite_info && major != 7; }
  bool is_break() const { return info == indefinite_info && major == 7; }
};

/// Reads data items one after the other from octets that it borrows: they must outlive the reader and every view it
/// returned. Never allocates, except that `skip` does so for maps of more than 16 keys, or with keys
/// that are floats, arrays, maps or tags. An error leaves the
/// reader at an unspecified place: give up, or go on with a copy made before. Copying is cheap (some 300 octets). Not
/// thread-safe.
///
/// Errors that any method can return: `cbor_truncated`, `cbor_not_well_formed`, `cbor_not_preferred`,
/// `cbor_unexpected_kind` (another kind than asked for), `cbor_too_deep`, `cbor_too_many_items`, `cbor_too_large`.
/// Their detail is empty.
class Reader {
 public:
  static constexpr std::size_t depth_cap = 64;

  explicit Reader(BytesView octets, const Limits& limits = {}, Strictness strictness = Strictness::preferred);

  /// The kind of the next item, which stays unread. `cbor_truncated` at the end of the input.
  Result<Kind> peek() const;

  /// Major type 0.
  Result<std::uint64_t> unsigned_integer();
  /// Major type 0 or 1 within int64_t, else `cbor_out_of_range`.
  Result<std::int64_t> integer();
  Result<BytesView> byte_string();
  /// Validated UTF-8 (`cbor_not_utf8`): no surrogates, no overlong forms.
  Result<std::string_view> text_string();
  /// The number of elements; they are the next items. Never more than octets remain.
  Result<std::size_t> array();
  /// The number of pairs; keys and values are the next items, in turn. Never more than half the octets that remain.
  /// Who reads a map this way looks for duplicate keys himself; `Schema` and `KeySet` do.
  Result<std::size_t> map();
  /// The tag number; its content is the next item.
  Result<std::uint64_t> tag();
  Result<bool> boolean();
  Result<void> null();
  Result<void> undefined();
  /// Any simple value, false to undefined (20 to 23) included.
  Result<std::uint8_t> simple();
  /// Half, single or double precision. `Strictness::preferred` takes a value only in its shortest form. A NaN keeps
  /// its payload.
  Result<double> floating();

  /// Passes over the next item whole and returns its octets. Checks all of it: well-formedness and, with
  /// `Strictness::preferred`, the form of every head, UTF-8 (`cbor_not_utf8`) and duplicate keys
  /// (`cbor_duplicate_key`).
  Result<BytesView> skip();

  /// The next head alone, any kind: for generic readers. A break is returned like a head. Depth is the caller's to
  /// bound; counts against the other limits.
  Result<Head> head();
  /// The next `count` octets, which are a string's content after its `head`.
  Result<BytesView> octets(std::uint64_t count);

  /// `cbor_trailing_bytes` unless all is read.
  Result<void> finish() const;
  bool at_end() const { return position_ == octets_.size(); }
  /// Octets read so far.
  std::size_t position() const { return position_; }
  /// Octets still unread.
  std::size_t remaining() const { return octets_.size() - position_; }
  /// The octets from `from` up to the current position.
  BytesView since(std::size_t from) const { return octets_.subspan(from, position_ - from); }
  const Limits& limits() const { return limits_; }
  Strictness strictness() const { return strictness_; }

 private:
  Result<Head> definite(std::uint8_t major);
  Result<void> enter(std::uint64_t items);
  void leave_finished();
  Result<void> skip_item(std::size_t depth);
  Result<void> skip_indefinite(std::uint8_t major, std::size_t depth);
  Result<void> skip_map_pairs(std::uint64_t pairs, std::size_t depth);

  BytesView octets_;
  std::size_t position_ = 0;
  Limits limits_;
  std::size_t items_ = 0;
  Strictness strictness_;
  std::uint8_t depth_ = 0;
  std::array<std::uint32_t, depth_cap> open_{};  // items still to come in each array, map or tag that is open
};

}  // namespace aceward::cbor
