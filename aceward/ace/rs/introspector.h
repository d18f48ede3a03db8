// The port through which a resource server asks an authorization server about tokens (RFC 9200 section 5.9).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "aceward/base/strong.h"
#include "aceward/base/time.h"
#include "aceward/cose/cwt/claims.h"

namespace aceward::ace::rs {

/// Names one question. Never 0, never reused.
using QueryId = Strong<struct QueryIdTag, std::uint64_t>;

/// Asks over a channel that authenticates both sides and binds answers to questions (section 5.9). Every question has
/// exactly one answer, which is pulled. Not thread-safe.
class Introspector {
 public:
  struct Answer {
    QueryId query;
    /// What the token says; nullopt: it is not active. Errors: the AS could not be asked, or its answer not be read.
    Result<std::optional<cwt::Claims>> claims;
  };

  virtual ~Introspector() = default;
  /// The iss of who is asked.
  virtual const std::string& iss() const = 0;
  /// Errors: `introspection_busy`, `introspection_unavailable`; then no answer follows.
  virtual Result<QueryId> ask(BytesView token, Instant now) = 0;
  virtual std::optional<Answer> next_answer() = 0;
};

}  // namespace aceward::ace::rs
