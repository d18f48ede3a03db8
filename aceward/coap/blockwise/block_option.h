// The value of the options Block1 and Block2 (RFC 7959 section 2.2).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "aceward/base/result.h"
#include "aceward/coap/message/options.h"

namespace aceward::coap {

/// The size of a block: 2^(value + 4) octets, 16 to 1024.
class Szx {
 public:
  constexpr Szx() = default;
  /// `value` 0 to 6; more is a bug of the caller and is taken for 6.
  constexpr explicit Szx(unsigned value) : value_(static_cast<std::uint8_t>(value < 6 ? value : 6)) {}
  static constexpr Szx smallest() { return Szx(0); }
  static constexpr Szx largest() { return Szx(6); }
  /// The greatest whose blocks have at most `octets`; the smallest if `octets` is below 16.
  static constexpr Szx fitting(std::size_t octets) {
    unsigned value = 6;
    while (value > 0 && (std::size_t{16} << value) > octets) --value;
    return Szx(value);
  }

  constexpr unsigned value() const { return value_; }
  constexpr std::size_t size() const { return std::size_t{16} << value_; }
  friend constexpr auto operator<=>(const Szx&, const Szx&) = default;

 private:
  std::uint8_t value_ = 6;
};

/// Which block of a body.
///
///     |  NUM (up to 20 bits)  |M| SZX |      uint, 0 to 3 octets
struct BlockOption {
  static constexpr std::uint32_t max_num = (1U << 20) - 1;

  std::uint32_t num = 0;
  bool more = false;
  Szx szx;

  /// The place of the block's first octet in the body.
  std::size_t offset() const { return std::size_t{num} * szx.size(); }
  /// The block that begins at `offset`, a multiple of the block size; nullopt beyond the last number.
  static std::optional<BlockOption> at(std::size_t offset, bool more, Szx szx);

  std::uint32_t value() const { return num << 4 | (more ? 8U : 0U) | szx.value(); }
  friend bool operator==(const BlockOption&, const BlockOption&) = default;
};

/// Errors: `coap_block_malformed` (more than 3 octets, or the reserved SZX 7).
Result<BlockOption> parse_block(BytesView value);
/// The option of that number (Block1 or Block2) if there is one. Errors: `coap_block_malformed`, also if it occurs
/// twice.
Result<std::optional<BlockOption>> find_block(const Options& options, OptionNumber number);
/// Replaces what there is of that number.
void set_block(Options& options, OptionNumber number, const BlockOption& block);

}  // namespace aceward::coap
