// What the authorization server tells its log of each decision.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aceward/ace/as/authenticated_client.h"
#include "aceward/ace/as/ledger.h"
#include "aceward/base/time.h"

namespace aceward::ace::as {

enum class AuditKind : std::uint8_t {
  token = 1,
  refresh = 2,  ///< a token for a refresh token
  introspection = 3,
  owner_asked = 4,  ///< a request that waits for the owner of the server
  revocation_list = 5,
};

/// `token`, `refresh`, `introspection`, `owner_asked`, `revocation_list`.
std::string_view name_of(AuditKind kind);
/// `psk`, `raw_key`, `certificate`, `client_secret`.
std::string_view name_of(ClientAuthentication authentication);

/// One decision. Holds no secret.
struct AuditRecord {
  WallTime at;
  AuditKind kind = AuditKind::token;
  bool granted = false;
  std::string_view reason;  ///< id of the Reason; empty where granted
  std::string_view detail;  ///< Error::detail
  std::string client;       ///< name; empty: not authenticated
  /// How the client or server was authenticated; absent: not at all.
  std::optional<ClientAuthentication> authentication;
  std::string server;  ///< name, or the audience where it is a group's; empty: the request named none that is known
  std::string scope;   ///< what was granted, as people write it
  TokenNumber number;  ///< 0: none
  /// Names of the policy rules that gave what was granted.
  std::vector<std::string> rules;
};

using Audit = std::function<void(const AuditRecord&)>;

}  // namespace aceward::ace::as
