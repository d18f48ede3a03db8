#include "aceward/net/service_notify.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace aceward::net {
namespace {

/// A status is one line: a line break would begin another assignment.
constexpr std::size_t longest_status = 512;

std::string status_line(std::string_view status) {
  std::string line = "STATUS=";
  for (const char c : status.substr(0, longest_status)) line += c == '\n' ? ' ' : c;
  return line;
}

std::optional<std::int64_t> number_in(const char* name) {
  const char* text = std::getenv(name);
  if (text == nullptr) return std::nullopt;
  std::int64_t number = 0;
  const char* end = text + std::strlen(text);
  const auto [stopped, error] = std::from_chars(text, end, number);
  if (error != std::errc() || stopped != end || number <= 0) return std::nullopt;
  return number;
}

}  // namespace

ServiceNotifier::ServiceNotifier(std::string_view socket) : socket_(socket) {
  const bool has_form = socket.size() > 1 && (socket[0] == '/' || socket[0] == '@');
  if (!has_form || socket.size() >= sizeof(sockaddr_un::sun_path)) return;
  descriptor_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

ServiceNotifier::~ServiceNotifier() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

ServiceNotifier::ServiceNotifier(ServiceNotifier&& other) noexcept
    : socket_(std::move(other.socket_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      watchdog_(other.watchdog_) {}

ServiceNotifier& ServiceNotifier::operator=(ServiceNotifier&& other) noexcept {
  std::swap(socket_, other.socket_);
  std::swap(descriptor_, other.descriptor_);
  std::swap(watchdog_, other.watchdog_);
  return *this;
}

ServiceNotifier ServiceNotifier::from_environment() {
  const char* socket = std::getenv("NOTIFY_SOCKET");
  ServiceNotifier notifier(socket == nullptr ? std::string_view() : std::string_view(socket));
  const auto pid = number_in("WATCHDOG_PID");
  const auto interval = number_in("WATCHDOG_USEC");
  if (interval && (!pid || *pid == ::getpid())) notifier.watchdog_ = std::chrono::microseconds(*interval);
  for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC"}) ::unsetenv(name);
  return notifier;
}

void ServiceNotifier::ready(std::string_view status) { send("READY=1\n" + status_line(status)); }

void ServiceNotifier::reloading(const Clock& clock) {
  // The clock's origin is that of CLOCK_MONOTONIC, which steady clocks go by here.
  const auto now = std::chrono::duration_cast<std::chrono::microseconds>(clock.now().time_since_epoch());
  send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(now.count()));
}

void ServiceNotifier::stopping(std::string_view status) { send("STOPPING=1\n" + status_line(status)); }
void ServiceNotifier::status(std::string_view status) { send(status_line(status)); }
void ServiceNotifier::alive() { send("WATCHDOG=1"); }

void ServiceNotifier::send(std::string_view assignments) {
  if (descriptor_ < 0) return;
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  std::memcpy(name.sun_path, socket_.data(), socket_.size());
  // An abstract name begins with a zero octet and has no end mark; a path ends with one.
  const bool is_abstract = socket_.front() == '@';
  if (is_abstract) name.sun_path[0] = '\0';
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size() + (is_abstract ? 0 : 1));
  static_cast<void>(::sendto(descriptor_, assignments.data(), assignments.size(), MSG_NOSIGNAL,
                             reinterpret_cast<const sockaddr*>(&name), length));
}

}  // namespace aceward::net
