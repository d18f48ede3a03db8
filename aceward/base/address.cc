#include "aceward/base/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "aceward/base/reasons.h"

namespace aceward {

namespace {

constexpr std::array<std::uint8_t, 12> v4_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

Result<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size()) return fail(reason::address_malformed, "port");
  return port;
}

Result<std::uint32_t> parse_scope(std::string_view text) {
  std::uint32_t scope = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), scope);
  if (error != std::errc() || end != text.data() + text.size()) return fail(reason::address_malformed, "scope");
  return scope;
}

}  // namespace

bool Address::is_v4() const { return std::equal(v4_prefix.begin(), v4_prefix.end(), ip.begin()); }

bool Address::is_unspecified() const {
  const auto begin = is_v4() ? ip.begin() + 12 : ip.begin();
  return std::all_of(begin, ip.end(), [](std::uint8_t octet) { return octet == 0; });
}

std::string Address::host() const {
  char text[INET6_ADDRSTRLEN];
  if (is_v4()) {
    inet_ntop(AF_INET, ip.data() + 12, text, sizeof text);
    return text;
  }
  inet_ntop(AF_INET6, ip.data(), text, sizeof text);
  std::string host = text;
  if (scope != 0) host += "%" + std::to_string(scope);
  return host;
}

std::string Address::to_string() const {
  const std::string name = is_v4() ? host() : "[" + host() + "]";
  return name + ":" + std::to_string(port);
}

Result<Address> Address::parse(std::string_view text, std::uint16_t default_port) {
  std::string_view host = text;
  Address address;
  address.port = default_port;
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    if (close == std::string_view::npos) return fail(reason::address_malformed, "bracket");
    host = text.substr(1, close - 1);
    const auto rest = text.substr(close + 1);
    if (!rest.empty()) {
      if (rest.front() != ':') return fail(reason::address_malformed, "port");
      address.port = ACEWARD_TRY(parse_port(rest.substr(1)));
    }
  } else if (const auto colon = text.find(':'); colon != std::string_view::npos && text.rfind(':') == colon) {
    host = text.substr(0, colon);
    address.port = ACEWARD_TRY(parse_port(text.substr(colon + 1)));
  }
  if (const auto percent = host.find('%'); percent != std::string_view::npos) {
    address.scope = ACEWARD_TRY(parse_scope(host.substr(percent + 1)));
    host = host.substr(0, percent);
  }
  const std::string literal(host);
  if (literal.find(':') != std::string::npos) {
    if (inet_pton(AF_INET6, literal.c_str(), address.ip.data()) != 1) return fail(reason::address_malformed);
  } else {
    if (address.scope != 0) return fail(reason::address_malformed, "scope");
    std::ranges::copy(v4_prefix, address.ip.begin());
    if (inet_pton(AF_INET, literal.c_str(), address.ip.data() + 12) != 1) return fail(reason::address_malformed);
  }
  return address;
}

Address Address::v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d, std::uint16_t port) {
  Address address;
  std::ranges::copy(v4_prefix, address.ip.begin());
  address.ip[12] = a;
  address.ip[13] = b;
  address.ip[14] = c;
  address.ip[15] = d;
  address.port = port;
  return address;
}

}  // namespace aceward

std::size_t std::hash<aceward::Address>::operator()(const aceward::Address& address) const noexcept {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  std::memcpy(&high, address.ip.data(), 8);
  std::memcpy(&low, address.ip.data() + 8, 8);
  std::uint64_t mixed = high * 0x9e3779b97f4a7c15U ^ (low + address.port) * 0xbf58476d1ce4e5b9U ^ address.scope;
  mixed ^= mixed >> 29;
  return static_cast<std::size_t>(mixed * 0x94d049bb133111ebU);
}
