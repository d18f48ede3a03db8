#include "aceward/net/listeners.h"

#include <utility>

namespace aceward::net {

Result<Address> Listeners::listen(EventLoop& loop, int kind, const Address& address, UdpSocket::OnBatch on_batch,
                                  UdpOptions options) {
  auto socket = ACEWARD_TRY(UdpSocket::bind(loop, address, std::move(on_batch), options));
  const Address bound = socket->local_address();
  listeners_.push_back({kind, std::move(socket)});
  return bound;
}

void Listeners::send(int kind, const Address& to, const Address& local, BytesView datagram) {
  UdpSocket* chosen = nullptr;
  for (const Listener& listener : listeners_) {
    if (listener.kind != kind) continue;
    const Address& bound = listener.socket->local_address();
    if (bound == local) {
      chosen = listener.socket.get();
      break;
    }
    const bool covers = bound.port == local.port && bound.is_unspecified() && (!bound.is_v4() || local.is_v4());
    if (covers || chosen == nullptr) chosen = listener.socket.get();
  }
  if (chosen != nullptr) chosen->send(to, local, datagram);
}

void Listeners::flush() {
  for (const Listener& listener : listeners_) listener.socket->flush();
}

std::vector<UdpSocket::Counters> Listeners::counters() const {
  std::vector<UdpSocket::Counters> out;
  for (const Listener& listener : listeners_) out.push_back(listener.socket->counters());
  return out;
}

}  // namespace aceward::net
