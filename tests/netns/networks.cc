#include "tests/netns/networks.h"

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>

namespace aceward::netns {
namespace {

int current_network() { return ::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC); }

/// In the namespaces of the calling thread. False if it failed or there is no such program.
bool run(const std::string& command) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::execl("/bin/sh", "sh", "-e", "-c", command.c_str(), nullptr);
    ::_exit(127);
  }
  int status = 0;
  return child > 0 && ::waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void write_line(const char* path, const std::string& line) { std::ofstream(path) << line << '\n'; }

/// Whoever is not root becomes so within a user namespace.
bool may_make_networks() {
  if (::geteuid() == 0) return true;
  const auto user = std::to_string(::geteuid());
  const auto group = std::to_string(::getegid());
  if (::unshare(CLONE_NEWUSER) != 0) return false;
  write_line("/proc/self/setgroups", "deny");
  write_line("/proc/self/uid_map", "0 " + user + " 1");
  write_line("/proc/self/gid_map", "0 " + group + " 1");
  return true;
}

constexpr const char* of_server = R"(
ip link set lo up
ip link set cable0 up
for a in 10.9.0.1/24 10.9.0.2/24; do ip addr add $a dev cable0; done
for a in 2001:db8:9::1/64 2001:db8:9::2/64 fe80::9:1/64 fe80::9:2/64; do ip -6 addr add $a dev cable0 nodad; done
ip addr add 10.9.1.1/32 dev lo
ip -6 addr add 2001:db8:9:1::1/128 dev lo nodad
)";

constexpr const char* of_client = R"(
ip link set lo up
ip link set cable1 up
ip addr add 10.9.0.100/24 dev cable1
for a in 2001:db8:9::100/64 fe80::9:100/64; do ip -6 addr add $a dev cable1 nodad; done
ip route add 10.9.1.0/24 via 10.9.0.1
ip -6 route add 2001:db8:9:1::/64 via 2001:db8:9::1
)";

}  // namespace

std::unique_ptr<TwoHosts> TwoHosts::make(std::string& why) {
  if (!run("command -v ip >/dev/null")) {
    why = "there is no `ip` (Debian: iproute2)";
    return nullptr;
  }
  std::unique_ptr<TwoHosts> hosts(new TwoHosts);
  hosts->before_ = current_network();
  if (!may_make_networks() || ::unshare(CLONE_NEWNET) != 0) {
    why = std::string("no network namespace can be made: ") + std::strerror(errno);
    return nullptr;
  }
  hosts->server_ = current_network();
  if (!run("ip link add cable0 type veth peer name cable1")) {
    why = "the system has no virtual Ethernet pairs";
    return nullptr;
  }
  if (::unshare(CLONE_NEWNET) != 0) {
    why = std::string("no second network namespace can be made: ") + std::strerror(errno);
    return nullptr;
  }
  hosts->client_ = current_network();
  // The process is on the client's host now, so its number names that host.
  bool done = false;
  hosts->on_server([&] {
    const std::string place = "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(hosts->client_);
    done = run("ip link set cable1 netns " + place) && run(of_server);
  });
  if (!done || !run(of_client)) {
    why = "`ip` could not set the addresses";
    return nullptr;
  }
  return hosts;
}

TwoHosts::~TwoHosts() {
  // In a user namespace of our own there is no way back; the process ends soon anyway.
  if (before_ >= 0) static_cast<void>(::setns(before_, CLONE_NEWNET));
  for (const int descriptor : {before_, server_, client_}) {
    if (descriptor >= 0) ::close(descriptor);
  }
}

void TwoHosts::on_server(const std::function<void()>& work) const {
  if (::setns(server_, CLONE_NEWNET) != 0) std::abort();
  work();
  if (::setns(client_, CLONE_NEWNET) != 0) std::abort();
}

unsigned TwoHosts::client_interface() const { return ::if_nametoindex("cable1"); }

}  // namespace aceward::netns
