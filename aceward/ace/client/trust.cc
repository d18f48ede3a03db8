#include "aceward/ace/client/trust.h"

#include "aceward/ace/client/reasons.h"
#include "aceward/coap/message/uri.h"

namespace aceward::ace::client {

bool same_endpoint(std::string_view a, std::string_view b) {
  const auto first = coap::parse_uri(a);
  const auto second = coap::parse_uri(b);
  if (!first || !second) return false;
  // Across schemes, only the two defaults correspond to each other.
  const auto port_offset = [](const coap::Uri& uri) {
    return uri.port - (uri.secure ? coap::default_secure_port : coap::default_port);
  };
  const bool same_port =
      first->secure == second->secure ? first->port == second->port : port_offset(*first) == port_offset(*second);
  return first->host == second->host && same_port && first->path == second->path && first->query == second->query;
}

Result<> check_hints(const CreationHints& hints, const ServerEntry& server, const AuthorizationServerEntry& as) {
  if (hints.as_uri && !same_endpoint(*hints.as_uri, as.token_uri)) return fail(reason::hint_as_not_allowed);
  if (hints.audience && *hints.audience != server.audience) return fail(reason::hint_audience_unexpected);
  return {};
}

}  // namespace aceward::ace::client
