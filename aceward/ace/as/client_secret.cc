#include "aceward/ace/as/client_secret.h"

#include <algorithm>
#include <utility>

#include "aceward/ace/as/authentication_mint.h"
#include "aceward/ace/as/reasons.h"
#include "aceward/base/secret.h"
#include "aceward/crypto/hash.h"

namespace aceward::ace::as {

namespace {

std::array<std::uint8_t, 32> salted_hash(BytesView salt, BytesView secret) {
  const auto hash = crypto::make_hash(crypto::HashAlgorithm::sha256);
  hash->update(salt);
  hash->update(secret);
  std::array<std::uint8_t, 32> digest;
  hash->finish(digest);
  return digest;
}

/// What one peer can send from: an IPv4 address, or all of an IPv6 subnet, which has more addresses than there are
/// counters.
BytesView network_of(const Address& peer) { return peer.is_v4() ? BytesView(peer.ip) : BytesView(peer.ip).first(8); }

}  // namespace

Bytes make_secret_digest(BytesView secret, Random& random) {
  Bytes digest = random.bytes(secret_salt_size);
  const auto hash = salted_hash(digest, secret);
  digest.insert(digest.end(), hash.begin(), hash.end());
  return digest;
}

bool secret_matches(BytesView digest, BytesView secret) {
  if (digest.size() != secret_digest_size) return false;
  return equal_constant_time(salted_hash(digest.first(secret_salt_size), secret), digest.subspan(secret_salt_size));
}

SecretGate::SecretGate(SecretLimits limits, Random& random)
    : limits_(limits),
      salt_(random.bytes(16)),
      dummy_(make_secret_digest(random.bytes(32), random)),
      peers_(buckets),
      clients_(buckets) {}

std::size_t SecretGate::bucket_of(BytesView name) const {
  const auto hash = salted_hash(salt_, name);
  return (std::size_t{hash[0]} << 8 | hash[1]) % buckets;
}

std::uint64_t SecretGate::window_of(WallTime now) const {
  const auto length = std::max<std::int64_t>(1, limits_.window.count());
  return static_cast<std::uint64_t>(now.time_since_epoch().count() / length) + 1;
}

std::chrono::seconds SecretGate::retry_after(WallTime now) const {
  const auto length = std::max<std::int64_t>(1, limits_.window.count());
  return std::chrono::seconds(length - now.time_since_epoch().count() % length);
}

SecretGate::Counter& SecretGate::counter_of(std::vector<Counter>& counters, BytesView name, WallTime now) {
  Counter& counter = counters[bucket_of(name)];
  const std::uint64_t window = window_of(now);
  if (counter.window != window) counter = {.window = window};
  return counter;
}

Result<> SecretGate::check_limit(Counter& counter, std::uint32_t limit) {
  if (counter.wrong < limit) return {};
  was_repeated_ = std::exchange(counter.was_refused, true);
  return fail(reason::client_secret_throttled);
}

Result<> SecretGate::admit(const Address& peer, WallTime now) {
  return check_limit(counter_of(peers_, network_of(peer), now), limits_.wrong_per_peer);
}

void SecretGate::count_wrong(const Address& peer, WallTime now) { ++counter_of(peers_, network_of(peer), now).wrong; }

Result<AuthenticatedClient> SecretGate::check(const Registry& registry, std::string_view client_id, BytesView secret,
                                              const Address& peer, WallTime now) {
  ACEWARD_TRY(admit(peer, now));
  Counter& of_client = counter_of(clients_, as_bytes(client_id), now);
  ACEWARD_TRY(check_limit(of_client, limits_.wrong_per_client));

  const ClientRecord* client = registry.client_by_name(client_id);
  const bool has_secret = client != nullptr && client->secret_digest.size() == secret_digest_size;
  // The same work whether or not there is such a client.
  const bool matches = secret_matches(has_secret ? client->secret_digest : dummy_, secret);
  if (has_secret && matches && secret.size() >= minimum_secret_size) return AuthenticationMint::with_secret(*client);
  count_wrong(peer, now);
  ++of_client.wrong;
  return fail(reason::client_secret_wrong);
}

}  // namespace aceward::ace::as
