// The records of the store as JSON, for `--json` and the local socket. Secrets go in, never out.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "aceward/store/sqlite/store.h"

namespace aceward::app {

using Json = nlohmann::ordered_json;

/// {"name", "public_key": COSE_Key in hexadecimal or null, "thumbprint", "psk_identity", "has_psk"}
Json to_json(const ace::as::ClientRecord& record);
/// {"name", "audience", "public_key", "has_token_key", "token_key_id", "protection": "signed" | "encrypted",
///  "scope_format": "text" | "aif", "lifetime": seconds, "pop": ["raw-key", "psk"]}
Json to_json(const ace::as::ServerRecord& record);
/// {"name", "client", "rs", "scope": as people write it, "lifetime": seconds or null}
Json to_json(const ace::as::PolicyRule& record);
/// {"number", "client", "rs", "scope", "key_id", "key_thumbprint", "issued_at", "expires_at", "state"}; the times in
/// seconds since 1970 and the state at `now`: "live", "expired" or "revoked".
Json to_json(const ace::as::IssuedToken& token, WallTime now);

// The reverse, for what `add` sends: the members above, and "psk" and "token_key" in hexadecimal in place of the
// members that begin with has_. Members that are not known are refused. Errors: `record_invalid` with the member.
Result<ace::as::ClientRecord> client_from_json(const Json& json);
Result<ace::as::ServerRecord> server_from_json(const Json& json);
Result<ace::as::PolicyRule> rule_from_json(const Json& json);

}  // namespace aceward::app
