// CoAP codes: methods, response codes, and the empty message.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace aceward::coap {

/// A code in the form class.detail, three bits and five (RFC 7252 section 3, section 12.1). Open: every octet is kept.
struct Code {
  std::uint8_t value = 0;

  constexpr Code() = default;
  constexpr explicit Code(std::uint8_t octet) : value(octet) {}
  constexpr Code(unsigned code_class, unsigned detail)
      : value(static_cast<std::uint8_t>(((code_class & 7U) << 5) | (detail & 31U))) {}

  constexpr unsigned code_class() const { return value >> 5; }
  constexpr unsigned detail() const { return value & 31U; }

  constexpr bool is_empty() const { return value == 0; }
  /// 0.01 to 0.31.
  constexpr bool is_request() const { return code_class() == 0 && value != 0; }
  /// 2.00 to 5.31.
  constexpr bool is_response() const { return code_class() >= 2 && code_class() <= 5; }
  /// Classes 1, 6 and 7, which a datagram may not use (class 7 is for reliable transports, RFC 8323).
  constexpr bool is_reserved() const { return !is_empty() && !is_request() && !is_response(); }
  constexpr bool is_success() const { return code_class() == 2; }
  constexpr bool is_error() const { return code_class() == 4 || code_class() == 5; }

  /// `2.05`, `0.01`.
  std::string number() const;
  /// `2.05 Content`, `GET`, `Empty`; the number alone (`2.30`, `0.09`) where the code has no name here.
  std::string to_string() const;
  /// `Content`, `GET`; empty where the code has no name here.
  std::string_view name() const;

  friend constexpr auto operator<=>(const Code&, const Code&) = default;
};

namespace code {
inline constexpr Code empty{0, 0};
// RFC 7252 section 12.1.1, RFC 8132
inline constexpr Code get{0, 1};
inline constexpr Code post{0, 2};
inline constexpr Code put{0, 3};
inline constexpr Code delete_{0, 4};
inline constexpr Code fetch{0, 5};
inline constexpr Code patch{0, 6};
inline constexpr Code ipatch{0, 7};
// RFC 7252 section 12.1.2; 2.31 and 4.08 RFC 7959; 4.09 and 4.22 RFC 8132; 4.29 RFC 8516; 5.08 RFC 8768
inline constexpr Code created{2, 1};
inline constexpr Code deleted{2, 2};
inline constexpr Code valid{2, 3};
inline constexpr Code changed{2, 4};
inline constexpr Code content{2, 5};
inline constexpr Code continue_{2, 31};
inline constexpr Code bad_request{4, 0};
inline constexpr Code unauthorized{4, 1};
inline constexpr Code bad_option{4, 2};
inline constexpr Code forbidden{4, 3};
inline constexpr Code not_found{4, 4};
inline constexpr Code method_not_allowed{4, 5};
inline constexpr Code not_acceptable{4, 6};
inline constexpr Code request_entity_incomplete{4, 8};
inline constexpr Code conflict{4, 9};
inline constexpr Code precondition_failed{4, 12};
inline constexpr Code request_entity_too_large{4, 13};
inline constexpr Code unsupported_content_format{4, 15};
inline constexpr Code unprocessable_entity{4, 22};
inline constexpr Code too_many_requests{4, 29};
inline constexpr Code internal_server_error{5, 0};
inline constexpr Code not_implemented{5, 1};
inline constexpr Code bad_gateway{5, 2};
inline constexpr Code service_unavailable{5, 3};
inline constexpr Code gateway_timeout{5, 4};
inline constexpr Code proxying_not_supported{5, 5};
inline constexpr Code hop_limit_reached{5, 8};
}  // namespace code

/// GET and FETCH: acting twice on one request changes nothing (RFC 7252 section 5.1, RFC 8132 section 2).
constexpr bool is_safe(Code method) { return method == code::get || method == code::fetch; }

}  // namespace aceward::coap
