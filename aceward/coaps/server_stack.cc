#include "aceward/coaps/server_stack.h"

#include <deque>
#include <unordered_map>
#include <utility>

#include "aceward/coap/resource/router.h"
#include "aceward/coaps/reasons.h"
#include "aceward/tls/reasons.h"

namespace aceward::coaps {

struct ServerStack::Impl final : tls::DataSink {
  struct Session {
    coap::Peer peer;
    tls::PeerIdentity identity;
  };

  Impl(const ServerStackConfig& config, Random& random)
      : endpoint(config.parameters, config.limits, random),
        blockwise(endpoint, config.blockwise, config.blockwise_limits, random) {
    auto in_requests = coap::Router::known_options();
    auto in_responses = coap::KnownOptions::in_responses();
    coap::Blockwise::add_known_options(in_requests);
    coap::Blockwise::add_known_options(in_responses);
    endpoint.set_known_options(in_requests, in_responses);
  }

  /// Carries what DTLS has to say to the message layer.
  void drain_tls(Instant now);
  void on_data(tls::SessionId id, BytesView octets, Instant now) override;
  void on(tls::Established&& event, Instant now);
  void on(tls::Closed&& event, Instant now);
  void on(tls::HandshakeFailed&& event, Instant now);
  std::optional<ServerOutgoing> protect(coap::Outgoing&& message, Instant now);
  void show(Direction direction, ListenerKind kind, const Address& remote, const Address& local, BytesView datagram,
            Instant now);

  coap::Endpoint endpoint;
  coap::Blockwise blockwise;
  std::optional<tls::Server> tls;
  std::unordered_map<std::uint64_t, Session> sessions;
  std::deque<SessionEvent> session_events;
  MessageTap* tap = nullptr;
  std::size_t wire_octets = 0;  ///< of the datagram at hand
};

void ServerStack::Impl::drain_tls(Instant now) {
  while (auto event = tls->next_event()) {
    if (auto* data = std::get_if<tls::Data>(&*event)) {
      on_data(data->id, data->octets, now);
    } else if (auto* established = std::get_if<tls::Established>(&*event)) {
      on(std::move(*established), now);
    } else if (auto* closed = std::get_if<tls::Closed>(&*event)) {
      on(std::move(*closed), now);
    } else {
      on(std::get<tls::HandshakeFailed>(std::move(*event)), now);
    }
  }
}

void ServerStack::Impl::on(tls::Established&& event, Instant now) {
  coap::Peer peer;
  peer.transport = coap::Transport::dtls;
  peer.remote = event.remote;
  peer.local = event.local;
  peer.session = event.id.value;
  if (tap != nullptr) tap->on_handshake(peer, event.peer, event.info, now);
  sessions.emplace(event.id.value, Session{peer, event.peer});
  session_events.push_back(SessionEstablished{peer, std::move(event.peer), std::move(event.info)});
}

void ServerStack::Impl::on_data(tls::SessionId id, BytesView octets, Instant now) {
  const auto found = sessions.find(id.value);
  if (found == sessions.end()) return;
  const coap::Peer& peer = found->second.peer;
  if (tap != nullptr) tap->on_message(Direction::in, peer, octets, wire_octets, now);
  endpoint.receive(peer, octets, now);
}

void ServerStack::Impl::on(tls::Closed&& event, Instant now) {
  const auto found = sessions.find(event.id.value);
  if (found == sessions.end()) return;
  const coap::Peer peer = found->second.peer;
  sessions.erase(found);
  endpoint.peer_gone(peer, event.why, now);
  blockwise.forget(peer);
  if (tap != nullptr) tap->on_session_closed(peer, event.why, now);
  session_events.push_back(SessionClosed{peer, event.why});
}

void ServerStack::Impl::on(tls::HandshakeFailed&& event, Instant now) {
  if (tap != nullptr) tap->on_handshake_failed(event, now);
  coap::Peer peer;
  peer.transport = coap::Transport::dtls;
  peer.remote = event.remote;
  peer.local = event.local;
  peer.session = event.id.value;
  session_events.push_back(SessionFailed{peer, event.why, event.alert_sent, event.alert_received});
}

std::optional<ServerOutgoing> ServerStack::Impl::protect(coap::Outgoing&& message, Instant now) {
  if (message.to.transport == coap::Transport::udp) {
    if (tap != nullptr) tap->on_message(Direction::out, message.to, message.datagram, message.datagram.size(), now);
    return ServerOutgoing{ListenerKind::plain, message.to.remote, message.to.local, std::move(message.datagram)};
  }
  if (!tls) return std::nullopt;
  // What does not go out is lost as on a network; the end of a session has its own event.
  const auto sent = tls->send(tls::SessionId(message.to.session), message.datagram, now);
  if (!sent && sent.error() == reason::session_unknown) {
    endpoint.peer_gone(message.to, Error(reason::coaps_session_gone), now);
    return std::nullopt;
  }
  auto record = sent ? tls->next_datagram() : std::nullopt;
  if (!record) return std::nullopt;
  if (tap != nullptr) tap->on_message(Direction::out, message.to, message.datagram, record->datagram.size(), now);
  // The host gives the record's memory to the message layer, so this layer's goes the other way.
  tls->recycle(std::move(message.datagram));
  return ServerOutgoing{ListenerKind::secure, record->to, record->local, std::move(record->datagram)};
}

void ServerStack::Impl::show(Direction direction, ListenerKind kind, const Address& remote, const Address& local,
                             BytesView datagram, Instant now) {
  if (tap == nullptr) return;
  coap::Peer ends;
  ends.transport = kind == ListenerKind::secure ? coap::Transport::dtls : coap::Transport::udp;
  ends.remote = remote;
  ends.local = local;
  tap->on_datagram(direction, ends, datagram, now);
}

ServerStack::ServerStack(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ServerStack::~ServerStack() = default;

Result<std::unique_ptr<ServerStack>> ServerStack::create(ServerStackConfig config, tls::ServerCredentials* credentials,
                                                         Random& random) {
  auto impl = std::make_unique<Impl>(config, random);
  if (config.dtls) {
    if (credentials == nullptr) return fail(reason::coaps_no_secure_listener);
    impl->tls = ACEWARD_TRY(tls::Server::create(std::move(*config.dtls), *credentials, random));
    impl->tls->hand_data_to(impl.get());
  }
  return std::unique_ptr<ServerStack>(new ServerStack(std::move(impl)));
}

coap::Layer& ServerStack::layer() { return impl_->blockwise; }
coap::Blockwise& ServerStack::blockwise() { return impl_->blockwise; }
const coap::Blockwise& ServerStack::blockwise() const { return impl_->blockwise; }
coap::Endpoint& ServerStack::endpoint() { return impl_->endpoint; }

void ServerStack::receive(ListenerKind kind, const Address& from, const Address& local, BytesView datagram,
                          Instant now) {
  impl_->show(Direction::in, kind, from, local, datagram, now);
  if (kind == ListenerKind::secure) {
    if (!impl_->tls) return;
    impl_->wire_octets = datagram.size();
    impl_->tls->receive(from, local, datagram, now);
    impl_->drain_tls(now);
    return;
  }
  coap::Peer peer;
  peer.remote = from;
  peer.local = local;
  if (impl_->tap != nullptr) impl_->tap->on_message(Direction::in, peer, datagram, datagram.size(), now);
  impl_->endpoint.receive(peer, datagram, now);
}

std::optional<ServerOutgoing> ServerStack::next_datagram(Instant now) {
  // Handshakes first; after that whatever DTLS puts out is the record of the message at hand.
  if (impl_->tls) {
    if (auto out = impl_->tls->next_datagram()) {
      impl_->show(Direction::out, ListenerKind::secure, out->to, out->local, out->datagram, now);
      return ServerOutgoing{ListenerKind::secure, out->to, out->local, std::move(out->datagram)};
    }
  }
  while (auto message = impl_->endpoint.next_datagram()) {
    if (auto out = impl_->protect(std::move(*message), now)) {
      impl_->show(Direction::out, out->kind, out->to, out->local, out->datagram, now);
      return out;
    }
  }
  return std::nullopt;
}

void ServerStack::on_timeout(Instant now) {
  if (impl_->tls) {
    impl_->tls->on_timeout(now);
    impl_->drain_tls(now);
  }
  impl_->blockwise.on_timeout(now);
}

std::optional<Instant> ServerStack::next_timeout() const {
  const auto of_messages = impl_->blockwise.next_timeout();
  const auto of_sessions = impl_->tls ? impl_->tls->next_timeout() : std::nullopt;
  if (of_messages && of_sessions) return std::min(*of_messages, *of_sessions);
  return of_messages ? of_messages : of_sessions;
}

std::optional<SessionEvent> ServerStack::next_session_event() {
  if (impl_->session_events.empty()) return std::nullopt;
  SessionEvent event = std::move(impl_->session_events.front());
  impl_->session_events.pop_front();
  return event;
}

const tls::PeerIdentity* ServerStack::identity(std::uint64_t session) const {
  const auto found = impl_->sessions.find(session);
  return found == impl_->sessions.end() ? nullptr : &found->second.identity;
}

void ServerStack::close_session(std::uint64_t session, Instant now) {
  if (!impl_->tls) return;
  impl_->tls->close(tls::SessionId(session), now);
  impl_->drain_tls(now);
}

void ServerStack::close_all(Instant now) {
  if (!impl_->tls) return;
  std::vector<std::uint64_t> ids;
  ids.reserve(impl_->sessions.size());
  for (const auto& [id, session] : impl_->sessions) ids.push_back(id);
  for (const auto id : ids) close_session(id, now);
}

void ServerStack::set_tap(MessageTap* tap) { impl_->tap = tap; }
std::size_t ServerStack::session_count() const { return impl_->tls ? impl_->tls->session_count() : 0; }
std::size_t ServerStack::half_open_count() const { return impl_->tls ? impl_->tls->half_open_count() : 0; }
tls::Server::Counters ServerStack::tls_counters() const {
  return impl_->tls ? impl_->tls->counters() : tls::Server::Counters{};
}

}  // namespace aceward::coaps
