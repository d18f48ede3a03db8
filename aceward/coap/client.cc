#include "aceward/coap/client.h"

#include <map>
#include <utility>

#include "aceward/coap/reasons.h"

namespace aceward::coap {

Result<Request> make_request(Code method, const Uri& uri, const Address& destination) {
  Request request;
  request.method = method;
  ACEWARD_TRY(add_uri_options(uri, destination.port, request.options));
  return request;
}

struct Client::Impl {
  /// What is told of an exchange, and whether it goes on after that.
  using Told = std::function<void(Result<Response>, bool last)>;

  Impl(Random& random, const ClientConfig& config)
      : endpoint(config.parameters, config.limits, random),
        freshness(endpoint, config.freshness),
        blockwise(freshness, fitting(config), config.blockwise_limits, random),
        top(with_cache(config), random, config.observation) {
    auto in_responses = KnownOptions::in_responses();
    Blockwise::add_known_options(in_responses);
    endpoint.set_known_options(KnownOptions::in_requests(), in_responses);
  }

  static BlockwiseParameters fitting(const ClientConfig& config) {
    BlockwiseParameters parameters = config.blockwise;
    parameters.message_size = config.limits.datagram_size;
    return parameters;
  }
  Layer& with_cache(const ClientConfig& config) {
    if (!config.cache) return blockwise;
    return cache.emplace(blockwise, *config.cache);
  }

  void pump(Instant now) {
    while (auto event = top.next_event(now)) {
      if (auto* arrived = std::get_if<ResponseArrived>(&*event)) {
        tell(arrived->id, std::move(arrived->response), arrived->final);
      } else if (const auto* gone = std::get_if<ExchangeGone>(&*event)) {
        tell(gone->id, std::unexpected(gone->reason), true);
      } else if (const auto* asked = std::get_if<RequestArrived>(&*event)) {
        top.respond(asked->id, Response{code::not_found, {}, {}}, {}, now);  // a client has no resources
      }
    }
  }

  void tell(ExchangeId id, Result<Response> outcome, bool last) {
    const auto found = waiting.find(id);
    if (found == waiting.end()) return;
    // Held beside the table: the callback may begin and cancel requests.
    const Told told = found->second;
    if (last) waiting.erase(found);
    told(std::move(outcome), last);
  }

  Result<ExchangeId> request(const Address& to, Request request, Told told, Delivery delivery, Instant now) {
    Peer peer;
    peer.remote = to;
    const auto id = ACEWARD_TRY(top.request(peer, std::move(request), delivery, now));
    waiting.emplace(id, std::move(told));
    return id;
  }

  Endpoint endpoint;
  Freshness freshness;
  Blockwise blockwise;
  std::optional<ResponseCache> cache;
  ObservationClient top;
  std::map<ExchangeId, Told> waiting;
};

Client::Client(Random& random, const ClientConfig& config) : impl_(std::make_unique<Impl>(random, config)) {}
Client::~Client() = default;

Result<ExchangeId> Client::request(const Address& to, Request request, Done done, Instant now, Delivery delivery) {
  auto told = [done = std::move(done)](Result<Response> outcome, bool) {
    if (done) done(std::move(outcome));
  };
  return impl_->request(to, std::move(request), std::move(told), delivery, now);
}

Result<ExchangeId> Client::observe(const Address& to, Request request, Notified notified, Instant now,
                                   Delivery delivery) {
  request.options.set_uint(option::observe, 0);
  return impl_->request(to, std::move(request), std::move(notified), delivery, now);
}

void Client::stop_observing(ExchangeId id, Instant now) {
  impl_->waiting.erase(id);
  impl_->top.deregister(id, now);
}

Result<ExchangeId> Client::ping(const Address& to, std::function<void(Result<>)> done, Instant now,
                                std::chrono::nanoseconds timeout) {
  Peer peer;
  peer.remote = to;
  const auto id = ACEWARD_TRY(impl_->endpoint.ping(peer, timeout, now));
  impl_->waiting.emplace(id, [done = std::move(done)](const Result<Response>& outcome, bool) {
    // A Reset is the answer to a ping.
    const bool there = outcome || outcome.error() == reason::coap_reset_by_peer;
    done(there ? Result<>() : std::unexpected(outcome.error()));
  });
  return id;
}

Result<ExchangeId> Client::get(std::string_view text, Done done, Instant now) {
  const Uri uri = ACEWARD_TRY(parse_uri(text));
  if (uri.secure) return fail(reason::uri_not_for_this_client, "coaps");
  const auto address = uri.literal();
  if (!address) return fail(reason::uri_not_for_this_client, "host name");
  return request(*address, ACEWARD_TRY(make_request(code::get, uri, *address)), std::move(done), now);
}

void Client::cancel(ExchangeId id) {
  impl_->waiting.erase(id);
  impl_->top.cancel(id);
}

Layer& Client::layer() { return impl_->top; }
ObservationClient& Client::observations() { return impl_->top; }
ResponseCache* Client::cache() { return impl_->cache ? &*impl_->cache : nullptr; }
const Endpoint& Client::endpoint() const { return impl_->endpoint; }

void Client::receive(const Address& from, const Address& local, BytesView datagram, Instant now) {
  impl_->endpoint.receive({Transport::udp, from, local}, datagram, now);
  impl_->pump(now);
}

std::optional<Outgoing> Client::next_datagram() { return impl_->endpoint.next_datagram(); }

std::optional<Instant> Client::next_timeout() const { return impl_->top.next_timeout(); }

void Client::on_timeout(Instant now) {
  impl_->top.on_timeout(now);
  impl_->pump(now);
}

}  // namespace aceward::coap
