#include "aceward/ace/as/granted_scope.h"

#include <algorithm>

#include "aceward/ace/as/reasons.h"
#include "aceward/ace/params/reasons.h"

namespace aceward::ace::as {

namespace {

struct TextFormat {
  using Set = TextScope;
  using Wire = std::string;
  static Result<Set> parse(const Wire& wire) { return Set::parse(wire); }
  static Result<Set> of_rule(const PolicyRule& rule) { return Set::parse(rule.text_scope); }
  static Wire serialize(const Set& set) { return set.to_string(); }
  static std::string text(const Set& set) { return set.to_string(); }
};

struct AifFormat {
  using Set = Aif;
  using Wire = Bytes;
  static Result<Set> parse(const Wire& wire) { return Set::parse(wire); }
  static Result<Set> of_rule(const PolicyRule& rule) { return Set::parse(rule.aif_scope); }
  static Wire serialize(const Set& set) { return set.serialize(); }
  static std::string text(const Set& set) { return set.to_text(); }
};

template <class Format>
Result<typename Format::Set> parse_as(const Scope& scope) {
  const auto* wire = std::get_if<typename Format::Wire>(&scope);
  if (wire == nullptr) return fail(reason::scope_format_mismatch);
  auto parsed = Format::parse(*wire);
  // Also where it is the CBOR within the byte string: to the client it is the scope that is wrong.
  if (!parsed) return fail(reason::scope_malformed, parsed.error().id());
  return parsed;
}

template <class Format>
Result<GrantedScope> grant_scope_as(const std::optional<Scope>& requested, std::span<const PolicyRule* const> rules) {
  using Set = typename Format::Set;
  std::optional<Set> asked;
  if (requested) asked = ACEWARD_TRY(parse_as<Format>(*requested));
  Set granted;
  for (const PolicyRule* rule : rules) {
    auto allowed = Format::of_rule(*rule);
    if (!allowed) return fail(reason::policy_unusable, allowed.error().id());
    const Set part = asked ? allowed->intersection_with(*asked) : std::move(*allowed);
    if (part.empty()) continue;
    granted = granted.union_with(part);
  }
  if (granted.empty()) return fail(reason::scope_denied);
  typename Format::Wire wire = Format::serialize(granted);
  // Rules that are in bounds one by one may not be together; the resource server would refuse the token.
  if (!Format::parse(wire)) return fail(reason::policy_unusable, "too large together");
  return GrantedScope{Scope(std::move(wire)), Format::text(granted), asked && granted == *asked};
}

template <class Format>
Result<Scope> canonical_as(const Scope& scope) {
  return Scope(Format::serialize(ACEWARD_TRY(parse_as<Format>(scope))));
}

template <class Format>
Result<bool> is_within_as(const Scope& scope, const Scope& whole) {
  const auto part = ACEWARD_TRY(parse_as<Format>(scope));
  return part.intersection_with(ACEWARD_TRY(parse_as<Format>(whole))) == part;
}

}  // namespace

Result<GrantedScope> grant_scope(const std::optional<Scope>& requested, ScopeFormat format,
                                 std::span<const PolicyRule* const> rules) {
  return format == ScopeFormat::aif ? grant_scope_as<AifFormat>(requested, rules)
                                    : grant_scope_as<TextFormat>(requested, rules);
}

Result<Scope> canonical_scope(const Scope& scope, ScopeFormat format) {
  return format == ScopeFormat::aif ? canonical_as<AifFormat>(scope) : canonical_as<TextFormat>(scope);
}

Result<bool> is_within(const Scope& scope, const Scope& whole, ScopeFormat format) {
  return format == ScopeFormat::aif ? is_within_as<AifFormat>(scope, whole) : is_within_as<TextFormat>(scope, whole);
}

}  // namespace aceward::ace::as
