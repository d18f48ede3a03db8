// The messages of the token revocation list (drafts/ace-revoked-token-notification, RFC 9770; "the draft" below).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "aceward/base/bytes.h"
#include "aceward/base/result.h"
#include "aceward/cbor/schema.h"
#include "aceward/coap/layer.h"
#include "aceward/coap/problem/problem_details.h"

namespace aceward::ace {

///   diff_entry = [removed: [* token_hash], added: [* token_hash]]      token_hash = bytes
/// One update of the list (section 8). Both are sets: their order means nothing.
struct DiffEntry {
  std::vector<Bytes> removed;  ///< of tokens that have expired meanwhile
  std::vector<Bytes> added;    ///< of tokens that were revoked
  friend bool operator==(const DiffEntry&, const DiffEntry&) = default;
};

/// Index of an update; null where no update has an index that would help.
using TrlCursor = cbor::Nullable<std::uint64_t>;

///   answer = { 0 => [* token_hash], ? 2 => uint / null, * int => any }
///          / { 1 => [* diff_entry], ? ( 2 => uint / null, 3 => bool ), * int => any }
/// Read it with `parse_revocation_answer`.
struct RevocationAnswer {
  std::optional<std::vector<Bytes>> full_set;
  std::optional<std::vector<DiffEntry>> diff_set;  ///< the latest update first
  std::optional<TrlCursor> cursor;                 ///< there if the server has the "cursor" extension
  std::optional<bool> more;
  friend bool operator==(const RevocationAnswer&, const RevocationAnswer&) = default;
};

/// Errors: those of cbor/; `revocation_answer_malformed` unless exactly one of full_set and diff_set is there, and for
/// a hash of fewer than 2 or more than 65 octets.
Result<RevocationAnswer> parse_revocation_answer(BytesView octets);

/// ACE Token Revocation List Errors (table 2). Open.
enum class TrlErrorId : std::int64_t {
  invalid_parameter_value = 0,
  invalid_parameter_set = 1,
  cursor_out_of_bound = 2,
};
std::string_view name_of(TrlErrorId);

/// Custom Problem Detail key of `ace-trl-error`. RFC 9770 has it assigned; the draft does not say the number.
inline constexpr std::uint64_t ace_trl_error_key = 1;

///   ace-trl-error = { 0: int, ? 1: uint / null }
struct TrlError {
  TrlErrorId error_id = TrlErrorId::invalid_parameter_value;
  std::optional<TrlCursor> cursor;
  friend bool operator==(const TrlError&, const TrlError&) = default;
};

/// 4.00 with problem details (section 6.1). `detail` is for engineers; empty: none.
coap::Response make_trl_error(const TrlError& error, std::string_view detail);
/// What an error response says of it; nothing if it has no (well-formed) entry.
std::optional<TrlError> trl_error_of(const coap::Response& response);

/// The query of a GET (section 6.3).
struct TrlQuery {
  std::optional<std::uint64_t> diff;  ///< 0: as many entries as there are
  std::optional<std::uint64_t> cursor;
  bool asks_full() const { return !diff; }
  friend bool operator==(const TrlQuery&, const TrlQuery&) = default;
};
/// What is wrong with a query: the error, without the cursor that the server alone knows, which has to be in the answer
/// where `names_cursor`.
struct TrlQueryRefusal {
  TrlErrorId error_id;
  bool names_cursor = false;
};
/// Unknown parameters are ignored. A parameter that stands twice has no value that would be right. A number too large
/// for 64 bits: a `diff` counts as the largest there is, a `cursor` is refused.
std::expected<TrlQuery, TrlQueryRefusal> parse_trl_query(const coap::Options& options);
/// Adds `diff` and `cursor`.
void add_trl_query(coap::Options& options, const TrlQuery& query);

}  // namespace aceward::ace

template <>
struct aceward::cbor::Schema<aceward::ace::DiffEntry> {
  using T = aceward::ace::DiffEntry;
  static constexpr auto value =
      declare_array<T>("diff_entry", element("removed", &T::removed), element("added", &T::added));
};

template <>
struct aceward::cbor::Schema<aceward::ace::RevocationAnswer> {
  using T = aceward::ace::RevocationAnswer;
  static constexpr auto value = declare<T>("revocation answer", Unknown::ignore, optional(0, "full_set", &T::full_set),
                                           optional(1, "diff_set", &T::diff_set), optional(2, "cursor", &T::cursor),
                                           optional(3, "more", &T::more));
};

template <>
struct aceward::cbor::Schema<aceward::ace::TrlError> {
  using T = aceward::ace::TrlError;
  static constexpr auto value = declare<T>("ace-trl-error", Unknown::ignore, required(0, "error-id", &T::error_id),
                                           optional(1, "cursor", &T::cursor));
};
