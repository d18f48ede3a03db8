// Records from JSON: what add and set send. Members that are not known are refused.
#pragma once

#include "app/records/record_json.h"

namespace aceward::app {

// Members are those of record_json.h, and in place of those that begin with has_: "psk", "token_key", "derivation_key"
// in hexadecimal, "secret_digest" (48 octets, client_secret.h). A member that is absent stays as it is in `record`;
// null, and an empty text or array, take away. "token_key_before": true keeps the token key that is replaced as the
// previous one. The name is not read. Errors: `record_invalid` with the member.
Result<> apply_members(ace::as::ClientRecord& record, const Json& json);
Result<> apply_members(ace::as::ServerRecord& record, const Json& json);
Result<> apply_members(ace::as::PolicyRule& record, const Json& json);

/// All of it: secrets are copied by this alone.
ace::as::ClientRecord copy_of(const ace::as::ClientRecord& record);
ace::as::ServerRecord copy_of(const ace::as::ServerRecord& record);

// A record of its own, with its name; what the members leave open follows from the others.
Result<ace::as::ClientRecord> client_from_json(const Json& json);
Result<ace::as::ServerRecord> server_from_json(const Json& json);
Result<ace::as::PolicyRule> rule_from_json(const Json& json);

}  // namespace aceward::app
