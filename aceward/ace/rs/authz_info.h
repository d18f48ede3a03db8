// The endpoint that takes access tokens from anybody (RFC 9200 section 5.10.1).
#pragma once

#include <map>

#include "aceward/ace/rs/expired_sequences.h"
#include "aceward/ace/rs/introspector.h"
#include "aceward/ace/rs/peer_budget.h"
#include "aceward/ace/rs/token_store.h"
#include "aceward/coap/layer.h"

namespace aceward::ace::rs {

/// Tokens verified; more are answered 4.29 with Max-Age 1 (RFC 8516).
using AuthzInfoLimits = PeerBudgetLimits;

/// About which tokens the authorization server is asked.
enum class IntrospectionUse : std::uint8_t {
  references,  ///< about those that cannot be read here
  always,      ///< about all of its own that are good by themselves, too; it knows nothing of those of others
};

struct IntrospectionSettings {
  IntrospectionUse use = IntrospectionUse::references;
  /// How long an answer counts, from when it was asked for; never beyond the end of the token. Without a newer answer
  /// the token gives no rights then.
  std::chrono::seconds cache{30};
  /// Questions begun within a second for tokens that strangers post; more are answered 4.29 (RFC 9200 section 6.10).
  PeerBudgetLimits rate{.per_peer = 2, .in_all = 50, .peers = 1024};
  /// Questions without an answer, in all and for one address; more are answered 5.03.
  std::size_t in_flight = 64;
  std::size_t in_flight_per_peer = 4;
  /// A longer token that cannot be read is no reference: nobody is asked.
  std::size_t max_reference_octets = 256;
};

/// Takes tokens: POST with Content-Format application/cwt, or, where an authorization server can be asked,
/// application/octet-stream for a reference. A missing Content-Format is refused like a wrong one, as RFC 9200 section
/// 5.10.1 demands one. Never asks who posts. Answers:
///   2.01 without payload; 4.00, 4.01, 4.03 (ace::wire_answer); 4.05 for other methods; 4.15 for other formats;
///   4.29 beyond the limits; 5.03 when the store is full or the authorization server cannot be asked.
/// The wire tells the code alone, the counters and the log the reason. A token that is held already is not verified
/// again: it is compared. Not thread-safe.
class AuthzInfo {
 public:
  struct Counters {
    std::uint64_t accepted = 0;  ///< repeated and outdated ones included
    std::uint64_t refused = 0;   ///< did not verify, or could not be stored
    std::uint64_t limited = 0;   ///< not looked at: 4.29
    std::uint64_t asked = 0;     ///< questions to the authorization server
    std::uint64_t unasked = 0;   ///< questions that got no answer
  };
  struct Answer {
    coap::Response response;
    std::optional<Error> why;  ///< of a refusal
    std::optional<TokenStore::Outcome> outcome;
    /// The authorization server is being asked: there is no response yet, complete() will have it.
    std::optional<QueryId> waits_for = std::nullopt;
  };
  /// What came of a question.
  struct Completion {
    QueryId query;
    std::optional<Answer> answer;  ///< to who posted the token
    EntryId entry;                 ///< whose token was asked about again; 0: none
    bool was_reached = false;      ///< the authorization server answered, whatever it said
  };

  /// All outlive this object. Without `sequences` tokens with exi are refused, without `introspector` those that
  /// cannot be read.
  AuthzInfo(TokenVerifier& verifier, TokenStore& store, AuthzInfoLimits limits = {},
            ExpiredSequences* sequences = nullptr, Introspector* introspector = nullptr,
            IntrospectionSettings introspection = {});

  Answer handle(const coap::Peer& from, const coap::Request& request, Instant now, WallTime wall);
  /// The same for a token that came another way, such as a psk_identity, and so counts against `in_all` alone.
  /// With `only_symmetric`, a token that is bound to a public key is refused before anything is stored:
  /// `token_cnf_unusable`. Errors: those of TokenVerifier::verify, ExiTerms::admit and TokenStore::store,
  /// `authz_info_busy`, `token_needs_introspection`.
  Result<TokenStore::Outcome> take(BytesView token, bool only_symmetric, Instant now, WallTime wall);

  /// Asks about the token of an entry again. Does nothing while that is under way. Errors: those of Introspector::ask.
  Result<> reconfirm(EntryId entry, Instant now, WallTime wall);
  /// The next answer of the introspector, acted on.
  std::optional<Completion> complete_next(Instant now, WallTime wall);
  bool asks() const { return introspector_ != nullptr; }
  std::chrono::seconds cache() const { return introspection_.cache; }

  const Counters& counters() const { return counters_; }

 private:
  using Ip = std::array<std::uint8_t, 16>;
  struct Question {
    Bytes token;
    Instant asked_at;
    std::optional<Ip> from;                 ///< who posted it; of a post
    std::optional<VerifiedToken> verified;  ///< was good by itself
    EntryId entry;                          ///< 0 for a post
  };

  Answer refuse(const Error& why);
  Answer answer(const Result<TokenStore::Outcome>& stored);
  /// Asks about a posted token.
  Answer ask(const Ip& from, BytesView token, std::optional<VerifiedToken> verified, Instant now);
  std::optional<EntryId> held(BytesView token, WallTime wall) const;
  bool may_be_reference(BytesView token, const Error& why) const;
  bool must_be_asked_about(const VerifiedToken& token) const;
  Result<TokenStore::Outcome> keep(VerifiedToken token, WallTime wall,
                                   std::optional<TokenStore::Confirmed> confirmed = std::nullopt);
  Completion complete_post(QueryId query, Question question, Introspector::Answer said, WallTime wall);
  Completion complete_again(QueryId query, const Question& question, const Introspector::Answer& said, WallTime wall);

  TokenVerifier& verifier_;
  TokenStore& store_;
  PeerBudget budget_;
  ExiTerms exi_;
  Introspector* introspector_;
  IntrospectionSettings introspection_;
  PeerBudget introspection_budget_;
  std::map<QueryId, Question> questions_;
  std::map<Ip, std::size_t> in_flight_;
  std::map<EntryId, QueryId> asked_again_;
  Counters counters_;
};

}  // namespace aceward::ace::rs
