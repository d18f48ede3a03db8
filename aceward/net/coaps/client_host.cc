#include "aceward/net/coaps/client_host.h"

#include <compare>
#include <map>
#include <span>
#include <vector>

#include "aceward/net/host_turn.h"
#include "aceward/net/resolve.h"

namespace aceward::net {
namespace {

/// One address family a socket: a host without IPv6 still has a client.
struct SocketKey {
  coaps::Channel channel;
  bool v4;
  friend auto operator<=>(const SocketKey&, const SocketKey&) = default;
};

}  // namespace

struct ClientHost::Impl {
  Impl(EventLoop& loop_in, coaps::ClientStack& stack_in, Application& application_in)
      : loop(loop_in),
        stack(stack_in),
        turn(
            loop_in, stack_in, application_in, [this](coaps::ClientOutgoing&& out) { send(std::move(out)); },
            [this] { flush(); }) {}

  void on_batch(coaps::Channel channel, std::span<const UdpReceived> batch);
  void send(coaps::ClientOutgoing&& out);
  void flush();

  EventLoop& loop;
  coaps::ClientStack& stack;
  HostTurn<coaps::ClientStack> turn;
  std::map<SocketKey, std::unique_ptr<UdpSocket>> sockets;
  std::vector<UdpSocket*> touched;
};

void ClientHost::Impl::on_batch(coaps::Channel channel, std::span<const UdpReceived> batch) {
  const Instant now = loop.now();
  for (const UdpReceived& datagram : batch) stack.receive(channel, datagram.from, datagram.data, now);
  turn.run(now);
}

void ClientHost::Impl::send(coaps::ClientOutgoing&& out) {
  const SocketKey key{out.channel, out.to.is_v4()};
  auto found = sockets.find(key);
  if (found == sockets.end()) {
    const Address any = key.v4 ? Address::v4(0, 0, 0, 0, 0) : Address{};
    // A connection's socket carries one peer's traffic: small buffers, or thousands of them would be many megabytes.
    UdpOptions options;
    if (out.channel != coaps::plain_channel) {
      options.batch = 4;
      options.receive_buffer = 64 * 1024;
    }
    auto socket = UdpSocket::bind(
        loop, any, [this, channel = out.channel](std::span<const UdpReceived> batch) { on_batch(channel, batch); },
        options);
    if (!socket) return;  // lost, as on a network: the peer's silence ends the exchange
    found = sockets.emplace(key, std::move(*socket)).first;
  }
  found->second->send(out.to, Address{}, std::move(out.datagram));
  if (touched.empty() || touched.back() != found->second.get()) touched.push_back(found->second.get());
}

void ClientHost::Impl::flush() {
  for (UdpSocket* socket : touched) socket->flush();
  touched.clear();
  // Two more than the connections may be there for plain CoAP.
  if (sockets.size() > stack.connection_count()) {
    std::erase_if(sockets, [this](const auto& entry) { return !stack.channel_in_use(entry.first.channel); });
  }
}

ClientHost::ClientHost(EventLoop& loop, coaps::ClientStack& stack, Application& application)
    : impl_(std::make_unique<Impl>(loop, stack, application)) {}
ClientHost::~ClientHost() = default;

void ClientHost::wake() { impl_->turn.run(impl_->loop.now()); }

Address ClientHost::local_address(coaps::Channel channel, const Address& remote) const {
  const auto found = impl_->sockets.find({channel, remote.is_v4()});
  if (found == impl_->sockets.end()) return {};
  const Address& bound = found->second->local_address();
  if (!bound.is_unspecified()) return bound;
  Address local = source_towards(remote);
  local.port = bound.port;
  return local;
}

UdpSocket::Counters ClientHost::counters() const {
  UdpSocket::Counters sum;
  for (const auto& [key, socket] : impl_->sockets) {
    const auto& one = socket->counters();
    sum.datagrams_in += one.datagrams_in;
    sum.datagrams_out += one.datagrams_out;
    sum.octets_in += one.octets_in;
    sum.octets_out += one.octets_out;
    sum.truncated += one.truncated;
    sum.queue_dropped += one.queue_dropped;
    sum.send_errors += one.send_errors;
    sum.receive_errors += one.receive_errors;
    sum.calls_in += one.calls_in;
    sum.calls_out += one.calls_out;
  }
  return sum;
}

std::size_t ClientHost::socket_count() const { return impl_->sockets.size(); }

}  // namespace aceward::net
