// The client on real sockets, for one command: it asks one server, waits, and closes its sessions.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "aceward/ace/profile/dtls/client/access_client.h"
#include "aceward/coap/message/uri.h"
#include "app/capture/capture.h"
#include "app/config/role_settings.h"

namespace aceward::app {

/// Whom a command wants to talk to.
struct ClientTarget {
  std::string uri_text;
  coap::Uri uri;
  std::optional<ace::Scope> scope;  ///< what to ask the authorization server for
  bool extend_rights = true;
};

/// Errors: usage.
Outcome<ClientTarget> parse_target(const std::string& uri, const std::string& scope = {});
/// Seconds as people give them. Errors: usage, which names `flag`.
Outcome<std::chrono::nanoseconds> parse_seconds(double seconds, std::string_view flag);

/// Blocks the calling thread, which owns all of it.
class ClientRun {
 public:
  /// The server that the configuration has for the URI, with permission to be obtained on the way; or for a coap URI
  /// that none is configured for, the host that it names, without any. `parameters` go before those of the
  /// configuration.
  static Outcome<std::unique_ptr<ClientRun>> start(ClientTarget target, const Console& console,
                                                   const std::optional<coap::Parameters>& parameters = {});
  /// The one server of `settings`.
  static Outcome<std::unique_ptr<ClientRun>> start(ClientSettings settings, const Console& console);
  ~ClientRun();

  /// Stage::probe if it was answered without any permission.
  ace::dtls::Completed request(ace::dtls::Operation operation);
  ace::dtls::Completed obtain_token(std::chrono::nanoseconds timeout);
  /// Null without one.
  const ace::client::HeldToken* token() const;
  /// Does nothing for so long. False: a signal came.
  bool pause(std::chrono::nanoseconds how_long);

  /// What ended an observation.
  enum class ObservationEnd : std::uint8_t {
    by_caller,  ///< `on_notification` said so
    by_time,    ///< `at_most` is over
    by_signal,  ///< SIGINT or SIGTERM
    by_server,  ///< the last response is not to be followed by others
    by_error,
  };
  struct Observed {
    ObservationEnd end = ObservationEnd::by_error;
    std::optional<Failure> failure;  ///< with by_error
  };
  /// Called for each response, the last one included; false: no more are wanted. `final` as in coap::ResponseArrived.
  using OnNotification =
      std::function<bool(const coap::Response& response, std::optional<std::uint64_t> order, bool final)>;
  /// Observes until one of the above. Whenever the server may still have the client on its list it is told that the
  /// client goes (RFC 7641 section 3.6). `operation.timeout` is for the first response; zero `at_most`: without end.
  Observed observe(ace::dtls::Operation operation, std::chrono::nanoseconds at_most,
                   const OnNotification& on_notification);

  /// One CoAP ping after the other. For a coaps URI a session is set up first, with a token if that takes one.
  struct PingWish {
    std::size_t count = 0;  ///< 0: until a signal
    std::chrono::nanoseconds interval{};
    std::chrono::nanoseconds timeout{};  ///< for each, and for setting up the session
  };
  /// `round_trip` is empty when nobody answered in time. Pings that a signal cut short are not told of.
  using OnPing = std::function<void(std::size_t number, std::optional<std::chrono::nanoseconds> round_trip)>;
  Outcome<> ping(const PingWish& wish, const OnPing& on_ping);

  /// Where requests go.
  const Address& server() const;

 private:
  class Host;
  explicit ClientRun(std::unique_ptr<Host> host);
  std::unique_ptr<Host> host_;
};

/// Why an operation ended without an answer, for people.
Failure failure_of(const ace::dtls::Completed& completed);

}  // namespace aceward::app
