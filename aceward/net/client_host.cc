#include "aceward/net/client_host.h"

#include <compare>
#include <map>
#include <span>
#include <vector>

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
      : loop(loop_in), stack(stack_in), application(application_in), timer(loop_in, [this] { on_timer(); }) {}

  void on_batch(coaps::Channel channel, std::span<const UdpReceived> batch);
  void on_timer();
  void turn(Instant now);
  void send(coaps::ClientOutgoing&& out);

  EventLoop& loop;
  coaps::ClientStack& stack;
  Application& application;
  Timer timer;
  std::map<SocketKey, std::unique_ptr<UdpSocket>> sockets;
  std::vector<UdpSocket*> touched;
  bool in_turn = false;
  bool once_more = false;
};

void ClientHost::Impl::on_batch(coaps::Channel channel, std::span<const UdpReceived> batch) {
  const Instant now = loop.now();
  for (const UdpReceived& datagram : batch) stack.receive(channel, datagram.from, datagram.data, now);
  turn(now);
}

void ClientHost::Impl::on_timer() {
  const Instant now = loop.now();
  stack.on_timeout(now);
  application.on_timeout(now);
  turn(now);
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

void ClientHost::Impl::turn(Instant now) {
  if (in_turn) {  // wake() was called from inside pump()
    once_more = true;
    return;
  }
  in_turn = true;
  do {
    once_more = false;
    application.pump(now);
    while (auto out = stack.next_datagram(now)) send(std::move(*out));
  } while (once_more);
  in_turn = false;
  for (UdpSocket* socket : touched) socket->flush();
  touched.clear();
  // Two more than the connections may be there for plain CoAP.
  if (sockets.size() > stack.connection_count()) {
    std::erase_if(sockets, [this](const auto& entry) { return !stack.channel_in_use(entry.first.channel); });
  }
  auto next = stack.next_timeout();
  const auto of_application = application.next_timeout();
  if (of_application && (!next || *of_application < *next)) next = of_application;
  if (next) {
    timer.set(*next);
  } else {
    timer.cancel();
  }
}

ClientHost::ClientHost(EventLoop& loop, coaps::ClientStack& stack, Application& application)
    : impl_(std::make_unique<Impl>(loop, stack, application)) {}
ClientHost::~ClientHost() = default;

void ClientHost::wake() { impl_->turn(impl_->loop.now()); }

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
