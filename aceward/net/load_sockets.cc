#include "aceward/net/load_sockets.h"

#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "aceward/net/reasons.h"
#include "aceward/net/socket_address.h"

namespace aceward::net {
namespace {

constexpr std::size_t events_at_once = 256;
constexpr std::size_t largest_datagram = 65'535;
constexpr unsigned long timer_slack = 1'000;  ///< nanoseconds; the system's default would let a wait last 50 us longer

void raise_file_limit(std::size_t wanted) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) return;
  limit.rlim_cur = std::min<rlim_t>(wanted, limit.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

LoadSockets::~LoadSockets() {
  for (const int socket : sockets_) ::close(socket);
  if (epoll_ >= 0) ::close(epoll_);
}

Result<std::unique_ptr<LoadSockets>> LoadSockets::open(const Address& server, std::size_t count) {
  constexpr std::size_t files_besides = 64;
  raise_file_limit(count + files_besides);
  ::prctl(PR_SET_TIMERSLACK, timer_slack);
  std::unique_ptr<LoadSockets> all(new LoadSockets);
  all->buffer_.resize(largest_datagram);
  all->epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  if (all->epoll_ < 0) return fail(reason::socket_failed, "epoll");
  const sa_family_t family = server.is_v4() ? AF_INET : AF_INET6;
  const SocketAddress name = to_socket_address(server, family);
  for (std::size_t i = 0; i < count; ++i) {
    const int socket = ::socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (socket < 0) return fail(reason::socket_failed, "socket");
    all->sockets_.push_back(socket);
    if (::connect(socket, name.get(), name.length) != 0) return fail(reason::socket_failed, "connect");
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = i;
    if (::epoll_ctl(all->epoll_, EPOLL_CTL_ADD, socket, &event) != 0) return fail(reason::socket_failed, "epoll");
  }
  return all;
}

Address LoadSockets::local_address(std::size_t index) const {
  SocketAddress name;
  name.length = sizeof name.storage;
  if (::getsockname(sockets_[index], name.get(), &name.length) != 0) return {};
  return from_socket_address(name.get());
}

void LoadSockets::send(std::size_t index, BytesView datagram) {
  // An error that an earlier datagram met is told once, in place of sending: hence the second try.
  for (int attempt = 0; attempt < 2; ++attempt) {
    if (::send(sockets_[index], datagram.data(), datagram.size(), MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) {
      ++counters_.datagrams_out;
      counters_.octets_out += datagram.size();
      return;
    }
    if (errno != ECONNREFUSED) break;
    ++counters_.refused;
  }
  ++counters_.send_errors;
}

void LoadSockets::wait(std::chrono::nanoseconds at_most, const OnDatagram& on_datagram) {
  std::array<epoll_event, events_at_once> events{};
  const auto held = std::max(at_most, std::chrono::nanoseconds(0));
  timespec time{};
  time.tv_sec = static_cast<time_t>(held.count() / 1'000'000'000);
  time.tv_nsec = static_cast<long>(held.count() % 1'000'000'000);
  const int count = ::epoll_pwait2(epoll_, events.data(), static_cast<int>(events.size()), &time, nullptr);
  for (int i = 0; i < count; ++i) {
    const std::size_t index = events[static_cast<std::size_t>(i)].data.u64;
    const auto length = ::recv(sockets_[index], buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    if (length < 0) {
      if (errno == ECONNREFUSED) ++counters_.refused;
      continue;
    }
    ++counters_.datagrams_in;
    counters_.octets_in += static_cast<std::uint64_t>(length);
    on_datagram(index, BytesView(buffer_).first(static_cast<std::size_t>(length)));
  }
}

}  // namespace aceward::net
