// The deterministic CBOR writer (RFC 8949 section 4.2.1).
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include "aceward/base/bytes.h"

namespace aceward::cbor {

/// Appends data items in core deterministic encoding: shortest heads, definite lengths, shortest floats. The order of
/// a map's keys and the number of items after `array`, `map` and `tag` are the caller's to get right; SortedMap and
/// Schema see to the order. Every method returns the writer. Not thread-safe.
class Writer {
 public:
  /// Owns what it writes; see `take`.
  Writer() : out_(&own_) {}
  /// Appends to `out`, which outlives the writer.
  explicit Writer(Bytes& out) : out_(&out) {}
  /// Writes into `buffer`, which outlives the writer, and allocates nothing. See `overflowed`.
  explicit Writer(std::span<std::uint8_t> buffer) : buffer_(buffer) {}
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  Writer& unsigned_integer(std::uint64_t value);
  Writer& integer(std::int64_t value);
  /// The integer -1 - `argument`: for what is below int64_t.
  Writer& negative_integer(std::uint64_t argument);
  Writer& byte_string(BytesView value);
  /// The caller vouches for UTF-8.
  Writer& text_string(std::string_view value);
  /// The head of a byte string whose `size` octets follow by `octets`.
  Writer& byte_string_head(std::size_t size);
  Writer& array(std::size_t count);
  Writer& map(std::size_t pairs);
  Writer& tag(std::uint64_t number);
  Writer& boolean(bool value);
  Writer& null();
  Writer& undefined();
  /// 0 to 23 or 32 to 255. To ask for 24 to 31, which do not exist, is a bug: throws std::invalid_argument.
  Writer& simple(std::uint8_t value);
  /// The shortest of half, single and double precision that keeps the value, and a NaN's payload.
  Writer& floating(double value);
  /// One or more items that are already encoded.
  Writer& raw(BytesView items) { return octets(items); }
  Writer& octets(BytesView octets);

  /// True when a fixed buffer was too small: what it holds is then useless.
  bool overflowed() const { return overflowed_; }
  /// Octets this writer has written, or would have if the buffer had room.
  std::size_t size() const { return size_; }
  /// What was written into a fixed buffer, or by an owning writer. Empty if overflowed.
  BytesView view() const;
  /// An owning writer's octets; it starts again with none.
  Bytes take();

 private:
  void head(std::uint8_t major, std::uint64_t argument);

  Bytes own_;
  Bytes* out_ = nullptr;
  std::span<std::uint8_t> buffer_;
  std::size_t size_ = 0;
  bool overflowed_ = false;
};

/// A map whose entries may be given in any order: written sorted by the octets of the encoded keys (section 4.2.1).
///   SortedMap map;
///   map.entry(8).byte_string(kid);
///   map.entry("scope").text_string("rw");
///   map.write_to(writer);
/// Each `entry` is followed by exactly one item. Given a key twice, the later value stands.
class SortedMap {
 public:
  SortedMap() : writer_(octets_) {}
  SortedMap(const SortedMap&) = delete;
  SortedMap& operator=(const SortedMap&) = delete;

  template <std::integral I>
  Writer& entry(I key) {
    begin();
    if constexpr (std::is_signed_v<I>) {
      writer_.integer(key);
    } else {
      writer_.unsigned_integer(key);
    }
    return end_key();
  }
  Writer& entry(std::string_view key);
  /// `key` is one encoded item.
  Writer& entry_raw(BytesView key);
  void write_to(Writer& out);

 private:
  struct Extent {
    std::size_t key;
    std::size_t value;
  };
  void begin() { extents_.push_back({octets_.size(), 0}); }
  Writer& end_key();

  Bytes octets_;
  Writer writer_;
  std::vector<Extent> extents_;
};

}  // namespace aceward::cbor
