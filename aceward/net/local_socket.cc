#include "aceward/net/local_socket.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <asio/buffer.hpp>
#include <asio/local/stream_protocol.hpp>
#include <asio/read_until.hpp>
#include <asio/steady_timer.hpp>
#include <asio/write.hpp>
#include <cerrno>
#include <cstring>
#include <set>

#include "aceward/net/event_loop_impl.h"
#include "aceward/net/local_stream.h"
#include "aceward/net/reasons.h"

namespace aceward::net {
namespace {

using LocalStream = asio::local::stream_protocol;

constexpr std::size_t max_connections = 16;
/// Of one stranger, so that nobody keeps the administrator out.
constexpr std::ptrdiff_t connections_of_a_stranger = 4;
constexpr std::chrono::seconds silence_allowed{30};
/// After an accept() that failed: where no descriptor is left, the next one fails at once.
constexpr std::chrono::milliseconds accept_pause{100};

/// Removes a socket file that a server left behind when it ended without a word. Any other file stays.
Result<void> make_room(const std::string& path) {
  struct stat status{};
  if (::lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT) return {};
    return fail(reason::local_socket_failed, "stat");
  }
  if (!S_ISSOCK(status.st_mode)) return fail(reason::local_socket_failed, "the file is not a socket");
  const int probe = connect_local(path);
  if (probe >= 0) {
    ::close(probe);
    return fail(reason::local_socket_in_use);
  }
  if (errno == EAGAIN) return fail(reason::local_socket_in_use, "its queue is full");
  if (errno != ECONNREFUSED) return fail(reason::local_socket_failed, "connect");
  if (::unlink(path.c_str()) != 0) return fail(reason::local_socket_failed, "unlink");
  return {};
}

LocalPeer peer_of(int descriptor) {
  ucred credentials{};
  socklen_t length = sizeof credentials;
  if (::getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0) return {};
  return {credentials.uid, credentials.gid};
}

mode_t mode_of(const LocalAccess& access) { return access.anybody ? 0666 : access.group ? 0660 : 0600; }

}  // namespace

std::uint32_t own_user() { return ::geteuid(); }

struct LocalServer::Impl : std::enable_shared_from_this<LocalServer::Impl> {
  struct Connection : std::enable_shared_from_this<Connection> {
    Connection(asio::io_context& io, std::weak_ptr<Impl> owner_in)
        : stream(io), silence(io), owner(std::move(owner_in)) {}
    void read();
    void reply(std::string line);
    void expect_something();
    void end();

    LocalStream::socket stream;
    asio::steady_timer silence;
    LocalPeer peer;
    std::weak_ptr<Impl> owner;
    std::string input;
    std::string output;
    bool awaits_reply = false;
  };

  Impl(EventLoop& loop, OnPeerRequest on_request_in)
      : acceptor(loop.impl().io), pause(loop.impl().io), on_request(std::move(on_request_in)) {}
  Result<void> open(const std::string& path_in, const LocalAccess& access);
  bool has_room_for(const LocalPeer& peer) const;
  void accept();
  void accept_later();
  void close();

  LocalStream::acceptor acceptor;
  asio::steady_timer pause;
  OnPeerRequest on_request;
  std::string path;  ///< once the file is there
  dev_t device = 0;  ///< with `inode`: the file that is ours, whatever has its name later
  ino_t inode = 0;
  std::set<std::shared_ptr<Connection>> connections;
};

Result<void> LocalServer::Impl::open(const std::string& path_in, const LocalAccess& access) {
  if (path_in.size() >= sizeof(sockaddr_un::sun_path)) return fail(reason::local_socket_failed, "path too long");
  ACEWARD_TRY(make_room(path_in));
  asio::error_code error;
  const LocalStream::endpoint endpoint(path_in);
  acceptor.open(endpoint.protocol(), error);
  if (error) return fail(reason::local_socket_failed, "socket");
  // The file is made with the mode of the socket, so there is no moment at which it is wider.
  if (::fchmod(acceptor.native_handle(), 0600) != 0) return fail(reason::local_socket_failed, "mode");
  acceptor.bind(endpoint, error);
  if (error) return fail(reason::local_socket_failed, "bind");
  struct stat status{};
  if (::lstat(path_in.c_str(), &status) != 0) return fail(reason::local_socket_failed, "stat");
  path = path_in;
  device = status.st_dev;
  inode = status.st_ino;
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) return fail(reason::local_socket_failed, "mode");
  // The group first: the mode never opens the file to the group that it happened to be made with.
  if (access.group && ::lchown(path_in.c_str(), static_cast<uid_t>(-1), *access.group) != 0) {
    return fail(reason::local_socket_failed, "group");
  }
  if (mode_of(access) != 0600 && ::chmod(path_in.c_str(), mode_of(access)) != 0) {
    return fail(reason::local_socket_failed, "mode");
  }
  acceptor.listen(static_cast<int>(max_connections), error);
  if (error) return fail(reason::local_socket_failed, "listen");
  return {};
}

bool LocalServer::Impl::has_room_for(const LocalPeer& peer) const {
  if (connections.size() >= max_connections) return false;
  if (peer.user == 0 || peer.user == own_user()) return true;
  return std::ranges::count_if(connections, [&](const auto& one) { return one->peer.user == peer.user; }) <
         connections_of_a_stranger;
}

void LocalServer::Impl::accept() {
  acceptor.async_accept([weak = weak_from_this()](const asio::error_code& error, LocalStream::socket stream) {
    const auto self = weak.lock();
    if (!self || error == asio::error::operation_aborted) return;
    const LocalPeer peer = error ? LocalPeer() : peer_of(stream.native_handle());
    if (!error && self->has_room_for(peer)) {
      // The executor of the stream is the loop's.
      auto& io = static_cast<asio::io_context&>(self->acceptor.get_executor().context());
      auto connection = std::make_shared<Connection>(io, self);
      connection->stream = std::move(stream);
      connection->peer = peer;
      self->connections.insert(connection);
      connection->read();
    }
    if (!self->acceptor.is_open()) return;
    if (error) return self->accept_later();
    self->accept();
  });
}

void LocalServer::Impl::accept_later() {
  pause.expires_after(accept_pause);
  pause.async_wait([weak = weak_from_this()](const asio::error_code& error) {
    const auto self = weak.lock();
    if (!error && self && self->acceptor.is_open()) self->accept();
  });
}

void LocalServer::Impl::close() {
  asio::error_code ignored;
  acceptor.close(ignored);
  pause.cancel();
  for (const auto& connection : std::set<std::shared_ptr<Connection>>(connections)) connection->end();
  struct stat status{};
  if (path.empty() || ::lstat(path.c_str(), &status) != 0) return;
  if (status.st_dev == device && status.st_ino == inode) ::unlink(path.c_str());
}

void LocalServer::Impl::Connection::expect_something() {
  silence.expires_after(silence_allowed);
  silence.async_wait([weak = weak_from_this()](const asio::error_code& error) {
    const auto self = weak.lock();
    if (!error && self) self->end();
  });
}

void LocalServer::Impl::Connection::read() {
  expect_something();
  asio::async_read_until(stream, asio::dynamic_buffer(input, local_line_limit + 1), '\n',
                         [self = shared_from_this()](const asio::error_code& error, std::size_t length) {
                           const auto server = self->owner.lock();
                           if (error || !server) return self->end();
                           std::string request = self->input.substr(0, length - 1);
                           self->input.erase(0, length);
                           self->awaits_reply = true;
                           self->expect_something();
                           server->on_request(self->peer, std::move(request),
                                              [weak = std::weak_ptr(self)](std::string line) {
                                                if (const auto connection = weak.lock())
                                                  connection->reply(std::move(line));
                                              });
                         });
}

void LocalServer::Impl::Connection::reply(std::string line) {
  if (!awaits_reply || !stream.is_open()) return;
  awaits_reply = false;
  if (line.size() > local_line_limit || line.find('\n') != std::string::npos) return end();
  output = std::move(line);
  output.push_back('\n');
  asio::async_write(stream, asio::buffer(output),
                    [self = shared_from_this()](const asio::error_code& error, std::size_t) {
                      if (error) return self->end();
                      self->read();
                    });
}

void LocalServer::Impl::Connection::end() {
  asio::error_code ignored;
  stream.close(ignored);
  silence.cancel();
  if (const auto server = owner.lock()) server->connections.erase(shared_from_this());
}

LocalServer::LocalServer(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
LocalServer::~LocalServer() { impl_->close(); }

Result<std::unique_ptr<LocalServer>> LocalServer::listen(EventLoop& loop, const std::string& path,
                                                         OnRequest on_request) {
  return listen(loop, path, LocalAccess(),
                [on_request = std::move(on_request)](const LocalPeer&, std::string request, Reply reply) {
                  on_request(std::move(request), std::move(reply));
                });
}

Result<std::unique_ptr<LocalServer>> LocalServer::listen(EventLoop& loop, const std::string& path, LocalAccess access,
                                                         OnPeerRequest on_request) {
  auto impl = std::make_shared<Impl>(loop, std::move(on_request));
  if (const auto opened = impl->open(path, access); !opened) {
    impl->close();
    return std::unexpected(opened.error());
  }
  impl->accept();
  return std::unique_ptr<LocalServer>(new LocalServer(std::move(impl)));
}

}  // namespace aceward::net
