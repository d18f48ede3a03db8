#include "aceward/net/coaps/server_host.h"

#include "aceward/net/host_turn.h"

namespace aceward::net {
namespace {

struct Listener {
  coaps::ListenerKind kind;
  std::unique_ptr<UdpSocket> socket;
};

}  // namespace

struct ServerHost::Impl {
  Impl(EventLoop& loop_in, coaps::ServerStack& stack_in, Application& application_in)
      : loop(loop_in),
        stack(stack_in),
        turn(
            loop_in, stack_in, application_in, [this](coaps::ServerOutgoing&& out) { send(std::move(out)); },
            [this] { flush(); }) {}

  void on_batch(coaps::ListenerKind kind, std::span<const UdpReceived> batch);
  void send(coaps::ServerOutgoing&& out);
  void flush();
  Listener* listener_for(coaps::ListenerKind kind, const Address& local);

  EventLoop& loop;
  coaps::ServerStack& stack;
  HostTurn<coaps::ServerStack> turn;
  std::vector<Listener> listeners;
};

void ServerHost::Impl::on_batch(coaps::ListenerKind kind, std::span<const UdpReceived> batch) {
  const Instant now = loop.now();
  for (const UdpReceived& datagram : batch) stack.receive(kind, datagram.from, datagram.local, datagram.data, now);
  turn.run(now);
}

Listener* ServerHost::Impl::listener_for(coaps::ListenerKind kind, const Address& local) {
  Listener* fallback = nullptr;
  for (Listener& listener : listeners) {
    if (listener.kind != kind) continue;
    const Address& bound = listener.socket->local_address();
    if (bound == local) return &listener;
    if (bound.port == local.port && bound.is_unspecified() && (!bound.is_v4() || local.is_v4())) fallback = &listener;
    if (fallback == nullptr) fallback = &listener;
  }
  return fallback;
}

void ServerHost::Impl::send(coaps::ServerOutgoing&& out) {
  Listener* listener = listener_for(out.kind, out.local);
  if (listener != nullptr) listener->socket->send(out.to, out.local, std::move(out.datagram));
}

void ServerHost::Impl::flush() {
  for (Listener& listener : listeners) listener.socket->flush();
}

ServerHost::ServerHost(EventLoop& loop, coaps::ServerStack& stack, Application& application)
    : impl_(std::make_unique<Impl>(loop, stack, application)) {}
ServerHost::~ServerHost() = default;

Result<Address> ServerHost::listen(coaps::ListenerKind kind, const Address& address, UdpOptions options) {
  auto socket = ACEWARD_TRY(UdpSocket::bind(
      impl_->loop, address,
      [impl = impl_.get(), kind](std::span<const UdpReceived> batch) { impl->on_batch(kind, batch); }, options));
  const Address bound = socket->local_address();
  impl_->listeners.push_back({kind, std::move(socket)});
  return bound;
}

void ServerHost::wake() { impl_->turn.run(impl_->loop.now()); }

std::vector<UdpSocket::Counters> ServerHost::counters() const {
  std::vector<UdpSocket::Counters> out;
  for (const Listener& listener : impl_->listeners) out.push_back(listener.socket->counters());
  return out;
}

}  // namespace aceward::net
