// An authorization server, a resource server and clients on a network that is all in memory: the real code of all of
// them, a clock that the test moves, and datagrams that the test can lose, repeat or forge.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "aceward/ace/as/memory_ledger.h"
#include "aceward/ace/profile/dtls/as/as_service.h"
#include "aceward/ace/profile/dtls/client/access_client.h"
#include "aceward/ace/profile/dtls/rs/rs_service.h"

namespace aceward::tests {

/// A datagram on its way.
struct Flying {
  Address from;
  Address to;
  Bytes octets;
};

/// What a guarded resource was asked, in order.
struct Served {
  std::string path;
  coap::Code method;
  Bytes payload;
};

class Thing final : public ace::rs::GuardedResource {
 public:
  Thing(std::string path, std::vector<Served>& log) : path_(std::move(path)), log_(log) {}
  void handle(coap::ExchangeId id, const ace::rs::AuthorizedRequest& request, coap::Responder& responder) override {
    log_.push_back({path_, request.request().method, request.request().payload});
    coap::Response response;
    response.code = request.request().method == coap::code::get ? coap::code::content : coap::code::changed;
    response.payload = to_bytes(path_);
    responder.respond(id, std::move(response));
  }

 private:
  std::string path_;
  std::vector<Served>& log_;
};

/// Keeps its observers and tells them when it is asked to.
class Clockwork final : public ace::rs::GuardedResource {
 public:
  void handle(coap::ExchangeId id, const ace::rs::AuthorizedRequest&, coap::Responder& responder) override {
    observers_.push_back(id);
    responder.respond(id, state());
  }
  void tick(coap::Layer& layer, Instant now) {
    for (const auto id : observers_) layer.respond(id, state(), {}, now);
  }

 private:
  coap::Response state() {
    coap::Response response;
    response.options.add_uint(coap::option::observe, ++count_);
    return response;
  }
  std::vector<coap::ExchangeId> observers_;
  unsigned count_ = 0;
};

struct ClientNode {
  Address address;  ///< channel n sends from port + n
  std::unique_ptr<coaps::ClientStack> stack;
  std::unique_ptr<ace::dtls::AccessClient> access;
};

class World {
 public:
  explicit World(std::uint64_t seed = 1);

  /// Carries datagrams and runs timers until nothing is under way or `at_most` has passed.
  void run(std::chrono::nanoseconds at_most = std::chrono::minutes(5));
  /// Lets so much time pass, with all that happens by itself.
  void pass(std::chrono::nanoseconds length);
  /// A GET, PUT, … by a client, run to its end.
  ace::dtls::Completed ask(ClientNode& client, coap::Code method, std::string_view path, Bytes payload = {},
                           bool plain_answer_allowed = true);
  /// With the client's settings changed by `adjust`.
  ClientNode& add_client(const std::string& name, ace::client::PopKind kind,
                         const std::function<void(ace::dtls::AccessClientConfig&)>& adjust = {});
  /// The owner allows it.
  void allow(const std::string& client, const std::string& scope,
             std::optional<std::chrono::seconds> lifetime = std::nullopt);
  void publish();

  ManualClock clock;
  SeededRandom random;
  Address as_address = Address::v4(10, 0, 0, 1, 5684);
  Address rs_plain = Address::v4(10, 0, 0, 2, 5683);
  Address rs_secure = Address::v4(10, 0, 0, 2, 5684);
  Address rs_link = Address::v4(10, 0, 0, 2, 50000);  ///< asks the authorization server: channel n from port + n

  cose::Key as_channel_key, as_signing_key, rs_key;
  ace::as::MemoryLedger ledger;
  std::vector<ace::as::ClientRecord> clients;
  std::vector<ace::as::ServerRecord> servers;
  std::vector<ace::as::PolicyRule> rules;
  std::unique_ptr<ace::dtls::AsService> as;

  std::unique_ptr<ace::dtls::RsService> rs;
  std::vector<Served> served;
  std::vector<std::unique_ptr<Thing>> things;
  std::string hint_as_uri = "coaps://10.0.0.1/token";

  std::deque<ClientNode> nodes;
  std::deque<Flying> wire;
  /// Decides what becomes of a datagram: how many copies arrive. Default: one.
  std::function<int(const Flying&)> copies;
  /// Called while nothing of the world is at work, before each datagram or timer.
  std::function<void()> before_each_step;
  std::vector<Flying> seen;  ///< everything that was sent

  /// Started anew, with nothing but the ledger and the registry.
  void start_as();
  std::function<void(ace::dtls::AsServiceConfig&)> adjust_as;
  /// Started anew, without tokens.
  void start_rs();
  std::function<void(ace::dtls::RsServiceConfig&)> adjust_rs;
  /// The resource server has a session of its own with the authorization server. From the next start_rs() on.
  void link_servers(const std::function<void(ace::dtls::RsServiceConfig&)>& adjust);

 private:
  enum class Until : std::uint8_t { operations_are_done, end };
  void proceed(Instant end, Until until);
  void pump();
  void collect();
  void deliver(const Flying& datagram);
  std::optional<Instant> next_timeout(Until until) const;
  void on_timeout();
};

/// 0.00 when there was no answer.
inline coap::Code code_of(const ace::dtls::Completed& completed) {
  return completed.result ? completed.result->code : coap::code::empty;
}

}  // namespace aceward::tests
