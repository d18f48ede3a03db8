#include "aceward/net/local_socket.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <thread>
#include <vector>

#include "aceward/net/local_stream.h"
#include "aceward/net/reasons.h"

namespace aceward::net {
namespace {

constexpr std::chrono::seconds line_patience{20};

struct LocalSocketTest : ::testing::Test {
  LocalSocketTest() {
    directory = std::filesystem::temp_directory_path() / ("aceward-local-" + std::to_string(::getpid()));
    std::filesystem::create_directories(directory);
    path = directory / "control";
  }
  ~LocalSocketTest() override { std::filesystem::remove_all(directory); }

  /// Answers with "you said: …".
  std::unique_ptr<LocalServer> echo() {
    return LocalServer::listen(loop, path.string(),
                               [](std::string request, LocalServer::Reply reply) { reply("you said: " + request); })
        .value();
  }
  /// Asks from another thread while the loop runs here.
  Result<std::string> ask(std::string request, std::chrono::milliseconds timeout = line_patience) {
    // Told through the loop: a future is ready only some time after what the thread posts last.
    bool answered = false;
    auto answer = std::async(std::launch::async, [&] {
      auto result = ask_local(path.string(), request, timeout);
      loop.post([&] { answered = true; });
      return result;
    });
    loop.run_until([&] { return answered; }, line_patience);
    return answer.get();
  }

  std::filesystem::path directory;
  std::filesystem::path path;
  EventLoop loop;
};

TEST_F(LocalSocketTest, CarriesALineAndItsReply) {
  const auto server = echo();
  EXPECT_EQ(ask("status").value(), "you said: status");
  EXPECT_EQ(ask("").value(), "you said: ");
  EXPECT_EQ(ask(std::string(200'000, 'x')).value().size(), 200'010U);
}

TEST_F(LocalSocketTest, OnlyTheOwnerMayOpenIt) {
  const auto server = echo();
  struct stat status{};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
}

TEST_F(LocalSocketTest, AReplyMayComeLater) {
  LocalServer::Reply pending;
  const auto server = LocalServer::listen(loop, path.string(), [&](std::string, LocalServer::Reply reply) {
                        pending = std::move(reply);
                        loop.post([&] { pending("late"); });
                      }).value();
  EXPECT_EQ(ask("x").value(), "late");
}

TEST_F(LocalSocketTest, SeveralRequestsOnOneConnectionAreAnsweredInOrder) {
  const auto server = echo();
  const int stream = connect_local(path.string());
  ASSERT_GE(stream, 0);
  ASSERT_EQ(::send(stream, "a\nb\n", 4, MSG_NOSIGNAL), 4);
  std::string got;
  loop.run_until(
      [&] {
        char piece[256];
        const ssize_t count = ::recv(stream, piece, sizeof piece, MSG_DONTWAIT);
        if (count > 0) got.append(piece, static_cast<std::size_t>(count));
        return got.size() >= 24;
      },
      line_patience);
  EXPECT_EQ(got, "you said: a\nyou said: b\n");
  ::close(stream);
}

TEST_F(LocalSocketTest, ALineThatIsTooLongEndsTheConnection) {
  bool asked = false;
  const auto server =
      LocalServer::listen(loop, path.string(), [&](std::string, LocalServer::Reply) { asked = true; }).value();
  const int stream = connect_local(path.string());
  ASSERT_GE(stream, 0);
  const std::string piece(64 * 1024, 'x');
  bool ended = false;
  loop.run_until(
      [&] {
        char octet = 0;
        if (::recv(stream, &octet, 1, MSG_DONTWAIT) == 0) ended = true;
        if (!ended && ::send(stream, piece.data(), piece.size(), MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
          ended = errno == EPIPE || errno == ECONNRESET;
        }
        loop.post([] {});
        return ended;
      },
      line_patience);
  EXPECT_TRUE(ended);
  EXPECT_FALSE(asked);
  ::close(stream);
}

TEST_F(LocalSocketTest, ARequestWithALineBreakIsNotSent) {
  EXPECT_EQ(ask_local(path.string(), "a\nb").error(), reason::local_message_too_large);
  EXPECT_EQ(ask_local(path.string(), std::string(local_line_limit + 1, 'x')).error(), reason::local_message_too_large);
}

TEST_F(LocalSocketTest, AReplyWithALineBreakIsNotSent) {
  const auto server = LocalServer::listen(loop, path.string(), [](std::string, LocalServer::Reply reply) {
                        reply("two\nlines");
                      }).value();
  EXPECT_EQ(ask("x").error(), reason::local_server_unreachable);
}

TEST_F(LocalSocketTest, NobodyListensIsAnError) {
  EXPECT_EQ(ask_local(path.string(), "x").error(), reason::local_server_unreachable);
}

TEST_F(LocalSocketTest, AReplyThatDoesNotComeIsAnError) {
  LocalServer::Reply kept;
  const auto server = LocalServer::listen(loop, path.string(), [&](std::string, LocalServer::Reply reply) {
                        kept = std::move(reply);
                      }).value();
  EXPECT_EQ(ask("x", std::chrono::milliseconds(50)).error(), reason::local_server_unreachable);
}

TEST_F(LocalSocketTest, ASecondServerIsRefused) {
  const auto first = echo();
  const auto second = LocalServer::listen(loop, path.string(), [](std::string, LocalServer::Reply) {});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error(), reason::local_socket_in_use);
  EXPECT_EQ(ask("still").value(), "you said: still");
}

TEST_F(LocalSocketTest, AFileLeftBehindIsReplacedAndRemovedAtTheEnd) {
  {
    // A server that ended without a word leaves its socket file.
    const auto gone = echo();
    std::filesystem::rename(path, directory / "kept");
  }
  std::filesystem::rename(directory / "kept", path);
  {
    const auto server = echo();
    EXPECT_EQ(ask("x").value(), "you said: x");
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(LocalSocketTest, TheFileOfAnotherServerIsNotRemoved) {
  auto first = echo();
  std::filesystem::remove(path);
  const auto second = echo();
  first.reset();
  EXPECT_EQ(ask("x").value(), "you said: x");
}

/// Somebody who listens and never accepts, with a queue that is full.
struct HungListener {
  explicit HungListener(const std::string& path) : listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    path.copy(name.sun_path, sizeof name.sun_path - 1);
    EXPECT_EQ(::bind(listener, reinterpret_cast<const sockaddr*>(&name), sizeof name), 0);
    EXPECT_EQ(::listen(listener, 0), 0);
    for (int stream = connect_local(path); stream >= 0; stream = connect_local(path)) waiting.push_back(stream);
    EXPECT_EQ(errno, EAGAIN);
  }
  ~HungListener() {
    for (const int stream : waiting) ::close(stream);
    ::close(listener);
  }
  int listener;
  std::vector<int> waiting;
};

TEST_F(LocalSocketTest, AServerThatHangsIsNotWaitedForBeyondTheTimeout) {
  const HungListener hung(path.string());
  const auto before = std::chrono::steady_clock::now();
  EXPECT_EQ(ask_local(path.string(), "x", std::chrono::milliseconds(60)).error(), reason::local_server_unreachable);
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(10));
  const auto second = LocalServer::listen(loop, path.string(), [](std::string, LocalServer::Reply) {});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error(), reason::local_socket_in_use);
}

TEST_F(LocalSocketTest, WithoutDescriptorsTheLoopDoesNotSpinAndGoesOnLater) {
  const auto server = echo();
  const int stream = connect_local(path.string());
  ASSERT_GE(stream, 0);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const int next = ::dup(stream);
  ASSERT_GE(next, 0);
  ::close(next);
  rlimit none_left = before;
  none_left.rlim_cur = static_cast<rlim_t>(next);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none_left), 0);
  int turns = 0;
  loop.run_until([&] { return ++turns > 200; }, std::chrono::milliseconds(250));
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_LT(turns, 50);
  ::close(stream);
  EXPECT_EQ(ask("x").value(), "you said: x");
}

TEST_F(LocalSocketTest, AFileThatIsNoSocketStays) {
  std::ofstream(path) << "precious";
  const auto server = LocalServer::listen(loop, path.string(), [](std::string, LocalServer::Reply) {});
  ASSERT_FALSE(server);
  EXPECT_EQ(server.error(), reason::local_socket_failed);
  EXPECT_EQ(std::filesystem::file_size(path), 8U);
}

TEST_F(LocalSocketTest, KnowsWhoAsksAndWhoMayOpenIt) {
  LocalPeer asked_by;
  const auto answer = [&](const LocalPeer& peer, const std::string&, const LocalServer::Reply& reply) {
    asked_by = peer;
    reply("known");
  };
  const auto mode = [&] { return std::filesystem::status(path).permissions(); };
  using enum std::filesystem::perms;
  {
    const auto server = LocalServer::listen(loop, path.string(), {.group = ::getegid()}, answer).value();
    EXPECT_EQ(mode(), owner_read | owner_write | group_read | group_write);
    EXPECT_EQ(ask("who").value(), "known");
    EXPECT_EQ(asked_by.user, ::geteuid());
    EXPECT_EQ(asked_by.group, ::getegid());
    EXPECT_EQ(own_user(), ::geteuid());
  }
  const auto server = LocalServer::listen(loop, path.string(), {.anybody = true}, answer).value();
  EXPECT_EQ(mode(), owner_read | owner_write | group_read | group_write | others_read | others_write);
}

}  // namespace
}  // namespace aceward::net
