#include "app/payload_text.h"

#include <algorithm>

#include "aceward/ace/params/names.h"
#include "aceward/cbor/diagnostic.h"
#include "aceward/coap/message/content_format.h"

namespace aceward::app {

namespace {

namespace format = coap::content_format;

/// In double quotes, with everything that is not printable ASCII escaped.
std::string quoted(BytesView octets) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text = "\"";
  for (const std::uint8_t octet : octets) {
    if (octet == '"' || octet == '\\') text += '\\';
    if (octet >= 0x20 && octet < 0x7f) {
      text += static_cast<char>(octet);
    } else {
      text += "\\x";
      text += digits[octet >> 4];
      text += digits[octet & 15];
    }
  }
  return text + "\"";
}

}  // namespace

std::string payload_text(const coap::Message& message) {
  const BytesView payload = message.payload;
  if (payload.empty()) return "";
  const auto content_format = message.options.content_format();
  if (content_format == format::ace_cbor) {
    const ace::Message kind = message.code.is_request() ? ace::Message::token_request
                                                        : ace::message_in_response(message.code.is_success(), payload);
    return ace::to_text(kind, payload, true);
  }
  if (content_format == format::cwt) return ace::to_text(ace::Message::token, payload, true);
  if (content_format == format::cbor || content_format == format::cbor_seq || content_format == format::aif_cbor) {
    return cbor::to_diagnostic(payload, {.indented = true});
  }
  const bool is_text = !content_format || content_format == format::text_plain ||
                       content_format == format::link_format || content_format == format::json;
  if (is_text) return quoted(payload);
  return "h'" + to_hex(payload) + "'";
}

}  // namespace aceward::app
