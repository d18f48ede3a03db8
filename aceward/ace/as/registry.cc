#include "aceward/ace/as/registry.h"

#include <set>

namespace aceward::ace::as {

namespace {

template <class Record>
const Record* record_at(const std::vector<Record>& records, const std::unordered_map<std::string, std::size_t>& index,
                        std::string_view key) {
  const auto found = index.find(std::string(key));
  return found == index.end() ? nullptr : &records[found->second];
}

void index_unless_empty(std::unordered_map<std::string, std::size_t>& index, std::string_view key, std::size_t at) {
  if (!key.empty()) index.try_emplace(std::string(key), at);
}

}  // namespace

ClientRecord clone(const ClientRecord& client) {
  return {.id = client.id,
          .name = client.name,
          .public_key = client.public_key,
          .key_thumbprint = client.key_thumbprint,
          .psk_identity = client.psk_identity,
          .psk = client.psk.clone(),
          .certificate_name = client.certificate_name,
          .secret_digest = client.secret_digest,
          .groups = client.groups};
}

ServerRecord clone(const ServerRecord& server) {
  return {.id = server.id,
          .name = server.name,
          .audience = server.audience,
          .group_audiences = server.group_audiences,
          .public_key = server.public_key,
          .key_thumbprint = server.key_thumbprint,
          .token_key = server.token_key.clone(),
          .token_key_id = server.token_key_id,
          .previous_token_key = server.previous_token_key.clone(),
          .previous_token_key_id = server.previous_token_key_id,
          .derivation_key = server.derivation_key.clone(),
          .protection = server.protection,
          .scope_format = server.scope_format,
          .profiles = server.profiles,
          .accepts_asymmetric = server.accepts_asymmetric,
          .accepts_symmetric = server.accepts_symmetric,
          .uses_exi = server.uses_exi,
          .token_lifetime = server.token_lifetime,
          .refresh_lifetime = server.refresh_lifetime,
          .allows_group_keys = server.allows_group_keys,
          .undecided = server.undecided,
          .owner = server.owner,
          .psk_identity = server.psk_identity,
          .psk = server.psk.clone(),
          .certificate_name = server.certificate_name,
          .secret_digest = server.secret_digest};
}

Registry::Registry(std::uint64_t version, std::vector<ClientRecord> clients, std::vector<ServerRecord> servers,
                   std::vector<PolicyRule> rules)
    : version_(version), clients_(std::move(clients)), servers_(std::move(servers)), rules_(std::move(rules)) {
  for (std::size_t i = 0; i < clients_.size(); ++i) {
    const ClientRecord& client = clients_[i];
    client_names_.try_emplace(client.name, i);
    index_unless_empty(client_identities_, as_text(client.psk_identity), i);
    index_unless_empty(client_thumbprints_, as_text(client.key_thumbprint), i);
    index_unless_empty(client_certificates_, client.certificate_name, i);
  }
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    const ServerRecord& server = servers_[i];
    server_names_.try_emplace(server.name, i);
    server_ids_.try_emplace(server.id, i);
    audiences_.try_emplace(server.audience, i);
    for (const std::string& audience : server.group_audiences) group_audiences_[audience].push_back(i);
    index_unless_empty(server_identities_, as_text(server.psk_identity), i);
    index_unless_empty(server_thumbprints_, as_text(server.key_thumbprint), i);
    index_unless_empty(server_certificates_, server.certificate_name, i);
  }
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    const PolicyRule& rule = rules_[i];
    if (rule.group.empty()) {
      client_rules_[rule.client].push_back(i);
    } else {
      group_rules_[rule.group].push_back(i);
    }
  }
}

const ClientRecord* Registry::client_by_name(std::string_view name) const {
  return record_at(clients_, client_names_, name);
}

const ClientRecord* Registry::client_by_psk_identity(BytesView identity) const {
  return record_at(clients_, client_identities_, as_text(identity));
}

const ClientRecord* Registry::client_by_key_thumbprint(BytesView thumbprint) const {
  return record_at(clients_, client_thumbprints_, as_text(thumbprint));
}

const ClientRecord* Registry::client_by_certificate_name(std::string_view name) const {
  return record_at(clients_, client_certificates_, name);
}

const ServerRecord* Registry::server_by_name(std::string_view name) const {
  return record_at(servers_, server_names_, name);
}

const ServerRecord* Registry::server_by_id(std::int64_t id) const {
  const auto found = server_ids_.find(id);
  return found == server_ids_.end() ? nullptr : &servers_[found->second];
}

const ServerRecord* Registry::server_by_audience(std::string_view audience) const {
  return record_at(servers_, audiences_, audience);
}

const ServerRecord* Registry::server_by_psk_identity(BytesView identity) const {
  return record_at(servers_, server_identities_, as_text(identity));
}

const ServerRecord* Registry::server_by_key_thumbprint(BytesView thumbprint) const {
  return record_at(servers_, server_thumbprints_, as_text(thumbprint));
}

const ServerRecord* Registry::server_by_certificate_name(std::string_view name) const {
  return record_at(servers_, server_certificates_, name);
}

std::vector<const ServerRecord*> Registry::servers_of_audience(std::string_view audience) const {
  if (const ServerRecord* server = server_by_audience(audience)) return {server};
  std::vector<const ServerRecord*> found;
  const auto group = group_audiences_.find(std::string(audience));
  if (group == group_audiences_.end()) return found;
  for (const std::size_t i : group->second) found.push_back(&servers_[i]);
  return found;
}

std::vector<std::size_t> Registry::rules_of(std::string_view client) const {
  std::set<std::size_t> found;
  const auto collect = [&](const ListIndex& index, const std::string& key) {
    if (const auto listed = index.find(key); listed != index.end())
      found.insert(listed->second.begin(), listed->second.end());
  };
  const ClientRecord* record = client_by_name(client);
  if (record == nullptr) return {};
  collect(client_rules_, record->name);
  for (const std::string& group : record->groups) collect(group_rules_, group);
  return {found.begin(), found.end()};
}

std::vector<const PolicyRule*> Registry::rules_for(std::string_view client, std::string_view server) const {
  std::vector<const PolicyRule*> found;
  for (const std::size_t i : rules_of(client))
    if (rules_[i].server == server) found.push_back(&rules_[i]);
  return found;
}

std::vector<const ServerRecord*> Registry::servers_for(std::string_view client) const {
  std::set<std::size_t> rows;
  for (const std::size_t i : rules_of(client))
    if (const auto row = server_names_.find(rules_[i].server); row != server_names_.end()) rows.insert(row->second);
  std::vector<const ServerRecord*> found;
  for (const std::size_t row : rows) found.push_back(&servers_[row]);
  return found;
}

}  // namespace aceward::ace::as
