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

}  // namespace

Registry::Registry(std::uint64_t version, std::vector<ClientRecord> clients, std::vector<ServerRecord> servers,
                   std::vector<PolicyRule> rules)
    : version_(version), clients_(std::move(clients)), servers_(std::move(servers)), rules_(std::move(rules)) {
  for (std::size_t i = 0; i < clients_.size(); ++i) {
    const ClientRecord& client = clients_[i];
    client_names_.try_emplace(client.name, i);
    if (!client.psk_identity.empty()) client_identities_.try_emplace(std::string(as_text(client.psk_identity)), i);
    if (!client.key_thumbprint.empty()) client_thumbprints_.try_emplace(std::string(as_text(client.key_thumbprint)), i);
  }
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    server_names_.try_emplace(servers_[i].name, i);
    audiences_.try_emplace(servers_[i].audience, i);
  }
  for (std::size_t i = 0; i < rules_.size(); ++i) client_rules_[rules_[i].client].push_back(i);
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

const ServerRecord* Registry::server_by_name(std::string_view name) const {
  return record_at(servers_, server_names_, name);
}

const ServerRecord* Registry::server_by_audience(std::string_view audience) const {
  return record_at(servers_, audiences_, audience);
}

std::vector<const PolicyRule*> Registry::rules_for(std::string_view client, std::string_view server) const {
  std::vector<const PolicyRule*> found;
  const auto of_client = client_rules_.find(std::string(client));
  if (of_client == client_rules_.end()) return found;
  for (const std::size_t i : of_client->second)
    if (rules_[i].server == server) found.push_back(&rules_[i]);
  return found;
}

std::vector<const ServerRecord*> Registry::servers_for(std::string_view client) const {
  std::vector<const ServerRecord*> found;
  const auto of_client = client_rules_.find(std::string(client));
  if (of_client == client_rules_.end()) return found;
  std::set<std::size_t> rows;
  for (const std::size_t i : of_client->second)
    if (const auto row = server_names_.find(rules_[i].server); row != server_names_.end()) rows.insert(row->second);
  for (const std::size_t row : rows) found.push_back(&servers_[row]);
  return found;
}

}  // namespace aceward::ace::as
