// Makes AuthenticatedClients and AuthenticatedServers. Included by the channels that authenticate (ace/profile/…/as),
// by what checks a client_secret (client_secret.cc) and by tests, by nothing else.
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
  /// The peer proved to hold the private key of a certificate with ClientRecord::certificate_name; the thumbprint is
  /// that key's.
  static AuthenticatedClient with_certificate(const ClientRecord& client, Bytes key_thumbprint) {
    return {client.id, client.name, ClientAuthentication::certificate, std::move(key_thumbprint)};
  }
  /// The peer showed the client_secret of ClientRecord::secret_digest.
  static AuthenticatedClient with_secret(const ClientRecord& client) {
    return {client.id, client.name, ClientAuthentication::client_secret, {}};
  }
  /// The peer proved one of the credentials of ServerRecord.
  static AuthenticatedServer server(const ServerRecord& server) { return {server.id, server.name}; }
  /// The peer proved to hold the private key of ClientRecord::public_key.
  static AuthenticatedClient with_raw_public_key(const ClientRecord& client) {
    return {client.id, client.name, ClientAuthentication::raw_public_key, client.key_thumbprint};
  }
};

}  // namespace aceward::ace::as
