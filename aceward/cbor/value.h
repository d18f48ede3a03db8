// A CBOR data item of any shape as an owning tree: for tests, diagnostics and rare generic code.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "aceward/base/bytes.h"
#include "aceward/base/result.h"
#include "aceward/cbor/reader.h"
#include "aceward/cbor/writer.h"

namespace aceward::cbor {

/// The generic data model of RFC 8949 section 2. How an item was encoded (length of heads, indefinite lengths, order
/// of keys) is not kept.
struct Value {
  /// The integer -1 - argument.
  struct Negative {
    std::uint64_t argument = 0;
    friend bool operator==(const Negative&, const Negative&) = default;
  };
  struct Null {
    friend bool operator==(const Null&, const Null&) = default;
  };
  struct Undefined {
    friend bool operator==(const Undefined&, const Undefined&) = default;
  };
  struct Simple {
    std::uint8_t number = 0;
    friend bool operator==(const Simple&, const Simple&) = default;
  };
  using Array = std::vector<Value>;
  struct Pair;
  using Map = std::vector<Pair>;
  struct Tag {
    std::uint64_t number = 0;
    std::vector<Value> content;  ///< exactly one
    friend bool operator==(const Tag& a, const Tag& b);
  };

  std::variant<Null, std::uint64_t, Negative, Bytes, std::string, Array, Map, Tag, bool, Undefined, Simple, double>
      item;

  static Value integer(std::int64_t number);
  static Value tagged(std::uint64_t number, Value content);

  /// Exactly one item. With `Strictness::well_formed`, indefinite-length strings are joined. Errors: those of
  /// `Reader::skip`, and `cbor_trailing_bytes`.
  static Result<Value> parse(BytesView octets, const Limits& limits = {},
                             Strictness strictness = Strictness::preferred);
  /// The next item.
  static Result<Value> read(Reader& reader);

  /// Core deterministic encoding; of two equal keys the later stands.
  Bytes serialize() const;
  void write(Writer& writer) const;

  /// Equal in the data model: the order of a map's pairs does not matter, floats are compared by their bits.
  friend bool operator==(const Value& a, const Value& b);
};

/// Of a map: key and value.
struct Value::Pair {
  Value first;
  Value second;
};

}  // namespace aceward::cbor
