#include "interop/asking_client.h"

#include "aceward/coap/message/uri.h"
#include "aceward/coap/observe/observation_client.h"
#include "aceward/coap/reasons.h"
#include "aceward/coaps/client_stack.h"
#include "aceward/net/coaps/client_host.h"

namespace aceward::interop {

namespace {

constexpr std::chrono::seconds patience{20};

class Answers final : public net::Application {
 public:
  Answers(coaps::ClientStack& stack, coap::Layer& top) : stack_(stack), top_(top) {}
  void pump(Instant now) override {
    while (stack_.next_session_event()) continue;
    while (auto event = top_.next_event(now)) {
      if (auto* arrived = std::get_if<coap::ResponseArrived>(&*event)) {
        over = over || arrived->final;
        responses.push_back(std::move(arrived->response));
      } else if (const auto* gone = std::get_if<coap::ExchangeGone>(&*event)) {
        why = gone->reason;
        over = true;
      }
    }
  }
  std::optional<Instant> next_timeout() const override { return top_.next_timeout(); }
  void on_timeout(Instant now) override { top_.on_timeout(now); }

  std::vector<coap::Response> responses;
  std::optional<Error> why;
  bool over = false;

 private:
  coaps::ClientStack& stack_;
  coap::Layer& top_;
};

}  // namespace

Result<std::vector<coap::Response>> ask(net::EventLoop& loop, Question question, Random& random) {
  const coap::Uri uri = ACEWARD_TRY(coap::parse_uri(question.uri));
  const auto address = uri.literal();
  if (!address) return fail(reason::uri_malformed, "the host is not an IP address");
  coaps::ClientStackConfig config;
  if (question.szx) {
    config.blockwise.request_szx = *question.szx;
    config.blockwise.preferred_szx = question.szx;
  }
  coaps::ClientStack stack(std::move(config), random);
  coap::ObservationClient top(stack.layer(), random);
  Answers answers(stack, top);
  net::ClientHost host(loop, stack, answers);
  coap::Request request;
  request.method = question.method;
  request.payload = std::move(question.payload);
  ACEWARD_TRY(coap::add_uri_options(uri, address->port, request.options));
  if (!request.payload.empty()) request.options.set_content_format(coap::content_format::text_plain);
  if (question.states != 0) request.options.set_uint(coap::option::observe, 0);
  const Instant now = loop.now();
  const coap::Peer peer = uri.secure ? ACEWARD_TRY(stack.connect(*address, std::move(question.credentials), now))
                                     : stack.plain_peer(*address);
  const auto id = question.ping
                      ? ACEWARD_TRY(stack.endpoint().ping(peer, patience, now))
                      : ACEWARD_TRY(top.request(peer, std::move(request),
                                                {coap::Reliability::automatic, patience, coap::ExchangeId{}}, now));
  host.wake();
  loop.run_until([&] { return answers.over || (question.states != 0 && answers.responses.size() >= question.states); },
                 patience + std::chrono::seconds(5));
  if (question.states != 0 && !answers.over) {
    // The server is told, and its answer awaited, so that it is seen to understand.
    top.deregister(id, loop.now());
    host.wake();
    loop.run_until([&] { return answers.over; }, std::chrono::milliseconds(100));
  }
  stack.close_all(loop.now());
  host.wake();
  if (question.ping && answers.why && *answers.why == reason::coap_reset_by_peer) return answers.responses;
  if (answers.why) return std::unexpected(*answers.why);
  if (answers.responses.empty()) return fail(reason::coap_not_answered);
  return std::move(answers.responses);
}

}  // namespace aceward::interop
