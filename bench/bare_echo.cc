// A server that does nothing but the system calls: recvmmsg and sendmmsg, and an epoll to sleep in.
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cstdio>
#include <cstring>

#include "bench/harness.h"
#include "bench/serve.h"

namespace aceward::bench {

namespace {

constexpr std::size_t batch_size = 64;
constexpr std::size_t largest = 2048;
constexpr std::size_t answered_head = 12;  ///< the header and a token of 8 octets

struct Batch {
  std::array<std::array<char, largest>, batch_size> octets{};
  std::array<iovec, batch_size> vectors{};
  std::array<sockaddr_in, batch_size> names{};
  std::array<mmsghdr, batch_size> headers{};

  void prepare() {
    for (std::size_t i = 0; i < batch_size; ++i) {
      vectors[i] = {octets[i].data(), largest};
      headers[i].msg_hdr = {};
      headers[i].msg_hdr.msg_name = &names[i];
      headers[i].msg_hdr.msg_namelen = sizeof names[i];
      headers[i].msg_hdr.msg_iov = &vectors[i];
      headers[i].msg_hdr.msg_iovlen = 1;
    }
  }

  /// Makes each datagram a CoAP acknowledgement with 2.05, the token and the payload, so that the load generator can
  /// check it; as few instructions as that takes.
  void answer(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      char* const out = octets[i].data();
      out[0] = static_cast<char>((out[0] & 0x4f) | 0x20);
      out[1] = 0x45;
      out[answered_head] = static_cast<char>(0xff);
      std::memcpy(out + answered_head + 1, served_payload.data(), served_payload.size());
      vectors[i].iov_len = answered_head + 1 + served_payload.size();
    }
  }
};

}  // namespace

int bare_echo() {
  const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof name;
  const int buffer = 1 << 20;
  if (socket < 0 || ::setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer) != 0 ||
      ::bind(socket, reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0 ||
      ::getsockname(socket, reinterpret_cast<sockaddr*>(&name), &length) != 0) {
    give_up("no socket");
  }
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  epoll_event wanted{};
  wanted.events = EPOLLIN;
  if (epoll < 0 || ::epoll_ctl(epoll, EPOLL_CTL_ADD, socket, &wanted) != 0) give_up("no epoll");
  std::printf("%u\n", ntohs(name.sin_port));
  std::fflush(stdout);
  static Batch batch;
  while (true) {
    epoll_event event{};
    if (::epoll_wait(epoll, &event, 1, -1) < 1) continue;
    batch.prepare();
    const int count = ::recvmmsg(socket, batch.headers.data(), batch_size, MSG_DONTWAIT, nullptr);
    if (count < 1) continue;
    batch.answer(static_cast<std::size_t>(count));
    for (int sent = 0; sent < count;) {
      const int now = ::sendmmsg(socket, batch.headers.data() + sent, static_cast<unsigned>(count - sent), 0);
      sent += now < 1 ? 1 : now;
    }
  }
}

}  // namespace aceward::bench
