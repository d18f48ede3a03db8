// The authorization server as a running thing: store, token endpoint and DTLS on real sockets. Wiring only.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <vector>

#include "aceward/ace/profile/dtls/as/as_service.h"
#include "aceward/net/coaps/server_host.h"
#include "aceward/store/sqlite/store.h"
#include "app/roles/message_settings.h"

namespace aceward::app {

struct AsSettings {
  std::vector<Address> listen;  ///< CoAP over DTLS; port 0 takes a free one
  std::string issuer;           ///< the claim `iss`
  std::string token_path = "/token";
  cose::Key channel_key;  ///< P-256 key pair: the raw public key of the DTLS server
  cose::Key signing_key;  ///< P-256 or Ed25519 key pair: signs tokens
  std::vector<cose::Key> previous_signing_keys = {};
  std::chrono::seconds maximum_lifetime{std::chrono::hours(24 * 30)};
  /// `issuer` and `maximum_lifetime` are those above.
  ace::as::TokenEndpointConfig tokens = {};
  ace::as::IntrospectionEndpointConfig introspection = {};
  ace::as::RevocationListConfig revocations = {};
  std::string introspection_path = "/introspect";  ///< empty: there is none
  std::string revocation_path = "/revoke/trl";     ///< empty: there is none
  std::string certificate_chain = {};              ///< PEM, of channel_key; empty: none
  std::string client_authorities = {};             ///< PEM; empty: none
  std::filesystem::path database;
  store::Options store;  ///< `post` is set by the role
  MessageSettings messages = {};
  tls::ServerConfig dtls;  ///< `raw_key` is set by the role
  std::function<void(const ace::as::AuditRecord&)> audit;
  std::function<void(const coaps::SessionEvent&)> on_session = {};
};

/// Belongs to the loop's thread, which it is made and destroyed on. The loop and `random` outlive it.
class AsRole final : public net::Application {
 public:
  static Result<std::unique_ptr<AsRole>> start(net::EventLoop& loop, AsSettings settings, Random& random);
  ~AsRole() override;

  /// With the real ports, in the order of AsSettings::listen.
  const std::vector<Address>& addresses() const { return addresses_; }
  store::Store& store() { return *store_; }
  ace::dtls::AsService& service() { return *service_; }
  const ace::as::TokenEndpoint& endpoint() const { return service_->tokens(); }
  coaps::ServerStack& stack() { return service_->stack(); }
  const net::ServerHost& host() const { return *host_; }

  /// Takes up what has changed in the store. Also done before every request.
  void refresh_registry();
  /// Records have changed through this process.
  void on_records_changed();
  /// Signing keys: from the next request on. What else differs is left for the next start.
  Result<> reconfigure(AsSettings settings);
  /// For a shutdown, in this order: drops what comes in; says whether answers are due; tells every client that the
  /// session ends.
  void stop_receiving() { host_->stop_receiving(); }
  bool has_answers_due();
  void close_sessions();

  void pump(Instant now) override;
  std::optional<Instant> next_timeout() const override;
  void on_timeout(Instant now) override;

 private:
  AsRole(net::EventLoop& loop, Random& random) : loop_(loop), random_(random) {}
  Result<> set_up(AsSettings settings);

  net::EventLoop& loop_;
  Random& random_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<ace::dtls::AsService> service_;
  std::unique_ptr<net::ServerHost> host_;
  std::vector<Address> addresses_;
  ace::as::RegistrySnapshot registry_;
};

}  // namespace aceward::app
