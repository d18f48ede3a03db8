#include "aceward/net/resolve.h"

#include <netdb.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>

#include "aceward/net/reasons.h"
#include "aceward/net/socket_address.h"

namespace aceward::net {

Result<std::vector<Address>> resolve(std::string_view host, std::uint16_t port) {
  // A URI writes IPv6 literals in brackets.
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  if (host.empty() || host.find('\0') != std::string_view::npos) return fail(reason::host_not_found);
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(std::string(host).c_str(), nullptr, &hints, &found) != 0) return fail(reason::host_not_found);
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, &::freeaddrinfo);
  std::vector<Address> out;
  for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
    if (at->ai_family != AF_INET && at->ai_family != AF_INET6) continue;
    Address address = from_socket_address(at->ai_addr);
    address.port = port;
    if (std::ranges::find(out, address) == out.end()) out.push_back(address);
  }
  if (out.empty()) return fail(reason::host_not_found);
  return out;
}

Address source_towards(const Address& remote) {
  const sa_family_t family = remote.is_v4() ? AF_INET : AF_INET6;
  const int socket = ::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return {};
  Address address;
  const SocketAddress to = to_socket_address(remote, family);
  SocketAddress own;
  own.length = sizeof own.storage;
  // Connecting a datagram socket only looks up the route.
  if (::connect(socket, to.get(), to.length) == 0 && ::getsockname(socket, own.get(), &own.length) == 0) {
    address = from_socket_address(own.get());
    address.port = 0;
  }
  ::close(socket);
  return address;
}

}  // namespace aceward::net
