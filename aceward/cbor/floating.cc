#include "aceward/cbor/floating.h"

#include <bit>
#include <cmath>
#include <limits>

namespace aceward::cbor::detail {

namespace {

constexpr std::uint64_t double_exponent = 0x7ff0'0000'0000'0000;
constexpr std::uint64_t double_mantissa = 0x000f'ffff'ffff'ffff;

// `value` is zero, finite and exact in single precision, or infinite.
std::optional<std::uint64_t> half_of_single(std::uint32_t single) {
  const std::uint32_t sign = single >> 16 & 0x8000;
  const int exponent = static_cast<int>(single >> 23 & 0xff) - 127;
  const std::uint32_t mantissa = single & 0x7fffff;
  if ((single & 0x7fffffff) == 0) return sign;
  if (exponent == 128) return sign | 0x7c00;  // infinity: NaN goes another way
  if (exponent >= -14 && exponent <= 15) {
    if (mantissa & 0x1fff) return std::nullopt;
    return sign | static_cast<std::uint32_t>(exponent + 15) << 10 | mantissa >> 13;
  }
  if (exponent < -24 || exponent > 15) return std::nullopt;
  const std::uint32_t whole = 0x800000 | mantissa;  // a half's subnormals have no leading one
  const int shift = 13 - 14 - exponent;
  if (whole & ((1U << shift) - 1)) return std::nullopt;
  return sign | whole >> shift;
}

}  // namespace

double widen_half(std::uint16_t bits) {
  const std::uint64_t sign = static_cast<std::uint64_t>(bits & 0x8000) << 48;
  const int exponent = bits >> 10 & 0x1f;
  const std::uint64_t mantissa = bits & 0x3ff;
  if (exponent == 0x1f) return std::bit_cast<double>(sign | double_exponent | mantissa << 42);
  const double magnitude = exponent == 0 ? std::ldexp(static_cast<double>(mantissa), -24)
                                         : std::ldexp(static_cast<double>(mantissa | 0x400), exponent - 25);
  return sign ? -magnitude : magnitude;
}

double widen_single(std::uint32_t bits) {
  if ((bits & 0x7f800000) == 0x7f800000) {
    const std::uint64_t sign = static_cast<std::uint64_t>(bits & 0x80000000) << 32;
    return std::bit_cast<double>(sign | double_exponent | static_cast<std::uint64_t>(bits & 0x7fffff) << 29);
  }
  return static_cast<double>(std::bit_cast<float>(bits));
}

double widen(std::uint8_t info, std::uint64_t bits) {
  if (info == 25) return widen_half(static_cast<std::uint16_t>(bits));
  if (info == 26) return widen_single(static_cast<std::uint32_t>(bits));
  return std::bit_cast<double>(bits);
}

std::optional<std::uint64_t> narrow(double value, std::uint8_t info) {
  const auto bits = std::bit_cast<std::uint64_t>(value);
  if (info == 27) return bits;
  if ((bits & double_exponent) == double_exponent && (bits & double_mantissa) != 0) {
    const int dropped = info == 25 ? 42 : 29;
    const std::uint64_t mantissa = bits & double_mantissa;
    if (mantissa & ((std::uint64_t{1} << dropped) - 1)) return std::nullopt;
    return info == 25 ? (bits >> 48 & 0x8000) | 0x7c00 | mantissa >> 42
                      : (bits >> 32 & 0x80000000) | 0x7f800000 | mantissa >> 29;
  }
  const double magnitude = std::fabs(value);
  if (magnitude > static_cast<double>(std::numeric_limits<float>::max()) && !std::isinf(value)) return std::nullopt;
  const auto single = static_cast<float>(value);
  if (static_cast<double>(single) != value) return std::nullopt;
  const auto single_bits = std::bit_cast<std::uint32_t>(single);
  if (info == 26) return single_bits;
  return half_of_single(single_bits);
}

FloatBits shortest(double value) {
  for (const std::uint8_t info : {std::uint8_t{25}, std::uint8_t{26}}) {
    if (const auto bits = narrow(value, info)) return {info, *bits};
  }
  return {27, std::bit_cast<std::uint64_t>(value)};
}

}  // namespace aceward::cbor::detail
