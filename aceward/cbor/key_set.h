// Finds a key that a map holds twice, within bounds and mostly without memory.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

#include "aceward/base/bytes.h"
#include "aceward/base/result.h"
#include "aceward/cbor/reasons.h"

namespace aceward::cbor {

/// Bytewise lexicographic order, that of RFC 8949 section 4.2.1.
inline bool key_less(BytesView a, BytesView b) {
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end());
}

/// The encoded keys of one map, borrowed, each in preferred serialization. Sixteen fit without allocation and are
/// compared one by one; more cost 16 octets each and one sort, so that a stranger's large map costs n log n. Keys are
/// equal as RFC 8949 section 5.6.1 has it: 0.0 is -0.0, the sign of NaN and the order within a map that is a key do
/// not count. Only keys for which that matters (floats, arrays, maps, tags) are copied.
class KeySet {
 public:
  /// `cbor_duplicate_key` if the key is there already. Beyond sixteen keys this shows only at `finish`.
  Result<void> add(BytesView key);
  /// Call after the last key.
  Result<void> finish();

 private:
  Result<void> add_comparable(BytesView key);

  static constexpr std::size_t near_capacity = 16;
  std::array<BytesView, near_capacity> near_{};
  std::size_t count_ = 0;
  std::vector<BytesView> far_;
  std::vector<Bytes> copies_;
};

}  // namespace aceward::cbor
