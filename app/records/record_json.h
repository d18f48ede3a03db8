// The records of the store as JSON, for `--json` and the local socket. Secrets go in, never out.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "aceward/store/sqlite/store.h"

namespace aceward::app {

using Json = nlohmann::ordered_json;

/// {"name", "public_key": COSE_Key in hexadecimal or null, "thumbprint", "psk_identity", "has_psk", "certificate_name",
///  "has_secret", "groups"}
Json to_json(const ace::as::ClientRecord& record);
/// {"name", "audience", "group_audiences", "public_key", "has_token_key", "token_key_id", "has_previous_token_key",
///  "previous_token_key_id", "has_derivation_key", "protection": "signed" | "encrypted" | "reference",
///  "scope_format": "text" | "aif", "profiles", "pop": ["raw-key", "psk"], "exi", "lifetime": seconds,
///  "refresh_lifetime": seconds or null, "group_keys", "undecided": "refuse" | "ask-owner", "owner", "psk_identity",
///  "has_psk", "certificate_name", "has_secret"}
Json to_json(const ace::as::ServerRecord& record);
/// {"name", "client", "group", "rs", "scope": as people write it, "lifetime": seconds or null, "hours": as
///  hours_text.h or null, "until": seconds since 1970 or null}
Json to_json(const ace::as::PolicyRule& record);
/// {"number", "client", "rs", "audience", "scope", "key_id", "key_thumbprint", "issued_at", "expires_at",
///  "refresh_until", "state"}; the times in seconds since 1970 and the state at `now`: "live", "expired" or "revoked".
Json to_json(const ace::as::IssuedToken& token, WallTime now);
/// {"number", "client", "rs", "scope", "state": "waiting" | "denied" | "expired", "times", "first_asked", "last_asked",
///  "expires_at"}
Json to_json(const ace::as::AccessRequest& request, WallTime now);

}  // namespace aceward::app
