// A DTLS session for each endpoint of a load generator, without any socket.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "aceward/tls/client.h"
#include "app/loadgen/histogram.h"

namespace aceward::app {

/// Starts handshakes, a few at a time, and passes records on. Belongs to one thread.
class LoadSessions {
 public:
  using Credentials = std::function<tls::ClientCredentials()>;
  struct Ports {
    std::function<void(std::size_t index, BytesView datagram)> send;
    std::function<void(std::size_t index, BytesView octets, Instant now)> on_data;
    std::function<void(std::size_t index)> on_lost;  ///< an established session ended, or could not be used
  };

  /// `at_once`: handshakes under way at a time; servers limit them.
  LoadSessions(const Address& server, std::size_t count, std::size_t at_once, tls::ClientConfig config,
               Credentials credentials, Ports ports);

  /// Starts what may be started, and does what is due.
  void on_timeout(Instant now);
  void receive(std::size_t index, BytesView datagram, Instant now);
  void send(std::size_t index, BytesView octets, Instant now);
  /// close_notify to all.
  void close_all(Instant now);

  /// Every handshake has ended, one way or the other.
  bool settled() const { return started_ == clients_.size() && under_way_ == 0; }
  std::size_t established() const { return established_; }
  std::size_t failed() const { return failed_; }
  std::size_t lost() const { return lost_; }
  bool usable(std::size_t index) const;
  std::optional<Error> first_failure() const { return first_failure_; }
  const std::string& cipher_suite() const { return cipher_suite_; }
  const LatencyHistogram& handshakes() const { return handshakes_; }

 private:
  void start_next(Instant now);
  void drain(std::size_t index, Instant now);
  void on_failed(const Error& why);

  Address server_;
  std::size_t at_once_;
  tls::ClientConfig config_;
  Credentials credentials_;
  Ports ports_;
  std::vector<std::optional<tls::Client>> clients_;
  std::size_t started_ = 0;
  std::size_t under_way_ = 0;
  std::size_t established_ = 0;
  std::size_t failed_ = 0;
  std::size_t lost_ = 0;
  std::optional<Error> first_failure_;
  std::string cipher_suite_;
  LatencyHistogram handshakes_;
};

}  // namespace aceward::app
