#include "aceward/cbor/key_set.h"

namespace aceward::cbor {

Result<void> KeySet::add(BytesView key) {
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
