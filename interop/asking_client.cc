#include "interop/asking_client.h"

#include "aceward/coap/message/uri.h"
#include "aceward/coap/reasons.h"
#include "aceward/coaps/client_stack.h"
#include "aceward/net/coaps/client_host.h"

namespace aceward::interop {

namespace {

class OneAnswer final : public net::Application {
 public:
  explicit OneAnswer(coaps::ClientStack& stack) : stack_(stack) {}
  void pump(Instant now) override {
    while (stack_.next_session_event()) continue;
    while (const auto event = stack_.layer().next_event(now)) {
      if (const auto* arrived = std::get_if<coap::ResponseArrived>(&*event)) answer = arrived->response;
      if (const auto* gone = std::get_if<coap::ExchangeGone>(&*event)) answer = std::unexpected(gone->reason);
    }
  }
  std::optional<Result<coap::Response>> answer;

 private:
  coaps::ClientStack& stack_;
};

}  // namespace

Result<coap::Response> get(net::EventLoop& loop, const std::string& uri, tls::ClientCredentials credentials,
                           Random& random) {
  const coap::Uri parsed = ACEWARD_TRY(coap::parse_uri(uri));
  const auto address = parsed.literal();
  if (!address) return fail(reason::uri_malformed, "the host is not an IP address");
  coaps::ClientStack stack({}, random);
  OneAnswer application(stack);
  net::ClientHost host(loop, stack, application);
  coap::Request request;
  ACEWARD_TRY(coap::add_uri_options(parsed, address->port, request.options));
  const Instant now = loop.now();
  const coap::Peer peer =
      parsed.secure ? ACEWARD_TRY(stack.connect(*address, std::move(credentials), now)) : stack.plain_peer(*address);
  const coap::Delivery delivery{coap::Reliability::automatic, std::chrono::seconds(10)};
  ACEWARD_TRY(stack.layer().request(peer, std::move(request), delivery, now));
  host.wake();
  loop.run_until([&] { return application.answer.has_value(); }, std::chrono::seconds(15));
  stack.close_all(loop.now());
  host.wake();
  if (!application.answer) return fail(reason::coap_not_answered);
  return std::move(*application.answer);
}

}  // namespace aceward::interop
