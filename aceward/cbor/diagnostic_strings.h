// The strings, comments and digits of diagnostic notation: the lexical half of from_diagnostic.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "aceward/base/bytes.h"
#include "aceward/base/result.h"

namespace aceward::cbor::detail {

struct StringLiteral {
  bool is_text = false;
  bool is_broken = false;  ///< text that is meant not to be UTF-8
  Bytes octets;
};

/// The value of a digit in bases up to 16, -1 for another character.
int digit_of(char c);

/// Moves `pos` past white space and comments: `/ … /`, and `#` or `//` to the end of the line. False if a comment does
/// not end.
bool skip_blank(std::string_view text, std::size_t& pos);

/// Hexadecimal up to a quote, which is taken; white space and comments may stand between digits.
std::optional<Bytes> base16(std::string_view text, std::size_t& pos);

/// One string at `pos`, which moves behind it or to the fault: "…", '…', h'…', b64'…', b32'…', h32'…', nonutf8'…'.
/// Errors: `cbor_diagnostic_malformed`.
Result<StringLiteral> string_literal(std::string_view text, std::size_t& pos);

bool is_valid_text(BytesView octets);

}  // namespace aceward::cbor::detail
