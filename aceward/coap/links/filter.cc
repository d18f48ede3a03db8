#include "aceward/coap/links/filter.h"

#include <algorithm>
#include <array>

#include "aceward/coap/links/reasons.h"

namespace aceward::coap::links {

namespace {

constexpr std::array<std::string_view, 5> several_values{"rel", "rev", "rt", "if", "ct"};

}  // namespace

Result<Filter> Filter::parse(std::string_view query) {
  const auto equals = query.find('=');
  if (equals == std::string_view::npos || equals == 0) return fail(reason::link_filter_malformed);
  Filter filter;
  filter.name = query.substr(0, equals);
  auto value = query.substr(equals + 1);
  filter.prefix = value.ends_with('*');
  if (filter.prefix) value.remove_suffix(1);
  filter.value = value;
  return filter;
}

bool Filter::matches(const Link& link) const {
  const auto equal_or_prefix = [this](std::string_view one) { return prefix ? one.starts_with(value) : one == value; };
  if (name == "href") return equal_or_prefix(link.target);
  const bool several = std::ranges::find(several_values, name) != several_values.end();
  for (const auto& attribute : link.attributes) {
    if (attribute.name != name) continue;
    std::string_view rest = attribute.value ? std::string_view(*attribute.value) : std::string_view();
    if (!several) {
      if (equal_or_prefix(rest)) return true;
      continue;
    }
    while (true) {
      const auto space = std::min(rest.find(' '), rest.size());
      if (equal_or_prefix(rest.substr(0, space))) return true;
      if (space == rest.size()) break;
      rest.remove_prefix(space + 1);
    }
  }
  return false;
}

bool matches_all(std::span<const Filter> filters, const Link& link) {
  return std::ranges::all_of(filters, [&](const Filter& filter) { return filter.matches(link); });
}

}  // namespace aceward::coap::links
