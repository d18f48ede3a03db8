#include "aceward/ace/params/revocation.h"

#include <algorithm>
#include <limits>
#include <string>

#include "aceward/ace/params/reasons.h"
#include "aceward/ace/params/token_hash.h"

namespace aceward::ace {

namespace {

/// A full set of some thousand hashes.
constexpr cbor::Limits revocation_limits{.max_depth = 6, .max_items = 65536, .max_size = 1 << 21};

Result<> check_hashes(const std::vector<Bytes>& hashes) {
  const bool good = std::ranges::all_of(
      hashes, [](const Bytes& hash) { return hash.size() >= 2 && hash.size() <= max_token_hash_size; });
  if (!good) return fail(reason::revocation_answer_malformed, "token hash");
  return {};
}

/// Decimal digits alone; nullopt for anything else. What is larger than 64 bits is the largest there is.
struct DecimalNumber {
  std::uint64_t value = 0;
  bool too_large = false;
};
std::optional<DecimalNumber> decimal(std::string_view text) {
  if (text.empty()) return std::nullopt;
  DecimalNumber number;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    const auto digit = static_cast<std::uint64_t>(c - '0');
    constexpr std::uint64_t most = std::numeric_limits<std::uint64_t>::max();
    if (number.too_large || number.value > (most - digit) / 10) {
      number = {most, true};
    } else {
      number.value = number.value * 10 + digit;
    }
  }
  return number;
}

/// The value of a query parameter `name=value`, or of `name` alone, which is empty.
std::optional<std::string_view> value_of(std::string_view query, std::string_view name) {
  if (!query.starts_with(name)) return std::nullopt;
  query.remove_prefix(name.size());
  if (query.empty()) return query;
  if (query.front() != '=') return std::nullopt;
  return query.substr(1);
}

}  // namespace

std::string_view name_of(TrlErrorId id) {
  switch (id) {
    case TrlErrorId::invalid_parameter_value: return "Invalid parameter value";
    case TrlErrorId::invalid_parameter_set: return "Invalid set of parameters";
    case TrlErrorId::cursor_out_of_bound: return "Out of bound cursor value";
  }
  return "";
}

Result<RevocationAnswer> parse_revocation_answer(BytesView octets) {
  RevocationAnswer answer = ACEWARD_TRY(cbor::parse<RevocationAnswer>(octets, revocation_limits));
  if (answer.full_set.has_value() == answer.diff_set.has_value())
    return fail(reason::revocation_answer_malformed, "full_set or diff_set");
  if (answer.full_set) ACEWARD_TRY(check_hashes(*answer.full_set));
  if (answer.diff_set) {
    for (const DiffEntry& entry : *answer.diff_set) {
      ACEWARD_TRY(check_hashes(entry.removed));
      ACEWARD_TRY(check_hashes(entry.added));
    }
  }
  return answer;
}

coap::Response make_trl_error(const TrlError& error, std::string_view detail) {
  coap::ProblemDetails problem;
  if (const std::string_view title = name_of(error.error_id); !title.empty()) problem.title = coap::ProblemText(title);
  if (!detail.empty()) problem.detail = coap::ProblemText(detail);
  problem.custom.push_back({ace_trl_error_key, cbor::Raw{cbor::serialize(error)}});
  return coap::make_problem_response(coap::code::bad_request, std::move(problem));
}

std::optional<TrlError> trl_error_of(const coap::Response& response) {
  const coap::ErrorPayload payload = coap::error_payload(response);
  const auto* problem = std::get_if<coap::ProblemDetails>(&payload);
  if (problem == nullptr) return std::nullopt;
  const coap::CustomProblem* entry = problem->find(ace_trl_error_key);
  if (entry == nullptr) return std::nullopt;
  auto error = cbor::parse<TrlError>(entry->map.octets, revocation_limits);
  if (!error) return std::nullopt;
  return std::move(*error);
}

std::expected<TrlQuery, TrlQueryRefusal> parse_trl_query(const coap::Options& options) {
  std::vector<std::string_view> diffs;
  std::vector<std::string_view> cursors;
  for (const std::string_view query : options.queries()) {
    if (const auto value = value_of(query, "diff")) diffs.push_back(*value);
    if (const auto value = value_of(query, "cursor")) cursors.push_back(*value);
  }
  TrlQuery parsed;
  if (!diffs.empty()) {
    const auto number = decimal(diffs.front());
    if (!number || diffs.size() > 1)
      return std::unexpected(TrlQueryRefusal{TrlErrorId::invalid_parameter_value, false});
    parsed.diff = number->value;
  }
  if (cursors.empty()) return parsed;
  if (diffs.empty()) return std::unexpected(TrlQueryRefusal{TrlErrorId::invalid_parameter_set, false});
  const auto number = decimal(cursors.front());
  if (!number || number->too_large || cursors.size() > 1)
    return std::unexpected(TrlQueryRefusal{TrlErrorId::invalid_parameter_value, true});
  parsed.cursor = number->value;
  return parsed;
}

void add_trl_query(coap::Options& options, const TrlQuery& query) {
  if (query.diff) options.add(coap::option::uri_query, "diff=" + std::to_string(*query.diff));
  if (query.cursor) options.add(coap::option::uri_query, "cursor=" + std::to_string(*query.cursor));
}

}  // namespace aceward::ace
