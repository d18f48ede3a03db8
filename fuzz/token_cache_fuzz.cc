// A client's file with a kept token: its owner alone can write it, but disks and editors damage files too.
#include <cstdlib>

#include "aceward/ace/client/token_cache.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace aceward;
  namespace client = ace::client;
  const auto stored = client::parse_stored_token(BytesView(data, size));
  if (!stored) {
    if (stored.error().id() != "cached_token_malformed") std::abort();
    return 0;
  }
  const client::CacheBinding binding{stored->server, stored->audience, stored->as_uri, stored->client};
  const Instant now{std::chrono::hours(1)};
  const WallTime wall{std::chrono::seconds(stored->obtained)};
  const auto cached = client::restore_token(*stored, binding, now, wall);
  if (!cached) std::abort();
  const auto lifetime = std::chrono::seconds(stored->expires - stored->obtained);
  constexpr auto longest = std::chrono::hours(24 * 366 * 100);
  if (lifetime < longest && cached->token.usable_at(now + lifetime)) std::abort();
  const Secret file = client::serialize_token(binding, cached->token, cached->asked, cached->uploaded, now, wall);
  // What was read from a small enough file can be kept again.
  const auto again = client::parse_stored_token(file.expose());
  if (!again && file.size() <= client::max_cached_token_size) std::abort();
  if (again && !equal(again->access_token, stored->access_token)) std::abort();
  return 0;
}
