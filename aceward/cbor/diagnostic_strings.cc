#include "aceward/cbor/diagnostic_strings.h"

#include <string>

#include "aceward/cbor/reasons.h"
#include "aceward/cbor/utf8.h"

namespace aceward::cbor::detail {

namespace {

std::unexpected<Error> wrong_string(std::string_view expected) {
  return fail(reason::cbor_diagnostic_malformed, expected);
}

bool take_token(std::string_view text, std::size_t& pos, std::string_view token) {
  if (!text.substr(pos).starts_with(token)) return false;
  pos += token.size();
  return true;
}

/// The value of a character in base64 or base64url, -1 for another.
int base64_value(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+' || c == '-') return 62;
  return c == '/' || c == '_' ? 63 : -1;
}

int base32_value(char c) {
  if (c >= 'a' && c <= 'z') return c - 'a';
  if (c >= 'A' && c <= 'Z') return c - 'A';
  return c >= '2' && c <= '7' ? c - '2' + 26 : -1;
}

int base32hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'v') return c - 'a' + 10;
  return c >= 'A' && c <= 'V' ? c - 'A' + 10 : -1;
}

bool is_white(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/// Digits of `width` bits each up to a quote, padding optional. The bits left over must be fewer than a digit's, and
/// zero.
std::optional<Bytes> base_n(std::string_view text, std::size_t& pos, unsigned width, int (*value_of)(char)) {
  Bytes out;
  unsigned bits = 0;
  unsigned count = 0;
  bool is_padded = false;
  for (; pos < text.size() && text[pos] != '\''; ++pos) {
    if (is_white(text[pos])) continue;
    if (text[pos] == '=') {
      is_padded = true;
      continue;
    }
    const int value = value_of(text[pos]);
    if (value < 0 || is_padded) return std::nullopt;
    bits = (bits << width | static_cast<unsigned>(value)) & 0xffff;
    count += width;
    if (count < 8) continue;
    count -= 8;
    out.push_back(static_cast<std::uint8_t>(bits >> count));
  }
  if (pos == text.size() || count >= width || (bits & ((1U << count) - 1)) != 0) return std::nullopt;
  ++pos;
  return out;
}

/// The four digits behind \u.
std::optional<std::uint32_t> escaped_unit(std::string_view text, std::size_t& pos) {
  std::uint32_t unit = 0;
  for (std::size_t i = 0; i < 4; ++i, ++pos) {
    const int digit = pos < text.size() ? digit_of(text[pos]) : -1;
    if (digit < 0) return std::nullopt;
    unit = unit << 4 | static_cast<std::uint32_t>(digit);
  }
  return unit;
}

/// Behind \u: \u{…}, \uXXXX, or two of those for a code point beyond 16 bits.
std::optional<std::uint32_t> escaped_code_point(std::string_view text, std::size_t& pos) {
  if (take_token(text, pos, "{")) {
    std::uint32_t code_point = 0;
    std::size_t digits = 0;
    for (; pos < text.size() && digit_of(text[pos]) >= 0 && digits < 6; ++pos, ++digits) {
      code_point = code_point << 4 | static_cast<std::uint32_t>(digit_of(text[pos]));
    }
    if (digits == 0 || !take_token(text, pos, "}") || code_point > 0x10ffff) return std::nullopt;
    if (code_point >= 0xd800 && code_point < 0xe000) return std::nullopt;
    return code_point;
  }
  const auto high = escaped_unit(text, pos);
  if (!high || *high < 0xd800 || *high >= 0xe000) return high;
  if (*high >= 0xdc00 || !take_token(text, pos, "\\u")) return std::nullopt;
  const auto low = escaped_unit(text, pos);
  if (!low || *low < 0xdc00 || *low >= 0xe000) return std::nullopt;
  return 0x10000 + ((*high - 0xd800) << 10) + (*low - 0xdc00);
}

/// Characters up to `quote`, which is taken.
Result<Bytes> quoted(std::string_view text, std::size_t& pos, char quote) {
  std::string out;
  for (;;) {
    if (pos == text.size()) return wrong_string("the closing quote of a string");
    const char c = text[pos++];
    if (c == quote) return to_bytes(out);
    if (c != '\\') {
      out += c;
      continue;
    }
    const char escaped = pos < text.size() ? text[pos++] : ' ';
    switch (escaped) {
      case '"':
      case '\'':
      case '\\':
      case '/': out += escaped; break;
      case 'b': out += '\b'; break;
      case 'f': out += '\f'; break;
      case 'n': out += '\n'; break;
      case 'r': out += '\r'; break;
      case 't': out += '\t'; break;
      case 'u': {
        const auto code_point = escaped_code_point(text, pos);
        if (!code_point) return wrong_string("a Unicode character behind \\u");
        append_utf8(out, *code_point);
        break;
      }
      default: return wrong_string("an escape that JSON knows behind the backslash");
    }
  }
}

}  // namespace

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool skip_blank(std::string_view text, std::size_t& pos) {
  while (pos < text.size()) {
    if (is_white(text[pos])) {
      ++pos;
    } else if (text[pos] == '#' || text.substr(pos).starts_with("//")) {
      const std::size_t end = text.find('\n', pos);
      pos = end == std::string_view::npos ? text.size() : end + 1;
    } else if (text[pos] == '/') {
      const std::size_t end = text.find('/', pos + 1);
      if (end == std::string_view::npos) return false;
      pos = end + 1;
    } else {
      break;
    }
  }
  return true;
}

std::optional<Bytes> base16(std::string_view text, std::size_t& pos) {
  Bytes out;
  int high = -1;
  for (;;) {
    if (!skip_blank(text, pos) || pos == text.size()) return std::nullopt;
    if (text[pos] == '\'') break;
    const int digit = digit_of(text[pos]);
    if (digit < 0) return std::nullopt;
    ++pos;
    if (high < 0) {
      high = digit;
    } else {
      out.push_back(static_cast<std::uint8_t>(high << 4 | digit));
      high = -1;
    }
  }
  if (high >= 0) return std::nullopt;
  ++pos;
  return out;
}

Result<StringLiteral> string_literal(std::string_view text, std::size_t& pos) {
  StringLiteral literal;
  std::optional<Bytes> octets;
  if (take_token(text, pos, "\"")) {
    literal.is_text = true;
    literal.octets = ACEWARD_TRY(quoted(text, pos, '"'));
    return literal;
  }
  if (take_token(text, pos, "'")) {
    literal.octets = ACEWARD_TRY(quoted(text, pos, '\''));
    return literal;
  }
  if (take_token(text, pos, "nonutf8'")) {
    literal.is_text = true;
    literal.is_broken = true;
    octets = base16(text, pos);
  } else if (take_token(text, pos, "h'")) {
    octets = base16(text, pos);
  } else if (take_token(text, pos, "b64'")) {
    octets = base_n(text, pos, 6, base64_value);
  } else if (take_token(text, pos, "b32'")) {
    octets = base_n(text, pos, 5, base32_value);
  } else if (take_token(text, pos, "h32'")) {
    octets = base_n(text, pos, 5, base32hex_value);
  } else {
    return wrong_string("a data item");
  }
  if (!octets) return wrong_string("digits of the string's base and a closing quote");
  literal.octets = std::move(*octets);
  return literal;
}

bool is_valid_text(BytesView octets) { return is_utf8(as_text(octets)); }

}  // namespace aceward::cbor::detail
