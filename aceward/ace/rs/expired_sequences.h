// What must be remembered of tokens with exi, so that none lives twice (RFC 9200 section 5.10.3).
#pragma once

#include <map>
#include <optional>
#include <string>

#include "aceward/base/result.h"
#include "aceward/base/time.h"

namespace aceward::ace::rs {

/// The port to memory that outlives the process: the highest sequence number of a token with exi, for each issuer.
class ExpiredSequences {
 public:
  virtual ~ExpiredSequences() = default;
  /// nullopt: none ever.
  virtual std::optional<std::uint64_t> highest(const std::string& issuer) const = 0;
  /// Durable when it returns. What is not above `highest` changes nothing. Called only for tokens that an issuer
  /// protected, never on the word of a stranger. Errors: those of the implementation; then nothing is taken.
  virtual Result<> raise(const std::string& issuer, std::uint64_t sequence) = 0;
};

/// Counts exi from the first arrival of each token. A token is refused when its number is not above
///   - the highest number of a token that has expired here (section 5.10.3), or
///   - the highest number that had been taken when the process began. When those tokens arrived is forgotten with it,
///     and so each counts as expired: a crash gives none a second life. The price is one that the section foresees:
///     tokens with lower numbers that were never seen are refused too, and their clients get new ones.
/// The number of a token is made durable before it is taken. Not thread-safe.
class ExiTerms {
 public:
  /// `most`: tokens whose arrival is remembered; beyond it the lowest number counts as expired.
  explicit ExiTerms(ExpiredSequences* memory, std::size_t most = 8192) : memory_(memory), most_(most) {}

  /// When the token ends: `ends`, or what was said when it first arrived.
  /// Errors: `token_sequence_expired`, those of ExpiredSequences::raise.
  Result<WallTime> admit(const std::string& issuer, std::uint64_t sequence, WallTime ends, WallTime now);

 private:
  struct Issuer {
    std::optional<std::uint64_t> expired;         ///< the highest
    std::optional<std::uint64_t> durable;         ///< the highest that is in the memory
    std::map<std::uint64_t, WallTime> term_ends;  ///< of those above `expired`
  };
  Issuer& of(const std::string& issuer);
  void expire(Issuer& issuer, WallTime now) const;

  ExpiredSequences* memory_;
  std::size_t most_;
  std::map<std::string, Issuer> issuers_;
};

}  // namespace aceward::ace::rs
