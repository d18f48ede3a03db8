// A client of the story: obtains its access by itself, over real sockets, in the main thread's event loop.
#pragma once

#include <memory>
#include <optional>

#include "aceward/ace/profile/dtls/client/access_client.h"
#include "aceward/net/coaps/client_host.h"

namespace aceward::demo {

/// Belongs to the loop's thread. Loop, tap and random outlive it.
class Device final : public net::Application {
 public:
  /// Errors: those of AccessClient::create.
  static Result<std::unique_ptr<Device>> make(net::EventLoop& loop, ace::dtls::AccessClientConfig config,
                                              coaps::MessageTap& tap, Random& random);
  ~Device() override;

  /// Asks a server for something and runs the loop until that is over. `coap` names the resource by a coap URI, which
  /// may be asked for without protection first; else it is a coaps URI.
  ace::dtls::Completed ask(std::size_t server, coap::Request request, bool coap);
  /// Runs the loop until the sessions with both servers are gone; false when one lives on.
  bool wait_for_end_of_sessions(std::size_t one, std::size_t other, std::chrono::nanoseconds at_most);

  std::uint64_t session(std::size_t server) const { return client_->session(server); }
  /// Who the server proved to be in the session; null without one. The client's side sees its own psk_identity there.
  const tls::PeerIdentity* identity(std::size_t server) const { return stack_.identity(session(server)); }
  const ace::client::HeldToken* token(std::size_t server) const { return client_->token(server); }

  void pump(Instant now) override;
  std::optional<Instant> next_timeout() const override { return client_->next_timeout(); }
  void on_timeout(Instant now) override { client_->on_timeout(now); }

 private:
  Device(net::EventLoop& loop, Random& random) : loop_(loop), stack_({}, random) {}

  net::EventLoop& loop_;
  coaps::ClientStack stack_;
  std::unique_ptr<ace::dtls::AccessClient> client_;
  std::unique_ptr<net::ClientHost> host_;
  std::optional<ace::dtls::Completed> completed_;
};

}  // namespace aceward::demo
