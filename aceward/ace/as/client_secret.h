// Client secrets: how they are kept, and how many wrong ones are looked at (RFC 6749 section 2.3.1).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "aceward/ace/as/authenticated_client.h"
#include "aceward/ace/as/registry.h"
#include "aceward/base/random.h"
#include "aceward/base/result.h"
#include "aceward/base/time.h"

namespace aceward::ace::as {

inline constexpr std::size_t secret_salt_size = 16;
inline constexpr std::size_t secret_digest_size = secret_salt_size + 32;
/// Shorter secrets are not registered: nothing slows down whoever has a stolen digest but the secret's own entropy.
inline constexpr std::size_t minimum_secret_size = 16;
inline constexpr std::size_t maximum_secret_size = 256;

/// What ClientRecord::secret_digest and ServerRecord::secret_digest hold: 16 octets of salt, then SHA-256(salt ||
/// secret). Secrets are made by machines and have 16 octets or more, so no slow hash is needed.
Bytes make_secret_digest(BytesView secret, Random& random);

/// In constant time but for the secret's length. False for a digest that is not 48 octets, an empty one among them.
bool secret_matches(BytesView digest, BytesView secret);

struct SecretLimits {
  std::chrono::seconds window{60};
  std::uint32_t wrong_per_peer = 10;     ///< wrong secrets from one address or IPv6 /64 in a window, whatever the port
  std::uint32_t wrong_per_client = 100;  ///< wrong secrets for one client_id in a window, from anywhere
};

/// Checks the client_secret of clients whose channel does not authenticate them. After too many wrong ones nobody is
/// looked at until the window ends, right or wrong, so that an answer then tells nothing. An unknown client and a
/// wrong secret are the same refusal and the same work. Holds 2 * 1024 counters, whatever arrives; peers or names that
/// share one by chance share its limit. Belongs to one thread.
class SecretGate {
 public:
  SecretGate(SecretLimits limits, Random& random);

  /// Before anything of a request is read. Errors: `client_secret_throttled`.
  Result<> admit(const Address& peer, WallTime now);
  /// Its request was no attempt at all: that counts as a wrong one, or it could be repeated for ever.
  void count_wrong(const Address& peer, WallTime now);
  /// Errors: `client_secret_wrong`, `client_secret_throttled`.
  Result<AuthenticatedClient> check(const Registry& registry, std::string_view client_id, BytesView secret,
                                    const Address& peer, WallTime now);
  /// Until the counters that refuse this peer or client start anew; for Max-Age.
  std::chrono::seconds retry_after(WallTime now) const;
  /// Was the last `client_secret_throttled` one of many from this peer or for this client in the window? Then it need
  /// not be logged again.
  bool was_repeated() const { return was_repeated_; }

 private:
  static constexpr std::size_t buckets = 1024;
  struct Counter {
    std::uint64_t window = 0;
    std::uint32_t wrong = 0;
    bool was_refused = false;
  };

  std::size_t bucket_of(BytesView name) const;
  std::uint64_t window_of(WallTime now) const;
  Counter& counter_of(std::vector<Counter>& counters, BytesView name, WallTime now);
  Result<> check_limit(Counter& counter, std::uint32_t limit);

  SecretLimits limits_;
  Bytes salt_;   ///< so that nobody can choose names that share a counter
  Bytes dummy_;  ///< a digest that no secret matches
  std::vector<Counter> peers_;
  std::vector<Counter> clients_;
  bool was_repeated_ = false;
};

}  // namespace aceward::ace::as
