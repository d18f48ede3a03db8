// Which key a token is bound to (RFC 9201 section 3.1; RFC 9202 sections 3.2.1, 3.3.1, 4 and 7).
#pragma once

#include <optional>
#include <span>

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
  /// It is that of a token that this client got for these servers before (RFC 9202 section 4).
  bool known_to_servers = false;

  bool is_symmetric() const { return !key || key->is_symmetric(); }
};

/// Both parties of a token, as the registry has them at this moment.
struct Parties {
  const AuthenticatedClient& channel;
  const ClientRecord& client;
  /// One, or all those of a group audience; never none.
  std::span<const ServerRecord* const> servers;

  /// May they share a symmetric key with the client? One server: if it accepts such keys. Several: if besides their
  /// owner has said so for each of them, as each could then pose as the client to the others (RFC 9200 section 6.1).
  bool may_share_key() const;
};

/// A public key is taken only when the client's channel proved it or the client is registered with it: otherwise a
/// client could have a token bound to somebody else's key (RFC 9202 section 7, identity misbinding). A thumbprint (ckt,
/// RFC 9679) is that of the registered key. A kid is looked up among the keys of this client's valid tokens for the
/// first of the servers, then compared with that of its registered key; a kid that is neither is refused (section 4),
/// not answered with a new key (section 3.3.1): the two cannot be told apart on the wire, and a client whose session
/// cannot be updated must know that. A symmetric key stays with the servers that it was made for. Without req_cnf the
/// key is symmetric where the servers may share one, else the client's registered key.
/// A symmetric key by value is refused (RFC 9201 section 3.1), encrypted or not: it would be no secret of ours.
/// Errors: `req_cnf_secret`, `req_cnf_kid_too_long`, `pop_key_method_unsupported`, `pop_key_not_proven`,
/// `pop_key_unsuitable`, `pop_key_unknown`, `pop_key_of_other_servers`, `group_key_shared`,
/// `client_public_key_unreadable`, those of the ledger.
Result<PopKey> choose_pop_key(const std::optional<cwt::Confirmation>& req_cnf, const Parties& parties, Ledger& ledger,
                              WallTime now);

/// The key of a recorded token for another one, as refreshing needs it: the same checks as for a kid. Errors: as
/// above; `pop_key_not_proven` for a public key that is no longer the client's.
Result<PopKey> recorded_pop_key(const IssuedToken& issued, const Parties& parties);

/// Whether req_cnf names the key of this token: by value where it is public, by kid or by thumbprint.
bool names_key_of(const cwt::Confirmation& req_cnf, const IssuedToken& issued);

/// Were these servers, and no others, the ones that the token was issued for?
bool is_for(const IssuedToken& issued, std::span<const ServerRecord* const> servers);

}  // namespace aceward::ace::as
