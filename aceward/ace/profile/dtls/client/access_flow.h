// The steps that an AccessClient goes through for one operation. Internal to this folder.
#pragma once

#include <deque>
#include <vector>

#include "aceward/ace/profile/dtls/client/access_client.h"
#include "aceward/ace/profile/dtls/client/access_revocations.h"

namespace aceward::ace::dtls::detail {

/// What an operation waits for.
enum class Step : std::uint8_t { idle, probing, asking, uploading, finding, requesting };

struct Pending {
  OperationId id;
  Operation operation;
  Instant deadline;
  bool token_only = false;
  bool silent = false;    ///< a renewal for an observation: nobody waits for its Completed
  bool renewing = false;  ///< the token under way replaces one that still lives
  Instant renewal_deadline;
  // Each of these is done once for an operation: that is what keeps two servers that disagree from keeping the client
  // busy for ever (RFC 9200 section 5.10.2, note).
  bool probed = false;
  bool renewed = false;
  bool extended = false;
  bool uploaded_now = false;
  bool renewal_tried = false;
  bool uploaded_again = false;  ///< the token that the server did not know any more
  bool found = false;           ///< authz-info was looked for
  bool hurried = false;         ///< an observation that ended soon was registered again all the same
  unsigned uploads = 0;         ///< that met a server which was busy
  coap::Code busy = coap::code::too_many_requests;  ///< what it said then, or to an operation before
  unsigned asked = 0;  ///< requests for a token: tokens that end before they can be used must not go on for ever
  std::optional<coap::Response> denial;  ///< the 4.03 or 4.05 that an extension tries to mend
};

struct Connection {
  std::optional<coap::Peer> peer;
};

/// An exchange left waiting on a session that stalled, while a fresh session takes over.
struct Stray {
  coap::ExchangeId exchange;
  coap::Peer peer;
  Step step = Step::requesting;
  /// The operation, if it must not be repeated and waits for this exchange alone. Absent: it is still the one in front,
  /// which was repeated; whichever answer comes first counts.
  std::optional<Pending> pending;
};

/// An observation that goes on beside the operations that follow it.
struct Watch {
  Pending pending;
  coap::ExchangeId exchange;
  coap::Peer peer;
  Instant since;
};

/// An observation that the server ended with 4.01: the list of revoked tokens says first whether that was why (RFC 9770
/// section 14.4).
struct Doubt {
  Watch watch;
  Bytes token_hash;           ///< of the token at that time
  std::uint64_t answers = 0;  ///< that the follower had learnt from by then
  Instant until;              ///< so long the list is waited for
};

struct Target {
  ServerAccess access;
  std::deque<Pending> queue;
  Step step = Step::idle;
  coap::ExchangeId awaited;
  coap::Peer awaited_from;
  std::optional<client::HeldToken> token;
  std::optional<client::HeldToken> spent;  ///< has ended; kept for its refresh token and the key that goes on with it
  std::optional<Scope> asked;              ///< with either: what was asked for
  bool uploaded = false;
  bool identity_refused = false;  ///< a fresh token in the handshake was not taken: it is uploaded from now on
  std::uint64_t revision = 0;     ///< of the four above
  Instant renew_not_before;       ///< after a renewal that came to nothing
  Connection session;
  std::optional<coap::Peer> upload_session;     ///< without client authentication, for the upload alone
  std::optional<tls::ResumptionTicket> ticket;  ///< of the last session with the present key
  std::vector<Stray> strays;
  std::vector<Watch> watches;
  std::vector<Doubt> doubts;
  client::Wish wish;  ///< of the request for a token that is under way
  std::optional<CreationHints> hints;
  std::optional<Scope> scope_to_add;  ///< an extension is under way
};

/// Exchanges left behind at one server; more stalls are waited out.
inline constexpr std::size_t max_strays = 4;

/// An observation that ends sooner is not registered again by itself: two that disagree would never come to rest.
inline constexpr std::chrono::seconds watch_settled{5};

/// First of all; again after a 4.01; to widen it; and once more because a token ended on the way.
inline constexpr unsigned max_token_requests = 4;

/// An early renewal waits so long for the authorization server, and is not tried again for that long.
inline constexpr std::chrono::seconds renewal_patience{5};
/// The list of revoked tokens is waited for so long before another token is asked for.
inline constexpr std::chrono::seconds list_patience{5};
/// A renewal for an observation, with the upload.
inline constexpr std::chrono::seconds silent_timeout{60};

/// A resource server that is busy (4.29), or cannot reach its authorization server (5.03), gets the token again after
/// the time that it named, so often.
inline constexpr unsigned max_busy_uploads = 3;

/// Doing it twice is doing it once (RFC 7252 section 5.1, RFC 8132 section 1): all but POST and PATCH.
inline bool is_idempotent(coap::Code method) { return method != coap::code::post && method != coap::code::patch; }

/// Does the answer speak of the server's state rather than of the token?
inline bool is_passing(coap::Code code) { return code == coap::code::too_many_requests || code.code_class() == 5; }

/// Does the token lack the right?
inline bool is_denial(coap::Code code) {
  return code == coap::code::forbidden || code == coap::code::method_not_allowed;
}

/// Does the operation ask for notifications?
inline bool observes(const Pending& pending) {
  return !pending.token_only && pending.operation.request.options.find_uint(coap::option::observe) == 0U;
}

class AccessFlow {
 public:
  AccessFlow(AccessClientConfig c, coaps::ClientStack& s, Random& r) : config(std::move(c)), stack(s), random(r) {}

  AccessClientConfig config;
  coaps::ClientStack& stack;
  Random& random;
  std::optional<tls::RawKeyPair> raw_key;
  std::vector<Target> targets;
  std::vector<Connection> as_sessions;
  std::vector<std::unique_ptr<ListFollowing>> followings;  ///< of each authorization server; null: not followed
  std::deque<Completed> completed;
  std::deque<Notified> notified;
  std::vector<coap::Peer> abandoned;  ///< sessions to be closed in the next advance(), unless in use
  std::uint64_t last_operation = 0;
  std::uint64_t progress = 0;  ///< an operation ended, or took another way without sending anything

  coap::Layer& layer() { return stack.layer(); }

  // --- sending -------------------------------------------------------------------------------------------------------

  /// Sends one step's request; a failure to do so ends the operation.
  void send(Target& target, Step step, const coap::Peer& peer, coap::Request request, coap::Reliability reliability,
            Instant now);

  void finish(Target& target, Result<coap::Response> result, Step step, std::optional<ErrorResponse> refusal = {},
              std::optional<coap::Code> refused_with = {}, std::optional<std::chrono::seconds> retry_after = {});

  /// Ends what waits behind the operation in front for longer than it may.
  void end_overdue(Target& target, Instant now);

  /// Starts what the operation in front needs next.
  void advance(Target& target, Instant now);

  void start(Target& target, Instant now);

  static bool goes_in_identity(const Target& target);

  /// The Unauthorized Resource Request (RFC 9200 section 5.2). It says what is wanted, but not the payload: that is the
  /// client's secret until the server has proved who it is. A server that asks for no permission must not act on the
  /// request without its payload, hence the precondition that cannot hold (RFC 7252 section 5.10.8.1).
  void probe(Target& target, Instant now);

  void ask(Target& target, Instant now);
  /// What to ask for: the next token by refresh, an update for a key, or a token for what is wanted.
  void make_wish(Target& target);
  /// No request went out: the operation goes on with the token that it would have renewed, or ends.
  void ask_failed(Target& target, const Error& why, Instant now);

  Result<coap::Peer> connect_to_as(const AsAccess& as, Instant now);

  Result<coap::Peer> connect_raw(const Address& address, const cose::Key& expected,
                                 const std::optional<tls::ResumptionTicket>& ticket, Instant now);

  /// To authz-info (RFC 9200 section 5.10.1). Within a session for an update, so that nobody learns of it; else over
  /// plain CoAP, as the token is needed to set the session up.
  void upload(Target& target, Instant now);
  /// Where an upload outside of a session goes: plain, or over DTLS without client authentication (RFC 9200 section
  /// 5.10.1 lets anybody post) to the server whose key is known.
  Result<coap::Peer> upload_peer(Target& target, Instant now);
  static bool can_upload(const Target& target);

  /// Opens the session that the token allows.
  Result<> open_session(Target& target, Instant now);
  void connect(Target& target, Instant now);

  void request(Target& target, Instant now);

  // --- receiving -----------------------------------------------------------------------------------------------------

  void on_response(Target& target, coap::Response response, Instant now);

  static std::optional<Result<CreationHints>> hints_in(const coap::Response& response);

  void on_probed(Target& target, coap::Response response);

  void on_token(Target& target, const coap::Response& response, Instant now);

  /// May a session that was made with one go on with the other?
  static bool have_one_key(const client::HeldToken& a, const client::HeldToken& b);

  void on_uploaded(Target& target, const coap::Response& response, Instant now);
  /// The list of the server's resources, asked for authz-info.
  void on_found(Target& target, const coap::Response& response, Instant now);

  void on_answer(Target& target, coap::Response response, Instant now);

  bool hints_allowed(const Target& target, const CreationHints& hints) const;

  void on_gone(Target& target, const Error& why, Instant now);

  // --- sessions ------------------------------------------------------------------------------------------------------

  void end_session(Target& target, Instant now);
  /// With those of strays: the key they were made with is no longer to be trusted.
  void end_sessions(Target& target, Instant now);

  /// What did not answer may have been restarted: the next request gets a fresh session.
  void end_as_session(Target& target, Instant now);

  /// Nothing of it is to be used any more, the refresh token included.
  void drop_token(Target& target, Instant now);
  /// It has ended; its refresh token may get the next one.
  void retire_token(Target& target, Instant now);
  static void set_uploaded(Target& target, bool uploaded);

  // --- renewal and what is kept (access_renewal.cc) ------------------------------------------------------------------

  bool renewal_due(const Target& target, Instant now) const;
  /// The operation in front renews the token first.
  void renew(Target& target, Instant now);
  /// Nothing came of it: the old token goes on.
  void give_up_renewal(Target& target, Instant now);
  /// When the token of an observation is to be renewed.
  std::optional<Instant> renewal_of_watches(const Target& target) const;
  void renew_for_watches(Target& target, Instant now);
  bool restore(Target& target, client::CachedToken cached, Instant now);
  client::CacheBinding cache_binding(const Target& target) const;

  void on_session_gone(std::uint64_t session, const Error& why);
  void on_established(std::uint64_t session, std::optional<tls::ResumptionTicket> ticket);

  Target* waiting_for(coap::ExchangeId id);

  /// Does the operation in front wait for an answer on that session?
  bool waits_on(const Target& target, const coap::Peer& peer) const;

  // --- recovery and observation (access_recovery.cc) -----------------------------------------------------------------

  /// A request on a session was retransmitted without any answer: the server may have been restarted, or the way to it
  /// is bad. A fresh session is opened beside the old one; only what is safe to repeat is repeated there.
  void on_stalled(const coap::Peer& peer, Instant now);
  void leave_behind(Target& target, const coap::Peer& peer);

  /// The answer to a stray exchange; false if it is none.
  bool on_stray_response(coap::ResponseArrived& arrived, Instant now);
  /// Does an operation at another server wait for an answer on that session (with their authorization server)?
  bool others_wait_on(const Target& target, const coap::Peer& peer) const;
  bool on_stray_gone(coap::ExchangeId id, const Error& why, Instant now);
  /// The fresh session came to nothing: what is left is the exchange on the old one, if there is any.
  bool back_to_stray(Target& target);
  /// The operation in front was answered or ended: what it repeated is no longer awaited.
  void end_strays_of_front(Target& target);
  void end_overdue_strays(Target& target, Instant now);
  /// Closes the session of a stray that is no more, unless something else goes on there.
  void end_stray_session(const coap::Peer& peer, Instant now);

  /// The first notification of the operation in front: it gives way to the next one.
  void begin_watch(Target& target, coap::ResponseArrived arrived, Instant now);
  bool on_watch_response(coap::ResponseArrived& arrived, Instant now);
  bool on_watch_gone(coap::ExchangeId id, const Error& why, Instant now);
  /// The exchange of an observation that a request to `peer` takes over; it is no longer watched. 0: there is none on
  /// that session.
  coap::ExchangeId take_watch(Target& target, OperationId id, const coap::Peer& peer);
  /// Registers anew.
  void watch_again(Target& target, Watch watch, Instant now);
  /// Forgets an operation, wherever it is.
  void cancel(OperationId id, Instant now);

  // --- revocation (access_revocations.cc) ----------------------------------------------------------------------------

  bool wants_to_follow(std::size_t as) const;
  /// Brings the followers of lists to the sessions that there are, and takes what they have learned. True: a token was
  /// ended, so that there may be more events.
  bool follow(Instant now);
  bool take_for_followings(coap::Event& event, Instant now);
  /// Asks the list why an observation was ended with 4.01; false: there is none to ask.
  bool doubt(Target& target, Watch& watch, Instant now);
  /// Registers anew those of which the list has nothing to say.
  void settle_doubts(Target& target, Instant now);
  /// The session stalled, and nobody but a follower would notice that it leads nowhere.
  void end_followed_session(const coap::Peer& peer, Instant now);
  std::optional<Instant> next_follow() const;
  bool forget_revoked(BytesView token_hash, Instant now);
  bool is_known_revoked(const Target& target, const client::HeldToken& token) const;

  OperationId enqueue(std::size_t server, Operation operation, bool token_only, Instant now);
};

}  // namespace aceward::ace::dtls::detail
