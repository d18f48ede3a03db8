// A resource server's own session with its authorization server: it asks about tokens there (RFC 9200 section 5.9,
// RFC 9202 section 6) and follows the list of those that were revoked (RFC 9770).
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "aceward/ace/revocation/layer_follower.h"
#include "aceward/ace/rs/introspector.h"
#include "aceward/coap/observe/observation_client.h"
#include "aceward/coaps/client_stack.h"

namespace aceward::ace::dtls {

struct AsLinkConfig {
  using Duration = std::chrono::nanoseconds;

  std::string iss;  ///< the trusted issuer that is asked
  Address address;  ///< CoAP over DTLS
  /// What this server authenticates with and how it knows the authorization server; called for each new session.
  std::function<tls::ClientCredentials()> credentials;
  std::string introspection_path = "/introspect";
  /// Whether tokens are asked about at all.
  bool introspects = true;
  /// An answer that takes longer is none.
  Duration answer_timeout = std::chrono::seconds(5);
  /// Questions without an answer; more are `introspection_busy`.
  std::size_t questions = 256;
  /// After a session was lost or could not be made: the next try, doubling. In between nothing can be asked.
  Duration retry_min = std::chrono::seconds(1);
  Duration retry_max = std::chrono::minutes(1);
  /// The list of revoked tokens is followed, for which the session is kept up; absent: it is not.
  std::optional<revocation::FollowerSettings> revocations;
  coaps::ClientStackConfig stack{};
};

/// Sans-IO, like all below it: a host drives stack() and calls pump, next_own_timeout and on_own_timeout
/// (net::ClientHost with a net::Application). Not thread-safe.
class AsLink final : public rs::Introspector {
 public:
  struct Counters {
    std::uint64_t questions = 0;
    std::uint64_t answers = 0;   ///< that could be read
    std::uint64_t failures = 0;  ///< no answer, an error, or one that could not be read
    std::uint64_t sessions = 0;  ///< established
    std::uint64_t sessions_lost = 0;
  };

  /// `random` outlives the link.
  AsLink(AsLinkConfig config, Random& random);
  ~AsLink() override;
  AsLink(const AsLink&) = delete;
  AsLink& operator=(const AsLink&) = delete;

  coaps::ClientStack& stack();
  /// The stack has been fed: takes its events. Connects where the list of revoked tokens is followed.
  void pump(Instant now);
  std::optional<Instant> next_own_timeout() const;
  void on_own_timeout(Instant now);
  /// Something was asked since the last call, or there is something to take: the host's wake() is due.
  bool wants_wake();

  // rs::Introspector. An answer of the authorization server other than 2.01 is `introspection_unavailable`; one that
  // cannot be read `introspection_answer_malformed`.
  const std::string& iss() const override;
  Result<rs::QueryId> ask(BytesView token, Instant now) override;
  std::optional<Answer> next_answer() override;

  /// The next change of the list of revoked tokens.
  std::optional<revocation::Revocation> next_revocation();
  /// Null where the list is not followed.
  const revocation::Follower* follower() const;

  bool introspects() const;
  bool is_connected() const;
  const Counters& counters() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace aceward::ace::dtls
