#include "aceward/cbor/key_set.h"

#include <cmath>

#include "aceward/cbor/value.h"

namespace aceward::cbor {

namespace {

/// Makes the octets of equal keys equal; sorting maps is left to `serialize`.
void make_comparable(Value& value) {
  if (auto* number = std::get_if<double>(&value.item)) {
    if (*number == 0) *number = 0;
    if (std::isnan(*number)) *number = std::copysign(*number, 1.0);
  } else if (auto* array = std::get_if<Value::Array>(&value.item)) {
    for (auto& element : *array) make_comparable(element);
  } else if (auto* map = std::get_if<Value::Map>(&value.item)) {
    for (auto& [key, content] : *map) {
      make_comparable(key);
      make_comparable(content);
    }
  } else if (auto* tag = std::get_if<Value::Tag>(&value.item)) {
    make_comparable(tag->content.front());
  }
}

bool has_several_forms(BytesView key) {
  const std::uint8_t initial = key.empty() ? 0 : key.front();
  return (initial >= 0x80 && initial < 0xe0) || (initial >= 0xf9 && initial <= 0xfb);
}

}  // namespace

Result<void> KeySet::add(BytesView key) {
  if (!has_several_forms(key)) return add_comparable(key);
  // The key has been checked already. Asking for well-formedness alone keeps keys within keys within keys from being
  // compared again at every level, which would double the work each time.
  const Limits limits{.max_depth = Reader::depth_cap, .max_items = key.size(), .max_size = key.size()};
  Value value = ACEWARD_TRY(Value::parse(key, limits, Strictness::well_formed));
  make_comparable(value);
  copies_.push_back(value.serialize());
  return add_comparable(copies_.back());
}

Result<void> KeySet::add_comparable(BytesView key) {
  if (!far_.empty()) {
    far_.push_back(key);
    return {};
  }
  if (count_ == near_capacity) {
    far_.assign(near_.begin(), near_.end());
    far_.push_back(key);
    return {};
  }
  for (std::size_t i = 0; i < count_; ++i) {
    if (equal(near_[i], key)) return fail(reason::cbor_duplicate_key);
  }
  near_[count_++] = key;
  return {};
}

Result<void> KeySet::finish() {
  std::sort(far_.begin(), far_.end(), key_less);
  if (std::adjacent_find(far_.begin(), far_.end(), equal) != far_.end()) return fail(reason::cbor_duplicate_key);
  return {};
}

}  // namespace aceward::cbor
