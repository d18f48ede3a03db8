// A client for the tests with other people's servers.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "aceward/base/random.h"
#include "aceward/coap/blockwise/block_option.h"
#include "aceward/coap/layer.h"
#include "aceward/net/event_loop.h"
#include "aceward/tls/credentials.h"

namespace aceward::interop {

struct Question {
  coap::Code method = coap::code::get;
  std::string uri;
  Bytes payload{};
  /// The size of blocks to ask for and to send; nullopt leaves it to the layers.
  std::optional<coap::Szx> szx{};
  /// Observe, and wait for so many states; 0: a plain request.
  std::size_t states = 0;
  /// Instead of a request: is anybody there?
  bool ping = false;
  tls::ClientCredentials credentials{tls::PskClient{}};
};

/// Waits up to 20 s. One response, or the states that were observed; none for a ping that was answered. The host of the
/// URI is an IP literal. Errors: those of the layers, `coap_not_answered`.
Result<std::vector<coap::Response>> ask(net::EventLoop& loop, Question question, Random& random);

}  // namespace aceward::interop
