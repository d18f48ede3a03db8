// What an error response says, for programs and for people.
#include "aceward/cbor/utf8.h"
#include "aceward/coap/problem/problem_details.h"

namespace aceward::coap {

namespace {

constexpr std::uint32_t replacement_character = 0xfffd;

/// Printable UTF-8 of at most `limit` octets.
std::string printable(std::string_view text, std::size_t limit) {
  std::string out;
  while (!text.empty()) {
    auto point = cbor::detail::take_code_point(text);
    if (point < 0) text.remove_prefix(1);
    // C0, DEL and C1, and the marks that reverse what a terminal shows.
    const bool control = point < 0x20 || (point >= 0x7f && point < 0xa0) || (point >= 0x202a && point <= 0x202e) ||
                         (point >= 0x2066 && point <= 0x2069);
    const auto before = out.size();
    cbor::detail::append_utf8(out, control ? replacement_character : static_cast<std::uint32_t>(point));
    if (out.size() > limit) {
      out.resize(before);
      break;
    }
  }
  return out;
}

}  // namespace

ErrorPayload error_payload(const Response& response, std::size_t limit) {
  if (!response.code.is_error()) return std::monostate{};
  if (!response.options.has(option::content_format)) {
    // RFC 7252 section 5.5.2
    if (response.payload.empty()) return std::monostate{};
    return DiagnosticText{printable(as_text(response.payload), limit)};
  }
  const auto format = response.options.content_format();
  if (format == content_format::concise_problem_details_cbor) {
    if (auto problem = parse_problem_details(response.payload)) return *std::move(problem);
  }
  return OtherPayload{format.value_or(content_format::octet_stream)};
}

std::string describe(const ErrorPayload& payload) {
  constexpr std::size_t enough = 1024;
  if (const auto* diagnostic = std::get_if<DiagnosticText>(&payload)) return diagnostic->text;
  if (const auto* other = std::get_if<OtherPayload>(&payload)) {
    return "payload in Content-Format " + coap::to_string(other->format);
  }
  const auto* problem = std::get_if<ProblemDetails>(&payload);
  if (problem == nullptr) return {};
  std::string text;
  const auto put = [&text](std::string_view between, std::string_view part) {
    if (!text.empty()) text += between;
    text += printable(part, enough);
  };
  if (problem->title) put("", problem->title->text);
  if (problem->detail) put(": ", problem->detail->text);
  for (const auto number : problem->unprocessed_options) {
    put("; ",
        "not processed: " + (number <= UINT16_MAX ? coap::to_string(OptionNumber(static_cast<std::uint16_t>(number)))
                                                  : "option " + std::to_string(number)));
  }
  if (problem->instance) put("; ", "instance " + *problem->instance);
  return text;
}

}  // namespace aceward::coap
