// One DTLS 1.2 connection of GnuTLS with memory for a network. Internal to tls/.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "aceward/base/secret.h"
#include "aceward/tls/credentials.h"
#include "aceward/tls/given_tickets.h"
#include "aceward/tls/gnutls_handles.h"
#include "aceward/tls/queue.h"
#include "aceward/tls/reasons.h"
#include "aceward/tls/session.h"

namespace aceward::tls::detail {

/// Makes the proof types; only a connection whose handshake completed calls it.
struct IdentityMint {
  static PeerIdentity psk(BytesView identity, std::uint64_t handle) { return PskIdentity(to_bytes(identity), handle); }
  static PeerIdentity raw_public_key(BytesView spki) { return RawPublicKey(to_bytes(spki)); }
  static PeerIdentity certificate(std::shared_ptr<const Certificate> certificate) {
    return CertificateIdentity(std::move(certificate));
  }
  static PeerIdentity nobody() { return NoIdentity(0); }
  static ResumptionTicket ticket(std::shared_ptr<const ResumptionTicket::Material> material) {
    return ResumptionTicket(std::move(material));
  }
};

/// What a connection asks about its peer inside the handshake.
class PeerCheck {
 public:
  virtual Result<PskCredential> psk(BytesView identity) = 0;
  virtual Result<void> raw_public_key(BytesView spki_der) = 0;
  /// Verifies the chain (DER, the peer's own certificate first) and judges what the first one holds.
  virtual Result<Certificate> certificate_chain(std::span<const gnutls_datum_t> chain) = 0;
  /// The peer sent neither key nor certificate.
  virtual Result<void> nobody() { return fail(reason::client_unauthenticated); }
  /// Server only.
  virtual Result<void> resume(const PeerIdentity&) { return fail(reason::resumption_refused); }
  /// Server only: the peer is about to get this ticket.
  virtual void ticket_given(BytesView ticket, const GivenTicket& given) {
    static_cast<void>(ticket), static_cast<void>(given);
  }

 protected:
  ~PeerCheck() = default;
};

/// The most that GnuTLS takes.
inline constexpr std::chrono::hours longest_resumption{7 * 24};

struct ConnectionSettings {
  bool server = false;
  std::size_t mtu = 1280;
  std::chrono::milliseconds initial_retransmission{1000};
  std::chrono::milliseconds total_timeout{60'000};
  const KeyLog* key_log = nullptr;  ///< outlives the connection; null or empty: the keys are told to nobody
  /// Memory for datagrams, taken from here while there is some; outlives the connection. Null: allocated each.
  std::vector<Bytes>* spare = nullptr;
  /// May a client stay without identity? Server only.
  bool allows_no_identity = false;
  /// Server: tickets are given and taken with this key; null: not at all. Outlives the connection's creation.
  const Secret* ticket_key = nullptr;
  std::chrono::seconds ticket_lifetime{longest_resumption};
  /// Server: what it knows of the ticket in the ClientHello, if that is still good; else it leads to a full handshake.
  std::optional<GivenTicket> offered{};
  bool wants_ticket = false;  ///< client
  /// Client: offered; null: none.
  const ResumptionTicket* ticket = nullptr;
  std::array<std::uint8_t, 32> credentials_digest{};  ///< client: what a new ticket will belong to
  std::string server_name{};                          ///< client: for the extension server_name; empty: none
};

/// What a priority string is made of. ECDHE_PSK exists in this GnuTLS with ChaCha20-Poly1305 alone, DHE_PSK with CCM.
struct PriorityNeeds {
  bool server = false;
  bool psk = false;
  bool server_raw_key = false;  ///< the server may authenticate with one (RFC 7250)
  bool server_certificate = false;
  bool client_raw_key = false;
  bool client_certificate = false;
  SuitePreference suites = SuitePreference::constrained;
};
/// Made once for the same needs, and shared. Errors: `tls_setup_failed`.
Result<gnutls_priority_t> priority_for(const PriorityNeeds& needs);

/// Installed in credentials: GnuTLS calls back into the connection that is at work.
int check_peer(gnutls_session_t session);
int find_psk(gnutls_session_t session, const gnutls_datum_t* identity, gnutls_datum_t* key);
/// The same, for the keys of a session.
int log_key(gnutls_session_t session, const char* label, const gnutls_datum_t* secret);

class Connection {
 public:
  enum class State { handshaking, established, closed, failed };

  /// Credentials and priority outlive the connection, as does `check`. Null handles are left out.
  /// Errors: `tls_setup_failed`.
  static Result<std::unique_ptr<Connection>> create(const ConnectionSettings& settings, PeerCheck& check,
                                                    gnutls_priority_t priority,
                                                    gnutls_certificate_credentials_t certificate,
                                                    void* psk_credentials);
  ~Connection();

  /// Server only, before the first step: what the cookie exchange left behind.
  void adopt(gnutls_dtls_prestate_st prestate) { gnutls_dtls_prestate_set(session_.get(), &prestate); }
  /// Which identity this client will send.
  void set_own_psk_identity(Bytes identity) { own_psk_identity_ = std::move(identity); }

  /// Client: sends the first flight. Either: retransmits what is due.
  void step(Instant now);
  /// One record. Returns whether the connection took it: false when it could not be decrypted, was a replay or
  /// belongs to another epoch. Meaningful from epoch 1 on.
  bool receive(BytesView record, Instant now);
  Result<void> send(BytesView data, Instant now);
  std::size_t max_data() const;
  /// close_notify, or an alert that ends the handshake.
  void shut(Instant now);

  State state() const { return state_; }
  /// Why it is closed or failed.
  Error why() const { return why_; }
  std::optional<Alert> alert_sent() const { return alert_sent_; }
  std::optional<Alert> alert_received() const { return alert_received_; }
  /// Only in State::established.
  PeerIdentity peer_identity() const;
  /// Client, in State::established: with what the session can be resumed.
  std::optional<ResumptionTicket> ticket() const { return ticket_; }
  /// Server, in State::failed: the ticket was not accepted; nothing was sent, and the same ClientHello can begin a full
  /// handshake with another connection.
  bool resumption_refused() const { return resumption_refused_; }
  const SessionInfo& info() const { return info_; }
  std::uint64_t renegotiations_refused() const { return renegotiations_refused_; }
  std::optional<Instant> retransmit_at() const { return retransmit_at_; }

  /// For the byte counts of `info`: a datagram arrived of which records were given to this connection.
  void count_datagram_in(std::size_t octets);
  /// The next datagram to send; during a handshake records share datagrams up to the MTU.
  std::optional<Bytes> next_datagram() { return output_.pop(); }
  /// What the peer sent, a record at a time: to be taken after each receive. The view holds until the next call of this
  /// or any other connection on this thread.
  std::optional<BytesView> next_data();

 private:
  friend int check_peer(gnutls_session_t session);
  friend int find_psk(gnutls_session_t session, const gnutls_datum_t* identity, gnutls_datum_t* key);
  friend int log_key(gnutls_session_t session, const char* label, const gnutls_datum_t* secret);
  explicit Connection(PeerCheck& check) : check_(check) {}

  static ssize_t push(gnutls_transport_ptr_t self, const void* data, size_t size);
  static ssize_t pull(gnutls_transport_ptr_t self, void* data, size_t size);
  static int pull_timeout(gnutls_transport_ptr_t self, unsigned milliseconds);
  static int on_message(gnutls_session_t session, unsigned type, unsigned when, unsigned incoming,
                        const gnutls_datum_t* message);

  Result<void> prepare_tickets(const ConnectionSettings& settings);
  int on_server_hello();
  int on_own_finished();
  Result<void> check();
  void refuse(Error why) { refusal_ = why; }

  void advance_handshake();
  void complete_handshake();
  void fail_handshake(int code);
  void read_records();
  void end(State state, Error why);
  void schedule(Instant now);
  void run(Instant now);

  PeerCheck& check_;
  const KeyLog* key_log_ = nullptr;
  SessionHandle session_;
  std::size_t mtu_ = 0;
  std::size_t max_data_ = 0;                ///< known once established
  unsigned initial_retransmission_ = 1000;  ///< in milliseconds
  std::vector<Bytes>* spare_ = nullptr;
  State state_ = State::handshaking;
  Error why_{reason::session_unknown};
  std::optional<Error> refusal_;  ///< what check_ said no with
  std::optional<Alert> alert_sent_;
  std::optional<Alert> alert_received_;
  Bytes own_psk_identity_;
  std::uint64_t psk_handle_ = 0;  ///< of the credential that the port gave last
  std::shared_ptr<const Certificate> certificate_;
  bool server_ = false;
  bool resumption_refused_ = false;
  bool ticket_came_ = false;  ///< at a client, in this handshake
  std::optional<GivenTicket> offered_;
  std::optional<ResumptionTicket> ticket_;
  std::array<std::uint8_t, 32> credentials_digest_{};
  BytesView input_;
  Queue<Bytes> early_data_;  ///< application records that overtook the end of the handshake
  Queue<Bytes> output_;
  Queue<Bytes> data_;               ///< that came before `fresh_`
  std::optional<BytesView> fresh_;  ///< lies where all connections of the thread decrypt to
  std::optional<Bytes> handed_out_;
  unsigned discarded_ = 0;  ///< records that GnuTLS had dropped when it was asked last
  std::optional<Instant> retransmit_at_;
  std::optional<Instant> started_;
  SessionInfo info_;
  enum class Heading { none, in, out } heading_ = Heading::none;
  std::uint64_t renegotiations_refused_ = 0;
};

}  // namespace aceward::tls::detail
