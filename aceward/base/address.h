// A UDP or TCP endpoint address, IPv4 or IPv6, without any socket.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "aceward/base/result.h"

namespace aceward {

/// IPv4 is held as an IPv4-mapped IPv6 address, so that one family compares and hashes. `scope` is the interface index
/// of a link-local address, else 0. The default is "unspecified" ([::]:0).
struct Address {
  std::array<std::uint8_t, 16> ip{};
  std::uint16_t port = 0;
  std::uint32_t scope = 0;

  bool is_v4() const;
  bool is_unspecified() const;
  /// `192.0.2.1:5683`, `[2001:db8::1]:5683`.
  std::string to_string() const;
  /// Without the port: `192.0.2.1`, `2001:db8::1`.
  std::string host() const;

  /// A literal only; no name is looked up. Without a port, `default_port` is taken. Errors: `address_malformed`.
  static Result<Address> parse(std::string_view text, std::uint16_t default_port = 0);
  static Address v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d, std::uint16_t port);

  friend auto operator<=>(const Address&, const Address&) = default;
};

}  // namespace aceward

template <>
struct std::hash<aceward::Address> {
  std::size_t operator()(const aceward::Address& address) const noexcept;
};
