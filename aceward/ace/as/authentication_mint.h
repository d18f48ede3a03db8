// Makes AuthenticatedClients. Included by the channels that authenticate (ace/profile/…/as) and by tests, by nothing
// else.
#pragma once

#include <utility>

#include "aceward/ace/as/authenticated_client.h"
#include "aceward/ace/as/registry.h"

namespace aceward::ace::as {

struct AuthenticationMint {
  /// The peer proved to know ClientRecord::psk.
  static AuthenticatedClient with_pre_shared_key(const ClientRecord& client) {
    return {client.id, client.name, ClientAuthentication::pre_shared_key, {}};
  }
  /// The peer proved to hold the private key of ClientRecord::public_key.
  static AuthenticatedClient with_raw_public_key(const ClientRecord& client) {
    return {client.id, client.name, ClientAuthentication::raw_public_key, client.key_thumbprint};
  }
};

}  // namespace aceward::ace::as
