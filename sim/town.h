// A town: one authorization server, several resource servers and clients, the real code of all of them, and a record of
// who was served what under which key.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "aceward/ace/as/memory_ledger.h"
#include "aceward/ace/profile/dtls/as/as_service.h"
#include "aceward/ace/profile/dtls/client/access_client.h"
#include "aceward/ace/profile/dtls/rs/rs_service.h"
#include "sim/hosts.h"
#include "sim/network.h"

namespace aceward::sim {

/// What a resource of the town was asked and did.
struct TownServed {
  std::size_t server;
  std::string path;
  coap::Code method;
  Address from;
  Bytes key_thumbprint;  ///< of the key to which the token that allowed it was bound
  Bytes payload;
  WallTime at;
};

/// One operation of a client of the town.
struct TownWish {
  std::size_t client;
  std::size_t server;
  std::string path;
  coap::Code method;
  Instant when;
  bool ended = false;
  std::optional<coap::Code> code;
  std::string error;
};

class Town {
 public:
  explicit Town(Run& run);
  ~Town();

  struct Server {
    std::string name;
    Address plain, secure;
    cose::Key key;
    Bytes token_key;
    std::unique_ptr<ace::dtls::RsService> service;
    std::vector<std::unique_ptr<ace::rs::GuardedResource>> resources;
    std::unique_ptr<Node> node;
    std::unique_ptr<Probe> probe;
  };
  struct Client {
    std::string name;
    Address address;  ///< channel n sends from port + n
    cose::Key key;
    std::unique_ptr<coaps::ClientStack> stack;
    std::unique_ptr<ace::dtls::AccessClient> access;
    std::unique_ptr<Node> node;
    std::unique_ptr<Probe> probe;
    std::map<std::uint64_t, std::size_t> operations;  ///< of `wishes`
  };

  /// Every server has /temp (GET), /led (GET and PUT), /door (POST) and /config (GET), of the scope-tokens rTemp,
  /// rwLed, wDoor and rConfig. Returns its index.
  std::size_t add_server(const std::string& name);
  /// Knows all servers that are there by then, asks for tokens of this kind, and is registered with its raw key.
  std::size_t add_client(const std::string& name, ace::client::PopKind kind);
  /// A rule of the owner.
  void allow(std::size_t client, std::size_t server, const std::string& scope,
             std::optional<std::chrono::seconds> lifetime = std::nullopt);
  /// To be called after the records were changed by hand.
  void publish();

  /// What a server needs to talk to the authorization server with its raw key: for adjust_server.
  ace::dtls::AsLinkConfig link_of(std::size_t server);
  /// Revokes all tokens of a client, removes its rules, and tells the authorization server. What it holds may serve it
  /// for as long as check_served allows.
  void revoke(std::size_t client);
  /// Loses sessions and tokens, keeps its keys.
  void restart_server(std::size_t server);
  /// Loses sessions; the ledger is its disk.
  void restart_as();

  std::size_t wish(std::size_t client, std::size_t server, coap::Code method, std::string path);
  bool all_ended() const;
  /// Runs until every wish has ended; each must, once.
  void settle();

  /// What was served must have been allowed: by a token of the ledger that was issued for the key it was served under,
  /// for this server, to the client that it was served to, not ended at that time, nor revoked for longer than
  /// `revoked_serves`, under a rule that the client had and that covers path and method.
  void check_served(std::chrono::seconds revoked_serves = std::chrono::seconds(0));
  /// Nothing may keep more than its limits allow.
  void check_limits();

  ace::dtls::AsService& as() { return *as_; }
  bool may(std::size_t client, std::size_t server, coap::Code method, std::string_view path) const;

  Run& run;
  Network network;
  SeededRandom random;
  Address as_address = Address::v4(10, 0, 0, 1, 5684);
  cose::Key as_channel_key, as_signing_key;
  ace::as::MemoryLedger ledger;
  std::vector<ace::as::ClientRecord> client_records;
  std::vector<ace::as::ServerRecord> server_records;
  std::vector<ace::as::PolicyRule> rules;
  std::vector<ace::as::PolicyRule> former_rules;  ///< of clients whose tokens were revoked
  std::map<std::int64_t, WallTime> revoked_at;    ///< by the number of the token
  std::deque<Server> servers;
  std::deque<Client> clients;
  std::vector<TownServed> served;
  std::vector<TownWish> wishes;

  /// Before a server starts: what else it is configured with.
  std::function<void(std::size_t server, ace::dtls::RsServiceConfig&)> adjust_server;
  /// Before a client is made.
  std::function<void(ace::dtls::AccessClientConfig&)> adjust_client;

 private:
  class Resource;
  void start_as();
  void start_server(std::size_t server);
  void collect_results();

  std::unique_ptr<ace::dtls::AsService> as_;
  std::unique_ptr<Node> as_node_;
  Probe as_probe_;
  std::uint64_t version_ = 0;
  friend class TownAsNode;
  friend class TownServerNode;
  friend class TownClientNode;
};

}  // namespace aceward::sim
