#include "aceward/ace/token/trusted_issuers.h"

#include <algorithm>
#include <utility>

#include "aceward/ace/token/key_derivation.h"
#include "aceward/ace/token/reasons.h"

namespace aceward::ace {
namespace {

constexpr std::size_t aes_128_key_size = 16;

bool is_mac_algorithm(cose::Algorithm algorithm) {
  return algorithm == cose::alg::hmac_256_64 || algorithm == cose::alg::hmac_256_256 ||
         algorithm == cose::alg::hmac_384_384 || algorithm == cose::alg::hmac_512_512;
}

}  // namespace

Result<TrustedIssuers> TrustedIssuers::from(std::vector<TrustedIssuer> issuers) {
  TrustedIssuers loaded;
  for (const TrustedIssuer& issuer : issuers) {
    if (issuer.iss.empty()) return fail(reason::issuer_config_invalid, "iss");
    if (std::ranges::find(loaded.names_, issuer.iss) != loaded.names_.end())
      return fail(reason::issuer_config_invalid, "iss twice");
    if (issuer.verifying_keys.empty() && issuer.token_keys.empty() && !issuer.is_asked) {
      return fail(reason::issuer_config_invalid, "keys");
    }
    const cwt::IssuerId id{loaded.names_.size()};
    loaded.names_.push_back(issuer.iss);
    loaded.followed_.push_back(issuer.is_followed);
    auto& derivations = loaded.derivations_.emplace_back();
    for (const Secret& key : issuer.derivation_keys) {
      if (key.size() < min_derivation_key_octets) return fail(reason::issuer_config_invalid, "derivation key");
      derivations.push_back({derivation_key_id(key), key.clone()});
    }
    for (const cose::Key& key : issuer.verifying_keys) {
      if (key.is_symmetric() || key.has_private()) return fail(reason::issuer_config_invalid, "verifying key");
      loaded.entries_.push_back({id, key.kid, ACEWARD_TRY(cose::VerifyingKey::from(key))});
    }
    for (const cose::Key& key : issuer.token_keys) {
      if (!key.is_symmetric()) return fail(reason::issuer_config_invalid, "token key");
      std::optional<cose::Algorithm> algorithm = key.alg;
      if (!algorithm && key.k().size() == aes_128_key_size) algorithm = cose::alg::aes_ccm_16_64_128;
      if (algorithm && is_mac_algorithm(*algorithm)) {
        loaded.entries_.push_back({id, key.kid, ACEWARD_TRY(cose::MacKey::from(key, algorithm))});
      } else {
        loaded.entries_.push_back({id, key.kid, ACEWARD_TRY(cose::ContentKey::from(key, algorithm))});
      }
    }
  }
  return loaded;
}

std::optional<cwt::IssuerId> TrustedIssuers::find(std::string_view iss) const {
  const auto found = std::ranges::find(names_, iss);
  if (found == names_.end()) return std::nullopt;
  return cwt::IssuerId(static_cast<std::uint64_t>(found - names_.begin()));
}

const Secret* TrustedIssuers::derivation_key(cwt::IssuerId id, BytesView kid) const {
  const auto& keys = derivations_[id.value];
  if (keys.empty()) return nullptr;
  const auto named = std::ranges::find_if(keys, [&](const Derivation& one) {
    return kid.size() >= one.id.size() && equal(kid.first(one.id.size()), one.id);
  });
  return named == keys.end() ? &keys.front().key : &named->key;
}

Result<cose::Key> TrustedIssuers::decrypt(const cwt::EncryptedKey& encrypted, cwt::IssuerId issuer) const {
  for (const Entry& entry : entries_) {
    const auto* content_key = std::get_if<cose::ContentKey>(&entry.key);
    if (content_key == nullptr || entry.issuer != issuer) continue;
    if (auto key = encrypted.decrypt(*content_key)) return key;
  }
  return fail(reason::token_cnf_unusable, "no key opens the encrypted one");
}

void TrustedIssuers::candidates(const Query& query, std::vector<Candidate>& out) {
  for (const Entry& entry : entries_) {
    // A key without a kid may fit any token; a kid only narrows the choice, it proves nothing.
    if (query.kid && entry.kid && !equal(*query.kid, *entry.kid)) continue;
    std::visit(
        [&](const auto& key) {
          if (key.algorithm() == query.algorithm) out.push_back({&key, entry.issuer});
        },
        entry.key);
  }
}

}  // namespace aceward::ace
