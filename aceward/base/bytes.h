// Octet strings: the owning form, the borrowed form, and hexadecimal.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "aceward/base/result.h"

namespace aceward {

using Bytes = std::vector<std::uint8_t>;
using BytesView = std::span<const std::uint8_t>;

/// The octets of `text`, borrowed: the view lives as long as what `text` refers to.
inline BytesView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// `bytes` read as characters, borrowed. No claim is made that they are UTF-8.
inline std::string_view as_text(BytesView bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

inline Bytes to_bytes(BytesView view) { return {view.begin(), view.end()}; }
inline Bytes to_bytes(std::string_view text) { return to_bytes(as_bytes(text)); }

/// Byte-wise equality. Not constant-time: for secrets use Secret::equals or equal_constant_time.
bool equal(BytesView a, BytesView b);

/// Lower-case hexadecimal, two digits an octet.
std::string to_hex(BytesView bytes);

/// Reads hexadecimal of either case; white space between octets is allowed, nothing else.
/// Errors: `hex_malformed`.
Result<Bytes> from_hex(std::string_view text);

}  // namespace aceward
