// The resources of the CoAP plugtests, served to other people's clients, plain and through DTLS.
#pragma once

#include <memory>

#include "aceward/base/address.h"
#include "aceward/net/event_loop.h"
#include "aceward/tls/server.h"

namespace aceward::interop {

/// The one client that may connect with a pre-shared key: identity "interop", key "0123456789abcdef". With a raw public
/// key anybody may. What can be observed changes every half second. Belongs to the loop's thread.
class PlugtestServer {
 public:
  /// Whether strangers are asked to echo before they get a long answer over plain UDP (RFC 9175 section 2.4).
  enum class Strangers : std::uint8_t { prove_themselves, are_believed };

  /// Listens on free ports of the loopback. The loop and `random` outlive the server.
  static Result<std::unique_ptr<PlugtestServer>> start(net::EventLoop& loop, tls::RawKeyPair key, Strangers strangers,
                                                       Random& random);
  /// With certificates, and tickets: anybody for whom one of the authorities of `dtls` vouches may connect, and resume.
  static Result<std::unique_ptr<PlugtestServer>> start(net::EventLoop& loop, tls::ServerConfig dtls,
                                                       Strangers strangers, Random& random);
  ~PlugtestServer();
  PlugtestServer(const PlugtestServer&) = delete;
  PlugtestServer& operator=(const PlugtestServer&) = delete;

  const Address& plain_address() const;
  const Address& secure_address() const;

 private:
  struct Impl;
  explicit PlugtestServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace aceward::interop
