#include "aceward/coap/message/pretty.h"

#include <array>

namespace aceward::coap {

std::string quoted(BytesView octets) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text = "\"";
  for (const auto octet : octets) {
    if (octet == '"' || octet == '\\') {
      text += '\\';
      text += static_cast<char>(octet);
    } else if (octet >= 0x20 && octet < 0x7f) {
      text += static_cast<char>(octet);
    } else {
      text += "\\x";
      text += digits[octet >> 4];
      text += digits[octet & 0x0f];
    }
  }
  return text + "\"";
}

namespace {

// RFC 7959 section 2.2: NUM, M and SZX in one integer, shown as NUM/M/size.
std::string block(std::uint64_t value) {
  const auto exponent = value & 7;
  return std::to_string(value >> 4) + "/" + ((value & 8) != 0 ? "1" : "0") + "/" +
         (exponent == 7 ? "reserved" : std::to_string(std::uint64_t{1} << (exponent + 4)));
}

}  // namespace

std::string pretty_value(const OptionView& option) {
  const auto* definition = find_definition(option.number);
  const auto format = definition != nullptr ? definition->format : OptionFormat::opaque;
  if (format == OptionFormat::string) return quoted(option.value);
  if (format == OptionFormat::uint && option.value.size() <= definition->max_length) {
    const auto value = parse_uint(option.value).value_or(0);
    const auto number = option.number;
    if (number == option::content_format || number == option::accept) {
      return to_string(ContentFormat(static_cast<std::uint16_t>(value)));
    }
    if (number == option::block1 || number == option::block2 || number == option::q_block1 ||
        number == option::q_block2) {
      return block(value);
    }
    return std::to_string(value);
  }
  return option.value.empty() ? "(empty)" : "0x" + to_hex(option.value);
}

std::vector<PrettyLine> pretty_lines(const Message& message) {
  const std::array<std::uint8_t, 2> id{static_cast<std::uint8_t>(message.message_id >> 8),
                                       static_cast<std::uint8_t>(message.message_id)};
  std::vector<PrettyLine> lines;
  lines.push_back({std::string(name_of(message.type)) + " [MID=0x" + to_hex(id) + "]", message.code.to_string()});
  if (!message.token.empty()) lines.push_back({"Token", to_hex(message.token.view())});
  for (const auto one : message.options) lines.push_back({to_string(one.number), pretty_value(one)});
  return lines;
}

std::string pretty(const Message& message) {
  const auto lines = pretty_lines(message);
  std::string text = lines.front().label + " " + lines.front().value;
  for (std::size_t i = 1; i < lines.size(); ++i) text += "  " + lines[i].label + ": " + lines[i].value;
  return text;
}

}  // namespace aceward::coap
