// One CoAP message and its form in a datagram.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "aceward/base/bytes.h"
#include "aceward/base/result.h"
#include "aceward/coap/message/code.h"
#include "aceward/coap/message/options.h"

namespace aceward::coap {

/// RFC 7252 section 3: the two bits T.
enum class Type : std::uint8_t { confirmable = 0, non_confirmable = 1, acknowledgement = 2, reset = 3 };
/// `CON`, `NON`, `ACK`, `RST`.
std::string_view name_of(Type type);

/// 0 to 8 octets that tie a response to its request (RFC 7252 section 5.3.1). Held in place, without allocation.
class Token {
 public:
  static constexpr std::size_t max_size = 8;

  Token() = default;
  /// `octets` longer than max_size are a bug of the caller: they are cut.
  explicit Token(BytesView octets);

  BytesView view() const { return BytesView(octets_).first(size_); }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  friend auto operator<=>(const Token&, const Token&) = default;

 private:
  std::array<std::uint8_t, max_size> octets_{};
  std::uint8_t size_ = 0;
};

struct Message {
  Type type = Type::confirmable;
  Code code;
  std::uint16_t message_id = 0;
  Token token;
  Options options;
  Bytes payload;

  friend bool operator==(const Message&, const Message&) = default;
};

/// What parse accepts beyond the grammar.
struct MessageLimits {
  /// Options in one message. Errors: `coap_too_many_options`.
  std::size_t options = 64;
  /// Octets of the datagram. Errors: `coap_message_too_large`.
  std::size_t size = 65535;
};

/// The fixed part, which can be answered with a Reset even if the rest of the message is malformed.
struct Header {
  Type type;
  Code code;
  std::uint16_t message_id;
};

/// The first four octets; nullopt if there are fewer, or if the version is not 1 (RFC 7252 section 3: such a message
/// is silently ignored).
std::optional<Header> parse_header(BytesView datagram);

/// Parses a datagram.
///
///     0                   1                   2                   3
///     |Ver| T |  TKL  |      Code     |          Message ID           |
///     |   Token (TKL octets) ... |   Options ... |1 1 1 1 1 1 1 1| Payload ...
///
/// Errors: `coap_truncated` (fewer than four octets) and `coap_version_unknown`, which RFC 7252 section 3 ignores in
/// silence; all others are message format errors: `coap_token_length`, `coap_token_truncated`, `coap_option_malformed`,
/// `coap_option_number_too_large`, `coap_payload_missing`, `coap_empty_not_empty`, `coap_reset_not_empty`,
/// `coap_code_reserved`, `coap_acknowledged_request`, and the limits.
Result<Message> parse(BytesView datagram, const MessageLimits& limits = {});

/// True for the errors of parse that make a confirmable message be rejected with a Reset (RFC 7252 section 4.2), false
/// for those that are ignored in silence.
bool is_format_error(const Error& error);

/// Appends the message to `out`. Any Message has a serialization, even one that parse would refuse; an empty payload
/// has no marker.
void serialize(const Message& message, Bytes& out);
Bytes serialize(const Message& message);

/// The options and the payload as they stand in a message after the token, appended to `out`; OSCORE encrypts this form
/// (RFC 8613 section 5.3).
void serialize_options_and_payload(const Options& options, BytesView payload, Bytes& out);

struct OptionsAndPayload {
  Options options;
  Bytes payload;
};
/// The reverse. Errors: those of parse that concern options and payload.
Result<OptionsAndPayload> parse_options_and_payload(BytesView octets, const MessageLimits& limits = {});

}  // namespace aceward::coap

template <>
struct std::hash<aceward::coap::Token> {
  std::size_t operator()(const aceward::coap::Token& token) const noexcept;
};
