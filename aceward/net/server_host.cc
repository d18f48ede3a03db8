#include "aceward/net/server_host.h"

namespace aceward::net {
namespace {

struct Listener {
  coaps::ListenerKind kind;
  std::unique_ptr<UdpSocket> socket;
};

}  // namespace

struct ServerHost::Impl {
  Impl(EventLoop& loop_in, coaps::ServerStack& stack_in, Application& application_in)
      : loop(loop_in), stack(stack_in), application(application_in), timer(loop_in, [this] { on_timer(); }) {}

  void on_batch(coaps::ListenerKind kind, std::span<const UdpReceived> batch);
  void on_timer();
  void turn(Instant now);
  void send(coaps::ServerOutgoing&& out);
  Listener* listener_for(coaps::ListenerKind kind, const Address& local);

  EventLoop& loop;
  coaps::ServerStack& stack;
  Application& application;
  Timer timer;
  std::vector<Listener> listeners;
  bool in_turn = false;
  bool once_more = false;
};

void ServerHost::Impl::on_batch(coaps::ListenerKind kind, std::span<const UdpReceived> batch) {
  const Instant now = loop.now();
  for (const UdpReceived& datagram : batch) stack.receive(kind, datagram.from, datagram.local, datagram.data, now);
  turn(now);
}

void ServerHost::Impl::on_timer() {
  const Instant now = loop.now();
  stack.on_timeout(now);
  application.on_timeout(now);
  turn(now);
}

void ServerHost::Impl::turn(Instant now) {
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
  for (Listener& listener : listeners) listener.socket->flush();
  auto next = stack.next_timeout();
  const auto of_application = application.next_timeout();
  if (of_application && (!next || *of_application < *next)) next = of_application;
  if (next) {
    timer.set(*next);
  } else {
    timer.cancel();
  }
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

void ServerHost::wake() { impl_->turn(impl_->loop.now()); }

std::vector<UdpSocket::Counters> ServerHost::counters() const {
  std::vector<UdpSocket::Counters> out;
  for (const Listener& listener : impl_->listeners) out.push_back(listener.socket->counters());
  return out;
}

}  // namespace aceward::net
