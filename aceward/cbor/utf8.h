// UTF-8 (RFC 3629), as text strings need it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace aceward::cbor::detail {

/// Takes the first code point off `text`. Returns -1, and takes nothing, if there is none or it is not valid: overlong,
/// a surrogate, or beyond U+10FFFF.
std::int32_t take_code_point(std::string_view& text);

bool is_utf8(std::string_view text);

/// `code_point` is a Unicode scalar value.
void append_utf8(std::string& out, std::uint32_t code_point);

}  // namespace aceward::cbor::detail
