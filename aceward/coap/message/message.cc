#include "aceward/coap/message/message.h"

#include <algorithm>

#include "aceward/coap/reasons.h"

namespace aceward::coap {

namespace {

constexpr std::uint8_t payload_marker = 0xff;
constexpr std::size_t header_size = 4;
constexpr std::uint8_t reserved_nibble = 15;

// The 4-bit fields for delta and length (RFC 7252 section 3.1) and token length (RFC 8974 section 2.1) with their
// extensions: 13 adds one octet, 14 adds two, 15 is reserved.
Result<std::uint32_t> extended(std::uint8_t nibble, BytesView& rest) {
  if (nibble < 13) return nibble;
  if (nibble == 13) {
    if (rest.empty()) return fail(reason::coap_option_malformed, "extension");
    const std::uint32_t value = rest[0] + 13U;
    rest = rest.subspan(1);
    return value;
  }
  if (nibble == reserved_nibble) return fail(reason::coap_option_malformed, "reserved 15");
  if (rest.size() < 2) return fail(reason::coap_option_malformed, "extension");
  const std::uint32_t value = (static_cast<std::uint32_t>(rest[0]) << 8 | rest[1]) + 269U;
  rest = rest.subspan(2);
  return value;
}

std::uint8_t nibble_of(std::size_t value) {
  return static_cast<std::uint8_t>(value < 13 ? value : value < 269 ? 13 : 14);
}

void append_extension(std::size_t value, Bytes& out) {
  if (value < 13) return;
  if (value < 269) {
    out.push_back(static_cast<std::uint8_t>(value - 13));
    return;
  }
  out.push_back(static_cast<std::uint8_t>((value - 269) >> 8));
  out.push_back(static_cast<std::uint8_t>(value - 269));
}

// Adds the options to `options` and returns the payload.
Result<BytesView> parse_options(BytesView rest, const MessageLimits& limits, Options& options) {
  std::uint32_t number = 0;
  while (!rest.empty()) {
    const std::uint8_t first = rest[0];
    rest = rest.subspan(1);
    if (first == payload_marker) {
      if (rest.empty()) return fail(reason::coap_payload_missing);
      return rest;
    }
    number += ACEWARD_TRY(extended(first >> 4, rest));
    const std::uint32_t length = ACEWARD_TRY(extended(first & 0x0f, rest));
    if (number > UINT16_MAX) return fail(reason::coap_option_number_too_large);
    if (length > rest.size()) return fail(reason::coap_option_malformed, "value");
    if (options.size() == limits.options) return fail(reason::coap_too_many_options);
    options.add(OptionNumber(static_cast<std::uint16_t>(number)), rest.first(length));
    rest = rest.subspan(length);
  }
  return rest;
}

}  // namespace

std::string_view name_of(Type type) {
  switch (type) {
    case Type::confirmable: return "CON";
    case Type::non_confirmable: return "NON";
    case Type::acknowledgement: return "ACK";
    case Type::reset: return "RST";
  }
  return {};
}

Token::Token(BytesView octets) : size_(static_cast<std::uint32_t>(std::min(octets.size(), max_size))) {
  if (size_ <= in_place) {
    std::copy_n(octets.begin(), size_, near_.begin());
  } else {
    far_.assign(octets.begin(), octets.begin() + size_);
  }
}

std::strong_ordering operator<=>(const Token& a, const Token& b) {
  if (const auto by_size = a.size_ <=> b.size_; by_size != 0) return by_size;
  const auto x = a.view();
  const auto y = b.view();
  return std::lexicographical_compare_three_way(x.begin(), x.end(), y.begin(), y.end());
}

std::optional<Header> parse_header(BytesView datagram) {
  if (datagram.size() < header_size || datagram[0] >> 6 != 1) return std::nullopt;
  return Header{static_cast<Type>(datagram[0] >> 4 & 3), Code(datagram[1]),
                static_cast<std::uint16_t>(datagram[2] << 8 | datagram[3])};
}

Result<> parse_into(Message& message, BytesView datagram, const MessageLimits& limits) {
  if (datagram.size() < header_size) return fail(reason::coap_truncated);
  const auto header = parse_header(datagram);
  if (!header) return fail(reason::coap_version_unknown);
  const auto length_field = static_cast<std::uint8_t>(datagram[0] & 0x0f);
  if (length_field == reserved_nibble) return fail(reason::coap_token_length);
  if (header->type == Type::reset && !header->code.is_empty()) return fail(reason::coap_reset_not_empty);
  if (header->code.is_empty() && (length_field != 0 || datagram.size() != header_size)) {
    return fail(header->type == Type::reset ? reason::coap_reset_not_empty : reason::coap_empty_not_empty);
  }
  if (header->code.is_reserved()) return fail(reason::coap_code_reserved);
  if (header->type == Type::acknowledgement && header->code.is_request()) {
    return fail(reason::coap_acknowledged_request);
  }
  if (datagram.size() > limits.size) return fail(reason::coap_message_too_large);
  auto rest = datagram.subspan(header_size);
  const auto token_length = extended(length_field, rest);
  if (!token_length || rest.size() < *token_length) return fail(reason::coap_token_truncated);
  if (*token_length > limits.token) return fail(reason::coap_token_too_long);

  message.type = header->type;
  message.code = header->code;
  message.message_id = header->message_id;
  message.token = Token(rest.first(*token_length));
  message.options.clear();
  const auto payload = ACEWARD_TRY(parse_options(rest.subspan(*token_length), limits, message.options));
  message.payload.assign(payload.begin(), payload.end());
  return {};
}

Result<Message> parse(BytesView datagram, const MessageLimits& limits) {
  Message message;
  ACEWARD_TRY(parse_into(message, datagram, limits));
  return message;
}

bool is_format_error(const Error& error) {
  return error != reason::coap_truncated && error != reason::coap_version_unknown &&
         error != reason::coap_token_too_long;
}

void serialize_options_and_payload(const Options& options, BytesView payload, Bytes& out) {
  std::uint16_t previous = 0;
  for (const auto [number, value] : options) {
    const std::size_t delta = static_cast<std::size_t>(number.value - previous);
    out.push_back(static_cast<std::uint8_t>(nibble_of(delta) << 4 | nibble_of(value.size())));
    append_extension(delta, out);
    append_extension(value.size(), out);
    out.insert(out.end(), value.begin(), value.end());
    previous = number.value;
  }
  if (payload.empty()) return;
  out.push_back(payload_marker);
  out.insert(out.end(), payload.begin(), payload.end());
}

Result<OptionsAndPayload> parse_options_and_payload(BytesView octets, const MessageLimits& limits) {
  if (octets.size() > limits.size) return fail(reason::coap_message_too_large);
  OptionsAndPayload parsed;
  parsed.payload = to_bytes(ACEWARD_TRY(parse_options(octets, limits, parsed.options)));
  return parsed;
}

void serialize(const MessageView& message, Bytes& out) {
  out.reserve(out.size() + header_size + 2 + message.token.size() + message.options.value_size() +
              5 * message.options.size() + 1 + message.payload.size());
  const auto token_length = nibble_of(message.token.size());
  out.push_back(static_cast<std::uint8_t>(0x40U | static_cast<unsigned>(message.type) << 4 | token_length));
  out.push_back(message.code.value);
  out.push_back(static_cast<std::uint8_t>(message.message_id >> 8));
  out.push_back(static_cast<std::uint8_t>(message.message_id));
  append_extension(message.token.size(), out);
  out.insert(out.end(), message.token.begin(), message.token.end());
  serialize_options_and_payload(message.options, message.payload, out);
}

void serialize(const Message& message, Bytes& out) {
  serialize(MessageView{message.type, message.code, message.message_id, message.token.view(), message.options,
                        message.payload},
            out);
}

Bytes serialize(const Message& message) {
  Bytes out;
  serialize(message, out);
  return out;
}

}  // namespace aceward::coap

std::size_t std::hash<aceward::coap::Token>::operator()(const aceward::coap::Token& token) const noexcept {
  std::uint64_t value = token.size();
  for (const auto octet : token.view()) value = value * 0x100000001b3U ^ octet;
  return static_cast<std::size_t>(value * 0x9e3779b97f4a7c15U);
}
