#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <thread>

#include "aceward/net/local_socket.h"
#include "aceward/net/local_stream.h"
#include "aceward/net/reasons.h"

namespace aceward::net {
namespace {

struct ClosedAtEnd {
  int descriptor;
  ClosedAtEnd(const ClosedAtEnd&) = delete;
  ClosedAtEnd& operator=(const ClosedAtEnd&) = delete;
  explicit ClosedAtEnd(int descriptor_in) : descriptor(descriptor_in) {}
  ~ClosedAtEnd() {
    if (descriptor >= 0) ::close(descriptor);
  }
};

using Deadline = std::chrono::steady_clock::time_point;

bool wait_for(int descriptor, short events, Deadline deadline) {
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) return false;
    pollfd entry{descriptor, events, 0};
    const int count = ::poll(&entry, 1, static_cast<int>(left.count()));
    if (count > 0) return true;
    if (count == 0 || errno != EINTR) return false;
  }
}

bool write_all(int descriptor, std::string_view text, Deadline deadline) {
  while (!text.empty()) {
    if (!wait_for(descriptor, POLLOUT, deadline)) return false;
    const ssize_t count = ::send(descriptor, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (count <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

}  // namespace

int connect_local(const std::string& path) {
  sockaddr_un name{};
  if (path.size() >= sizeof name.sun_path) {
    errno = ENAMETOOLONG;
    return -1;
  }
  name.sun_family = AF_UNIX;
  std::memcpy(name.sun_path, path.data(), path.size());
  const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (descriptor < 0) return -1;
  if (::connect(descriptor, reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0 ||
      ::fcntl(descriptor, F_SETFL, 0) != 0) {
    const int error = errno;
    ::close(descriptor);
    errno = error;
    return -1;
  }
  return descriptor;
}

Result<std::string> ask_local(const std::string& path, std::string_view request, std::chrono::milliseconds timeout) {
  if (request.size() > local_line_limit || request.find('\n') != std::string_view::npos) {
    return fail(reason::local_message_too_large, "request");
  }
  const Deadline deadline = std::chrono::steady_clock::now() + timeout;
  int connected = connect_local(path);
  // A listener that does not come to accept is waited for, but no longer than for anything else.
  while (connected < 0 && errno == EAGAIN && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    connected = connect_local(path);
  }
  const ClosedAtEnd stream(connected);
  if (stream.descriptor < 0) return fail(reason::local_server_unreachable, "connect");
  if (!write_all(stream.descriptor, std::string(request) + "\n", deadline)) {
    return fail(reason::local_server_unreachable, "write");
  }
  std::string reply;
  std::array<char, 4096> piece{};
  while (true) {
    if (!wait_for(stream.descriptor, POLLIN, deadline))
      return fail(reason::local_server_unreachable, "no reply in time");
    const ssize_t count = ::recv(stream.descriptor, piece.data(), piece.size(), MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (count <= 0) return fail(reason::local_server_unreachable, "closed without a reply");
    reply.append(piece.data(), static_cast<std::size_t>(count));
    if (const auto end = reply.find('\n'); end != std::string::npos) {
      reply.resize(end);
      return reply;
    }
    if (reply.size() > local_line_limit) return fail(reason::local_message_too_large, "reply");
  }
}

}  // namespace aceward::net
