#include "app/payload_text.h"

#include "aceward/ace/params/names.h"
#include "aceward/cbor/diagnostic.h"
#include "aceward/coap/message/content_format.h"
#include "aceward/coap/message/pretty.h"
#include "app/config/role_settings.h"

namespace aceward::app {

namespace {

namespace format = coap::content_format;

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
  if (content_format && is_cbor_format(*content_format)) {
    return cbor::to_diagnostic(payload, {.indented = true});
  }
  const bool is_text = !content_format || content_format == format::text_plain ||
                       content_format == format::link_format || content_format == format::json;
  if (is_text) return coap::quoted(payload);
  return "h'" + to_hex(payload) + "'";
}

}  // namespace aceward::app
