// The client on real sockets, for one command: submits, waits, and closes its sessions.
#pragma once

#include <memory>
#include <optional>

#include "aceward/ace/profile/dtls/client/access_client.h"
#include "aceward/crypto/openssl/random.h"
#include "aceward/net/coaps/client_host.h"
#include "app/config/role_settings.h"
#include "app/trace.h"

namespace aceward::app {

/// Blocks the calling thread, which owns all of it.
class AccessRun {
 public:
  /// With `trace`, every message is shown on standard error.
  static Outcome<std::unique_ptr<AccessRun>> start(ClientSettings settings, bool trace, bool colour);
  ~AccessRun();

  ace::dtls::Completed request(ace::dtls::Operation operation);
  ace::dtls::Completed obtain_token(std::chrono::nanoseconds timeout);
  /// Null without one.
  const ace::client::HeldToken* token() const;

 private:
  class Host;
  explicit AccessRun(std::unique_ptr<Host> host);
  std::unique_ptr<Host> host_;
};

/// A request to a server that no configuration knows: without DTLS and without any permission.
Result<coap::Response> request_plainly(const Address& server, ace::dtls::Operation operation, bool trace, bool colour);

/// Why an operation ended without an answer, for people.
Failure failure_of(const ace::dtls::Completed& completed);

/// A Trace on standard error.
std::unique_ptr<Trace> trace_to_stderr(std::string self, bool colour, Trace::NameOf name_of = {});

}  // namespace aceward::app
