#include "aceward/tls/server.h"

#include <algorithm>
#include <list>
#include <unordered_map>

#include "aceward/tls/certificates.h"
#include "aceward/tls/connection.h"
#include "aceward/tls/cookie.h"
#include "aceward/tls/given_tickets.h"
#include "aceward/tls/raw_key.h"
#include "aceward/tls/reasons.h"
#include "aceward/tls/records.h"

namespace aceward::tls {
namespace {

constexpr std::size_t max_spare = 64;
constexpr std::size_t max_spare_octets = 2'048;

struct AddressPair {
  Address remote;
  Address local;
  friend bool operator==(const AddressPair&, const AddressPair&) = default;
};

struct AddressPairHash {
  std::size_t operator()(const AddressPair& pair) const noexcept {
    const std::size_t first = std::hash<Address>{}(pair.remote);
    return first ^ (std::hash<Address>{}(pair.local) + 0x9e3779b97f4a7c15U + (first << 6) + (first >> 2));
  }
};

struct ServerSession {
  SessionId id;
  AddressPair pair;
  std::array<std::uint8_t, 32> hello_random{};
  std::unique_ptr<detail::Connection> connection;
  bool live = false;
  Instant since;  ///< half open: when it began; live: when something authentic last came
  std::list<ServerSession*>::iterator place;
  std::uint64_t renegotiations_counted = 0;
};

/// Ports are free and an IPv6 host has a whole /64, so neither makes another host.
Address host_of(Address address) {
  address.port = 0;
  if (!address.is_v4()) std::fill(address.ip.begin() + 8, address.ip.end(), std::uint8_t{0});
  return address;
}

/// What a pair of addresses has: a session, a handshake, or both, when a peer that lost its state begins anew.
struct Slot {
  ServerSession* live = nullptr;
  ServerSession* half_open = nullptr;
};

}  // namespace

struct Server::Impl final : detail::PeerCheck {
  Impl(ServerConfig config_in, ServerCredentials& credentials_in, Random& random)
      : config(std::move(config_in)),
        credentials(credentials_in),
        cookies(random, config.cookie_key_lifetime),
        tickets(config.max_tickets) {}

  Result<PskCredential> psk(BytesView identity) override { return credentials.psk(identity); }
  Result<void> raw_public_key(BytesView spki) override { return credentials.raw_public_key(spki); }
  Result<Certificate> certificate_chain(std::span<const gnutls_datum_t> chain) override;
  Result<void> nobody() override {
    if (!credentials.allows_no_identity()) return fail(reason::client_unauthenticated);
    return {};
  }
  Result<void> resume(const PeerIdentity& identity) override { return credentials.resume(identity); }
  void ticket_given(BytesView ticket, const detail::GivenTicket& given) override { tickets.remember(ticket, given); }

  Result<void> prepare();
  void receive(const AddressPair& pair, BytesView datagram, Instant now);
  void take_hello(const AddressPair& pair, const Record& record, std::size_t datagram_size, Instant now);
  void begin(const AddressPair& pair, const ClientHello& hello, const gnutls_dtls_prestate_st& prestate,
             const Record& record, std::size_t datagram_size, Instant now);
  /// A connection that was given the ClientHello; null when none can be made.
  std::unique_ptr<detail::Connection> start(const detail::ConnectionSettings& settings,
                                            const gnutls_dtls_prestate_st& prestate, const Record& record,
                                            std::size_t datagram_size, Instant now);
  /// At the cap: ends the oldest handshake of the host that has the most, if it has more than `from` would have.
  bool make_room_for(const Address& from);
  void after(ServerSession& session, Instant now);
  void promote(ServerSession& session, Instant now);
  void collect(ServerSession& session);
  /// Emits the last event of a session and frees it.
  void finish(ServerSession& session, Error why);
  ServerSession* find(SessionId id) const {
    const auto found = sessions.find(id);
    return found == sessions.end() ? nullptr : found->second.get();
  }
  void on_timeout(Instant now);

  ServerConfig config;
  ServerCredentials& credentials;
  detail::CookieJar cookies;
  gnutls_priority_t priority = nullptr;
  detail::SharedCertificate certificate;
  detail::PskServerHandle psk_credentials;

  detail::GivenTickets tickets;
  std::vector<Bytes> spare;  ///< for datagrams
  // In the order of destruction: sessions refer to the credentials above.
  std::unordered_map<SessionId, std::unique_ptr<ServerSession>> sessions;
  std::unordered_map<AddressPair, Slot, AddressPairHash> slots;
  std::list<ServerSession*> live;       ///< the one that was silent longest in front
  std::list<ServerSession*> half_open;  ///< the oldest in front
  detail::Queue<Outgoing> output;
  detail::Queue<Event> events;
  DataSink* sink = nullptr;
  Counters counters;
  std::uint64_t last_id = 0;
};

Result<void> Server::Impl::prepare() {
  const bool has_key = config.raw_key || config.certificate;
  if (!has_key && !config.allow_psk) return fail(reason::tls_setup_failed, "no kind of credential is allowed");
  if (config.client_authorities && config.clock == nullptr) {
    return fail(reason::tls_setup_failed, "certificates of clients need a clock");
  }
  if (config.full_handshake_after < std::chrono::seconds(1) ||
      config.full_handshake_after > detail::longest_resumption) {
    return fail(reason::tls_setup_failed, "full_handshake_after");
  }
  // A client without identity is asked for an X.509 certificate that it does not have.
  priority = ACEWARD_TRY(detail::priority_for({.server = true,
                                               .psk = config.allow_psk,
                                               .server_raw_key = config.raw_key.has_value(),
                                               .server_certificate = config.certificate.has_value(),
                                               .client_raw_key = has_key,
                                               .client_certificate = has_key,
                                               .suites = config.suites}));
  if (has_key) {
    certificate = ACEWARD_TRY(detail::make_certificate(config.raw_key ? &*config.raw_key : nullptr,
                                                       config.certificate ? &*config.certificate : nullptr));
  }
  if (config.allow_psk) {
    gnutls_psk_server_credentials_t raw = nullptr;
    if (gnutls_psk_allocate_server_credentials(&raw) < 0) return fail(reason::tls_setup_failed, "PSK credentials");
    psk_credentials.reset(raw);
    gnutls_psk_set_server_credentials_function2(raw, &detail::find_psk);
    // For clients that name no group; RFC 7919's otherwise.
    if (gnutls_psk_set_server_known_dh_params(raw, GNUTLS_SEC_PARAM_MEDIUM) < 0) {
      return fail(reason::tls_setup_failed, "DH parameters");
    }
  }
  return {};
}

void Server::Impl::receive(const AddressPair& pair, BytesView datagram, Instant now) {
  ++counters.datagrams_in;
  BytesView rest = datagram;
  bool any = false;
  SessionId counted;
  while (const auto record = next_record(rest)) {
    any = true;
    if (is_client_hello(*record)) {
      take_hello(pair, *record, datagram.size(), now);
      continue;
    }
    // Looked up for each record anew: the one before may have completed or ended a handshake.
    const auto found = slots.find(pair);
    const Slot slot = found == slots.end() ? Slot{} : found->second;
    if (slot.live == nullptr && slot.half_open == nullptr) {
      ++counters.unexpected;
      return;
    }
    // The session's epoch is as high as the handshake's will be, so only decryption tells whose a record is.
    if (slot.live != nullptr && record->epoch > 0 && slot.live->connection->receive(record->octets, now)) {
      slot.live->since = now;
      live.splice(live.end(), live, slot.live->place);
      after(*slot.live, now);
      continue;
    }
    if (slot.half_open != nullptr) {
      auto& connection = *slot.half_open->connection;
      if (counted != slot.half_open->id) connection.count_datagram_in(datagram.size());
      counted = slot.half_open->id;
      if (!connection.receive(record->octets, now)) ++counters.undecryptable;
      after(*slot.half_open, now);
    } else {
      // Epoch 0 says nothing to a live session: nobody vouches for it.
      ++(record->epoch > 0 ? counters.undecryptable : counters.unexpected);
    }
  }
  if (!any) ++counters.malformed;
}

void Server::Impl::take_hello(const AddressPair& pair, const Record& record, std::size_t datagram_size, Instant now) {
  const auto hello = parse_client_hello(record);
  if (!hello) {
    ++counters.malformed;
    return;
  }
  const auto prestate = cookies.verify(pair.remote, pair.local, *hello, record.octets, now);
  if (!prestate) {
    Bytes challenge = cookies.challenge(pair.remote, pair.local, *hello, record.octets, now);
    if (challenge.empty()) return;
    ++counters.cookies_sent;
    output.push({pair.remote, pair.local, std::move(challenge)});
    return;
  }
  const auto found = slots.find(pair);
  const Slot slot = found == slots.end() ? Slot{} : found->second;
  for (const ServerSession* known : {slot.live, slot.half_open}) {
    if (known != nullptr && known->hello_random == hello->random) {
      // A copy that the network made, or a client that has not seen our flight: that flight's own timer answers it.
      ++counters.duplicate_hellos;
      return;
    }
  }
  if (slot.half_open != nullptr) {
    finish(*slot.half_open, Error(reason::handshake_superseded));
  } else if (half_open.size() >= config.max_half_open && !make_room_for(pair.remote)) {
    ++counters.refused_half_open;
    return;
  }
  if (slot.live == nullptr && sessions.size() >= config.max_sessions) {
    ++counters.refused_sessions;
    return;
  }
  begin(pair, *hello, *prestate, record, datagram_size, now);
}

bool Server::Impl::make_room_for(const Address& from) {
  std::unordered_map<Address, std::size_t> held;
  for (const ServerSession* session : half_open) ++held[host_of(session->pair.remote)];
  const std::size_t would_have = held[host_of(from)] + 1;
  const auto most = std::ranges::max_element(held, {}, [](const auto& entry) { return entry.second; });
  if (most->second <= would_have) return false;
  const auto oldest = std::ranges::find_if(
      half_open, [&](const ServerSession* session) { return host_of(session->pair.remote) == most->first; });
  finish(**oldest, Error(reason::handshake_timed_out, "its place was needed for another host"));
  return true;
}

void Server::Impl::begin(const AddressPair& pair, const ClientHello& hello, const gnutls_dtls_prestate_st& prestate,
                         const Record& record, std::size_t datagram_size, Instant now) {
  // The half-open timeout is ours; GnuTLS's own is kept out of the way.
  detail::ConnectionSettings settings{.server = true,
                                      .mtu = config.mtu,
                                      .initial_retransmission = config.timers.initial_retransmission,
                                      .total_timeout = 2 * config.half_open_timeout,
                                      .key_log = &config.key_log,
                                      .spare = &spare,
                                      .allows_no_identity = credentials.allows_no_identity(),
                                      .ticket_key = config.ticket_key ? &config.ticket_key->octets() : nullptr,
                                      .ticket_lifetime = config.full_handshake_after};
  if (!hello.session_ticket.empty()) {
    settings.offered = tickets.find(hello.session_ticket);
    if (settings.offered && settings.offered->since + config.full_handshake_after <= now) settings.offered.reset();
  }
  auto connection = start(settings, prestate, record, datagram_size, now);
  if (connection != nullptr && connection->resumption_refused()) {
    ++counters.resumptions_refused;
    // RFC 5077 section 3.1: as if there had been no ticket. Nothing has been sent yet.
    settings.ticket_key = nullptr;
    connection = start(settings, prestate, record, datagram_size, now);
  }
  if (connection == nullptr) return;
  auto owned = std::make_unique<ServerSession>();
  ServerSession& session = *owned;
  session.id = SessionId(++last_id);
  session.pair = pair;
  session.hello_random = hello.random;
  session.connection = std::move(connection);
  session.since = now;
  session.place = half_open.insert(half_open.end(), &session);
  slots[pair].half_open = &session;
  sessions.emplace(session.id, std::move(owned));
  ++counters.handshakes_started;
  after(session, now);
}

std::unique_ptr<detail::Connection> Server::Impl::start(const detail::ConnectionSettings& settings,
                                                        const gnutls_dtls_prestate_st& prestate, const Record& record,
                                                        std::size_t datagram_size, Instant now) {
  auto connection = detail::Connection::create(settings, *this, priority, certificate.get(), psk_credentials.get());
  if (!connection) return nullptr;
  (*connection)->adopt(prestate);
  (*connection)->count_datagram_in(datagram_size);
  static_cast<void>((*connection)->receive(record.octets, now));
  return std::move(*connection);
}

Result<Certificate> Server::Impl::certificate_chain(std::span<const gnutls_datum_t> chain) {
  if (!config.client_authorities || config.clock == nullptr) {
    return fail(reason::certificate_untrusted, detail::unknown_authority);
  }
  auto verified = ACEWARD_TRY(
      detail::verify_chain(*config.client_authorities, chain, detail::Purpose::client, config.clock->wall()));
  ACEWARD_TRY(credentials.certificate(verified));
  return verified;
}

void Server::Impl::collect(ServerSession& session) {
  while (auto datagram = session.connection->next_datagram()) {
    output.push({session.pair.remote, session.pair.local, std::move(*datagram)});
  }
  const std::uint64_t refused = session.connection->renegotiations_refused();
  counters.renegotiations_refused += refused - session.renegotiations_counted;
  session.renegotiations_counted = refused;
}

void Server::Impl::after(ServerSession& session, Instant now) {
  collect(session);
  const auto state = session.connection->state();
  using State = detail::Connection::State;
  // A connection may have got from the handshake to its end within one record.
  if (!session.live && (state == State::established || state == State::closed)) promote(session, now);
  if (session.live) {
    while (const auto octets = session.connection->next_data()) {
      if (sink != nullptr && events.empty()) {
        sink->on_data(session.id, *octets, now);
      } else {
        events.push(Data{session.id, to_bytes(*octets)});
      }
    }
  }
  if (state == State::closed || state == State::failed) finish(session, session.connection->why());
}

void Server::Impl::promote(ServerSession& session, Instant now) {
  Slot& slot = slots[session.pair];
  // RFC 6347 section 4.2.8: only now that the new handshake is complete may the old association go.
  if (slot.live != nullptr) finish(*slot.live, Error(reason::session_replaced));
  Slot& own = slots[session.pair];
  own.live = &session;
  own.half_open = nullptr;
  half_open.erase(session.place);
  session.place = live.insert(live.end(), &session);
  session.live = true;
  session.since = now;
  ++counters.handshakes_completed;
  if (session.connection->info().resumed) ++counters.resumed;
  events.push(Established{session.id, session.pair.remote, session.pair.local, session.connection->peer_identity(),
                          session.connection->info()});
}

void Server::Impl::finish(ServerSession& session, Error why) {
  const auto& connection = *session.connection;
  if (session.live) {
    events.push(Closed{session.id, session.pair.remote, session.pair.local, why, connection.alert_received()});
    live.erase(session.place);
  } else {
    ++counters.handshakes_failed;
    events.push(HandshakeFailed{session.id, session.pair.remote, session.pair.local, why, connection.alert_sent(),
                                connection.alert_received()});
    half_open.erase(session.place);
  }
  if (const auto found = slots.find(session.pair); found != slots.end()) {
    if (found->second.live == &session) found->second.live = nullptr;
    if (found->second.half_open == &session) found->second.half_open = nullptr;
    if (found->second.live == nullptr && found->second.half_open == nullptr) slots.erase(found);
  }
  sessions.erase(session.id);
}

void Server::Impl::on_timeout(Instant now) {
  while (!half_open.empty() && half_open.front()->since + config.half_open_timeout <= now) {
    finish(*half_open.front(), Error(reason::handshake_timed_out));
  }
  while (!live.empty() && live.front()->since + config.idle_timeout <= now) {
    ServerSession& idle = *live.front();
    idle.connection->shut(now);
    collect(idle);
    finish(idle, Error(reason::session_idle));
  }
  for (auto at = half_open.begin(); at != half_open.end();) {
    ServerSession& session = **at++;  // `after` may take the session out of the list
    const auto due = session.connection->retransmit_at();
    if (!due || *due > now) continue;
    session.connection->step(now);
    after(session, now);
  }
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::Server(Server&&) noexcept = default;
Server& Server::operator=(Server&&) noexcept = default;
Server::~Server() = default;

Result<Server> Server::create(ServerConfig config, ServerCredentials& credentials, Random& random) {
  auto impl = std::make_unique<Impl>(std::move(config), credentials, random);
  ACEWARD_TRY(impl->prepare());
  return Server(std::move(impl));
}

void Server::receive(const Address& from, const Address& local, BytesView datagram, Instant now) {
  impl_->receive({from, local}, datagram, now);
}

Result<void> Server::send(SessionId id, BytesView data, Instant now) {
  ServerSession* session = impl_->find(id);
  if (session == nullptr || !session->live) return fail(reason::session_unknown);
  const auto sent = session->connection->send(data, now);
  impl_->collect(*session);
  return sent;
}

std::size_t Server::max_data(SessionId id) const {
  const ServerSession* session = impl_->find(id);
  return session == nullptr ? 0 : session->connection->max_data();
}

void Server::close(SessionId id, Instant now) {
  ServerSession* session = impl_->find(id);
  if (session == nullptr) return;
  session->connection->shut(now);
  impl_->collect(*session);
  impl_->finish(*session, session->connection->why());
}

void Server::on_timeout(Instant now) { impl_->on_timeout(now); }

std::optional<Instant> Server::next_timeout() const {
  std::optional<Instant> next;
  const auto consider = [&next](std::optional<Instant> at) {
    if (at && (!next || *at < *next)) next = at;
  };
  if (!impl_->half_open.empty()) consider(impl_->half_open.front()->since + impl_->config.half_open_timeout);
  if (!impl_->live.empty()) consider(impl_->live.front()->since + impl_->config.idle_timeout);
  for (const ServerSession* session : impl_->half_open) consider(session->connection->retransmit_at());
  return next;
}

std::optional<Outgoing> Server::next_datagram() { return impl_->output.pop(); }

std::optional<Event> Server::next_event() { return impl_->events.pop(); }

void Server::hand_data_to(DataSink* sink) { impl_->sink = sink; }

void Server::recycle(Bytes&& memory) {
  if (impl_->spare.size() < max_spare && memory.capacity() <= max_spare_octets) {
    impl_->spare.push_back(std::move(memory));
  }
}

std::size_t Server::session_count() const { return impl_->live.size(); }
std::size_t Server::half_open_count() const { return impl_->half_open.size(); }
const Server::Counters& Server::counters() const { return impl_->counters; }

}  // namespace aceward::tls
