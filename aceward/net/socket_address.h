// Addresses as the system calls want them.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include "aceward/base/address.h"

namespace aceward::net {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

/// For a socket of that family. An IPv4 address on an IPv6 socket goes as an IPv4-mapped one.
SocketAddress to_socket_address(const Address& address, sa_family_t family);
/// Any other family gives an unspecified address.
Address from_socket_address(const sockaddr* address);
/// fe80::/10, where an interface index belongs to the address.
bool is_link_local(const Address& address);
Address from_in_addr(const in_addr& address);
Address from_in6_addr(const in6_addr& address);
in_addr to_in_addr(const Address& address);
in6_addr to_in6_addr(const Address& address);

}  // namespace aceward::net
