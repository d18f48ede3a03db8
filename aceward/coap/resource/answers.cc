#include "aceward/coap/resource/answers.h"

#include <algorithm>
#include <string>

namespace aceward::coap {

Response make_response(Code code, std::string_view diagnostic) { return {code, {}, to_bytes(diagnostic)}; }

Response make_response(Code code, ContentFormat format, Bytes payload) {
  Response response{code, {}, std::move(payload)};
  response.options.set_content_format(format);
  return response;
}

std::optional<Response> refuse_content_format(const Request& request, ContentFormat expected, bool missing_allowed) {
  auto refused = refuse_content_format(request, std::span(&expected, 1), missing_allowed);
  if (refused) refused->payload.clear();
  return refused;
}

std::optional<Response> refuse_content_format(const Request& request, std::span<const ContentFormat> expected,
                                              bool missing_allowed) {
  const auto format = request.options.content_format();
  // An option that is there, but too long for a number, is none of those expected.
  const bool missing = !request.options.has(option::content_format);
  if (missing ? missing_allowed : format && std::ranges::find(expected, *format) != expected.end()) return std::nullopt;
  std::string hint;
  for (const auto& one : expected) {
    hint += hint.empty() ? "use Content-Format " : " or ";
    hint += std::to_string(one.value);
  }
  return make_response(code::unsupported_content_format, hint);
}

std::optional<Response> refuse_accept(const Request& request, std::initializer_list<ContentFormat> offered) {
  return refuse_accept(request, std::span(offered.begin(), offered.size()));
}

std::optional<Response> refuse_accept(const Request& request, std::span<const ContentFormat> offered) {
  const auto accept = request.options.accept();
  if (!accept || std::ranges::find(offered, *accept) != offered.end()) return std::nullopt;
  return make_response(code::not_acceptable);
}

std::optional<Response> refuse_precondition(const Request& request, std::optional<BytesView> current_etag) {
  bool asked = false;
  bool matched = false;
  for (const auto& [number, value] : request.options) {
    if (number > option::if_none_match) break;
    if (number == option::if_none_match && current_etag) return make_response(code::precondition_failed);
    if (number != option::if_match) continue;
    asked = true;
    if (current_etag && (value.empty() || equal(value, *current_etag))) matched = true;
  }
  if (asked && !matched) return make_response(code::precondition_failed);
  return std::nullopt;
}

std::optional<Response> validated(const Request& request, const ETag& current) {
  if (request.method != code::get && request.method != code::fetch) return std::nullopt;
  for (const auto& [number, value] : request.options) {
    if (number > option::etag) break;
    if (number != option::etag || !equal(value, current.view())) continue;
    Response response{code::valid, {}, {}};
    response.options.add(option::etag, current.view());
    return response;
  }
  return std::nullopt;
}

std::chrono::seconds max_age_of(const Options& options) {
  // 32 bits is what the option holds; a longer one was not let through.
  const auto seconds = std::min<std::uint64_t>(options.find_uint(option::max_age).value_or(60), UINT32_MAX);
  return std::chrono::seconds(static_cast<std::int64_t>(seconds));
}

void set_max_age(Options& options, std::chrono::seconds age) {
  const auto seconds = std::clamp<std::int64_t>(age.count(), 0, UINT32_MAX);
  options.remove(option::max_age);
  if (seconds != 60) options.add_uint(option::max_age, static_cast<std::uint64_t>(seconds));
}

std::optional<Response> refuse_size(const Request& request, std::size_t limit) {
  if (request.payload.size() <= limit) return std::nullopt;
  auto response = make_response(code::request_entity_too_large);
  response.options.set_uint(option::size1, limit);
  return response;
}

}  // namespace aceward::coap
