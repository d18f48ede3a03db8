// Reading and writing the maps of COSE and CWT: keys are int / tstr, unknown ones are kept.
#pragma once

#include <utility>
#include <vector>

#include "aceward/base/secret.h"
#include "aceward/cbor/reader.h"
#include "aceward/cbor/writer.h"
#include "aceward/cose/registry.h"

namespace aceward::cose {

/// A pair of a map; the value is one encoded item, borrowed and already checked whole.
struct MapEntry {
  Label label;
  BytesView value;
};

/// One map that is all of `encoded`. Errors: those of cbor/ (`cbor_duplicate_key` among them), and `bad_label` for a
/// key that is neither an integer of 64 bits nor text.
Result<std::vector<MapEntry>> parse_map(BytesView encoded, const Reason& bad_label);

inline Member keep(const MapEntry& entry) { return {entry.label, to_bytes(entry.value)}; }
const Member* find_member(const std::vector<Member>& members, const Label& label);

/// Reads all of `encoded` by one of the Reader's methods: `read_all(entry.value, &cbor::Reader::byte_string)`.
template <class T>
Result<T> read_all(BytesView encoded, Result<T> (cbor::Reader::*method)()) {
  cbor::Reader reader(encoded);
  auto value = (reader.*method)();
  if (value) {
    if (const auto end = reader.finish(); !end) return std::unexpected(end.error());
  }
  return value;
}

/// Writes a map in deterministic order without leaving copies of secret values in memory that is given back: each value
/// is measured before it is written.
class SecretMap {
 public:
  /// `write` is called twice with a Writer and writes one item.
  template <class F>
  void add(const Label& label, F&& write) {
    cbor::Writer measure{std::span<std::uint8_t>()};
    write(measure);
    Bytes value;
    value.reserve(measure.size());
    cbor::Writer writer(value);
    write(writer);
    add_encoded(label, Secret(std::move(value)));
  }
  void add(const std::vector<Member>& members);
  std::size_t size() const { return entries_.size(); }
  Secret finish();

 private:
  void add_encoded(const Label& label, Secret value);

  std::vector<std::pair<Bytes, Secret>> entries_;
};

}  // namespace aceward::cose
