#include "aceward/cose/map_entries.h"

#include <algorithm>

#include "aceward/cbor/key_set.h"

namespace aceward::cose {

Result<std::vector<MapEntry>> parse_map(BytesView encoded, const Reason& bad_label) {
  cbor::Reader reader(encoded);
  const std::size_t pairs = ACEWARD_TRY(reader.map());
  std::vector<MapEntry> entries;
  entries.reserve(std::min<std::size_t>(pairs, 16));
  cbor::KeySet keys;
  for (std::size_t i = 0; i < pairs; ++i) {
    const std::size_t start = reader.position();
    MapEntry entry;
    switch (ACEWARD_TRY(reader.peek())) {
      case cbor::Kind::unsigned_integer:
      case cbor::Kind::negative_integer: entry.label = ACEWARD_TRY(reader.integer()); break;
      case cbor::Kind::text_string: entry.label = std::string(ACEWARD_TRY(reader.text_string())); break;
      default: return fail(bad_label, "label");
    }
    ACEWARD_TRY(keys.add(reader.since(start)));
    entry.value = ACEWARD_TRY(reader.skip());
    entries.push_back(std::move(entry));
  }
  ACEWARD_TRY(keys.finish());
  ACEWARD_TRY(reader.finish());
  return entries;
}

const Member* find_member(const std::vector<Member>& members, const Label& label) {
  const auto found = std::ranges::find(members, label, &Member::label);
  return found == members.end() ? nullptr : &*found;
}

void SecretMap::add(const std::vector<Member>& members) {
  for (const Member& member : members) add_encoded(member.label, Secret::copy_of(member.value));
}

void SecretMap::add_encoded(const Label& label, Secret value) {
  cbor::Writer key;
  if (const auto* number = std::get_if<std::int64_t>(&label.value)) {
    key.integer(*number);
  } else {
    key.text_string(std::get<std::string>(label.value));
  }
  entries_.emplace_back(key.take(), std::move(value));
}

Secret SecretMap::finish() {
  std::ranges::sort(entries_, [](const auto& a, const auto& b) { return cbor::key_less(a.first, b.first); });
  Bytes out;
  std::size_t size = 9;  // the longest head
  for (const auto& [key, value] : entries_) size += key.size() + value.size();
  out.reserve(size);
  cbor::Writer writer(out);
  writer.map(entries_.size());
  for (const auto& [key, value] : entries_) writer.raw(key).raw(value.expose());
  return Secret(std::move(out));
}

}  // namespace aceward::cose
