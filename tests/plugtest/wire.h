// The two ends of a test description, and all that passes between them, as decoded.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "aceward/coap/client.h"
#include "aceward/coap/message/pretty.h"
#include "aceward/coap/server.h"
#include "tests/plugtest/resources.h"

namespace aceward::plugtest {

/// One datagram, seen on the wire.
struct Seen {
  bool of_client = false;
  coap::Message message;
  std::size_t size = 0;
  Instant at;
  bool lost = false;

  const coap::Options& options() const { return message.options; }
  std::string text() const { return std::string(as_text(message.payload)); }
};

/// Our client at our server, in memory, with a clock of its own. Either end may be replaced by hand-made messages.
/// Answers to strangers are not limited: the descriptions begin with large answers, and know no Echo.
struct Wire : ::testing::Test {
  Wire();

  /// From the client's user. The outcome is appended to `outcomes`.
  void ask(coap::Code method, const std::string& path, const std::string& payload = {},
           coap::Reliability reliability = coap::Reliability::automatic,
           const std::function<void(coap::Request&)>& adjust = {});
  coap::ExchangeId observe(const std::string& path, coap::Reliability reliability = coap::Reliability::automatic);

  /// Carries datagrams until there are none; the clock stands still.
  void settle();
  /// Lets the clock run, with all that becomes due.
  void wait(std::chrono::milliseconds time);

  /// A hand-made message, as if a client or server of somebody else's had sent it; what it causes is carried too, but
  /// for what goes back to the hand: that is in `seen` alone.
  void from_foreign_client(const coap::Message& message);
  void from_foreign_server(const coap::Message& message);

  /// What was seen from `from` on, without what was lost.
  std::vector<Seen> of_client(std::size_t from = 0) const;
  std::vector<Seen> of_server(std::size_t from = 0) const;
  const coap::Response& last_response() const;
  /// All that was seen, for a failure's message.
  std::string story() const;

  SeededRandom random{17};
  Instant now{std::chrono::hours(2)};
  coap::Client client;
  std::unique_ptr<coap::Server> server;
  std::unique_ptr<Resources> resources;
  std::vector<Seen> seen;
  std::vector<Result<coap::Response>> outcomes;
  std::vector<std::string> notified;  ///< what the client's user was told of what it observes
  bool observation_over = false;
  /// True: this datagram does not arrive.
  std::function<bool(const Seen&)> lose;
  bool foreign_client = false;  ///< what the server sends goes to the hand
  bool foreign_server = false;  ///< what the client sends goes to the hand

  /// A server that forgot everything.
  void restart_server();

 private:
  bool step();
};

/// The checks that nearly every description makes.
void expect_request(const Seen& request, coap::Type type, coap::Code method, const std::vector<std::string>& path);
/// Code, the request's token, Content-Format if there is a payload; and for a piggybacked one its Message ID.
void expect_answer(const Seen& answer, const Seen& request, coap::Type type, coap::Code code);

}  // namespace aceward::plugtest
