#include "aceward/cbor/utf8.h"

#include <array>

namespace aceward::cbor::detail {

std::int32_t take_code_point(std::string_view& text) {
  if (text.empty()) return -1;
  const auto octet = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t first = octet(0);
  if (first < 0x80) {
    text.remove_prefix(1);
    return first;
  }
  const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < size) return -1;
  std::int32_t code_point = first & (0xff >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    if ((octet(i) & 0xc0) != 0x80) return -1;
    code_point = code_point << 6 | (octet(i) & 0x3f);
  }
  static constexpr std::array<std::int32_t, 5> least{0, 0, 0x80, 0x800, 0x10000};
  if (code_point < least[size] || code_point > 0x10ffff || (code_point >= 0xd800 && code_point < 0xe000)) return -1;
  text.remove_prefix(size);
  return code_point;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    if (take_code_point(text) < 0) return false;
  }
  return true;
}

void append_utf8(std::string& out, std::uint32_t code_point) {
  const auto put = [&](std::uint32_t octet) { out.push_back(static_cast<char>(octet)); };
  if (code_point < 0x80) {
    put(code_point);
  } else if (code_point < 0x800) {
    put(0xc0 | code_point >> 6);
    put(0x80 | (code_point & 0x3f));
  } else if (code_point < 0x10000) {
    put(0xe0 | code_point >> 12);
    put(0x80 | (code_point >> 6 & 0x3f));
    put(0x80 | (code_point & 0x3f));
  } else {
    put(0xf0 | code_point >> 18);
    put(0x80 | (code_point >> 12 & 0x3f));
    put(0x80 | (code_point >> 6 & 0x3f));
    put(0x80 | (code_point & 0x3f));
  }
}

}  // namespace aceward::cbor::detail
