#include "aceward/net/coap_client.h"

#include <array>
#include <optional>
#include <utility>

#include "aceward/coap/reasons.h"
#include "aceward/net/host_turn.h"
#include "aceward/net/resolve.h"

namespace aceward::net {
namespace {

/// An answer always comes, or an error at the end of the exchange: this only keeps a bug from waiting forever.
constexpr std::chrono::hours longest_exchange{24};

/// Puts what the URI names into the request; returns where it goes.
Result<Address> address(std::string_view text, coap::Request& request) {
  const coap::Uri uri = ACEWARD_TRY(coap::parse_uri(text));
  if (uri.secure) return fail(reason::uri_not_for_this_client, "coaps");
  const Address to = ACEWARD_TRY(resolve(uri.host, uri.port)).front();
  ACEWARD_TRY(coap::add_uri_options(uri, to.port, request.options));
  return to;
}

}  // namespace

struct CoapClient::Impl {
  Impl(EventLoop& loop_in, Random& random, const coap::ClientConfig& config)
      : loop(loop_in),
        client(random, config),
        turn(loop_in, client, [this](coap::Outgoing&& out) { send(std::move(out)); }, [this] { flush(); }) {}

  void on_batch(std::span<const UdpReceived> batch) {
    const Instant now = loop.now();
    for (const UdpReceived& datagram : batch) client.receive(datagram.from, datagram.local, datagram.data, now);
    turn.run(now);
  }

  void send(coap::Outgoing&& out) {
    const bool v4 = out.to.remote.is_v4();
    auto& socket = sockets[v4 ? 0 : 1];
    if (!socket) {
      auto bound = UdpSocket::bind(loop, v4 ? Address::v4(0, 0, 0, 0, 0) : Address{},
                                   [this](std::span<const UdpReceived> batch) { on_batch(batch); });
      if (!bound) return;  // lost, as on a network: the exchange ends when nothing is heard
      socket = std::move(*bound);
    }
    socket->send(out.to.remote, Address{}, std::move(out.datagram));
  }

  void flush() {
    for (const auto& socket : sockets) {
      if (socket) socket->flush();
    }
  }

  EventLoop& loop;
  coap::Client client;
  std::array<std::unique_ptr<UdpSocket>, 2> sockets;  ///< for IPv4 and for IPv6, opened when first used
  HostTurn<coap::Client> turn;
};

CoapClient::CoapClient(EventLoop& loop, Random& random, const coap::ClientConfig& config)
    : impl_(std::make_unique<Impl>(loop, random, config)) {}
CoapClient::~CoapClient() = default;

Result<coap::ExchangeId> CoapClient::request(std::string_view uri, coap::Request request, coap::Client::Done done,
                                             coap::Delivery delivery) {
  const Address to = ACEWARD_TRY(address(uri, request));
  const auto id =
      ACEWARD_TRY(impl_->client.request(to, std::move(request), std::move(done), impl_->loop.now(), delivery));
  wake();
  return id;
}

Result<coap::ExchangeId> CoapClient::observe(std::string_view uri, coap::Client::Notified notified) {
  coap::Request request;
  const Address to = ACEWARD_TRY(address(uri, request));
  const auto id = ACEWARD_TRY(impl_->client.observe(to, std::move(request), std::move(notified), impl_->loop.now()));
  wake();
  return id;
}

void CoapClient::stop_observing(coap::ExchangeId id) {
  impl_->client.stop_observing(id, impl_->loop.now());
  wake();
}

void CoapClient::cancel(coap::ExchangeId id) { impl_->client.cancel(id); }

Result<coap::Response> CoapClient::ask(std::string_view uri, coap::Request question, coap::Delivery delivery) {
  std::optional<Result<coap::Response>> answer;
  const auto id = ACEWARD_TRY(request(
      uri, std::move(question), [&](Result<coap::Response> outcome) { answer = std::move(outcome); }, delivery));
  if (!impl_->loop.run_until([&] { return answer.has_value(); }, longest_exchange)) {
    cancel(id);
    return fail(reason::coap_not_answered);
  }
  return std::move(*answer);
}

coap::Client& CoapClient::client() { return impl_->client; }
void CoapClient::wake() { impl_->turn.run(impl_->loop.now()); }

}  // namespace aceward::net
