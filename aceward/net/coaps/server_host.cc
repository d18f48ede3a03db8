#include "aceward/net/coaps/server_host.h"

#include "aceward/net/host_turn.h"
#include "aceward/net/listeners.h"

namespace aceward::net {

struct ServerHost::Impl {
  Impl(EventLoop& loop_in, coaps::ServerStack& stack_in, Application& application_in)
      : loop(loop_in),
        stack(stack_in),
        turn(
            loop_in, stack_in, application_in,
            [this](coaps::ServerOutgoing&& out) {
              listeners.send(static_cast<int>(out.kind), out.to, out.local, out.datagram);
            },
            [this] { listeners.flush(); }) {}

  void on_batch(coaps::ListenerKind kind, std::span<const UdpReceived> batch);

  EventLoop& loop;
  coaps::ServerStack& stack;
  HostTurn<coaps::ServerStack> turn;
  Listeners listeners;
  bool receives = true;
};

void ServerHost::Impl::on_batch(coaps::ListenerKind kind, std::span<const UdpReceived> batch) {
  if (!receives) return;
  const Instant now = loop.now();
  for (const UdpReceived& datagram : batch) stack.receive(kind, datagram.from, datagram.local, datagram.data, now);
  turn.run(now);
}

ServerHost::ServerHost(EventLoop& loop, coaps::ServerStack& stack, Application& application)
    : impl_(std::make_unique<Impl>(loop, stack, application)) {}
ServerHost::~ServerHost() = default;

Result<Address> ServerHost::listen(coaps::ListenerKind kind, const Address& address, UdpOptions options) {
  return impl_->listeners.listen(
      impl_->loop, static_cast<int>(kind), address,
      [impl = impl_.get(), kind](std::span<const UdpReceived> batch) { impl->on_batch(kind, batch); }, options);
}

void ServerHost::wake() { impl_->turn.run(impl_->loop.now()); }

void ServerHost::stop_receiving() { impl_->receives = false; }

std::vector<UdpSocket::Counters> ServerHost::counters() const { return impl_->listeners.counters(); }

}  // namespace aceward::net
