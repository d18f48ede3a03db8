#include "app/roles/raw_key.h"

#include <algorithm>

#include "aceward/tls/reasons.h"

namespace aceward::app {

Result<tls::RawKeyPair> raw_key_pair(const cose::Key& key) {
  const crypto::PrivateKey private_key = ACEWARD_TRY(key.private_key());
  if (private_key.curve() != crypto::Curve::p256) return fail(reason::raw_key_malformed, "not P-256");
  tls::P256Point point;
  std::ranges::copy(private_key.public_key().x(), point.x.begin());
  std::ranges::copy(private_key.public_key().y(), point.y.begin());
  return tls::RawKeyPair::from_coordinates(point, private_key.d().expose());
}

}  // namespace aceward::app
