#include "aceward/coap/message/option_check.h"

#include <algorithm>

namespace aceward::coap {

KnownOptions& KnownOptions::add(OptionNumber number) {
  if (!has(number)) numbers_.push_back(number);
  return *this;
}

bool KnownOptions::has(OptionNumber number) const { return std::ranges::find(numbers_, number) != numbers_.end(); }

KnownOptions KnownOptions::in_requests() {
  return {option::uri_host, option::uri_port, option::uri_path, option::uri_query, option::accept};
}

std::optional<OptionNumber> check_options(Options& options, const KnownOptions& known) {
  std::optional<OptionNumber> previous;
  for (std::size_t i = 0; i < options.size();) {
    const auto [number, value] = options.at(i);
    const auto* definition = find_definition(number);
    const bool repeated = previous == number;
    previous = number;
    // RFC 7252 section 5.10.1: a Uri-Path is never a dot segment.
    const bool dots = number == option::uri_path && (as_text(value) == "." || as_text(value) == "..");
    const bool well_formed = !dots && (definition == nullptr || (value.size() >= definition->min_length &&
                                                                 value.size() <= definition->max_length &&
                                                                 (definition->repeatable || !repeated)));
    if (is_critical(number)) {
      if (!well_formed || !known.has(number)) return number;
    } else if (!well_formed) {
      options.remove_at(i);
      continue;
    }
    ++i;
  }
  return std::nullopt;
}

}  // namespace aceward::coap
