#include "aceward/net/coap_server.h"

#include <utility>

#include "aceward/net/host_turn.h"
#include "aceward/net/listeners.h"

namespace aceward::net {

struct CoapServer::Impl {
  Impl(EventLoop& loop_in, Random& random, const coap::ServerConfig& config)
      : loop(loop_in),
        server(random, config),
        turn(
            loop_in, server,
            [this](coap::Outgoing&& out) { listeners.send(0, out.to.remote, out.to.local, out.datagram); },
            [this] { listeners.flush(); }) {}

  void on_batch(std::span<const UdpReceived> batch) {
    const Instant now = loop.now();
    for (const UdpReceived& datagram : batch) server.receive(datagram.from, datagram.local, datagram.data, now);
    turn.run(now);
  }

  EventLoop& loop;
  coap::Server server;
  Listeners listeners;
  HostTurn<coap::Server> turn;
};

CoapServer::CoapServer(EventLoop& loop, Random& random, const coap::ServerConfig& config)
    : impl_(std::make_unique<Impl>(loop, random, config)) {}
CoapServer::~CoapServer() = default;

Result<Address> CoapServer::listen(const Address& address, UdpOptions options) {
  return impl_->listeners.listen(
      impl_->loop, 0, address, [impl = impl_.get()](std::span<const UdpReceived> batch) { impl->on_batch(batch); },
      options);
}

void CoapServer::on(coap::Code method, std::string_view path, coap::Server::Handler handler) {
  impl_->server.on(method, path, std::move(handler));
}

void CoapServer::observable(std::string_view path, const coap::ObservableSettings& settings) {
  impl_->server.observable(path, settings);
}

void CoapServer::changed(std::string_view path) {
  impl_->server.changed(path, impl_->loop.now());
  wake();
}

coap::Server& CoapServer::server() { return impl_->server; }
void CoapServer::wake() { impl_->turn.run(impl_->loop.now()); }
std::vector<UdpSocket::Counters> CoapServer::counters() const { return impl_->listeners.counters(); }

}  // namespace aceward::net
