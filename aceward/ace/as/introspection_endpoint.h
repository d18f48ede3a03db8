// The introspection endpoint: tells resource servers and clients what a token is worth now (RFC 9200 section 5.9, RFC
// 7662).
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "aceward/ace/as/audit.h"
#include "aceward/ace/as/authenticated_client.h"
#include "aceward/ace/as/ledger.h"
#include "aceward/ace/as/registry.h"
#include "aceward/base/result.h"
#include "aceward/base/time.h"
#include "aceward/coap/layer.h"

namespace aceward::ace::as {

struct IntrospectionEndpointConfig {
  std::string issuer = {};  ///< `iss` of the answers; empty: left out
  /// How long an answer may be kept (Max-Age); no longer than the token lives.
  std::chrono::seconds cache_for{30};
  /// May clients ask about tokens of their own? If not they get 4.03.
  bool clients_may_ask = true;
  /// Of one asker, on average and at once; more is answered with 4.29. 0: no limit.
  std::uint32_t asks_per_second = 1000;
  std::uint32_t asks_at_once = 2000;
};

/// Who asks: a channel may stand for a client, for a resource server, or for a party that is both.
struct IntrospectionAsker {
  std::optional<AuthenticatedClient> client;
  std::optional<AuthenticatedServer> server;
};

/// Decides what is told. Without input or output of its own but the Ledger, which is asked for one row. Belongs to one
/// thread, that of the ledger.
///
/// - A server hears of tokens whose audience includes it, with everything that it needs to use one, the client's key
///   included (RFC 9201 section 5). A client hears of its own tokens; of a symmetric key only the kid.
/// - Of every other token, and of one that expired, was revoked, or whose client or server is no longer registered,
/// each
///   hears `active: false` and nothing else, so that nobody learns which tokens there are (RFC 7662 section 2.2).
/// - Errors (RFC 9200 section 5.9.3): 4.01 with invalid_client for an asker that is nobody we know; 4.03 without
/// payload
///   for a client where clients may not ask; 4.00 with invalid_request for a request that cannot be read; 4.15 and 4.06
///   for the wrong Content-Format; 4.29 beyond the limit; 5.03 while the ledger is out of reach.
class IntrospectionEndpoint {
 public:
  struct Counters {
    std::uint64_t active = 0;
    std::map<std::string_view, std::uint64_t> inactive;  ///< by the Reason's id
    std::map<std::string_view, std::uint64_t> refused;   ///< by the Reason's id: got an error
  };

  /// `ledger` outlives the endpoint.
  IntrospectionEndpoint(IntrospectionEndpointConfig config, Ledger& ledger);
  IntrospectionEndpoint(IntrospectionEndpoint&&) noexcept;
  IntrospectionEndpoint& operator=(IntrospectionEndpoint&&) noexcept;
  ~IntrospectionEndpoint();

  /// From the next request on. Until the first call nobody is known.
  void set_registry(RegistrySnapshot registry);
  /// Called at every decision, before the asker hears of it; of an asker's refusals beyond its limit at the first one
  /// alone. `granted` means: told as active. Must not call the endpoint.
  void set_audit(Audit audit);

  /// The answer to a POST by an asker that its channel authenticated; 4.01 where it is neither.
  coap::Response process(const IntrospectionAsker& asker, const coap::Request& request, WallTime now);

  const Counters& counters() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace aceward::ace::as
