// The local control socket: lines of text between `aceward` commands and a running server on the same host.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "aceward/base/result.h"
#include "aceward/net/event_loop.h"

namespace aceward::net {

/// Octets of one line, without its line feed.
inline constexpr std::size_t local_line_limit = 256 * 1024;

/// Who asks, as the kernel knows it (SO_PEERCRED): the process that connected, at the moment it did.
struct LocalPeer {
  std::uint32_t user = 0xffffffff;   ///< uid
  std::uint32_t group = 0xffffffff;  ///< gid
};

/// Who may open the socket. Nobody but the owner, unless told otherwise.
struct LocalAccess {
  std::optional<std::uint32_t> group{};  ///< this gid too: the file belongs to it, mode 0660
  bool anybody = false;                  ///< mode 0666
};

/// The uid that this process acts as.
std::uint32_t own_user();

/// Listens on a Unix stream socket: who may open it is the file system's business, and what each may ask that of
/// whoever answers. A request is one line of UTF-8 text, the reply one line. Belongs to the loop's thread.
class LocalServer {
 public:
  /// Call once, on the loop's thread, now or later. The text must have no line feed and be within local_line_limit;
  /// else the connection ends.
  using Reply = std::function<void(std::string)>;
  using OnRequest = std::function<void(std::string request, Reply reply)>;
  using OnPeerRequest = std::function<void(const LocalPeer& peer, std::string request, Reply reply)>;

  /// A socket file that nobody answers on is replaced. At most 16 connections at a time, of which one user who is
  /// neither the superuser nor this process's has 4; one that says nothing for 30 s, or gets no reply in that time, is
  /// closed. Errors: `local_socket_in_use`, `local_socket_failed`.
  static Result<std::unique_ptr<LocalServer>> listen(EventLoop& loop, const std::string& path, LocalAccess access,
                                                     OnPeerRequest on_request);
  /// For the owner alone.
  static Result<std::unique_ptr<LocalServer>> listen(EventLoop& loop, const std::string& path, OnRequest on_request);
  /// Removes the file, unless its name has come to belong to another one.
  ~LocalServer();
  LocalServer(const LocalServer&) = delete;
  LocalServer& operator=(const LocalServer&) = delete;

 private:
  struct Impl;
  explicit LocalServer(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

/// Asks one question and waits for the answer; blocks the calling thread for at most `timeout`. Any thread.
/// Errors: `local_server_unreachable`, `local_message_too_large`.
Result<std::string> ask_local(const std::string& path, std::string_view request,
                              std::chrono::milliseconds timeout = std::chrono::seconds(10));

}  // namespace aceward::net
