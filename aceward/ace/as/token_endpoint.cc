#include "aceward/ace/as/token_endpoint.h"

#include <algorithm>
#include <utility>

#include "aceward/ace/as/reasons.h"
#include "aceward/ace/as/refusal.h"
#include "aceward/ace/as/token_decision.h"
#include "aceward/ace/as/token_making.h"
#include "aceward/ace/params/token_request.h"
#include "aceward/coap/resource/router.h"
#include "aceward/cose/usable_key.h"

namespace aceward::ace::as {

namespace {

/// Far above what a datagram holds, and enough for a block-wise request with the largest AIF that makes sense.
constexpr cbor::Limits request_limits{.max_depth = 8, .max_items = 1024, .max_size = 16384};
/// Steps of civil time that `iat` does not follow backwards.
constexpr std::chrono::minutes followed_step{5};
/// Longest Max-Age of a refusal: what is in the way may go earlier.
constexpr std::chrono::seconds longest_wait{3600};

/// The Done of one request. Whatever happens to it, the client is answered once.
class Answer {
 public:
  explicit Answer(TokenEndpoint::Done done) : done_(std::move(done)) {}
  Answer(Answer&& other) noexcept
      : done_(std::exchange(other.done_, nullptr)), forgotten_(std::move(other.forgotten_)) {}
  Answer& operator=(Answer&&) = delete;
  ~Answer() {
    if (!done_) return;
    const Error error(reason::ledger_silent);
    if (forgotten_) forgotten_(error);
    give(refusal(error));
  }

  /// Hears of it when nobody gives the answer.
  void on_forgotten(std::move_only_function<void(const Error&)> forgotten) { forgotten_ = std::move(forgotten); }
  void give(coap::Response response) { std::exchange(done_, nullptr)(std::move(response)); }

 private:
  TokenEndpoint::Done done_;
  std::move_only_function<void(const Error&)> forgotten_;
};

Result<TokenRequest> read(const coap::Request& request) {
  if (coap::refuse_content_format(request, coap::content_format::ace_cbor)) return fail(reason::token_request_format);
  if (coap::refuse_accept(request, {coap::content_format::ace_cbor})) return fail(reason::token_request_accept);
  TokenRequest parsed = ACEWARD_TRY(cbor::parse<TokenRequest>(request.payload, request_limits));
  if (parsed.grant_type && *parsed.grant_type != GrantType::client_credentials &&
      *parsed.grant_type != GrantType::refresh_token)
    return fail(reason::grant_type_unsupported);
  return parsed;
}

Result<cose::SigningKey> usable_signing_key(const cose::Key& key) {
  cose::Key named = key.clone();
  if (!named.kid) {
    const auto thumbprint = named.thumbprint();
    named.kid = to_bytes(BytesView(thumbprint).first(8));
  }
  return cose::SigningKey::from(named);
}

/// One request on its way to its answer.
struct Turn {
  WallTime now;
  AuditRecord record;
  std::optional<AccessRequest> to_keep;
  std::chrono::seconds retry_after{0};  ///< Max-Age of a refusal that has one
  bool is_quiet = false;                ///< counted, but not told to the log: many of the same came
};

}  // namespace

struct TokenEndpoint::State : std::enable_shared_from_this<State> {
  TokenEndpointConfig config;
  std::optional<cose::SigningKey> signing_key;
  Random& random;
  Ledger& ledger;
  RequestBook* book = nullptr;
  RegistrySnapshot registry;
  Audit audit;
  Counters counters;
  RequestRate rate;
  LiveTokens live_tokens;
  LiveTokens refresh_tokens;  ///< a token's row is kept for as long as its refresh token works
  SecretGate gate;
  WallTime last_issued_at{};

  State(TokenEndpointConfig own_config, Random& own_random, Ledger& own_ledger)
      : config(std::move(own_config)),
        random(own_random),
        ledger(own_ledger),
        rate(config.requests),
        live_tokens(config.live_tokens_per_client),
        refresh_tokens(config.live_tokens_per_client),
        gate(config.secrets, own_random) {}

  void tell(const Turn& turn);
  void tell_refusal(Turn turn, const Error& error);
  coap::Response refuse(Turn turn, const Error& error);

  Result<> admit(const AuthenticatedClient& channel, Turn& turn);
  WallTime issue_time(WallTime now);
  Result<MadeToken> make(const AuthenticatedClient& channel, const TokenRequest& request, Turn& turn);
  void proceed(const AuthenticatedClient& channel, const Result<TokenRequest>& request, Turn turn, Answer answer);
  void keep_for_owner(Turn turn, const Error& error, Answer answer);
  void record(MadeToken made, Turn turn, Answer answer);
};

void TokenEndpoint::State::tell(const Turn& turn) {
  if (turn.record.granted) {
    ++counters.granted;
  } else {
    ++counters.refused[turn.record.reason];
  }
  if (audit && !turn.is_quiet) audit(turn.record);
}

void TokenEndpoint::State::tell_refusal(Turn turn, const Error& error) {
  turn.record.granted = false;
  turn.record.scope.clear();
  turn.record.rules.clear();
  turn.record.reason = error.id();
  turn.record.detail = error.detail();
  tell(turn);
}

coap::Response TokenEndpoint::State::refuse(Turn turn, const Error& error) {
  const auto retry_after = turn.retry_after;
  tell_refusal(std::move(turn), error);
  return refusal(error, retry_after);
}

/// Before anything of the request is read.
Result<> TokenEndpoint::State::admit(const AuthenticatedClient& channel, Turn& turn) {
  const RequestRate::Verdict verdict = rate.count(channel.id(), turn.now);
  if (verdict.allowed) return {};
  turn.retry_after = verdict.retry_after;
  turn.is_quiet = !verdict.is_first_refusal;
  return fail(reason::token_requests_too_many);
}

WallTime TokenEndpoint::State::issue_time(WallTime now) {
  if (now < last_issued_at && last_issued_at - now <= followed_step) return last_issued_at;
  return last_issued_at = now;
}

Result<MadeToken> TokenEndpoint::State::make(const AuthenticatedClient& channel, const TokenRequest& request,
                                             Turn& turn) {
  turn.retry_after = config.come_back;
  Deliberation deliberation{
      .channel = channel, .request = request, .now = turn.now, .record = turn.record, .to_keep = {}};
  auto grant = decide({.registry = registry.get(),
                       .ledger = ledger,
                       .book = book,
                       .maximum_lifetime = config.maximum_lifetime,
                       .come_back = config.come_back,
                       .request_kept = config.request_kept},
                      deliberation);
  turn.to_keep = std::move(deliberation.to_keep);
  if (!grant) return std::unexpected(grant.error());
  if (const auto wait = live_tokens.full_for(channel.id(), turn.now)) {
    turn.retry_after = std::min(*wait, longest_wait);
    return fail(reason::tokens_too_many);
  }
  grant->may_be_refreshed = !refresh_tokens.full_for(channel.id(), turn.now);
  turn.record.scope = grant->scope.text;
  const TokenMaker maker{config.issuer, *signing_key, random, config.arrival_allowance};
  const TokenNumber number = ACEWARD_TRY(ledger.reserve_number());
  return maker.make(std::move(*grant), number, turn.now, issue_time(turn.now));
}

void TokenEndpoint::State::keep_for_owner(Turn turn, const Error& error, Answer answer) {
  AccessRequest request = std::move(*turn.to_keep);
  turn.to_keep.reset();
  answer.on_forgotten([turn, weak = weak_from_this()](const Error& forgotten) {
    if (const auto state = weak.lock()) state->tell_refusal(turn, forgotten);
  });
  book->keep(
      std::move(request), config.request_book,
      [turn = std::move(turn), error, answer = std::move(answer),
       weak = weak_from_this()](Result<RequestNumber> kept) mutable {
        const Error told = kept ? error : kept.error();
        const auto retry_after = turn.retry_after;
        if (const auto state = weak.lock()) state->tell_refusal(std::move(turn), told);
        answer.give(kept || told == reason::requests_full ? refusal(told, retry_after) : refusal_by_ledger(told));
      });
}

void TokenEndpoint::State::record(MadeToken made, Turn turn, Answer answer) {
  turn.record.number = made.record.number;
  turn.record.granted = true;
  answer.on_forgotten([turn, weak = weak_from_this()](const Error& error) {
    if (const auto state = weak.lock()) state->tell_refusal(turn, error);
  });
  const std::int64_t client_id = made.record.client_id;
  const WallTime expires_at = made.record.expires_at;
  const WallTime refresh_until = made.record.refresh_until;
  ledger.record(std::move(made.record),
                [answer = std::move(answer), response = std::move(made.response), turn = std::move(turn), client_id,
                 expires_at, refresh_until, weak = weak_from_this()](Result<> recorded) mutable {
                  if (const auto state = weak.lock()) {
                    if (recorded) {
                      state->live_tokens.add(client_id, expires_at);
                      if (refresh_until > expires_at) state->refresh_tokens.add(client_id, refresh_until);
                      state->tell(turn);
                    } else {
                      state->tell_refusal(std::move(turn), recorded.error());
                    }
                  }
                  if (recorded) return answer.give(std::move(response));
                  const Error& error = recorded.error();
                  answer.give(error == reason::refresh_token_invalid ? refusal(error) : refusal_by_ledger(error));
                });
}

void TokenEndpoint::State::proceed(const AuthenticatedClient& channel, const Result<TokenRequest>& request, Turn turn,
                                   Answer answer) {
  if (!request) return answer.give(refuse(std::move(turn), request.error()));
  auto made = make(channel, *request, turn);
  if (made) return record(std::move(*made), std::move(turn), std::move(answer));
  if (turn.to_keep) return keep_for_owner(std::move(turn), made.error(), std::move(answer));
  answer.give(refuse(std::move(turn), made.error()));
}

TokenEndpoint::TokenEndpoint(std::shared_ptr<State> state) : state_(std::move(state)) {}
TokenEndpoint::TokenEndpoint(TokenEndpoint&&) noexcept = default;
TokenEndpoint& TokenEndpoint::operator=(TokenEndpoint&&) noexcept = default;
TokenEndpoint::~TokenEndpoint() = default;

Result<TokenEndpoint> TokenEndpoint::create(TokenEndpointConfig config, const cose::Key& signing_key, Random& random,
                                            Ledger& ledger) {
  auto state = std::make_shared<State>(std::move(config), random, ledger);
  state->signing_key.emplace(ACEWARD_TRY(usable_signing_key(signing_key)));
  return TokenEndpoint(std::move(state));
}

void TokenEndpoint::set_registry(RegistrySnapshot registry) { state_->registry = std::move(registry); }

Result<> TokenEndpoint::set_signing_key(const cose::Key& signing_key) {
  return set_signing_keys(std::span(&signing_key, 1));
}

Result<> TokenEndpoint::set_signing_keys(std::span<const cose::Key> signing_keys) {
  std::optional<cose::SigningKey> first;
  for (const cose::Key& key : signing_keys) {
    cose::SigningKey usable = ACEWARD_TRY(usable_signing_key(key));
    if (!first) first.emplace(std::move(usable));
  }
  if (!first) return fail(reason::signing_key_missing);
  state_->signing_key = std::move(first);
  return {};
}

void TokenEndpoint::set_request_book(RequestBook* book) { state_->book = book; }

void TokenEndpoint::set_audit(Audit audit) { state_->audit = std::move(audit); }

void TokenEndpoint::process(const AuthenticatedClient& client, const coap::Request& request, WallTime now, Done done) {
  Answer answer(std::move(done));
  Turn turn;
  turn.now = turn.record.at = now;
  turn.record.client = client.name();
  turn.record.authentication = client.authentication();
  if (const auto admitted = state_->admit(client, turn); !admitted)
    return answer.give(state_->refuse(std::move(turn), admitted.error()));
  state_->proceed(client, read(request), std::move(turn), std::move(answer));
}

void TokenEndpoint::process_with_secret(const Address& peer, const coap::Request& request, WallTime now, Done done) {
  Answer answer(std::move(done));
  Turn turn;
  turn.now = turn.record.at = now;
  SecretGate& gate = state_->gate;
  // Whatever goes wrong here counts against the peer, which nobody has authenticated.
  const auto refuse = [&](const Error& error) {
    turn.retry_after = gate.retry_after(now);
    if (error == reason::client_secret_throttled) {
      turn.is_quiet = gate.was_repeated();
    } else if (error != reason::client_secret_wrong) {
      gate.count_wrong(peer, now);
    }
    answer.give(state_->refuse(std::move(turn), error));
  };
  if (const auto admitted = gate.admit(peer, now); !admitted) return refuse(admitted.error());
  const auto parsed = read(request);
  if (!parsed) return refuse(parsed.error());
  if (!parsed->client_id || !parsed->client_secret) return refuse(Error(reason::client_secret_missing));
  if (state_->registry == nullptr) return refuse(Error(reason::client_unregistered));
  const auto client = gate.check(*state_->registry, *parsed->client_id, parsed->client_secret->expose(), peer, now);
  if (!client) return refuse(client.error());
  turn.record.client = client->name();
  turn.record.authentication = client->authentication();
  if (const auto admitted = state_->admit(*client, turn); !admitted)
    return answer.give(state_->refuse(std::move(turn), admitted.error()));
  state_->proceed(*client, parsed, std::move(turn), std::move(answer));
}

coap::Response TokenEndpoint::refuse_unauthenticated(WallTime now) {
  Turn turn;
  turn.now = turn.record.at = now;
  return state_->refuse(std::move(turn), Error(reason::client_not_authenticated));
}

const TokenEndpoint::Counters& TokenEndpoint::counters() const { return state_->counters; }

}  // namespace aceward::ace::as
