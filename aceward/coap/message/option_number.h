// CoAP option numbers and what is known about each option.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "aceward/base/strong.h"

namespace aceward::coap {

/// Open: numbers that are not in the table are kept.
using OptionNumber = Strong<struct OptionNumberTag, std::uint16_t>;

// The low bits of the number (RFC 7252 section 5.4.6).
constexpr bool is_critical(OptionNumber number) { return (number.value & 1U) != 0; }
constexpr bool is_unsafe(OptionNumber number) { return (number.value & 2U) != 0; }
constexpr bool is_no_cache_key(OptionNumber number) { return (number.value & 0x1eU) == 0x1cU; }

enum class OptionFormat : std::uint8_t { empty, opaque, uint, string };

/// A row of RFC 7252 table 4, or of the document that defined the option.
struct OptionDefinition {
  OptionNumber number;
  std::string_view name;
  OptionFormat format = OptionFormat::opaque;
  bool repeatable = false;
  /// Octets of the value.
  std::uint16_t min_length = 0;
  std::uint16_t max_length = 0;
};

/// The definition, or nullptr for an option that is not in the table. Static storage.
const OptionDefinition* find_definition(OptionNumber number);

/// `Uri-Path`; `Option 65001` for one that is not in the table.
std::string to_string(OptionNumber number);

namespace option {
inline constexpr OptionNumber if_match{1};
inline constexpr OptionNumber uri_host{3};
inline constexpr OptionNumber etag{4};
inline constexpr OptionNumber if_none_match{5};
inline constexpr OptionNumber observe{6};  // RFC 7641
inline constexpr OptionNumber uri_port{7};
inline constexpr OptionNumber location_path{8};
inline constexpr OptionNumber oscore{9};  // RFC 8613
inline constexpr OptionNumber uri_path{11};
inline constexpr OptionNumber content_format{12};
inline constexpr OptionNumber max_age{14};
inline constexpr OptionNumber uri_query{15};
inline constexpr OptionNumber hop_limit{16};  // RFC 8768
inline constexpr OptionNumber accept{17};
inline constexpr OptionNumber q_block1{19};  // RFC 9177
inline constexpr OptionNumber location_query{20};
inline constexpr OptionNumber edhoc{21};     // RFC 9668
inline constexpr OptionNumber block2{23};    // RFC 7959
inline constexpr OptionNumber block1{27};    // RFC 7959
inline constexpr OptionNumber size2{28};     // RFC 7959
inline constexpr OptionNumber q_block2{31};  // RFC 9177
inline constexpr OptionNumber proxy_uri{35};
inline constexpr OptionNumber proxy_scheme{39};
inline constexpr OptionNumber size1{60};
inline constexpr OptionNumber echo{252};         // RFC 9175
inline constexpr OptionNumber no_response{258};  // RFC 7967
inline constexpr OptionNumber request_tag{292};  // RFC 9175
}  // namespace option

}  // namespace aceward::coap
