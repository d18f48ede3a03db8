#include "aceward/tls/client.h"

#include "aceward/tls/connection.h"
#include "aceward/tls/raw_key.h"
#include "aceward/tls/reasons.h"
#include "aceward/tls/records.h"

namespace aceward::tls {

struct Client::Impl final : detail::PeerCheck {
  Impl(SessionId id_in, const Address& server_in, ClientConfig config_in)
      : id(id_in), server(server_in), config(std::move(config_in)) {}

  // A client is never asked for a key.
  Result<PskCredential> psk(BytesView) override { return fail(reason::psk_identity_refused); }
  Result<void> raw_public_key(BytesView spki) override {
    if (!equal(spki, expected_spki)) return fail(reason::server_key_unexpected);
    return {};
  }

  Result<void> prepare(ClientCredentials credentials);
  Result<void> prepare_psk(const PskClient& credentials);
  Result<void> prepare_raw_key(const RawKeyClient& credentials);
  Result<void> make_connection();
  void after();
  void finish(Error why);

  SessionId id;
  Address server;
  ClientConfig config;
  Bytes expected_spki;
  detail::PriorityHandle priority;
  detail::CertificateHandle certificate;
  detail::PskClientHandle psk_credentials;
  std::unique_ptr<detail::Connection> connection;
  std::optional<Instant> give_up_at;
  bool announced = false;
  bool finished = false;
  detail::Queue<Bytes> output;
  detail::Queue<Event> events;
};

Result<void> Client::Impl::prepare(ClientCredentials credentials) {
  if (const auto* psk = std::get_if<PskClient>(&credentials)) {
    ACEWARD_TRY(prepare_psk(*psk));
  } else if (const auto* raw_key = std::get_if<RawKeyClient>(&credentials)) {
    ACEWARD_TRY(prepare_raw_key(*raw_key));
  } else {
    return fail(reason::tls_setup_failed, "a kind of credential that is not here yet");
  }
  return make_connection();
}

Result<void> Client::Impl::prepare_psk(const PskClient& credentials) {
  if (credentials.identity.empty() || credentials.identity.size() > 0xffff || credentials.key.empty() ||
      credentials.key.size() > 256) {
    return fail(reason::psk_unusable);
  }
  priority = ACEWARD_TRY(detail::make_priority(false, true));
  gnutls_psk_client_credentials_t raw = nullptr;
  if (gnutls_psk_allocate_client_credentials(&raw) < 0) return fail(reason::tls_setup_failed, "PSK credentials");
  psk_credentials.reset(raw);
  const gnutls_datum_t identity = detail::borrow(credentials.identity);
  const gnutls_datum_t key = detail::borrow(credentials.key.expose());
  if (gnutls_psk_set_client_credentials2(raw, &identity, &key, GNUTLS_PSK_KEY_RAW) < 0) {
    return fail(reason::psk_unusable);
  }
  expected_spki.clear();
  return {};
}

Result<void> Client::Impl::prepare_raw_key(const RawKeyClient& credentials) {
  const auto* spki = std::get_if<Bytes>(&credentials.server);
  if (spki == nullptr) return fail(reason::tls_setup_failed, "a server known by name");
  ACEWARD_TRY(parse_spki(*spki));
  expected_spki = *spki;
  priority = ACEWARD_TRY(detail::make_priority(true, false));
  certificate = ACEWARD_TRY(detail::make_certificate(credentials.key));
  gnutls_certificate_set_verify_function(certificate.get(), &detail::check_raw_public_key);
  return {};
}

Result<void> Client::Impl::make_connection() {
  const detail::ConnectionSettings settings{.server = false,
                                            .mtu = config.mtu,
                                            .initial_retransmission = config.timers.initial_retransmission,
                                            .total_timeout = 2 * config.handshake_timeout,
                                            .key_log = &config.key_log};
  connection = ACEWARD_TRY(
      detail::Connection::create(settings, *this, priority.get(), certificate.get(), psk_credentials.get()));
  return {};
}

void Client::Impl::after() {
  while (auto datagram = connection->next_datagram()) output.push(std::move(*datagram));
  if (finished) return;
  using State = detail::Connection::State;
  const auto state = connection->state();
  if (!announced && (state == State::established || state == State::closed)) {
    announced = true;
    give_up_at.reset();
    events.push(Established{id, server, Address{}, connection->peer_identity(), connection->info()});
  }
  while (auto octets = connection->next_data()) events.push(Data{id, to_bytes(*octets)});
  if (state == State::closed || state == State::failed) finish(connection->why());
}

void Client::Impl::finish(Error why) {
  finished = true;
  give_up_at.reset();
  if (announced) {
    events.push(Closed{id, server, Address{}, why, connection->alert_received()});
  } else {
    events.push(HandshakeFailed{id, server, Address{}, why, connection->alert_sent(), connection->alert_received()});
  }
}

Client::Client(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;
Client::~Client() = default;

Result<Client> Client::create(SessionId id, Address server, ClientCredentials credentials, ClientConfig config) {
  Bytes identity;
  if (const auto* psk = std::get_if<PskClient>(&credentials)) identity = psk->identity;
  auto impl = std::make_unique<Impl>(id, server, std::move(config));
  ACEWARD_TRY(impl->prepare(std::move(credentials)));
  impl->connection->set_own_psk_identity(std::move(identity));
  return Client(std::move(impl));
}

void Client::start(Instant now) {
  if (impl_->finished || impl_->give_up_at) return;
  impl_->give_up_at = now + impl_->config.handshake_timeout;
  impl_->connection->step(now);
  impl_->after();
}

void Client::receive(BytesView datagram, Instant now) {
  BytesView rest = datagram;
  impl_->connection->count_datagram_in(datagram.size());
  while (!impl_->finished) {
    const auto record = next_record(rest);
    if (!record) break;
    // Once the session lives, nobody vouches for epoch 0.
    if (impl_->announced && record->epoch == 0) continue;
    static_cast<void>(impl_->connection->receive(record->octets, now));
    impl_->after();
  }
}

Result<void> Client::send(BytesView data, Instant now) {
  if (impl_->finished) return fail(reason::session_unknown);
  const auto sent = impl_->connection->send(data, now);
  impl_->after();
  return sent;
}

std::size_t Client::max_data() const { return impl_->finished ? 0 : impl_->connection->max_data(); }

void Client::close(Instant now) {
  if (impl_->finished) return;
  impl_->connection->shut(now);
  impl_->after();
}

void Client::on_timeout(Instant now) {
  if (impl_->finished) return;
  if (impl_->give_up_at && *impl_->give_up_at <= now) {
    impl_->connection->shut(now);
    impl_->finish(Error(reason::handshake_timed_out));
    return;
  }
  const auto due = impl_->connection->retransmit_at();
  if (!due || *due > now) return;
  impl_->connection->step(now);
  impl_->after();
}

std::optional<Instant> Client::next_timeout() const {
  if (impl_->finished) return std::nullopt;
  const auto retransmit = impl_->connection->retransmit_at();
  if (impl_->give_up_at && retransmit) return std::min(*impl_->give_up_at, *retransmit);
  return retransmit ? retransmit : impl_->give_up_at;
}

std::optional<Outgoing> Client::next_datagram() {
  if (impl_->output.empty()) return std::nullopt;
  return Outgoing{impl_->server, Address{}, *impl_->output.pop()};
}

std::optional<Event> Client::next_event() { return impl_->events.pop(); }

SessionId Client::id() const { return impl_->id; }
bool Client::established() const { return impl_->announced && !impl_->finished; }

}  // namespace aceward::tls
