#include "app/response_text.h"

#include "aceward/cbor/diagnostic.h"
#include "aceward/coap/message/content_format.h"
#include "aceward/coap/message/pretty.h"
#include "aceward/coap/problem/problem_details.h"
#include "aceward/coap/resource/location.h"
#include "app/config/role_settings.h"
#include "app/payload_text.h"

namespace aceward::app {

namespace {

coap::Message message_of(const coap::Response& response) {
  coap::Message message;
  message.code = response.code;
  message.options = response.options;
  message.payload = response.payload;
  return message;
}

bool is_text_format(const coap::Response& response) {
  const auto format = response.options.content_format();
  if (!format || *format == coap::content_format::text_plain || *format == coap::content_format::link_format)
    return true;
  const std::string_view name = coap::name_of(*format);
  return name == "application/json" || name.ends_with("+json");
}

bool is_cbor(const coap::Response& response) {
  const auto format = response.options.content_format();
  return format && is_cbor_format(*format);
}

/// As a relative URI; "" without one, or if it makes no sense.
std::string location_of(const coap::Response& response) {
  const auto location = coap::location_in(response.options);
  return location && *location ? coap::to_string(**location) : "";
}

std::string text_of(const std::optional<coap::ProblemText>& text) { return text ? printable_line(text->text) : ""; }

std::string lines_of(const coap::ProblemDetails& problem) {
  std::string text;
  const auto line = [&](std::string_view label, const std::string& value) {
    if (!value.empty()) text.append("  ").append(label).append(": ").append(value).append("\n");
  };
  line("title", text_of(problem.title));
  line("detail", text_of(problem.detail));
  line("instance", problem.instance ? printable_line(*problem.instance) : "");
  line("base URI", problem.base_uri ? printable_line(*problem.base_uri) : "");
  std::string options;
  for (const std::uint64_t number : problem.unprocessed_options) {
    options += (options.empty() ? "" : ", ") + std::to_string(number);
  }
  line("options not understood", options);
  for (const coap::CustomProblem& entry : problem.custom) {
    const auto* number = std::get_if<std::uint64_t>(&entry.key);
    line(number != nullptr ? "entry " + std::to_string(*number) : printable_line(std::get<std::string>(entry.key)),
         cbor::to_diagnostic(entry.map.octets));
  }
  return text;
}

}  // namespace

std::string headers_of(const coap::Response& response) {
  std::string text = response.code.to_string() + "\n";
  const auto lines = coap::pretty_lines(message_of(response));
  for (std::size_t i = 1; i < lines.size(); ++i) text += lines[i].label + ": " + lines[i].value + "\n";
  if (const std::string where = location_of(response); !where.empty())
    text += "Location: " + printable_line(where) + "\n";
  return text;
}

std::string shown_payload(const coap::Response& response) {
  if (response.payload.empty()) return "";
  std::string text = is_cbor(response)          ? payload_text(message_of(response))
                     : is_text_format(response) ? printable(as_text(response.payload))
                                                : to_hex(response.payload);
  if (!text.ends_with('\n')) text += "\n";
  return text;
}

void print_payload(const coap::Response& response, const Console& console) {
  if (is_cbor(response) || console.out_is_terminal()) return console.out(shown_payload(response));
  console.out(as_text(response.payload));
}

std::string response_members(const coap::Response& response) {
  std::string text =
      "\"code\":" + json_quoted(response.code.number()) + ",\"name\":" + json_quoted(response.code.name());
  if (const auto format = response.options.content_format()) {
    text += ",\"content_format\":" + std::to_string(format->value);
    if (is_cbor_format(*format)) text += ",\"payload_diagnostic\":" + json_quoted(payload_text(message_of(response)));
  }
  if (is_text_format(response)) text += ",\"payload\":" + json_quoted(as_text(response.payload));
  if (response.code.is_error()) {
    if (const auto why = coap::describe(coap::error_payload(response)); !why.empty()) {
      text += ",\"problem\":" + json_quoted(why);
    }
  }
  if (const std::string where = location_of(response); !where.empty()) text += ",\"location\":" + json_quoted(where);
  text += ",\"payload_hex\":" + json_quoted(to_hex(response.payload)) + ",\"options\":[";
  const auto lines = coap::pretty_lines(message_of(response));
  for (std::size_t i = 1; i < lines.size(); ++i) {
    text += (i > 1 ? ",{\"name\":" : "{\"name\":") + json_quoted(lines[i].label) +
            ",\"value\":" + json_quoted(lines[i].value) + "}";
  }
  return text + "]";
}

std::string why_text(const coap::Response& response) {
  const auto payload = coap::error_payload(response);
  if (const auto* problem = std::get_if<coap::ProblemDetails>(&payload)) return lines_of(*problem);
  if (const auto* diagnostic = std::get_if<coap::DiagnosticText>(&payload)) {
    return diagnostic->text.empty() ? "" : "  " + coap::quoted(as_bytes(diagnostic->text)) + "\n";
  }
  if (response.payload.empty()) return "";
  const std::string text = payload_text(message_of(response));
  return text.ends_with('\n') ? text : text + "\n";
}

}  // namespace aceward::app
