#include "aceward/ace/as/policy.h"

#include <algorithm>
#include <array>

#include "aceward/ace/as/reasons.h"

namespace aceward::ace::as {

namespace {

using std::chrono::seconds;

constexpr std::int64_t day_seconds = 24 * 3600;
constexpr std::int64_t week_seconds = 7 * day_seconds;
/// The end of the year 9999: a time that no token reaches.
constexpr WallTime never{seconds(253'402'300'799)};

/// A rule that holds now and has something of the wish.
struct Giving {
  const PolicyRule* rule;
  std::size_t finding;
  seconds lifetime;
};

/// What one rule has of the wish; nothing where it has nothing.
Result<std::optional<GrantedScope>> part_of(const PolicyRule& rule, const std::optional<Scope>& wish,
                                            ScopeFormat format) {
  const std::array<const PolicyRule*, 1> alone{&rule};
  auto part = grant_scope(wish, format, alone);
  if (part) return std::move(*part);
  if (part.error() == reason::scope_denied) return std::nullopt;
  return std::unexpected(part.error());
}

/// Says when the rule holds. `holds_until` is set as far as it is known.
RuleEffect effect_now(const PolicyRule& rule, WallTime now, RuleFinding& finding) {
  finding.holds_until = rule.until;
  if (rule.until && now >= *rule.until) return RuleEffect::ended;
  if (!rule.hours) return RuleEffect::gave;
  const auto end = window_end(*rule.hours, now);
  if (!end) return RuleEffect::outside_hours;
  if (*end != never) finding.holds_until = rule.until ? std::min(*rule.until, *end) : *end;
  return RuleEffect::gave;
}

/// The policy of one server.
class ServerPolicy {
 public:
  ServerPolicy(const PolicyQuestion& question, const ServerRecord& server, const std::optional<Scope>& wish)
      : question_(question), server_(server), wish_(wish) {}

  /// Appends to `findings`; `decided` becomes true when some rule has something of the wish, at whatever hour.
  Result<GrantedScope> evaluate(std::vector<RuleFinding>& findings, bool& decided, seconds& lifetime);

 private:
  Result<> look_at(const PolicyRule& rule, std::vector<RuleFinding>& findings, bool& decided);

  const PolicyQuestion& question_;
  const ServerRecord& server_;
  const std::optional<Scope>& wish_;
  std::vector<Giving> giving_;
};

Result<> ServerPolicy::look_at(const PolicyRule& rule, std::vector<RuleFinding>& findings, bool& decided) {
  RuleFinding& finding = findings.emplace_back();
  finding.rule = &rule;
  if (rule.hours && !is_valid(*rule.hours)) {
    finding.effect = RuleEffect::unusable;
    return fail(reason::policy_unusable, "hours");
  }
  const auto part = part_of(rule, wish_, server_.scope_format);
  if (!part) {
    if (part.error() == reason::policy_unusable) finding.effect = RuleEffect::unusable;
    return std::unexpected(part.error());
  }
  if (!*part) return {};
  finding.scope = (*part)->text;
  finding.effect = effect_now(rule, question_.now, finding);
  if (finding.effect != RuleEffect::ended) decided = true;
  if (finding.effect != RuleEffect::gave) return {};
  finding.lifetime = std::min(server_.token_lifetime, question_.maximum_lifetime);
  if (rule.lifetime) finding.lifetime = std::min(finding.lifetime, *rule.lifetime);
  if (finding.holds_until) finding.lifetime = std::min(finding.lifetime, *finding.holds_until - question_.now);
  giving_.push_back({&rule, findings.size() - 1, finding.lifetime});
  return {};
}

Result<GrantedScope> ServerPolicy::evaluate(std::vector<RuleFinding>& findings, bool& decided, seconds& lifetime) {
  const auto rules = question_.registry.rules_for(question_.client, server_.name);
  if (rules.empty()) return fail(reason::audience_without_policy);
  Result<> outcome;
  // All are looked at, whatever becomes of one: the findings are whole.
  for (const PolicyRule* rule : rules)
    if (auto looked = look_at(*rule, findings, decided); !looked && outcome) outcome = looked;
  if (!outcome) return std::unexpected(outcome.error());
  if (giving_.empty()) return fail(reason::scope_denied);

  // The longest first, so that a rule counts only where it adds to what those give that live at least as long.
  std::ranges::stable_sort(giving_, std::ranges::greater(), &Giving::lifetime);
  std::vector<const PolicyRule*> held;
  std::optional<GrantedScope> granted;
  for (const Giving& giving : giving_) {
    held.push_back(giving.rule);
    GrantedScope more = ACEWARD_TRY(grant_scope(wish_, server_.scope_format, held));
    if (granted && more.value == granted->value) {
      findings[giving.finding].effect = RuleEffect::covered;
      continue;
    }
    granted = std::move(more);
    lifetime = std::min(lifetime, giving.lifetime);
  }
  return std::move(*granted);
}

}  // namespace

std::string_view name_of(RuleEffect effect) {
  switch (effect) {
    case RuleEffect::gave: return "gave";
    case RuleEffect::covered: return "covered";
    case RuleEffect::nothing_asked: return "nothing_asked";
    case RuleEffect::outside_hours: return "outside_hours";
    case RuleEffect::ended: return "ended";
    case RuleEffect::unusable: return "unusable";
  }
  return "";
}

PolicyDecision decide_by_policy(const PolicyQuestion& question) {
  PolicyDecision decision;
  seconds lifetime = question.maximum_lifetime;
  bool decided = false;
  std::optional<GrantedScope> granted;
  std::optional<Scope> narrowed = question.scope;
  for (const ServerRecord* server : question.servers) {
    if (server->scope_format != question.servers.front()->scope_format) {
      decision.granted = fail(reason::policy_unusable, "one audience, two scope formats");
      return decision;
    }
    auto here = ServerPolicy(question, *server, narrowed).evaluate(decision.findings, decided, lifetime);
    if (!here) {
      decision.granted = std::unexpected(here.error());
      decision.is_undecided =
          !decided && (here.error() == reason::scope_denied || here.error() == reason::audience_without_policy);
      return decision;
    }
    // What the next server is asked for is what the ones before it give: in the end the intersection of all.
    here->as_requested = question.scope.has_value() && here->as_requested && (!granted || granted->as_requested);
    narrowed = here->value;
    granted = std::move(*here);
  }
  if (!granted) return decision;
  if (lifetime < seconds(1)) {
    decision.granted = fail(reason::policy_unusable, "a lifetime of nothing");
    return decision;
  }
  decision.granted = std::move(*granted);
  decision.lifetime = lifetime;
  return decision;
}

bool is_valid(const Hours& hours) {
  return hours.days != 0 && hours.days <= 0x7f && hours.from < 1440 && hours.to >= 1 && hours.to <= 1440;
}

std::optional<WallTime> window_end(const Hours& hours, WallTime now) {
  if (!is_valid(hours)) return std::nullopt;
  const auto today = std::chrono::floor<std::chrono::days>(now);
  const std::int64_t weekday = std::chrono::weekday(today).iso_encoding() - 1;
  const std::int64_t at = weekday * day_seconds + (now - today).count();
  const std::int64_t length = (hours.to > hours.from ? hours.to - hours.from : 1440 - hours.from + hours.to) * 60;
  // Windows that begin in the week before, in this one and in the next.
  std::int64_t end = at;
  for (std::int64_t day = -7; day < 14; ++day) {
    if ((hours.days >> ((day + 7) % 7) & 1) == 0) continue;
    const std::int64_t start = day * day_seconds + hours.from * 60;
    // In order of their beginnings: a window that touches the one before goes on with it.
    if (end == at ? start <= at && at < start + length : start <= end) end = std::max(end, start + length);
  }
  if (end == at) return std::nullopt;
  if (end - at >= week_seconds) return never;
  return now + seconds(end - at);
}

}  // namespace aceward::ace::as
