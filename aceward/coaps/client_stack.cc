#include "aceward/coaps/client_stack.h"

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "aceward/coaps/reasons.h"

namespace aceward::coaps {
namespace {

constexpr std::size_t max_held = 16;

}  // namespace

struct ClientStack::Impl {
  struct Connection {
    tls::Client client;
    coap::Peer peer;
    std::optional<tls::PeerIdentity> identity;
    std::deque<Bytes> held;  ///< messages that wait for the handshake
  };

  Impl(ClientStackConfig config_in, Random& random)
      : config(std::move(config_in)),
        endpoint(config.parameters, config.limits, random),
        freshness(endpoint, config.freshness, config.freshness_limits),
        blockwise(freshness, config.blockwise, config.blockwise_limits, random) {
    auto in_requests = coap::KnownOptions::in_requests();
    auto in_responses = coap::KnownOptions::in_responses();
    coap::Blockwise::add_known_options(in_requests);
    coap::Blockwise::add_known_options(in_responses);
    endpoint.set_known_options(in_requests, in_responses);
  }

  /// Takes over what a client has to say; may end the connection. `wire_octets`: of the datagram that caused it.
  void drain(Channel channel, std::size_t wire_octets, Instant now);
  void take_output(Channel channel, Connection& connection);
  void show(Direction direction, Channel channel, const Address& remote, BytesView datagram, Instant now);
  void send(Channel channel, Connection& connection, BytesView message, Instant now);
  void end(Channel channel, Connection& connection, Instant now, SessionEvent event, const Error& why);

  ClientStackConfig config;
  coap::Endpoint endpoint;
  coap::Freshness freshness;
  coap::Blockwise blockwise;
  std::unordered_map<Channel, Connection> connections;
  std::set<Channel> handshaking;  ///< only these have timeouts
  std::deque<ClientOutgoing> output;
  std::deque<SessionEvent> session_events;
  MessageTap* tap = nullptr;
  Channel last_channel = plain_channel;
};

void ClientStack::Impl::show(Direction direction, Channel channel, const Address& remote, BytesView datagram,
                             Instant now) {
  if (tap == nullptr) return;
  coap::Peer ends;
  ends.transport = channel == plain_channel ? coap::Transport::udp : coap::Transport::dtls;
  ends.remote = remote;
  ends.session = channel;
  tap->on_datagram(direction, ends, datagram, now);
}

void ClientStack::Impl::take_output(Channel channel, Connection& connection) {
  while (auto out = connection.client.next_datagram()) {
    output.push_back({channel, out->to, std::move(out->datagram)});
  }
}

void ClientStack::Impl::send(Channel channel, Connection& connection, BytesView message, Instant now) {
  take_output(channel, connection);
  if (!connection.client.send(message, now)) return;  // lost, as on a network
  const std::size_t before = output.size();
  take_output(channel, connection);
  const std::size_t wire_octets = output.size() > before ? output.back().datagram.size() : 0;
  if (tap != nullptr) tap->on_message(Direction::out, connection.peer, message, wire_octets, now);
}

void ClientStack::Impl::end(Channel channel, Connection& connection, Instant now, SessionEvent event,
                            const Error& why) {
  const coap::Peer peer = connection.peer;
  take_output(channel, connection);
  handshaking.erase(channel);
  connections.erase(channel);
  endpoint.peer_gone(peer, why, now);
  freshness.peer_gone(peer, why);
  session_events.push_back(std::move(event));
}

void ClientStack::Impl::drain(Channel channel, std::size_t wire_octets, Instant now) {
  const auto found = connections.find(channel);
  if (found == connections.end()) return;
  Connection& connection = found->second;
  take_output(channel, connection);
  while (auto event = connection.client.next_event()) {
    if (auto* data = std::get_if<tls::Data>(&*event)) {
      if (tap != nullptr) tap->on_message(Direction::in, connection.peer, data->octets, wire_octets, now);
      endpoint.receive(connection.peer, data->octets, now);
    } else if (auto* established = std::get_if<tls::Established>(&*event)) {
      handshaking.erase(channel);
      connection.identity = established->peer;
      if (tap != nullptr) tap->on_handshake(connection.peer, established->peer, established->info, now);
      session_events.push_back(SessionEstablished{connection.peer, std::move(established->peer),
                                                  std::move(established->info), std::move(established->ticket)});
      for (const Bytes& message : std::exchange(connection.held, {})) send(channel, connection, message, now);
    } else if (auto* closed = std::get_if<tls::Closed>(&*event)) {
      if (tap != nullptr) tap->on_session_closed(connection.peer, closed->why, now);
      end(channel, connection, now, SessionClosed{connection.peer, closed->why}, closed->why);
      return;
    } else if (auto* failed = std::get_if<tls::HandshakeFailed>(&*event)) {
      if (tap != nullptr) tap->on_handshake_failed(*failed, now);
      end(channel, connection, now,
          SessionFailed{connection.peer, failed->why, failed->alert_sent, failed->alert_received}, failed->why);
      return;
    }
  }
}

ClientStack::ClientStack(ClientStackConfig config, Random& random) : impl_(std::make_unique<Impl>(config, random)) {}
ClientStack::~ClientStack() = default;

coap::Layer& ClientStack::layer() { return impl_->blockwise; }
const coap::Freshness& ClientStack::freshness() const { return impl_->freshness; }
const coap::Blockwise& ClientStack::blockwise() const { return impl_->blockwise; }
coap::Endpoint& ClientStack::endpoint() { return impl_->endpoint; }

coap::Peer ClientStack::plain_peer(const Address& server) const {
  coap::Peer peer;
  peer.remote = server;
  return peer;
}

Result<coap::Peer> ClientStack::connect(const Address& server, tls::ClientCredentials credentials, Instant now,
                                        std::optional<tls::ResumptionTicket> ticket) {
  if (impl_->connections.size() >= impl_->config.max_connections) return fail(reason::coaps_too_many_connections);
  const Channel channel = impl_->last_channel + 1;
  tls::ClientConfig config = impl_->config.dtls;
  if (ticket) config.ticket = std::move(ticket);
  auto client =
      ACEWARD_TRY(tls::Client::create(tls::SessionId(channel), server, std::move(credentials), std::move(config)));
  impl_->last_channel = channel;
  coap::Peer peer;
  peer.transport = coap::Transport::dtls;
  peer.remote = server;
  peer.session = channel;
  auto& connection =
      impl_->connections.emplace(channel, Impl::Connection{std::move(client), peer, std::nullopt, {}}).first->second;
  impl_->handshaking.insert(channel);
  connection.client.start(now);
  impl_->drain(channel, 0, now);
  return peer;
}

void ClientStack::close(std::uint64_t session, Instant now) {
  const auto found = impl_->connections.find(session);
  if (found == impl_->connections.end()) return;
  found->second.client.close(now);
  impl_->drain(session, 0, now);
}

void ClientStack::close_all(Instant now) {
  std::vector<Channel> channels;
  channels.reserve(impl_->connections.size());
  for (const auto& [channel, connection] : impl_->connections) channels.push_back(channel);
  for (const Channel channel : channels) close(channel, now);
}

void ClientStack::receive(Channel channel, const Address& from, BytesView datagram, Instant now) {
  impl_->show(Direction::in, channel, from, datagram, now);
  if (channel == plain_channel) {
    const coap::Peer peer = plain_peer(from);
    if (impl_->tap != nullptr) impl_->tap->on_message(Direction::in, peer, datagram, datagram.size(), now);
    impl_->endpoint.receive(peer, datagram, now);
    return;
  }
  const auto found = impl_->connections.find(channel);
  if (found == impl_->connections.end() || from != found->second.peer.remote) return;
  found->second.client.receive(datagram, now);
  impl_->drain(channel, datagram.size(), now);
}

std::optional<ClientOutgoing> ClientStack::next_datagram(Instant now) {
  while (impl_->output.empty()) {
    auto message = impl_->endpoint.next_datagram();
    if (!message) return std::nullopt;
    if (message->to.transport == coap::Transport::udp) {
      if (impl_->tap != nullptr) {
        impl_->tap->on_message(Direction::out, message->to, message->datagram, message->datagram.size(), now);
      }
      impl_->show(Direction::out, plain_channel, message->to.remote, message->datagram, now);
      return ClientOutgoing{plain_channel, message->to.remote, std::move(message->datagram)};
    }
    const auto found = impl_->connections.find(message->to.session);
    if (found == impl_->connections.end()) {
      // Asked of a session that is gone: its exchange must not wait for a time-out.
      impl_->endpoint.peer_gone(message->to, Error(reason::coaps_session_gone), now);
      continue;
    }
    Impl::Connection& connection = found->second;
    if (connection.client.established()) {
      impl_->send(found->first, connection, message->datagram, now);
    } else if (std::ranges::find(connection.held, message->datagram) == connection.held.end() &&
               connection.held.size() < max_held) {  // a retransmission is held already
      connection.held.push_back(std::move(message->datagram));
    }
  }
  ClientOutgoing out = std::move(impl_->output.front());
  impl_->output.pop_front();
  impl_->show(Direction::out, out.channel, out.to, out.datagram, now);
  return out;
}

void ClientStack::on_timeout(Instant now) {
  const std::vector<Channel> channels(impl_->handshaking.begin(), impl_->handshaking.end());
  for (const Channel channel : channels) {
    const auto found = impl_->connections.find(channel);
    if (found == impl_->connections.end()) continue;
    found->second.client.on_timeout(now);
    impl_->drain(channel, 0, now);
  }
  impl_->blockwise.on_timeout(now);
}

std::optional<Instant> ClientStack::next_timeout() const {
  std::optional<Instant> next = impl_->blockwise.next_timeout();
  for (const Channel channel : impl_->handshaking) {
    const auto at = impl_->connections.at(channel).client.next_timeout();
    if (at && (!next || *at < *next)) next = at;
  }
  return next;
}

std::optional<SessionEvent> ClientStack::next_session_event() {
  while (const auto stalled = impl_->endpoint.next_stalled()) {
    if (stalled->peer.transport != coap::Transport::dtls) continue;
    impl_->session_events.push_back(SessionStalled{stalled->peer, stalled->retransmissions});
  }
  if (impl_->session_events.empty()) return std::nullopt;
  SessionEvent event = std::move(impl_->session_events.front());
  impl_->session_events.pop_front();
  return event;
}

const tls::PeerIdentity* ClientStack::identity(std::uint64_t session) const {
  const auto found = impl_->connections.find(session);
  return found == impl_->connections.end() || !found->second.identity ? nullptr : &*found->second.identity;
}

std::size_t ClientStack::connection_count() const { return impl_->connections.size(); }
bool ClientStack::channel_in_use(Channel channel) const {
  return channel == plain_channel || impl_->connections.contains(channel);
}
void ClientStack::set_tap(MessageTap* tap) { impl_->tap = tap; }

}  // namespace aceward::coaps
