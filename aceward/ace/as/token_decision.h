// What a client gets: the decision about one request, before any token is made (RFC 9200 sections 5.8.1 to 5.8.3).
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "aceward/ace/as/audit.h"
#include "aceward/ace/as/granted_scope.h"
#include "aceward/ace/as/pop_key.h"
#include "aceward/ace/as/registry.h"
#include "aceward/ace/as/request_book.h"
#include "aceward/ace/params/token_request.h"
#include "aceward/base/result.h"

namespace aceward::ace::as {

/// A decision in the client's favour. The records live as long as the registry.
struct Grant {
  const ClientRecord* client = nullptr;
  std::vector<const ServerRecord*> servers;  ///< all of the audience's
  std::string audience;
  Profile profile = Profile::coap_dtls;
  bool tell_profile = false;
  PopKey key;
  GrantedScope scope;
  std::chrono::seconds lifetime{0};
  std::optional<Bytes> cnonce;
  TokenNumber origin;  ///< the token whose refresh token was used; 0: none was
  bool may_be_refreshed = true;
};

/// One request under decision.
struct Deliberation {
  const AuthenticatedClient& channel;
  const TokenRequest& request;
  WallTime now;
  AuditRecord& record;  ///< learns the kind, the server and the rules, granted or not
  /// With `owner_asked`: what has to be kept for the owner first; nothing when the book holds it already.
  std::optional<AccessRequest> to_keep;
};

/// What a decision looks at.
struct DecisionContext {
  const Registry* registry;  ///< null: nobody is known
  Ledger& ledger;
  RequestBook* book;  ///< null: no owner is asked
  std::chrono::seconds maximum_lifetime;
  std::chrono::seconds come_back;
  std::chrono::seconds request_kept;
};

/// By grant_type: a new token, or one for a refresh token (RFC 6749 section 6). Errors: all those that refusal.cc
/// knows.
Result<Grant> decide(const DecisionContext& context, Deliberation& deliberation);

}  // namespace aceward::ace::as
