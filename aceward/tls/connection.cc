#include "aceward/tls/connection.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <limits>
#include <utility>

#include "aceward/tls/certificates.h"
#include "aceward/tls/gnutls_clock.h"
#include "aceward/tls/reasons.h"

namespace aceward::tls::detail {
namespace {

constexpr std::size_t max_handshake_message = 16'384;  ///< a PSK identity is an access token at most
constexpr std::size_t max_early_data = 4;
constexpr std::size_t record_header = 13;
constexpr std::uint8_t content_application_data = 23;
constexpr std::size_t room_for_hello = 320;  ///< a ClientHello without a ticket, its cookie included
constexpr int max_turns = 64;                ///< GnuTLS asks to be called again; a bug there must not hang us

bool is_application_data(BytesView record) {
  return record.size() > record_header && record[0] == content_application_data;
}

/// GnuTLS's name without the WITH that the IANA registry has.
std::string iana_cipher_name(const char* name) {
  if (name == nullptr) return {};
  std::string out(name);
  if (out.find("_WITH_") != std::string::npos) return out;
  for (const std::string_view cipher : {"_AES_", "_CHACHA20_"}) {
    if (const auto at = out.find(cipher); at != std::string::npos) {
      out.insert(at, "_WITH");
      if (cipher == "_CHACHA20_" && !out.ends_with("_SHA256")) out += "_SHA256";
      break;
    }
  }
  return out;
}

/// RFC 5246 section 7.2.2; RFC 9202 section 3.3.2 names the one for a PSK identity.
int alert_for(const Error& refusal, gnutls_credentials_type_t credentials) {
  if (refusal == reason::extended_master_secret_missing || refusal == reason::client_unauthenticated)
    return GNUTLS_A_HANDSHAKE_FAILURE;
  if (credentials == GNUTLS_CRD_PSK) return GNUTLS_A_ILLEGAL_PARAMETER;
  if (refusal == reason::certificate_unsupported) return GNUTLS_A_UNSUPPORTED_CERTIFICATE;
  if (refusal == reason::certificate_untrusted) {
    if (refusal.detail() == expired) return GNUTLS_A_CERTIFICATE_EXPIRED;
    if (refusal.detail() == unknown_authority) return GNUTLS_A_UNKNOWN_CA;
  }
  return GNUTLS_A_BAD_CERTIFICATE;
}

}  // namespace

int check_peer(gnutls_session_t session) {
  auto& self = *static_cast<Connection*>(gnutls_session_get_ptr(session));
  if (const auto accepted = self.check(); !accepted) {
    self.refuse(accepted.error());
    return -1;
  }
  return 0;
}

Result<void> Connection::check() {
  unsigned count = 0;
  const gnutls_datum_t* peers = gnutls_certificate_get_peers(session_.get(), &count);
  if (peers == nullptr || count == 0) return check_.nobody();
  if (gnutls_certificate_type_get2(session_.get(), GNUTLS_CTYPE_PEERS) == GNUTLS_CRT_RAWPK) {
    return check_.raw_public_key(view(peers[0]));
  }
  certificate_ =
      std::make_shared<const Certificate>(ACEWARD_TRY(check_.certificate_chain(std::span(peers, std::size_t{count}))));
  return {};
}

int Connection::on_message(gnutls_session_t session, unsigned type, unsigned when, unsigned incoming,
                           const gnutls_datum_t* message) {
  auto& self = *static_cast<Connection*>(gnutls_session_get_ptr(session));
  if (self.server_ && type == GNUTLS_HANDSHAKE_SERVER_HELLO && when == GNUTLS_HOOK_PRE && incoming == 0) {
    return self.on_server_hello();
  }
  if (self.server_ && type == GNUTLS_HANDSHAKE_FINISHED && when == GNUTLS_HOOK_PRE && incoming == 0) {
    return self.on_own_finished();
  }
  if (type != GNUTLS_HANDSHAKE_NEW_SESSION_TICKET) return 0;
  if (!self.server_) {
    // It will have to fit into a ClientHello of one datagram, which a server takes before the cookie came back.
    self.ticket_came_ = message != nullptr && message->size + room_for_hello <= self.mtu_;
  } else if (when == GNUTLS_HOOK_PRE && message != nullptr) {
    // uint32 lifetime hint, then the ticket as a vector with 2 octets of length (RFC 5077 section 3.3).
    constexpr std::size_t before_ticket = 6;
    const BytesView body = view(*message);
    // However often a session is resumed, its age counts from the full handshake.
    const Instant since = self.offered_ ? self.offered_->since : *self.started_;
    if (body.size() > before_ticket) {
      self.check_.ticket_given(body.subspan(before_ticket), {.handle = self.psk_handle_, .since = since});
    }
  }
  return 0;
}

/// The server knows by now what the hello offered, and has said nothing yet.
int Connection::on_server_hello() {
  if (gnutls_session_ext_master_secret_status(session_.get()) == 0) {
    refuse(Error(reason::extended_master_secret_missing));
    return GNUTLS_E_UNWANTED_ALGORITHM;
  }
  return 0;
}

/// In a resumption the server finishes first; by now GnuTLS tells what the ticket held, and has sent nothing yet.
int Connection::on_own_finished() {
  if (gnutls_session_is_resumed(session_.get()) == 0) return 0;
  bool welcome = offered_.has_value();
  if (welcome) {
    psk_handle_ = offered_->handle;
    // An authority's word has an end, which may have come since.
    const bool psk = gnutls_auth_get_type(session_.get()) == GNUTLS_CRD_PSK;
    welcome = (psk || check()) && check_.resume(peer_identity());
  }
  if (welcome) return 0;
  resumption_refused_ = true;
  return GNUTLS_E_INVALID_SESSION;
}

Result<void> Connection::prepare_tickets(const ConnectionSettings& settings) {
  credentials_digest_ = settings.credentials_digest;
  if (settings.server && settings.ticket_key != nullptr) {
    const gnutls_datum_t key = borrow(settings.ticket_key->expose());
    if (gnutls_session_ticket_enable_server(session_.get(), &key) < 0) return fail(reason::tls_setup_failed, "tickets");
    offered_ = settings.offered;
  }
  // By the system's clock, and the measure of how often GnuTLS takes another key for tickets; our own record of a
  // ticket is what ends it in time.
  gnutls_db_set_cache_expiration(session_.get(), static_cast<int>(settings.ticket_lifetime.count()));
  if (!settings.server && settings.ticket != nullptr) {
    ticket_ = *settings.ticket;
    const BytesView session = settings.ticket->material().session.expose();
    // What GnuTLS does not take is no reason not to connect.
    if (gnutls_session_set_data(session_.get(), session.data(), session.size()) < 0) ticket_.reset();
  }
  return {};
}

Result<std::unique_ptr<Connection>> Connection::create(const ConnectionSettings& settings, PeerCheck& check,
                                                       gnutls_priority_t priority,
                                                       gnutls_certificate_credentials_t certificate,
                                                       void* psk_credentials) {
  std::unique_ptr<Connection> self(new Connection(check));
  gnutls_session_t raw = nullptr;
  const bool tickets =
      settings.server ? settings.ticket_key != nullptr : settings.wants_ticket || settings.ticket != nullptr;
  const unsigned flags = (settings.server ? GNUTLS_SERVER : GNUTLS_CLIENT) | GNUTLS_DATAGRAM | GNUTLS_NONBLOCK |
                         GNUTLS_ENABLE_RAWPK | (tickets ? 0U : GNUTLS_NO_TICKETS);
  if (gnutls_init(&raw, flags) < 0) return fail(reason::tls_setup_failed, "session");
  self->session_.reset(raw);
  gnutls_session_set_ptr(raw, self.get());
  self->server_ = settings.server;
  self->key_log_ = settings.key_log;
  self->spare_ = settings.spare;
  gnutls_session_set_keylog_function(raw, &log_key);
  if (gnutls_priority_set(raw, priority) < 0) return fail(reason::tls_setup_failed, "priority");
  if (certificate != nullptr && gnutls_credentials_set(raw, GNUTLS_CRD_CERTIFICATE, certificate) < 0) {
    return fail(reason::tls_setup_failed, "certificate");
  }
  if (psk_credentials != nullptr && gnutls_credentials_set(raw, GNUTLS_CRD_PSK, psk_credentials) < 0) {
    return fail(reason::tls_setup_failed, "pre-shared key");
  }
  if (settings.server) {
    gnutls_certificate_server_set_request(raw, settings.allows_no_identity ? GNUTLS_CERT_REQUEST : GNUTLS_CERT_REQUIRE);
  }
  if (!settings.server_name.empty() &&
      gnutls_server_name_set(raw, GNUTLS_NAME_DNS, settings.server_name.data(), settings.server_name.size()) < 0) {
    return fail(reason::tls_setup_failed, "server name");
  }
  ACEWARD_TRY(self->prepare_tickets(settings));
  gnutls_handshake_set_hook_function(raw, GNUTLS_HANDSHAKE_ANY, GNUTLS_HOOK_BOTH, &on_message);
  gnutls_handshake_set_max_packet_length(raw, max_handshake_message);
  gnutls_dtls_set_mtu(raw, static_cast<unsigned>(settings.mtu));
  self->initial_retransmission_ = static_cast<unsigned>(settings.initial_retransmission.count());
  gnutls_dtls_set_timeouts(raw, self->initial_retransmission_, static_cast<unsigned>(settings.total_timeout.count()));
  gnutls_transport_set_ptr(raw, self.get());
  gnutls_transport_set_push_function(raw, &push);
  gnutls_transport_set_pull_function(raw, &pull);
  gnutls_transport_set_pull_timeout_function(raw, &pull_timeout);
  self->mtu_ = settings.mtu;
  return self;
}

Connection::~Connection() = default;

ssize_t Connection::push(gnutls_transport_ptr_t self, const void* data, size_t size) {
  const auto* octets = static_cast<const std::uint8_t*>(data);
  auto& connection = *static_cast<Connection*>(self);
  if (connection.state_ == State::handshaking && !connection.output_.empty() &&
      connection.output_.back().size() + size <= connection.mtu_) {
    connection.output_.back().insert(connection.output_.back().end(), octets, octets + size);
  } else {
    Bytes datagram;
    if (connection.spare_ != nullptr && !connection.spare_->empty()) {
      datagram = std::move(connection.spare_->back());
      connection.spare_->pop_back();
    }
    datagram.assign(octets, octets + size);
    connection.output_.push(std::move(datagram));
  }
  return static_cast<ssize_t>(size);
}

ssize_t Connection::pull(gnutls_transport_ptr_t self, void* data, size_t size) {
  auto& connection = *static_cast<Connection*>(self);
  if (connection.input_.empty()) {
    gnutls_transport_set_errno(connection.session_.get(), EAGAIN);
    return -1;
  }
  const std::size_t taken = std::min(size, connection.input_.size());
  std::memcpy(data, connection.input_.data(), taken);
  connection.input_ = {};
  return static_cast<ssize_t>(taken);
}

int Connection::pull_timeout(gnutls_transport_ptr_t self, unsigned) {
  return static_cast<Connection*>(self)->input_.empty() ? 0 : 1;
}

void Connection::count_datagram_in(std::size_t octets) {
  if (state_ != State::handshaking) return;
  ++info_.datagrams_in;
  info_.octets_in += octets;
  if (heading_ != Heading::in) ++info_.flights;
  heading_ = Heading::in;
}

std::optional<BytesView> Connection::next_data() {
  handed_out_ = data_.pop();
  if (handed_out_) return BytesView(*handed_out_);
  return std::exchange(fresh_, std::nullopt);
}

void Connection::run(Instant now) {
  if (state_ != State::handshaking) {
    read_records();
    return;
  }
  if (!started_) started_ = now;
  const std::size_t queued_before = output_.size();
  advance_handshake();
  if (output_.size() > queued_before) {
    if (heading_ != Heading::out) ++info_.flights;
    heading_ = Heading::out;
    for (std::size_t i = queued_before; i < output_.size(); ++i) {
      ++info_.datagrams_out;
      info_.octets_out += output_[i].size();
    }
  }
  if (state_ == State::established) {
    info_.duration = now - *started_;
    while (state_ == State::established) {
      const auto record = early_data_.pop();
      if (!record) break;
      input_ = *record;
      read_records();
      input_ = {};
    }
    early_data_.clear();
  }
  schedule(now);
}

void Connection::step(Instant now) {
  const ClockScope clock(now);
  input_ = {};
  run(now);
}

bool Connection::receive(BytesView record, Instant now) {
  if (state_ == State::closed || state_ == State::failed) return false;
  if (state_ == State::handshaking && is_application_data(record)) {
    // Only what overtook the peer's Finished on the way is worth keeping.
    if (early_data_.size() < max_early_data) early_data_.push(to_bytes(record));
    return true;
  }
  const ClockScope clock(now);
  const bool was_established = state_ == State::established;
  input_ = record;
  run(now);
  input_ = {};
  // Data is proof enough, and asking takes a lock.
  if (was_established && fresh_) return true;
  const unsigned discarded = gnutls_record_get_discarded(session_.get());
  return discarded == std::exchange(discarded_, discarded);
}

void Connection::advance_handshake() {
  for (int turn = 0; turn < max_turns && state_ == State::handshaking; ++turn) {
    const int code = gnutls_handshake(session_.get());
    if (code == GNUTLS_E_SUCCESS) {
      complete_handshake();
      return;
    }
    if (refusal_ || gnutls_error_is_fatal(code) != 0) {
      fail_handshake(code);
      return;
    }
    if ((code == GNUTLS_E_AGAIN || code == GNUTLS_E_INTERRUPTED) && input_.empty()) return;
  }
}

void Connection::complete_handshake() {
  const bool resumed = gnutls_session_is_resumed(session_.get()) != 0;
  Result<void> accepted;
  if (gnutls_session_ext_master_secret_status(session_.get()) == 0) {
    accepted = fail(reason::extended_master_secret_missing);
  } else if (gnutls_auth_get_type(session_.get()) != GNUTLS_CRD_PSK && (certificate_ == nullptr || resumed)) {
    // GnuTLS does not ask about a peer without a certificate, nor at a resumption.
    unsigned count = 0;
    const gnutls_datum_t* peers = gnutls_certificate_get_peers(session_.get(), &count);
    if (resumed ? !server_ : peers == nullptr || count == 0) accepted = check();
  }
  if (!accepted) {
    refuse(accepted.error());
    fail_handshake(GNUTLS_E_SUCCESS);
    return;
  }
  state_ = State::established;
  info_.resumed = resumed;
  if (!resumed) ticket_.reset();
  if (!server_ && ticket_came_) {
    gnutls_datum_t data{nullptr, 0};
    if (gnutls_session_get_data2(session_.get(), &data) >= 0) {
      ticket_ = IdentityMint::ticket(std::make_shared<const ResumptionTicket::Material>(
          ResumptionTicket::Material{Secret::copy_of(view(data)), credentials_digest_}));
      wipe({data.data, data.size});
      gnutls_free(data.data);
    }
  }
  // GnuTLS answers a repeated last flight with ours only until the time for the handshake is over, and calls it fatal
  // afterwards; but what is late then is the network, not the peer, who is waiting for just that answer.
  gnutls_dtls_set_timeouts(session_.get(), initial_retransmission_, std::numeric_limits<unsigned>::max());
  info_.cipher_suite = iana_cipher_name(gnutls_ciphersuite_get(session_.get()));
  if (const auto group = gnutls_group_get(session_.get()); group != GNUTLS_GROUP_INVALID) {
    info_.group = gnutls_group_get_name(group);
  }
  info_.extended_master_secret = gnutls_session_ext_master_secret_status(session_.get()) != 0;
  max_data_ = gnutls_dtls_get_data_mtu(session_.get());
}

void Connection::fail_handshake(int code) {
  if (resumption_refused_) {
    end(State::failed, Error(reason::resumption_refused));
    return;
  }
  if (code == GNUTLS_E_NO_CERTIFICATE_FOUND && server_) refuse(Error(reason::client_unauthenticated));
  if (code == GNUTLS_E_FATAL_ALERT_RECEIVED) {
    alert_received_ = static_cast<Alert>(gnutls_alert_get(session_.get()));
    end(State::failed, Error(reason::handshake_alert_received));
    return;
  }
  if (code == GNUTLS_E_TIMEDOUT) {
    end(State::failed, Error(reason::handshake_timed_out));
    return;
  }
  int level = GNUTLS_AL_FATAL;
  int description = gnutls_error_to_alert(code, &level);
  if (refusal_) description = alert_for(*refusal_, gnutls_auth_get_type(session_.get()));
  if (description < 0) description = GNUTLS_A_HANDSHAKE_FAILURE;
  if (gnutls_alert_send(session_.get(), GNUTLS_AL_FATAL, static_cast<gnutls_alert_description_t>(description)) >= 0) {
    alert_sent_ = static_cast<Alert>(description);
  }
  end(State::failed, refusal_.value_or(Error(reason::handshake_failed)));
}

void Connection::read_records() {
  // A record's plaintext has at most 2^14 octets (RFC 5246 section 6.2.1).
  static thread_local std::array<std::uint8_t, 16'384> plaintext;
  for (int turn = 0; turn < max_turns && state_ == State::established; ++turn) {
    const ssize_t count = gnutls_record_recv(session_.get(), plaintext.data(), plaintext.size());
    if (count > 0) {
      if (fresh_) data_.push(to_bytes(*fresh_));
      fresh_ = BytesView(plaintext).first(static_cast<std::size_t>(count));
      // A record holds no more than that, so asking for what follows it is mostly in vain.
      if (input_.empty() && gnutls_record_check_pending(session_.get()) == 0) return;
      continue;
    }
    switch (count) {
      case 0:
        gnutls_bye(session_.get(), GNUTLS_SHUT_WR);
        alert_received_ = Alert::close_notify;
        end(State::closed, Error(reason::session_closed_by_peer));
        return;
      case GNUTLS_E_AGAIN:
      case GNUTLS_E_INTERRUPTED:
        if (input_.empty()) return;
        break;
      case GNUTLS_E_UNEXPECTED_PACKET:
        // An authentic handshake message where none is due: the peer's last flight, sent again before it had ours, that
        // was overtaken by data. GnuTLS calls it fatal; on a network that reorders it is an everyday thing.
        break;
      case GNUTLS_E_REHANDSHAKE:
        ++renegotiations_refused_;
        gnutls_alert_send(session_.get(), GNUTLS_AL_WARNING, GNUTLS_A_NO_RENEGOTIATION);
        break;
      case GNUTLS_E_FATAL_ALERT_RECEIVED:
        alert_received_ = static_cast<Alert>(gnutls_alert_get(session_.get()));
        end(State::closed, Error(reason::session_alert_received));
        return;
      default:
        if (gnutls_error_is_fatal(static_cast<int>(count)) != 0) {
          gnutls_alert_send_appropriate(session_.get(), static_cast<int>(count));
          end(State::closed, Error(reason::session_broken));
          return;
        }
        break;
    }
  }
}

Result<void> Connection::send(BytesView data, Instant now) {
  if (state_ == State::handshaking) return fail(reason::session_not_established);
  if (state_ != State::established) return fail(reason::session_unknown);
  if (data.size() > max_data()) return fail(reason::dtls_data_too_large);
  if (data.empty()) return {};
  const ClockScope clock(now);
  const ssize_t sent = gnutls_record_send(session_.get(), data.data(), data.size());
  if (sent == static_cast<ssize_t>(data.size())) return {};
  return fail(reason::session_broken, "send");
}

std::size_t Connection::max_data() const { return state_ == State::established ? max_data_ : 0; }

void Connection::shut(Instant now) {
  const ClockScope clock(now);
  if (state_ == State::established) {
    gnutls_bye(session_.get(), GNUTLS_SHUT_WR);
    end(State::closed, Error(reason::session_closed_here));
  } else if (state_ == State::handshaking) {
    // Nothing is said to a peer that may not be there.
    end(State::failed, Error(reason::handshake_canceled));
  }
}

void Connection::end(State state, Error why) {
  state_ = state;
  why_ = why;
  early_data_.clear();
  retransmit_at_.reset();
}

void Connection::schedule(Instant now) {
  retransmit_at_.reset();
  if (state_ != State::handshaking) return;
  // A flight that was due just now reports 0; asking again at once would spin.
  constexpr std::chrono::milliseconds shortest{10};
  retransmit_at_ = now + std::max(shortest, std::chrono::milliseconds(gnutls_dtls_get_timeout(session_.get())));
}

PeerIdentity Connection::peer_identity() const {
  if (gnutls_auth_get_type(session_.get()) == GNUTLS_CRD_PSK) {
    gnutls_datum_t identity{nullptr, 0};
    if (own_psk_identity_.empty() && gnutls_psk_server_get_username2(session_.get(), &identity) >= 0) {
      return IdentityMint::psk(view(identity), psk_handle_);
    }
    return IdentityMint::psk(own_psk_identity_, 0);
  }
  if (certificate_ != nullptr) return IdentityMint::certificate(certificate_);
  unsigned count = 0;
  const gnutls_datum_t* peers = gnutls_certificate_get_peers(session_.get(), &count);
  if (peers == nullptr || count == 0) return IdentityMint::nobody();
  return IdentityMint::raw_public_key(view(peers[0]));
}

}  // namespace aceward::tls::detail
