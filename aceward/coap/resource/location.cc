#include "aceward/coap/resource/location.h"

#include <algorithm>
#include <array>

#include "aceward/coap/resource/reasons.h"

namespace aceward::coap {

namespace {

constexpr std::size_t longest_location_part = 255;
constexpr std::array<OptionNumber, 4> reserved_location_options{OptionNumber(128), OptionNumber(132), OptionNumber(136),
                                                                OptionNumber(140)};

bool is_dot_segment(std::string_view segment) { return segment == "." || segment == ".."; }

}  // namespace

Result<void> add_location(Options& options, const Location& location) {
  if (location.path.empty() && location.query.empty()) return fail(reason::location_malformed, "empty");
  const auto too_long = [](const std::string& part) { return part.size() > longest_location_part; };
  if (std::ranges::any_of(location.path, too_long) || std::ranges::any_of(location.query, too_long)) {
    return fail(reason::location_malformed, "length");
  }
  if (std::ranges::any_of(location.path, is_dot_segment)) return fail(reason::location_malformed, "dot segment");
  for (const auto& segment : location.path) options.add(option::location_path, segment);
  for (const auto& argument : location.query) options.add(option::location_query, argument);
  return {};
}

Result<void> add_location(Options& options, std::string_view path) {
  Options segments;
  segments.add_path(path);
  Location location;
  for (const auto segment : segments.path()) location.path.emplace_back(segment);
  return add_location(options, location);
}

Result<std::optional<Location>> location_in(const Options& options) {
  Location location;
  for (const auto segment : options.all_text(option::location_path)) {
    if (is_dot_segment(segment)) return fail(reason::location_malformed, "dot segment");
    location.path.emplace_back(segment);
  }
  for (const auto argument : options.all_text(option::location_query)) location.query.emplace_back(argument);
  if (location.path.empty() && location.query.empty()) return std::nullopt;
  if (std::ranges::any_of(reserved_location_options, [&](OptionNumber number) { return options.has(number); })) {
    return fail(reason::location_reserved);
  }
  return location;
}

std::string to_string(const Location& location) {
  // The steps of RFC 7252 section 6.5 without the first five.
  const std::string whole = compose_uri(Uri{false, "h", default_port, location.path, location.query});
  return whole.substr(whole.find('/', std::string_view("coap://").size()));
}

Uri resolve(const Uri& request_uri, const Location& location) {
  Uri resolved = request_uri;
  resolved.path = location.path;
  resolved.query = location.query;
  return resolved;
}

}  // namespace aceward::coap
