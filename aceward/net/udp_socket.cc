#include "aceward/net/udp_socket.h"

#include <fcntl.h>
#include <unistd.h>

#include <asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <cstring>
#include <vector>

#include "aceward/net/event_loop_impl.h"
#include "aceward/net/reasons.h"
#include "aceward/net/socket_address.h"

namespace aceward::net {
namespace {

constexpr int rounds_per_turn = 8;  ///< then other sockets and timers get their turn
constexpr std::size_t control_size = CMSG_SPACE(sizeof(in6_pktinfo)) + CMSG_SPACE(sizeof(in_pktinfo));

struct Descriptor {
  int number = -1;
  Descriptor() = default;
  explicit Descriptor(int number_in) : number(number_in) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number >= 0) ::close(number);
  }
  int release() { return std::exchange(number, -1); }
};

bool set_option(int socket, int level, int name, int value) {
  return ::setsockopt(socket, level, name, &value, sizeof value) == 0;
}

/// The address that a datagram was sent to, from its ancillary data; the socket's own where there is none.
Address local_of(const msghdr& message, const Address& bound) {
  Address local = bound;
  for (cmsghdr* control = CMSG_FIRSTHDR(&message); control != nullptr;
       control = CMSG_NXTHDR(const_cast<msghdr*>(&message), control)) {
    if (control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_PKTINFO) {
      in_pktinfo info{};
      std::memcpy(&info, CMSG_DATA(control), sizeof info);
      local = from_in_addr(info.ipi_addr);
    } else if (control->cmsg_level == IPPROTO_IPV6 && control->cmsg_type == IPV6_PKTINFO) {
      in6_pktinfo info{};
      std::memcpy(&info, CMSG_DATA(control), sizeof info);
      local = from_in6_addr(info.ipi6_addr);
      if (is_link_local(local)) local.scope = info.ipi6_ifindex;
    }
  }
  local.port = bound.port;
  return local;
}

struct alignas(cmsghdr) ControlBuffer {
  std::array<std::uint8_t, control_size> octets{};
};

template <class Info>
void put_control(msghdr& message, ControlBuffer& buffer, int level, int type, const Info& info) {
  buffer.octets.fill(0);
  message.msg_control = buffer.octets.data();
  message.msg_controllen = CMSG_SPACE(sizeof info);
  cmsghdr* control = CMSG_FIRSTHDR(&message);
  control->cmsg_level = level;
  control->cmsg_type = type;
  control->cmsg_len = CMSG_LEN(sizeof info);
  std::memcpy(CMSG_DATA(control), &info, sizeof info);
}

}  // namespace

struct UdpSocket::Impl : std::enable_shared_from_this<UdpSocket::Impl> {
  struct Queued {
    Address to;
    Address local;
    std::size_t offset;  ///< in queued_octets
    std::size_t length;
  };

  Impl(EventLoop& loop, sa_family_t family_in, OnBatch on_batch_in, UdpOptions options_in)
      : descriptor(loop.impl().io), family(family_in), on_batch(std::move(on_batch_in)), options(options_in) {}

  void prepare();
  void await_readable();
  void await_writable();
  /// Returns whether there may be more to read.
  bool read_batch();
  void make_ready(std::size_t slot);
  void flush();
  std::size_t queue_length() const { return queue.size() - first_queued; }
  void tidy_queue();
  void put_source(msghdr& message, ControlBuffer& buffer, const Address& local) const;

  asio::posix::stream_descriptor descriptor;
  sa_family_t family;
  OnBatch on_batch;
  UdpOptions options;
  Address bound;
  Counters counters;
  bool closed = false;
  bool waiting_to_write = false;
  // Memory that is used again and again: nothing is allocated for a datagram. What lies before `first_queued` was sent.
  std::vector<Queued> queue;
  std::size_t first_queued = 0;
  Bytes queued_octets;

  std::vector<std::uint8_t> buffer;
  std::vector<iovec> vectors;
  std::vector<mmsghdr> headers;
  std::vector<sockaddr_storage> names;
  std::vector<ControlBuffer> controls;
  std::vector<UdpReceived> received;
  std::vector<mmsghdr> out_headers;
  std::vector<iovec> out_vectors;
  std::vector<SocketAddress> out_names;
  std::vector<ControlBuffer> out_controls;
};

void UdpSocket::Impl::prepare() {
  const std::size_t batch = options.batch;
  buffer.resize(batch * options.datagram_size);
  vectors.resize(batch);
  headers.resize(batch);
  names.resize(batch);
  controls.resize(batch);
  received.reserve(batch);
  out_headers.resize(batch);
  out_vectors.resize(batch);
  out_names.resize(batch);
  out_controls.resize(batch);
  for (std::size_t i = 0; i < batch; ++i) make_ready(i);
}

void UdpSocket::Impl::make_ready(std::size_t slot) {
  vectors[slot] = {buffer.data() + slot * options.datagram_size, options.datagram_size};
  msghdr& message = headers[slot].msg_hdr;
  message = {};
  message.msg_name = &names[slot];
  message.msg_namelen = sizeof names[slot];
  message.msg_iov = &vectors[slot];
  message.msg_iovlen = 1;
  message.msg_control = controls[slot].octets.data();
  message.msg_controllen = controls[slot].octets.size();
}

void UdpSocket::Impl::await_readable() {
  descriptor.async_wait(asio::posix::descriptor_base::wait_read,
                        [weak = weak_from_this()](const asio::error_code& error) {
                          const auto self = weak.lock();
                          if (error || !self || self->closed) return;
                          for (int round = 0; round < rounds_per_turn && self->read_batch(); ++round) {
                          }
                          if (!self->closed) self->await_readable();
                        });
}

bool UdpSocket::Impl::read_batch() {
  const int count = ::recvmmsg(descriptor.native_handle(), headers.data(), static_cast<unsigned>(headers.size()),
                               MSG_DONTWAIT, nullptr);
  ++counters.calls_in;
  if (count < 0) {
    if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) ++counters.receive_errors;
    return false;
  }
  received.clear();
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
    const msghdr& message = headers[i].msg_hdr;
    if ((message.msg_flags & MSG_TRUNC) != 0) {
      ++counters.truncated;
      continue;
    }
    ++counters.datagrams_in;
    counters.octets_in += headers[i].msg_len;
    received.push_back({from_socket_address(reinterpret_cast<const sockaddr*>(&names[i])), local_of(message, bound),
                        BytesView(buffer.data() + i * options.datagram_size, headers[i].msg_len)});
  }
  if (!received.empty()) on_batch(received);
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) make_ready(i);
  return !closed && static_cast<std::size_t>(count) == headers.size();
}

void UdpSocket::Impl::put_source(msghdr& message, ControlBuffer& control, const Address& local) const {
  if (local.is_unspecified()) return;
  if (family == AF_INET) {
    if (!local.is_v4()) return;
    in_pktinfo info{};
    info.ipi_spec_dst = to_in_addr(local);
    put_control(message, control, IPPROTO_IP, IP_PKTINFO, info);
  } else {
    // An IPv4-mapped source is understood here too.
    in6_pktinfo info{};
    info.ipi6_addr = to_in6_addr(local);
    info.ipi6_ifindex = is_link_local(local) ? local.scope : 0;
    put_control(message, control, IPPROTO_IPV6, IPV6_PKTINFO, info);
  }
}

void UdpSocket::Impl::flush() {
  while (queue_length() != 0 && !closed) {
    const std::size_t count = std::min(queue_length(), out_headers.size());
    for (std::size_t i = 0; i < count; ++i) {
      const Queued& item = queue[first_queued + i];
      out_names[i] = to_socket_address(item.to, family);
      out_vectors[i] = {queued_octets.data() + item.offset, item.length};
      msghdr& message = out_headers[i].msg_hdr;
      message = {};
      message.msg_name = out_names[i].get();
      message.msg_namelen = out_names[i].length;
      message.msg_iov = &out_vectors[i];
      message.msg_iovlen = 1;
      put_source(message, out_controls[i], item.local);
    }
    const int sent = ::sendmmsg(descriptor.native_handle(), out_headers.data(), static_cast<unsigned>(count),
                                MSG_DONTWAIT | MSG_NOSIGNAL);
    ++counters.calls_out;
    if (sent > 0) {
      for (int i = 0; i < sent; ++i) counters.octets_out += queue[first_queued++].length;
      counters.datagrams_out += static_cast<std::uint64_t>(sent);
      continue;
    }
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      tidy_queue();
      await_writable();
      return;
    }
    // Only the first of a batch can be at fault; the rest may still go.
    ++counters.send_errors;
    ++first_queued;
  }
  tidy_queue();
}

/// Takes the room of what was sent, unless moving what was not would cost more.
void UdpSocket::Impl::tidy_queue() {
  if (queue_length() == 0) {
    queue.clear();
    queued_octets.clear();
  } else if (first_queued >= queue_length()) {
    const std::size_t sent = queue[first_queued].offset;
    queue.erase(queue.begin(), queue.begin() + static_cast<std::ptrdiff_t>(first_queued));
    queued_octets.erase(queued_octets.begin(), queued_octets.begin() + static_cast<std::ptrdiff_t>(sent));
    for (Queued& item : queue) item.offset -= sent;
  } else {
    return;
  }
  first_queued = 0;
}

void UdpSocket::Impl::await_writable() {
  if (waiting_to_write) return;
  waiting_to_write = true;
  descriptor.async_wait(asio::posix::descriptor_base::wait_write,
                        [weak = weak_from_this()](const asio::error_code& error) {
                          const auto self = weak.lock();
                          if (!self) return;
                          self->waiting_to_write = false;
                          if (!error && !self->closed) self->flush();
                        });
}

UdpSocket::UdpSocket(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

UdpSocket::~UdpSocket() {
  impl_->closed = true;
  asio::error_code ignored;
  impl_->descriptor.close(ignored);
}

Result<std::unique_ptr<UdpSocket>> UdpSocket::bind(EventLoop& loop, const Address& address, OnBatch on_batch,
                                                   UdpOptions options) {
  const sa_family_t family = address.is_v4() ? AF_INET : AF_INET6;
  Descriptor descriptor(::socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (descriptor.number < 0) return fail(reason::socket_failed, "socket");
  if (family == AF_INET6) {
    if (!set_option(descriptor.number, IPPROTO_IPV6, IPV6_V6ONLY, 0) ||
        !set_option(descriptor.number, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1)) {
      return fail(reason::socket_failed, "IPv6 options");
    }
  } else if (!set_option(descriptor.number, IPPROTO_IP, IP_PKTINFO, 1)) {
    return fail(reason::socket_failed, "IPv4 options");
  }
  // The kernel may cap it; that is no failure.
  set_option(descriptor.number, SOL_SOCKET, SO_RCVBUF, options.receive_buffer);
  auto name = to_socket_address(address, family);
  if (::bind(descriptor.number, name.get(), name.length) != 0) return fail(reason::socket_bind_failed);
  SocketAddress bound;
  bound.length = sizeof bound.storage;
  if (::getsockname(descriptor.number, bound.get(), &bound.length) != 0) {
    return fail(reason::socket_failed, "getsockname");
  }
  auto impl = std::make_shared<Impl>(loop, family, std::move(on_batch), options);
  impl->bound = from_socket_address(bound.get());
  impl->prepare();
  asio::error_code error;
  impl->descriptor.assign(descriptor.number, error);
  if (error) return fail(reason::socket_failed, "event loop");
  static_cast<void>(descriptor.release());
  impl->await_readable();
  return std::unique_ptr<UdpSocket>(new UdpSocket(std::move(impl)));
}

const Address& UdpSocket::local_address() const { return impl_->bound; }

void UdpSocket::send(const Address& to, const Address& local, BytesView datagram) {
  if (impl_->queue_length() >= impl_->options.max_queued) {
    ++impl_->counters.queue_dropped;
    return;
  }
  Bytes& octets = impl_->queued_octets;
  impl_->queue.push_back({to, local, octets.size(), datagram.size()});
  octets.insert(octets.end(), datagram.begin(), datagram.end());
}

void UdpSocket::flush() {
  // While the socket is full, its becoming writable does this.
  if (!impl_->waiting_to_write) impl_->flush();
}

const UdpSocket::Counters& UdpSocket::counters() const { return impl_->counters; }

}  // namespace aceward::net
