// What the owner's policy says to a wish, and why: the one function that issuing and `aceward policy test` share.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "aceward/ace/as/granted_scope.h"
#include "aceward/ace/as/reasons.h"
#include "aceward/ace/as/registry.h"
#include "aceward/ace/params/scope.h"
#include "aceward/base/result.h"
#include "aceward/base/time.h"

namespace aceward::ace::as {

/// What one rule did.
enum class RuleEffect : std::uint8_t {
  gave = 1,       ///< some of what was granted comes from it
  covered,        ///< it would give something, but rules that let the token live at least as long give all of that
  nothing_asked,  ///< it holds, but has nothing of what was asked for
  outside_hours,  ///< it would give something, at other hours
  ended,          ///< it would have given something, before its `until`
  unusable,       ///< its scope cannot be read
};

/// `gave`, `covered`, `nothing_asked`, `outside_hours`, `ended`, `unusable`.
std::string_view name_of(RuleEffect effect);

struct RuleFinding {
  const PolicyRule* rule = nullptr;  ///< lives as long as the registry
  RuleEffect effect = RuleEffect::nothing_asked;
  std::string scope;                    ///< what of the wish the rule has, as people write it; empty: nothing
  std::optional<WallTime> holds_until;  ///< end of the present window of hours, or `until`, the earlier; absent: no end
  /// How long a token by this rule may live; 0 unless it gave or was covered.
  std::chrono::seconds lifetime{0};
};

struct PolicyQuestion {
  const Registry& registry;
  std::string_view client;  ///< ClientRecord::name
  /// All servers of one audience, never empty: what is granted is what the policy gives at each of them.
  std::span<const ServerRecord* const> servers;
  const std::optional<Scope>& scope;  ///< absent: all that the policy gives
  WallTime now;
  std::chrono::seconds maximum_lifetime;
};

struct PolicyDecision {
  /// Errors: `scope_format_mismatch`, `scope_malformed` for the wish; `audience_without_policy` where there is no rule
  /// for the client at one of the servers; `scope_denied` when nothing is left; `policy_unusable` for a rule that
  /// cannot be read, a union that is too large, or servers of one audience that write scopes in different formats.
  Result<GrantedScope> granted = fail(reason::audience_without_policy);
  /// The shortest among the servers' token_lifetime, the maximum, and the rules that gave: their lifetime, the end of
  /// their hours, their `until`. 1 s or more where something is granted.
  std::chrono::seconds lifetime{0};
  /// One for each rule of the pair or pairs, in the order of servers and rules.
  std::vector<RuleFinding> findings;
  /// Nothing is granted, and no rule has anything of what was asked for, at no hour: the owner has not decided it
  /// (Undecided::ask_owner). A rule whose `until` has passed decides nothing any more.
  bool is_undecided = false;
};

/// Total: every input gives a decision. Of rules that give the same, those that let the token live longest count, so
/// that a rule shortens the token only where it gives what no other does.
PolicyDecision decide_by_policy(const PolicyQuestion& question);

/// The end of the window of `hours` that `now` lies in; windows that touch are one. Nothing outside of the hours; the
/// far future where the windows fill the week.
std::optional<WallTime> window_end(const Hours& hours, WallTime now);

/// Whether `days`, `from` and `to` are within their ranges, with at least one day.
bool is_valid(const Hours& hours);

}  // namespace aceward::ace::as
