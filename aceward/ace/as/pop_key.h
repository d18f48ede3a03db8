// Which key a token is bound to (RFC 9201 section 3.1; RFC 9202 sections 3.2.1, 3.3.1, 4 and 7).
#pragma once

#include <optional>

#include "aceward/ace/as/authenticated_client.h"
#include "aceward/ace/as/ledger.h"
#include "aceward/ace/as/registry.h"
#include "aceward/base/result.h"
#include "aceward/base/time.h"
#include "aceward/cose/cwt/confirmation.h"

namespace aceward::ace::as {

struct PopKey {
  /// Public or symmetric, with its kid if it has one; nothing: a new symmetric key is to be made.
  std::optional<cose::Key> key;
  /// The client did not name the key itself, and has to be told (RFC 9201 section 3.2).
  bool chosen_here = false;

  bool is_symmetric() const { return !key || key->is_symmetric(); }
};

/// Both parties of a token, as the registry has them at this moment.
struct Parties {
  const AuthenticatedClient& channel;
  const ClientRecord& client;
  const ServerRecord& server;
};

/// A public key is taken only when the client's channel proved it or the client is registered with it: otherwise a
/// client could have a token bound to somebody else's key (RFC 9202 section 7, identity misbinding). A kid is looked up
/// among the keys of this client's valid tokens for this server, then compared with that of its registered key; a kid
/// that is neither is refused (section 4), not answered with a new key (section 3.3.1): the two cannot be told apart on
/// the wire, and a client whose session cannot be updated must know that. Without req_cnf the key is symmetric where
/// the server accepts that, else the client's registered key.
/// Errors: `req_cnf_secret`, `req_cnf_kid_too_long`, `pop_key_method_unsupported`, `pop_key_not_proven`,
/// `pop_key_unsuitable`, `pop_key_unknown`, `client_public_key_unreadable`, those of the ledger.
Result<PopKey> choose_pop_key(const std::optional<cwt::Confirmation>& req_cnf, const Parties& parties, Ledger& ledger,
                              WallTime now);

}  // namespace aceward::ace::as
