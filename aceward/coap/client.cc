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
  Impl(Random& random, const ClientConfig& config)
      : endpoint(config.parameters, config.limits, random), top(endpoint) {}

  void pump(Instant now) {
    while (auto event = top.next_event(now)) {
      if (auto* arrived = std::get_if<ResponseArrived>(&*event)) {
        finish(arrived->id, std::move(arrived->response));
      } else if (const auto* gone = std::get_if<ExchangeGone>(&*event)) {
        finish(gone->id, std::unexpected(gone->reason));
      } else if (const auto* asked = std::get_if<RequestArrived>(&*event)) {
        // A client has no resources (RFC 7252 section 5.8: a method is unknown to it as much as any other).
        top.respond(asked->id, Response{code::not_found, {}, {}}, {}, now);
      }
    }
  }

  void finish(ExchangeId id, Result<Response> outcome) {
    const auto found = waiting.find(id);
    if (found == waiting.end()) return;
    // Out of the table first: the callback may begin and cancel requests.
    const Done done = std::move(found->second);
    waiting.erase(found);
    if (done) done(std::move(outcome));
  }

  Endpoint endpoint;
  Layer& top;
  std::map<ExchangeId, Done> waiting;
};

Client::Client(Random& random, const ClientConfig& config) : impl_(std::make_unique<Impl>(random, config)) {}
Client::~Client() = default;

Result<ExchangeId> Client::request(const Address& to, Request request, Done done, Instant now, Delivery delivery) {
  Peer peer;
  peer.remote = to;
  const auto id = ACEWARD_TRY(impl_->top.request(peer, std::move(request), delivery, now));
  impl_->waiting.emplace(id, std::move(done));
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
