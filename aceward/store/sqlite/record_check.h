// What a record must look like before it is written.
#pragma once

#include "aceward/ace/as/ledger.h"
#include "aceward/ace/as/registry.h"
#include "aceward/ace/as/request_book.h"
#include "aceward/base/result.h"

namespace aceward::store {

inline constexpr std::size_t name_limit = 255;    ///< octets of a name, an audience, a key's identity
inline constexpr std::size_t scope_limit = 4096;  ///< octets of a scope in either format
inline constexpr std::size_t key_limit = 4096;    ///< octets of a COSE_Key

/// Each: `record_invalid`, with the member that is wrong as its detail.
Result<> check_record(const ace::as::ClientRecord& client);
Result<> check_record(const ace::as::ServerRecord& server);
Result<> check_record(const ace::as::PolicyRule& rule);  ///< its name may be empty
Result<> check_record(const ace::as::IssuedToken& token);
Result<> check_record(const ace::as::AccessRequest& request);

}  // namespace aceward::store
