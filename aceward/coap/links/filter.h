// Filters on a list of links (RFC 6690 section 4.1).
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "aceward/base/result.h"
#include "aceward/coap/links/link.h"

namespace aceward::coap::links {

/// One name/value pair of the query: `rt=light-lux`, `href=/foo*`, `foo=*`.
struct Filter {
  /// `href` for the target, else the name of an attribute.
  std::string name;
  std::string value;
  /// The value ended in `*`, which is not part of `value`: a prefix is looked for.
  bool prefix = false;

  /// `query` is one Uri-Query option, without percent-encoding as these are. Errors: `link_filter_malformed`: no `=`,
  /// or nothing before it.
  static Result<Filter> parse(std::string_view query);

  /// Compares octet by octet. Of `rel`, `rev`, `rt`, `if` and `ct` each of the values between spaces counts by itself.
  /// A link that lacks the attribute never matches, one that has it as a flag has the empty value.
  bool matches(const Link& link) const;

  friend bool operator==(const Filter&, const Filter&) = default;
};

/// Whether all filters match. RFC 6690 knows one filter in a query; several narrow it down as in RFC 9176 section 6.
bool matches_all(std::span<const Filter> filters, const Link& link);

}  // namespace aceward::coap::links
