#include "aceward/cose/message.h"

#include "aceward/cbor/reader.h"
#include "aceward/cbor/writer.h"
#include "aceward/cose/frame.h"
#include "aceward/cose/reasons.h"

namespace aceward::cose {

namespace {

constexpr std::size_t longest_head = 9;  // of a CBOR data item

}  // namespace

std::optional<MessageTag> tag_of(BytesView encoded) {
  cbor::Reader reader(encoded);
  const auto kind = reader.peek();
  if (!kind || *kind != cbor::Kind::tag) return std::nullopt;
  const auto number = reader.tag();
  if (!number) return std::nullopt;
  const MessageTag tag{*number};
  switch (tag) {
    case MessageTag::encrypt0:
    case MessageTag::mac0:
    case MessageTag::sign1: return tag;
  }
  return std::nullopt;
}

Result<Frame> parse_frame(BytesView encoded, MessageTag tag, std::size_t elements, const ParseOptions& options) {
  cbor::Reader reader(encoded);
  const bool is_tagged = ACEWARD_TRY(reader.peek()) == cbor::Kind::tag;
  if (is_tagged) {
    if (options.tagging == Tagging::absent) return fail(reason::cose_tag_unexpected, "tagged");
    if (MessageTag{ACEWARD_TRY(reader.tag())} != tag) return fail(reason::cose_tag_unexpected, "another tag");
  } else if (options.tagging == Tagging::required) {
    return fail(reason::cose_tag_unexpected, "untagged");
  }
  const auto count = reader.array();
  if (!count || *count != elements) return fail(reason::cose_message_malformed, "array");
  const auto protected_octets = reader.byte_string();
  if (!protected_octets) return fail(reason::cose_message_malformed, "protected");
  if (ACEWARD_TRY(reader.peek()) != cbor::Kind::map) return fail(reason::cose_message_malformed, "unprotected");
  const BytesView unprotected = ACEWARD_TRY(reader.skip());

  Frame frame;
  if (ACEWARD_TRY(reader.peek()) == cbor::Kind::null) {
    ACEWARD_TRY(reader.null());
  } else {
    const auto body = reader.byte_string();
    if (!body) return fail(reason::cose_message_malformed, "payload");
    frame.body = Secret::copy_of(*body);
  }
  if (elements == 4) {
    const auto last = reader.byte_string();
    if (!last) return fail(reason::cose_message_malformed, "signature or MAC");
    frame.last = to_bytes(*last);
  }
  ACEWARD_TRY(reader.finish());
  frame.headers = ACEWARD_TRY(Headers::parse(*protected_octets, unprotected, options.understood));
  return frame;
}

Result<> complete(Headers& headers, Algorithm algorithm) {
  if (const auto& stated = headers.alg(); stated && *stated != algorithm) return fail(reason::cose_algorithm_mismatch);
  headers.unprotected_map.alg.reset();
  headers.protected_map.alg = algorithm;
  // What we send as critical we know, so only the form is checked.
  return headers.check(headers.protected_map.crit);
}

Bytes protected_to_send(const Headers& headers) {
  return headers.protected_map.empty() ? Bytes() : headers.protected_map.serialize();
}

Bytes framed(MessageTag tag, BytesView protected_octets, const Headers& headers, BytesView body,
             std::optional<BytesView> last, const CreateOptions& options) {
  const Bytes unprotected = headers.unprotected_map.serialize();
  // Reserved whole: a vector that grows would leave a copy of the body behind, which may be yet to be encrypted.
  Bytes encoded;
  encoded.reserve(5 * longest_head + protected_octets.size() + unprotected.size() + body.size() +
                  last.value_or(BytesView()).size());
  cbor::Writer out(encoded);
  if (options.tagged) out.tag(static_cast<std::uint64_t>(tag));
  out.array(last ? 4 : 3).byte_string(protected_octets).raw(unprotected);
  if (options.detached) {
    out.null();
  } else {
    out.byte_string(body);
  }
  if (last) out.byte_string(*last);
  return encoded;
}

Secret authenticated_structure(std::string_view context, BytesView protected_octets, BytesView external_aad,
                               BytesView payload) {
  Bytes encoded;
  encoded.reserve(5 * longest_head + context.size() + protected_octets.size() + external_aad.size() + payload.size());
  cbor::Writer out(encoded);
  out.array(4).text_string(context).byte_string(protected_octets).byte_string(external_aad).byte_string(payload);
  return Secret(std::move(encoded));
}

Result<> check_algorithm(const Headers& headers, Algorithm algorithm, AlgorithmRule rule) {
  const auto& stated = rule == AlgorithmRule::in_protected ? headers.protected_map.alg : headers.alg();
  if (!stated) {
    if (rule == AlgorithmRule::optional) return {};
    return fail(reason::cose_algorithm_missing);
  }
  if (*stated != algorithm) return fail(reason::cose_algorithm_mismatch);
  return {};
}

}  // namespace aceward::cose
