// Random values for property tests of this folder.
#pragma once

#include <bit>
#include <string>

#include "aceward/base/random.h"
#include "aceward/cbor/value.h"

namespace aceward::cbor {

/// Magnitudes of all sizes equally often.
inline std::uint64_t random_argument(Random& random) { return random.next_u64() >> random.below(64); }

inline Value random_value(Random& random, int depth) {
  switch (random.below(depth > 0 ? 12 : 8)) {
    case 0: return {random_argument(random)};
    case 1: return {Value::Negative{random_argument(random)}};
    case 2: return {random.bytes(random.below(40))};
    case 3: {
      static constexpr std::string_view pieces[] = {"a",    "/", "\"", "\\",         "'", "\n",
                                                    "\x7f", "ü", "水", "\U00010151", "#"};
      std::string text;
      for (std::uint64_t n = random.below(30); n > 0; --n) text += pieces[random.below(std::size(pieces))];
      return {text};
    }
    case 4: return {random.below(2) == 0};
    case 5: return random.below(2) == 0 ? Value{Value::Null{}} : Value{Value::Undefined{}};
    case 6: {
      const auto number = static_cast<std::uint8_t>(random.below(243));
      return {Value::Simple{static_cast<std::uint8_t>(number < 20 ? number : 32 + (number - 20))}};
    }
    case 7: {
      const std::uint64_t bits = random.next_u64();
      switch (random.below(3)) {
        case 0: return {std::bit_cast<double>(bits)};
        case 1: return {static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(bits & 0xff7fffff)))};
        default: return {static_cast<double>(static_cast<std::int64_t>(bits % 4001) - 2000) / 8};
      }
    }
    case 8:
    case 9: {
      Value::Array array;
      for (std::uint64_t n = random.below(6); n > 0; --n) array.push_back(random_value(random, depth - 1));
      return {std::move(array)};
    }
    case 10: {
      Value::Map map;
      for (std::uint64_t n = random.below(20); n > 0; --n) {
        Value key = random_value(random, depth - 1);
        map.push_back({std::move(key), random_value(random, depth - 1)});
      }
      return {std::move(map)};
    }
    default: return Value::tagged(random_argument(random), random_value(random, depth - 1));
  }
}

}  // namespace aceward::cbor
