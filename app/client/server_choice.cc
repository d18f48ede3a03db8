#include "app/client/server_choice.h"

#include <algorithm>

#include "aceward/net/resolve.h"

namespace aceward::app {

std::optional<std::size_t> server_for(const Config& config, const coap::Uri& uri) {
  if (!config.client) return std::nullopt;
  const auto& servers = config.client->servers;
  const auto own_uri = [&](const ClientServerSection& server) -> std::optional<coap::Uri> {
    // Each scheme is compared with its own: a token for one port is not sent to whoever listens on another.
    if (!uri.secure && !server.plain) return std::nullopt;
    const auto parsed = coap::parse_uri(uri.secure ? server.uri : *server.plain);
    return parsed ? std::optional(*parsed) : std::nullopt;
  };
  for (std::size_t i = 0; i < servers.size(); ++i) {
    const auto own = own_uri(servers[i]);
    if (own && own->host == uri.host && own->port == uri.port) return i;
  }
  const auto wanted = net::resolve(uri.host, uri.port);
  if (!wanted) return std::nullopt;
  for (std::size_t i = 0; i < servers.size(); ++i) {
    const auto own = own_uri(servers[i]);
    if (!own || own->port != uri.port) continue;
    const auto addresses = net::resolve(own->host, own->port);
    if (addresses && std::ranges::find_first_of(*addresses, *wanted) != addresses->end()) return i;
  }
  return std::nullopt;
}

}  // namespace aceward::app
