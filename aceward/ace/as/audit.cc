#include "aceward/ace/as/audit.h"

namespace aceward::ace::as {

std::string_view name_of(AuditKind kind) {
  switch (kind) {
    case AuditKind::token: return "token";
    case AuditKind::refresh: return "refresh";
    case AuditKind::introspection: return "introspection";
    case AuditKind::owner_asked: return "owner_asked";
    case AuditKind::revocation_list: return "revocation_list";
  }
  return "";
}

std::string_view name_of(ClientAuthentication authentication) {
  switch (authentication) {
    case ClientAuthentication::pre_shared_key: return "psk";
    case ClientAuthentication::raw_public_key: return "raw_key";
    case ClientAuthentication::certificate: return "certificate";
    case ClientAuthentication::client_secret: return "client_secret";
  }
  return "";
}

}  // namespace aceward::ace::as
