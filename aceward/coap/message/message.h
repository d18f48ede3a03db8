// One CoAP message and its form in a datagram.
#pragma once

#include <array>
#include <compare>
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

/// 0 to 65804 octets that tie a response to its request (RFC 7252 section 5.3.1, RFC 8974 section 2.1). Up to 8 are
/// held in place, without allocation.
class Token {
 public:
  /// Octets held in place, and the longest token of RFC 7252.
  static constexpr std::size_t in_place = 8;
  static constexpr std::size_t max_size = 65804;

  Token() = default;
  /// `octets` longer than max_size are a bug of the caller: they are cut.
  explicit Token(BytesView octets);

  BytesView view() const { return size_ <= in_place ? BytesView(near_).first(size_) : BytesView(far_); }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  friend bool operator==(const Token& a, const Token& b) {
    return a.size_ == b.size_ && (a.size_ <= in_place ? a.near_ == b.near_ : a.far_ == b.far_);
  }
  /// Some total order.
  friend std::strong_ordering operator<=>(const Token& a, const Token& b);

 private:
  std::array<std::uint8_t, in_place> near_{};  // what is not used stays zero
  std::uint32_t size_ = 0;
  Bytes far_;
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
  /// Octets of the token. Errors: `coap_token_too_long`.
  std::size_t token = 64;
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
///     |   Token length beyond 12 (0 to 2 octets)  |   Token ...
///     |   Options ... |1 1 1 1 1 1 1 1| Payload ...
///
/// Errors: `coap_truncated` (fewer than four octets) and `coap_version_unknown`, which RFC 7252 section 3 ignores in
/// silence; all others are message format errors: `coap_token_length`, `coap_token_truncated`, `coap_option_malformed`,
/// `coap_option_number_too_large`, `coap_payload_missing`, `coap_empty_not_empty`, `coap_reset_not_empty`,
/// `coap_code_reserved`, `coap_acknowledged_request`, and the limits.
Result<Message> parse(BytesView datagram, const MessageLimits& limits = {});
/// The same into a message whose memory is used again. After an error `message` holds anything.
Result<> parse_into(Message& message, BytesView datagram, const MessageLimits& limits = {});

/// True for the errors of parse that make a confirmable message be rejected with a Reset (RFC 7252 section 4.2), false
/// for those that are ignored in silence and for `coap_token_too_long`, which must not be taken for one (RFC 8974
/// section 2.2.2).
bool is_format_error(const Error& error);

/// A message whose parts lie elsewhere.
struct MessageView {
  Type type;
  Code code;
  std::uint16_t message_id;
  BytesView token;
  const Options& options;
  BytesView payload;
};

/// Appends the message to `out`. Any Message has a serialization, even one that parse would refuse; an empty payload
/// has no marker.
void serialize(const MessageView& message, Bytes& out);
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
