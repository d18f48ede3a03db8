// The resource server as a running thing: the DTLS profile's service with resources held in memory, on real sockets.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "aceward/ace/profile/dtls/rs/rs_service.h"
#include "aceward/coap/message/content_format.h"
#include "aceward/net/coaps/client_host.h"
#include "aceward/net/coaps/server_host.h"
#include "aceward/store/file/sequence_file.h"
#include "app/roles/message_settings.h"

namespace aceward::app {

/// A resource whose representation is held in memory.
struct RsResource {
  std::string path;  ///< `/temp`
  Bytes content;
  coap::ContentFormat format = coap::content_format::text_plain;
  bool is_public = false;  ///< readable by anybody, without a token
  /// What it can do, of GET, PUT, POST and DELETE; empty: all of them. A token may allow less.
  std::vector<coap::Code> methods = {};
};

struct RsSettings {
  std::vector<Address> listen;        ///< CoAP over DTLS; port 0 takes a free one
  std::vector<Address> listen_plain;  ///< CoAP: hints, authz-info and public resources
  /// Those of listen_plain whose clients get long answers without having shown that they receive at their address.
  std::vector<Address> trusted_plain = {};
  cose::Key channel_key;  ///< P-256 key pair: the raw public key of the DTLS server
  ace::TokenVerifierConfig tokens;
  ace::rs::ResourceServerConfig server;
  /// Remembers the sequence numbers of tokens with exi; empty: they are refused.
  std::filesystem::path sequences = {};
  std::optional<ace::dtls::AsLinkConfig> as_link = {};
  std::vector<ace::rs::ConfiguredKey> configured_keys = {};
  std::size_t anonymous_sessions = 0;
  std::vector<RsResource> resources;
  MessageSettings messages = {};
  tls::ServerConfig dtls;                 ///< `raw_key` is set by the role
  std::size_t content_limit = 64 * 1024;  ///< octets that a PUT or POST may leave in a resource
  std::function<void(const ace::rs::Decision&)> on_decision;
  std::function<void(const coaps::SessionEvent&)> on_session = {};
};

/// Belongs to the loop's thread. The loop and `random` outlive it.
class RsRole final : public net::Application {
 public:
  static Result<std::unique_ptr<RsRole>> start(net::EventLoop& loop, RsSettings settings, Random& random);
  ~RsRole() override;

  /// With the real ports, in the order of the settings.
  const std::vector<Address>& addresses() const { return addresses_; }
  const std::vector<Address>& plain_addresses() const { return plain_addresses_; }
  ace::dtls::RsService& service() { return *service_; }
  const net::ServerHost& host() const { return *host_; }
  /// Issuers and their keys, scopes, hints, hosts and grants from now on; sessions go on. What else differs is left for
  /// the next start.
  Result<> reconfigure(RsSettings settings);
  /// For a shutdown, in this order: drops what comes in; says whether answers are due; tells every client that the
  /// session ends.
  void stop_receiving() { host_->stop_receiving(); }
  bool has_answers_due();
  void close_sessions();

  void pump(Instant now) override;
  std::optional<Instant> next_timeout() const override;
  void on_timeout(Instant now) override;

 private:
  class MemoryResource;
  /// What runs on the stack of the session with the authorization server: the service itself.
  class Link;

  explicit RsRole(net::EventLoop& loop);
  Result<> set_up(RsSettings settings, Random& random);

  net::EventLoop& loop_;
  std::vector<std::unique_ptr<MemoryResource>> resources_;
  std::optional<store::SequenceFile> sequences_;
  std::unique_ptr<ace::dtls::RsService> service_;
  std::unique_ptr<net::ServerHost> host_;
  std::unique_ptr<Link> link_;
  std::unique_ptr<net::ClientHost> link_host_;
  std::vector<Address> addresses_;
  std::vector<Address> plain_addresses_;
};

}  // namespace aceward::app
