#include "aceward/net/service_notify.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <filesystem>

namespace aceward::net {
namespace {

/// What a service manager has: a datagram socket with a name in the file system, or an abstract one.
class Manager {
 public:
  explicit Manager(std::string name) : name_(std::move(name)), descriptor_(::socket(AF_UNIX, SOCK_DGRAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name_.data(), name_.size());
    const bool is_abstract = name_.front() == '@';
    if (is_abstract) address.sun_path[0] = '\0';
    const auto length = offsetof(sockaddr_un, sun_path) + name_.size() + (is_abstract ? 0 : 1);
    bound_ = ::bind(descriptor_, reinterpret_cast<const sockaddr*>(&address), static_cast<socklen_t>(length)) == 0;
  }
  ~Manager() {
    ::close(descriptor_);
    if (name_.front() == '/') ::unlink(name_.c_str());
  }
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;

  bool is_bound() const { return bound_; }
  /// Empty when nothing waits: a datagram to a local socket is there when the call that sends it returns.
  std::string next() {
    std::array<char, 2048> text{};
    const ssize_t size = ::recv(descriptor_, text.data(), text.size(), MSG_DONTWAIT);
    return size < 0 ? "" : std::string(text.data(), static_cast<std::size_t>(size));
  }

 private:
  std::string name_;
  int descriptor_;
  bool bound_ = false;
};

std::string unique_name(const char* prefix) { return prefix + std::to_string(::getpid()); }

TEST(ServiceNotifier, TellsASocketInTheFileSystemAndAnAbstractOne) {
  for (const std::string& name :
       {(std::filesystem::temp_directory_path() / unique_name("aceward-notify-")).string(), unique_name("@aceward-")}) {
    Manager manager(name);
    ASSERT_TRUE(manager.is_bound()) << name;
    ServiceNotifier notifier(name);
    EXPECT_TRUE(notifier.is_active());
    notifier.ready("serving");
    EXPECT_EQ(manager.next(), "READY=1\nSTATUS=serving");
    notifier.stopping("draining");
    EXPECT_EQ(manager.next(), "STOPPING=1\nSTATUS=draining");
    notifier.alive();
    EXPECT_EQ(manager.next(), "WATCHDOG=1");
    ManualClock clock;
    notifier.reloading(clock);
    EXPECT_EQ(manager.next(), "RELOADING=1\nMONOTONIC_USEC=3600000000");
    EXPECT_EQ(manager.next(), "");
  }
}

TEST(ServiceNotifier, AStatusStaysOneLineOfBoundedLength) {
  const std::string name = unique_name("@aceward-status-");
  Manager manager(name);
  ServiceNotifier notifier(name);
  notifier.status("one\nREADY=1");
  EXPECT_EQ(manager.next(), "STATUS=one READY=1");
  notifier.status(std::string(5000, 'x'));
  EXPECT_EQ(manager.next().size(), 7U + 512U);
}

TEST(ServiceNotifier, NobodyToTellIsNoFault) {
  for (const std::string& name : {std::string(), std::string("relative"), std::string("@"), std::string(200, '/')}) {
    ServiceNotifier notifier(name);
    EXPECT_FALSE(notifier.is_active()) << name;
    notifier.ready("serving");
  }
  ServiceNotifier gone("@aceward-nobody-listens");
  EXPECT_TRUE(gone.is_active());
  gone.ready("serving");
}

TEST(ServiceNotifier, TakesTheEnvironmentAndLeavesNothingOfIt) {
  const std::string pid = std::to_string(::getpid());
  ::setenv("NOTIFY_SOCKET", "@aceward-environment", 1);
  ::setenv("WATCHDOG_USEC", "30000000", 1);
  ::setenv("WATCHDOG_PID", pid.c_str(), 1);
  const ServiceNotifier notifier = ServiceNotifier::from_environment();
  EXPECT_TRUE(notifier.is_active());
  EXPECT_EQ(notifier.watchdog(), std::chrono::seconds(30));
  for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) EXPECT_EQ(std::getenv(name), nullptr);

  ::setenv("WATCHDOG_USEC", "30000000", 1);
  ::setenv("WATCHDOG_PID", "1", 1);
  EXPECT_FALSE(ServiceNotifier::from_environment().watchdog()) << "another process is meant";
  ::setenv("WATCHDOG_USEC", "soon", 1);
  EXPECT_FALSE(ServiceNotifier::from_environment().watchdog());
}

}  // namespace
}  // namespace aceward::net
