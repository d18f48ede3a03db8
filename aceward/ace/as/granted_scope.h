// What of a requested scope the owner's policy grants.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "aceward/ace/as/registry.h"
#include "aceward/ace/params/scope.h"
#include "aceward/base/result.h"

namespace aceward::ace::as {

struct GrantedScope {
  Scope value;        ///< as it stands in the token
  std::string text;   ///< as people write it
  bool as_requested;  ///< false: the client must be told (RFC 6749 section 3.3)
};

/// The union of what `rules` grant, cut down to `requested`; all of it when nothing was requested. Never more than
/// either. Errors: `scope_format_mismatch`, `scope_malformed` for what was requested; `scope_denied` when
/// nothing is left; `policy_unusable` for a rule that does not fit `format`, or a union that is too large.
Result<GrantedScope> grant_scope(const std::optional<Scope>& requested, ScopeFormat format,
                                 std::span<const PolicyRule* const> rules);

/// The same scope as the same value: tokens sorted, paths merged. Errors: `scope_format_mismatch`, `scope_malformed`.
Result<Scope> canonical_scope(const Scope& scope, ScopeFormat format);

/// Is all of `scope` in `whole`? Errors: as above, for either.
Result<bool> is_within(const Scope& scope, const Scope& whole, ScopeFormat format);

}  // namespace aceward::ace::as
