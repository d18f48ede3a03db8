#include "aceward/tls/client.h"

#include "aceward/tls/certificates.h"
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
    const auto* wanted = std::get_if<Bytes>(&expected);
    if (wanted == nullptr || wanted->empty() || !equal(spki, *wanted)) return fail(reason::server_key_unexpected);
    return {};
  }
  Result<Certificate> certificate_chain(std::span<const gnutls_datum_t> chain) override;
  Result<void> nobody() override { return fail(reason::server_key_unexpected, "neither key nor certificate"); }

  Result<void> prepare(const ClientCredentials& credentials);
  Result<void> prepare_psk(const PskClient& credentials);
  Result<void> prepare_server(const ExpectedServer& server_wanted);
  Result<void> make_connection(const ClientCredentials& credentials);
  void after();
  void finish(Error why);

  SessionId id;
  Address server;
  ClientConfig config;
  ExpectedServer expected;
  detail::PriorityNeeds needs;
  detail::SharedCertificate certificate;
  detail::PskClientHandle psk_credentials;
  std::unique_ptr<detail::Connection> connection;
  std::optional<Instant> give_up_at;
  bool announced = false;
  bool finished = false;
  detail::Queue<Bytes> output;
  detail::Queue<Event> events;
};

Result<Certificate> Client::Impl::certificate_chain(std::span<const gnutls_datum_t> chain) {
  const auto* wanted = std::get_if<NamedServer>(&expected);
  if (wanted == nullptr || config.clock == nullptr)
    return fail(reason::certificate_untrusted, detail::unknown_authority);
  auto verified =
      ACEWARD_TRY(detail::verify_chain(wanted->authorities, chain, detail::Purpose::server, config.clock->wall()));
  if (!detail::is_certificate_of(verified, wanted->name)) return fail(reason::certificate_name_unexpected);
  return verified;
}

Result<void> Client::Impl::prepare(const ClientCredentials& credentials) {
  needs.suites = config.suites;
  if (const auto* psk = std::get_if<PskClient>(&credentials)) {
    needs.psk = true;
    ACEWARD_TRY(prepare_psk(*psk));
  } else if (const auto* raw = std::get_if<RawKeyClient>(&credentials)) {
    needs.client_raw_key = true;
    ACEWARD_TRY(prepare_server(raw->server));
    certificate = ACEWARD_TRY(detail::make_certificate(&raw->key, nullptr));
  } else if (const auto* certified = std::get_if<CertificateClient>(&credentials)) {
    needs.client_certificate = true;
    ACEWARD_TRY(prepare_server(certified->server));
    certificate = ACEWARD_TRY(detail::make_certificate(nullptr, &certified->chain));
  } else {
    ACEWARD_TRY(prepare_server(std::get<AnonymousClient>(credentials).server));
    certificate = ACEWARD_TRY(detail::make_certificate(nullptr, nullptr));
  }
  return make_connection(credentials);
}

Result<void> Client::Impl::prepare_server(const ExpectedServer& server_wanted) {
  expected = server_wanted;
  if (const auto* spki = std::get_if<Bytes>(&server_wanted)) {
    needs.server_raw_key = true;
    ACEWARD_TRY(parse_spki(*spki));
    return {};
  }
  needs.server_certificate = true;
  if (config.clock == nullptr || std::get<NamedServer>(server_wanted).name.empty()) {
    return fail(reason::tls_setup_failed, "a server known by its name needs a clock and a name");
  }
  return {};
}

Result<void> Client::Impl::prepare_psk(const PskClient& credentials) {
  if (credentials.identity.empty() || credentials.identity.size() > 0xffff || credentials.key.empty() ||
      credentials.key.size() > 256) {
    return fail(reason::psk_unusable);
  }
  gnutls_psk_client_credentials_t raw = nullptr;
  if (gnutls_psk_allocate_client_credentials(&raw) < 0) return fail(reason::tls_setup_failed, "PSK credentials");
  psk_credentials.reset(raw);
  const gnutls_datum_t identity = detail::borrow(credentials.identity);
  const gnutls_datum_t key = detail::borrow(credentials.key.expose());
  if (gnutls_psk_set_client_credentials2(raw, &identity, &key, GNUTLS_PSK_KEY_RAW) < 0) {
    return fail(reason::psk_unusable);
  }
  return {};
}

Result<void> Client::Impl::make_connection(const ClientCredentials& credentials) {
  detail::ConnectionSettings settings{.server = false,
                                      .mtu = config.mtu,
                                      .initial_retransmission = config.timers.initial_retransmission,
                                      .total_timeout = 2 * config.handshake_timeout,
                                      .key_log = &config.key_log,
                                      .wants_ticket = config.wants_ticket};
  if (config.wants_ticket || config.ticket) settings.credentials_digest = detail::digest_of(credentials);
  if (config.ticket && equal_constant_time(settings.credentials_digest, config.ticket->material().credentials_digest)) {
    settings.ticket = &*config.ticket;
  }
  if (const auto* named = std::get_if<NamedServer>(&expected); named != nullptr && !named->name.contains(':')) {
    settings.server_name = named->name;
  }
  const auto priority = ACEWARD_TRY(detail::priority_for(needs));
  connection =
      ACEWARD_TRY(detail::Connection::create(settings, *this, priority, certificate.get(), psk_credentials.get()));
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
    events.push(
        Established{id, server, Address{}, connection->peer_identity(), connection->info(), connection->ticket()});
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
  ACEWARD_TRY(impl->prepare(credentials));
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
