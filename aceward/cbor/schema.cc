#include "aceward/cbor/schema.h"

namespace aceward::cbor::detail {

Result<ReadKey> read_key(Reader& reader) {
  ReadKey key;
  const std::size_t start = reader.position();
  key.kind = ACEWARD_TRY(reader.peek());
  if (key.kind == Kind::unsigned_integer || key.kind == Kind::negative_integer) {
    const auto number = reader.integer();
    if (number) {
      key.in_range = true;
      key.number = *number;
    } else if (number.error() != reason::cbor_out_of_range) {
      return std::unexpected(number.error());
    }
  } else if (key.kind == Kind::text_string) {
    key.text = ACEWARD_TRY(reader.text_string());
  } else {
    ACEWARD_TRY(reader.skip());
  }
  key.raw = reader.since(start);
  return key;
}

void write_key(Writer& writer, const Key& key) {
  if (key.is_text) {
    writer.text_string(key.text);
  } else {
    writer.integer(key.number);
  }
}

Writer& enter_key(SortedMap& map, const Key& key) { return key.is_text ? map.entry(key.text) : map.entry(key.number); }

}  // namespace aceward::cbor::detail
