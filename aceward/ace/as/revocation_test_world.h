// A ledger, clients, servers and a revocation list: for tests.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "aceward/ace/as/authentication_mint.h"
#include "aceward/ace/as/memory_ledger.h"
#include "aceward/ace/as/revocation_list.h"

namespace aceward::ace::as {

struct RevocationWorld {
  static constexpr std::int64_t first_server_id = 11;

  ManualClock clock;
  SeededRandom random{106};
  MemoryLedger ledger;
  std::vector<ClientRecord> clients;
  std::vector<ServerRecord> servers;
  std::unique_ptr<RevocationList> list;

  explicit RevocationWorld(RevocationListConfig config = indexed_from_zero()) {
    for (const auto* name : {"fob", "panel"}) {
      ClientRecord& client = clients.emplace_back();
      client.id = static_cast<std::int64_t>(clients.size());
      client.name = name;
    }
    for (const auto* name : {"lock", "lamp", "oven"}) {
      ServerRecord& server = servers.emplace_back();
      server.id = first_server_id - 1 + static_cast<std::int64_t>(servers.size());
      server.name = name;
      server.audience = name;
    }
    start(std::move(config));
  }
  static RevocationListConfig indexed_from_zero() {
    RevocationListConfig config;
    config.first_index = 0;
    return config;
  }

  /// A new life of the list, on the same ledger.
  void start(RevocationListConfig config) {
    list = std::make_unique<RevocationList>(std::move(config), random, ledger);
    register_all();
  }
  void register_all() {
    std::vector<ClientRecord> client_copies;
    for (const ClientRecord& record : clients) {
      ClientRecord& copy = client_copies.emplace_back();
      copy.id = record.id;
      copy.name = record.name;
    }
    std::vector<ServerRecord> server_copies;
    for (const ServerRecord& record : servers) {
      ServerRecord& copy = server_copies.emplace_back();
      copy.id = record.id;
      copy.name = record.name;
      copy.audience = record.audience;
    }
    list->set_registry(std::make_shared<const Registry>(1, std::move(client_copies), std::move(server_copies),
                                                        std::vector<PolicyRule>()));
  }

  /// A token of clients[client] at servers[server] that lives so long. Its hash is 01 and its number.
  TokenNumber issue(std::size_t client, std::size_t server, std::chrono::seconds lifetime = std::chrono::hours(1)) {
    IssuedToken token;
    token.number = ledger.reserve_number().value();
    token.client_id = clients[client].id;
    token.server_id = servers[server].id;
    token.token_hash = hash_of(token.number);
    token.expires_at = clock.wall() + lifetime;
    ledger.tokens.push_back(std::move(token));
    return ledger.tokens.back().number;
  }
  static Bytes hash_of(TokenNumber number) { return {1, static_cast<std::uint8_t>(number.value)}; }

  RevocationList::Changes update() { return list->update(clock.wall()).value(); }
  TokenNumber issue_and_revoke(std::size_t client, std::size_t server,
                               std::chrono::seconds lifetime = std::chrono::hours(1)) {
    const TokenNumber number = issue(client, server, lifetime);
    ledger.revoke(number);
    update();
    return number;
  }

  RevocationAsker as_client(std::size_t i) const {
    return list->asker_of(AuthenticationMint::with_pre_shared_key(clients.at(i)), std::nullopt).value();
  }
  RevocationAsker as_server(std::size_t i) const {
    return list->asker_of(std::nullopt, AuthenticationMint::server(servers.at(i))).value();
  }

  coap::Response ask(const RevocationAsker& asker, std::initializer_list<std::string_view> queries = {}) {
    coap::Request request;
    for (const std::string_view query : queries) request.options.add(coap::option::uri_query, query);
    return list->answer(asker, request);
  }
};

}  // namespace aceward::ace::as
