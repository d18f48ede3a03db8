// The local control socket: lines of text between `aceward` commands and a running server on the same host.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "aceward/base/result.h"
#include "aceward/net/event_loop.h"

namespace aceward::net {

/// Octets of one line, without its line feed.
inline constexpr std::size_t local_line_limit = 256 * 1024;

/// Listens on a Unix stream socket of mode 0600: who may open it is the file system's business. A request is one line
/// of UTF-8 text, the reply one line. Belongs to the loop's thread.
class LocalServer {
 public:
  /// Call once, on the loop's thread, now or later. The text must have no line feed and be within local_line_limit;
  /// else the connection ends.
  using Reply = std::function<void(std::string)>;
  using OnRequest = std::function<void(std::string request, Reply reply)>;

  /// A socket file that nobody answers on is replaced. At most 16 connections at a time; one that says nothing for 30
  /// s, or gets no reply in that time, is closed. Errors: `local_socket_in_use`, `local_socket_failed`.
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
