// The three widths of floating-point numbers (RFC 8949 section 3.3), converted bit by bit: the processor's own
// conversions would quiet a signalling NaN and so change its octets.
#pragma once

#include <cstdint>
#include <optional>

namespace aceward::cbor::detail {

/// `info` is the additional information that stands for the width: 25 half, 26 single, 27 double.
struct FloatBits {
  std::uint8_t info;
  std::uint64_t bits;
};

double widen_half(std::uint16_t bits);
double widen_single(std::uint32_t bits);
/// By `info`.
double widen(std::uint8_t info, std::uint64_t bits);

/// The bits of `value` at that width; nothing if the width cannot hold it exactly.
std::optional<std::uint64_t> narrow(double value, std::uint8_t info);

/// The shortest width that holds `value`, and a NaN's payload, exactly.
FloatBits shortest(double value);

}  // namespace aceward::cbor::detail
