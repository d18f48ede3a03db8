// Policy rules in the database.
#include <chrono>
#include <utility>

#include "aceward/store/sqlite/record_check.h"
#include "aceward/store/sqlite/registry_rows.h"
#include "aceward/store/sqlite/registry_table.h"

namespace aceward::store {

namespace {

using ace::as::PolicyRule;

struct RuleParties {
  std::optional<std::int64_t> client_id;  ///< absent: a group of clients, which need not have any
  std::int64_t server_id = 0;
};

Result<RuleParties> parties_of(Database& database, const PolicyRule& rule) {
  RuleParties parties;
  if (rule.group.empty()) parties.client_id = ACEWARD_TRY(client_id_of(database, rule.client));
  parties.server_id = ACEWARD_TRY(server_id_of(database, rule.server));
  return parties;
}

Result<> check_unique(Database& database, const PolicyRule& rule, std::int64_t own_id) {
  return refuse_taken_text(database, "SELECT id FROM rule WHERE name = ? AND id <> ?", own_id, rule.name,
                           reason::record_exists);
}

void bind_members(Query& query, const PolicyRule& rule, std::string_view name, const RuleParties& parties) {
  const auto hour = [&](auto member) {
    return rule.hours ? std::optional<std::int64_t>((*rule.hours).*member) : std::nullopt;
  };
  query.text(name)
      .integer_or_null(parties.client_id)
      .text_or_null(rule.group)
      .integer(parties.server_id)
      .text_or_null(rule.text_scope)
      .blob_or_null(rule.aif_scope)
      .integer_or_null(count_of(rule.lifetime))
      .integer_or_null(hour(&ace::as::Hours::days))
      .integer_or_null(hour(&ace::as::Hours::from))
      .integer_or_null(hour(&ace::as::Hours::to))
      .integer_or_null(rule.until ? std::optional<std::int64_t>(rule.until->time_since_epoch().count()) : std::nullopt);
}

/// client-server-number or group-server-number, with the lowest number that is free, cut so that it stays a valid name.
Result<std::string> make_rule_name(Database& database, const PolicyRule& rule) {
  constexpr std::size_t room_for_number = 20;
  std::string stem = (rule.group.empty() ? rule.client : rule.group) + "-" + rule.server;
  if (stem.size() > name_limit - room_for_number) {
    std::size_t end = name_limit - room_for_number;
    while ((static_cast<unsigned char>(stem[end]) & 0xc0) == 0x80) --end;  // not in the middle of a character
    stem.resize(end);
  }
  for (std::int64_t number = 1;; ++number) {
    std::string name = stem + "-" + std::to_string(number);
    Query query = ACEWARD_TRY(database.prepare("SELECT 1 FROM rule WHERE name = ?"));
    if (!ACEWARD_TRY(query.text(name).step())) return name;
  }
}

/// Errors: `store_damaged`, also for hours that do not fit their type.
Result<PolicyRule> rule_of(const Query& row) {
  PolicyRule rule;
  rule.id = row.integer_at(0);
  rule.name = row.text_at(1);
  rule.client = row.text_at(2);
  rule.group = row.text_at(3);
  rule.server = row.text_at(4);
  rule.text_scope = row.text_at(5);
  rule.aif_scope = to_bytes(row.blob_at(6));
  if (const auto lifetime = row.optional_at(7)) rule.lifetime = std::chrono::seconds(*lifetime);
  const auto days = row.optional_at(8), from = row.optional_at(9), to = row.optional_at(10);
  const auto fits = [](const auto& value, std::int64_t most) { return value && *value >= 0 && *value <= most; };
  if (fits(days, 0x7f) && fits(from, 1439) && fits(to, 1440)) {
    rule.hours = {.days = static_cast<std::uint8_t>(*days),
                  .from = static_cast<std::uint16_t>(*from),
                  .to = static_cast<std::uint16_t>(*to)};
  } else if (days || from || to) {
    return fail(reason::store_damaged, "the hours of a rule");
  }
  if (const auto until = row.optional_at(11)) rule.until = WallTime(std::chrono::seconds(*until));
  if (rule.name.empty() || rule.server.empty() || !check_record(rule))
    return fail(reason::store_damaged, "a rule's entry");
  return rule;
}

Result<std::int64_t> rule_id_of(Database& database, std::string_view name) {
  return id_of(database, "SELECT id FROM rule WHERE name = ?", name, "rule");
}

}  // namespace

Result<std::vector<PolicyRule>> read_rules(Database& database) {
  // LEFT JOIN: a rule that names a row which is not there must be seen.
  Query query = ACEWARD_TRY(
      database.prepare("SELECT rule.id, rule.name, client.name, client_group, server.name, text_scope, aif_scope,"
                       " lifetime, days, from_minute, to_minute, until FROM rule LEFT JOIN client ON client.id ="
                       " client_id LEFT JOIN server ON server.id = server_id ORDER BY rule.id"));
  std::vector<PolicyRule> rules;
  while (ACEWARD_TRY(query.step())) rules.push_back(ACEWARD_TRY(rule_of(query)));
  return rules;
}

Result<Added> insert_record(Database& database, const PolicyRule& rule) {
  ACEWARD_TRY(check_record(rule));
  const RuleParties parties = ACEWARD_TRY(parties_of(database, rule));
  ACEWARD_TRY(check_unique(database, rule, 0));
  std::string name = rule.name;
  if (name.empty()) name = ACEWARD_TRY(make_rule_name(database, rule));
  Query query = ACEWARD_TRY(
      database.prepare("INSERT INTO rule(name, client_id, client_group, server_id, text_scope, aif_scope, lifetime,"
                       " days, from_minute, to_minute, until) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
  bind_members(query, rule, name, parties);
  ACEWARD_TRY(query.run());
  const std::int64_t id = database.last_row();
  ACEWARD_TRY(grow_registry_version(database));
  return Added{id, name};
}

Result<> update_record(Database& database, const PolicyRule& rule) {
  ACEWARD_TRY(check_record(rule));
  if (rule.name.empty()) return fail(reason::record_invalid, "name");
  std::int64_t id = rule.id;
  if (id == 0) id = ACEWARD_TRY(rule_id_of(database, rule.name));
  const RuleParties parties = ACEWARD_TRY(parties_of(database, rule));
  ACEWARD_TRY(check_unique(database, rule, id));
  Query query = ACEWARD_TRY(
      database.prepare("UPDATE rule SET name = ?, client_id = ?, client_group = ?, server_id = ?, text_scope = ?,"
                       " aif_scope = ?, lifetime = ?, days = ?, from_minute = ?, to_minute = ?, until = ?"
                       " WHERE id = ?"));
  bind_members(query, rule, rule.name, parties);
  return run_update(database, query.integer(id), "rule");
}

Result<> delete_rule(Database& database, const std::string& name) {
  const std::int64_t id = ACEWARD_TRY(rule_id_of(database, name));
  ACEWARD_TRY(run_for_id(database, "DELETE FROM rule WHERE id = ?", id));
  return grow_registry_version(database);
}

}  // namespace aceward::store
