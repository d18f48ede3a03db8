#include "aceward/net/socket_address.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace aceward::net {

in_addr to_in_addr(const Address& address) {
  in_addr out{};
  std::memcpy(&out, address.ip.data() + 12, 4);
  return out;
}

in6_addr to_in6_addr(const Address& address) {
  in6_addr out{};
  std::memcpy(&out, address.ip.data(), 16);
  return out;
}

Address from_in_addr(const in_addr& address) {
  std::uint8_t octets[4];
  std::memcpy(octets, &address, sizeof octets);
  return Address::v4(octets[0], octets[1], octets[2], octets[3], 0);
}

Address from_in6_addr(const in6_addr& address) {
  Address out;
  std::memcpy(out.ip.data(), &address, 16);
  return out;
}

bool is_link_local(const Address& address) { return address.ip[0] == 0xfe && (address.ip[1] & 0xc0) == 0x80; }

SocketAddress to_socket_address(const Address& address, sa_family_t family) {
  SocketAddress out;
  if (family == AF_INET) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(address.port);
    v4.sin_addr = to_in_addr(address);
    std::memcpy(&out.storage, &v4, sizeof v4);
    out.length = sizeof v4;
  } else {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(address.port);
    v6.sin6_addr = to_in6_addr(address);
    v6.sin6_scope_id = address.scope;
    std::memcpy(&out.storage, &v6, sizeof v6);
    out.length = sizeof v6;
  }
  return out;
}

Address from_socket_address(const sockaddr* address) {
  Address out;
  if (address->sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, address, sizeof v4);
    out = from_in_addr(v4.sin_addr);
    out.port = ntohs(v4.sin_port);
  } else if (address->sa_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, address, sizeof v6);
    out = from_in6_addr(v6.sin6_addr);
    out.port = ntohs(v6.sin6_port);
    out.scope = v6.sin6_scope_id;
  }
  return out;
}

}  // namespace aceward::net
