// A whole authorization server of the DTLS profile, without sockets and without a store of its own: CoAP and DTLS
// below, its endpoints on top.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aceward/ace/as/introspection_endpoint.h"
#include "aceward/ace/as/request_book.h"
#include "aceward/ace/as/revocation_list.h"
#include "aceward/ace/as/token_endpoint.h"
#include "aceward/ace/profile/dtls/as/as_channel.h"
#include "aceward/coap/observe/observations.h"
#include "aceward/coap/resource/router.h"
#include "aceward/coaps/server_stack.h"

namespace aceward::ace::dtls {

struct AsServiceConfig {
  as::TokenEndpointConfig tokens;
  /// P-256 or Ed25519 key pairs; the first one signs. At least one.
  std::vector<cose::Key> signing_keys;
  as::IntrospectionEndpointConfig introspection;
  as::RevocationListConfig revocations;
  // Paths of the endpoints; empty: there is none.
  std::string token_path = "/token";
  std::string introspection_path = "/introspect";
  std::string revocation_path = "/revoke/trl";
  coap::ObservationLimits observations{};  ///< of the revocation list
  coaps::ServerStackConfig stack;          ///< `dtls` is required
};

/// The ports behind the endpoints. `requests`: null where nobody can be asked (Undecided::ask_owner). All outlive the
/// service, but completions of the ledger may come after its end.
struct AsPorts {
  as::Ledger& ledger;
  as::RequestBook* requests = nullptr;
};

/// Not thread-safe. Either a host drives stack() and calls pump, on_own_timeout and next_own_timeout
/// (net::Application), or everything goes through the calls of this class. After every call, take all datagrams.
class AsService {
 public:
  using SessionObserver = std::move_only_function<void(const coaps::SessionEvent&)>;

  /// `ledger`, `clock` and `random` outlive the service, but completions of the ledger may come after its end. `wake`
  /// is called when an answer was given outside of the calls below, so that it leaves. Errors: those of
  /// TokenEndpoint::create and ServerStack::create.
  static Result<std::unique_ptr<AsService>> create(AsServiceConfig config, AsPorts ports, const Clock& clock,
                                                   Random& random, std::function<void()> wake = {});
  ~AsService();
  AsService(const AsService&) = delete;
  AsService& operator=(const AsService&) = delete;

  /// From the next request and handshake on.
  void set_registry(as::RegistrySnapshot registry);
  /// A resource of one's own beside the endpoints, or in the place of one; whoever has a session may ask it. It
  /// outlives the service.
  void add(std::string_view path, coap::Resource& resource);
  as::TokenEndpoint& tokens();
  as::IntrospectionEndpoint& introspection();
  as::RevocationList& revocations();
  AsChannel& channel();
  coaps::ServerStack& stack();
  /// Tokens were revoked: reads the ledger again and tells those who follow the list. Done by itself twice a minute, as
  /// another process may have revoked some, and when a token leaves the list because it has ended.
  void update_revocations();
  /// Who observes the revocation list: exchanges that stay open although nothing is due.
  std::size_t followers() const;
  /// Hears of every decision of all endpoints, before the peer does; null switches it off.
  void set_audit(const as::Audit& audit);
  /// Sees each session event; null switches it off.
  void set_session_observer(SessionObserver observer);

  /// The stack has been fed: takes its session events and requests, and acts on them.
  void pump(Instant now);
  /// Of what stands above the stack.
  std::optional<Instant> next_own_timeout() const;
  void on_own_timeout(Instant now);

  // Stack included:
  void receive(const Address& from, const Address& local, BytesView datagram, Instant now);
  std::optional<coaps::ServerOutgoing> next_datagram(Instant now);
  void on_timeout(Instant now);
  std::optional<Instant> next_timeout() const;

 private:
  struct Impl;
  explicit AsService(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace aceward::ace::dtls
