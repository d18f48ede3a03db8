#include "aceward/ace/rs/expired_sequences.h"

#include <algorithm>

#include "aceward/ace/rs/reasons.h"
#include "aceward/ace/token/reasons.h"

namespace aceward::ace::rs {

ExiTerms::Issuer& ExiTerms::of(const std::string& issuer) {
  const auto [found, is_new] = issuers_.try_emplace(issuer);
  if (is_new) found->second.expired = found->second.durable = memory_->highest(issuer);
  return found->second;
}

void ExiTerms::expire(Issuer& issuer, WallTime now) const {
  auto& terms = issuer.term_ends;
  for (auto it = terms.begin(); it != terms.end(); ++it) {
    if (it->second <= now) issuer.expired = std::max(issuer.expired.value_or(0), it->first);
  }
  if (terms.size() > most_) issuer.expired = std::max(issuer.expired.value_or(0), terms.begin()->first);
  // Those below have not ended here, but could not be told from those that have after they leave.
  if (issuer.expired) terms.erase(terms.begin(), terms.upper_bound(*issuer.expired));
}

Result<WallTime> ExiTerms::admit(const std::string& iss, std::uint64_t sequence, WallTime ends, WallTime now) {
  if (memory_ == nullptr) return fail(reason::token_exi_unsupported);
  Issuer& issuer = of(iss);
  expire(issuer, now);
  if (issuer.expired && sequence <= *issuer.expired) return fail(reason::token_sequence_expired);
  if (const auto known = issuer.term_ends.find(sequence); known != issuer.term_ends.end()) return known->second;
  if (!issuer.durable || sequence > *issuer.durable) {
    ACEWARD_TRY(memory_->raise(iss, sequence));
    issuer.durable = sequence;
  }
  issuer.term_ends.emplace(sequence, ends);
  expire(issuer, now);
  return ends;
}

}  // namespace aceward::ace::rs
