#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <system_error>

#include "aceward/cbor/diagnostic.h"
#include "aceward/cbor/diagnostic_strings.h"
#include "aceward/cbor/floating.h"
#include "aceward/cbor/writer.h"

namespace aceward::cbor {

namespace {

constexpr std::size_t max_nesting = 64;
constexpr std::size_t max_integer_digits = 200;

// What an encoding indicator asks for; the values from 24 are additional information.
constexpr int no_indicator = -1;
constexpr int immediate = 0;
constexpr int indefinite = 31;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// The head of an item, forced to a width if an indicator says so. False if the argument does not fit.
bool write_head(Bytes& out, std::uint8_t major, std::uint64_t argument, int info) {
  if (info == no_indicator) {
    info = argument < 24            ? immediate
           : argument <= 0xff       ? 24
           : argument <= 0xffff     ? 25
           : argument <= 0xffffffff ? 26
                                    : 27;
  }
  const auto initial = static_cast<std::uint8_t>(major << 5);
  if (info == immediate) {
    if (argument > 23) return false;
    out.push_back(static_cast<std::uint8_t>(initial | argument));
    return true;
  }
  const std::size_t width = std::size_t{1} << (info - 24);
  if (width < 8 && argument >> (8 * width) != 0) return false;
  out.push_back(static_cast<std::uint8_t>(initial | info));
  for (std::size_t i = width; i-- > 0;) out.push_back(static_cast<std::uint8_t>(argument >> (8 * i)));
  return true;
}

void append(Bytes& out, BytesView octets) { out.insert(out.end(), octets.begin(), octets.end()); }

class DiagnosticParser {
 public:
  explicit DiagnosticParser(std::string_view text) : text_(text) {}

  std::size_t offset() const { return pos_; }

  Result<Bytes> parse() {
    Bytes out;
    ACEWARD_TRY(items(out, {}, 0));
    return out;
  }

 private:
  using Status = Result<void>;

  static std::unexpected<Error> wrong(std::string_view expected) {
    return fail(reason::cbor_diagnostic_malformed, expected);
  }

  std::string_view rest() const { return text_.substr(pos_); }
  bool at_end() const { return pos_ == text_.size(); }
  bool next_is(std::string_view token) const { return rest().starts_with(token); }
  bool take(std::string_view token) {
    if (!next_is(token)) return false;
    pos_ += token.size();
    return true;
  }

  Status blank() {
    if (detail::skip_blank(text_, pos_)) return {};
    return wrong("the end of the comment");
  }

  /// Takes a name only if it does not go on as a longer word.
  bool take_word(std::string_view word) {
    if (!next_is(word)) return false;
    const char after = rest().size() > word.size() ? rest()[word.size()] : ' ';
    if (is_letter(after) || is_digit(after)) return false;
    pos_ += word.size();
    return true;
  }

  Result<int> indicator() {
    if (!take("_")) return no_indicator;
    if (take("i")) return immediate;
    if (take("7")) return indefinite;
    if (at_end() || !(is_digit(rest().front()) || is_letter(rest().front()))) return indefinite;
    const char digit = rest().front();
    if (digit < '0' || digit > '3') return wrong("an encoding indicator _, _i or _0 to _3");
    ++pos_;
    return 24 + (digit - '0');
  }

  Status head(Bytes& out, std::uint8_t major, std::uint64_t argument, int info) {
    if (info == indefinite) return wrong("a length that an indicator can force here");
    if (!write_head(out, major, argument, info)) return wrong("an encoding indicator wide enough for the number");
    return {};
  }

  /// Items with commas between them up to `end`, which is taken; the end of the text if empty. Returns how many.
  Result<std::uint64_t> items(Bytes& out, std::string_view end, std::size_t depth) {
    for (std::uint64_t count = 0;; ++count) {
      ACEWARD_TRY(blank());
      if (at_list_end(end)) return count;
      ACEWARD_TRY(item(out, depth));
      ACEWARD_TRY(blank());
      if (take(",")) continue;
      if (at_list_end(end)) return count + 1;
      return wrong("a comma or the end of the list");
    }
  }
  bool at_list_end(std::string_view end) { return end.empty() ? at_end() : take(end); }

  Status item(Bytes& out, std::size_t depth) {
    if (depth > max_nesting) return fail(reason::cbor_too_deep);
    if (at_end()) return wrong("a data item");
    const char c = rest().front();
    if (is_digit(c) || c == '+' || c == '-') return number(out, depth);
    if (take("[")) return array(out, depth);
    if (take("{")) return map(out, depth);
    if (next_is("(_")) return chunks(out);
    if (take("<<")) return embedded(out, depth);
    if (take_word("false")) return simple(out, 20);
    if (take_word("true")) return simple(out, 21);
    if (take_word("null")) return simple(out, 22);
    if (take_word("undefined")) return simple(out, 23);
    if (take("simple(")) return simple_number(out);
    if (take_word("NaN")) return floating(out, std::numeric_limits<double>::quiet_NaN());
    if (take_word("Infinity")) return floating(out, std::numeric_limits<double>::infinity());
    if (take("float'")) return float_bits(out);
    return string(out);
  }

  static Status simple(Bytes& out, std::uint8_t value) {
    Writer(out).simple(value);
    return {};
  }

  Status simple_number(Bytes& out) {
    ACEWARD_TRY(blank());
    unsigned value = 0;
    const auto [end, error] = std::from_chars(text_.data() + pos_, text_.data() + text_.size(), value);
    if (error != std::errc() || value > 255 || (value > 23 && value < 32)) {
      return wrong("a simple value, 0 to 23 or 32 to 255");
    }
    pos_ = static_cast<std::size_t>(end - text_.data());
    ACEWARD_TRY(blank());
    if (!take(")")) return wrong("a closing parenthesis");
    return simple(out, static_cast<std::uint8_t>(value));
  }

  Status floating(Bytes& out, double value) {
    const int info = ACEWARD_TRY(indicator());
    auto [width, bits] = detail::shortest(value);
    if (info != no_indicator) {
      if (info < 25 || info > 27) return wrong("an encoding indicator _1 to _3 after a floating-point number");
      width = static_cast<std::uint8_t>(info);
      const auto narrowed = detail::narrow(value, width);
      if (!narrowed) return wrong("an encoding indicator wide enough for the number");
      bits = *narrowed;
    }
    (void)write_head(out, 7, bits, width);
    return {};
  }

  Status float_bits(Bytes& out) {
    const auto octets = detail::base16(text_, pos_);
    if (!octets || (octets->size() != 2 && octets->size() != 4 && octets->size() != 8)) {
      return wrong("two, four or eight octets in hexadecimal and a quote");
    }
    out.push_back(octets->size() == 2 ? 0xf9 : octets->size() == 4 ? 0xfa : 0xfb);
    append(out, *octets);
    return {};
  }

  Status number(Bytes& out, std::size_t depth) {
    const bool is_negative = rest().front() == '-';
    if (is_negative || rest().front() == '+') ++pos_;
    if (take_word("Infinity")) {
      const double infinity = std::numeric_limits<double>::infinity();
      return floating(out, is_negative ? -infinity : infinity);
    }
    unsigned base = 10;
    for (const auto& [prefix, of_prefix] : {std::pair{"0x", 16U}, {"0X", 16U}, {"0o", 8U}, {"0b", 2U}}) {
      if (base == 10 && take(prefix)) base = of_prefix;
    }
    const std::size_t start = pos_;
    bool is_float = false;
    while (!at_end()) {
      const char c = rest().front();
      const char before = pos_ > start ? text_[pos_ - 1] : ' ';
      const bool is_sign = (c == '+' || c == '-') && (base == 16 ? before == 'p' || before == 'P'  //
                                                                 : before == 'e' || before == 'E');
      if (!is_digit(c) && !is_letter(c) && c != '.' && !is_sign) break;
      is_float |= c == '.' || (base == 16 ? c == 'p' || c == 'P' : c == 'e' || c == 'E');
      ++pos_;
    }
    const std::string_view digits = text_.substr(start, pos_ - start);
    if (is_float) return floating(out, ACEWARD_TRY(float_value(digits, base, is_negative)));
    return integer(out, digits, base, is_negative, depth);
  }

  static Result<double> float_value(std::string_view digits, unsigned base, bool is_negative) {
    if (base != 10 && base != 16) return wrong("a floating-point number in base 10 or 16");
    double value = 0;
    const auto format = base == 16 ? std::chars_format::hex : std::chars_format::general;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, format);
    if (digits.empty() || !(is_digit(digits.front()) || base == 16) || error != std::errc() ||
        end != digits.data() + digits.size()) {
      return wrong("a floating-point number that double precision can hold");
    }
    return is_negative ? -value : value;
  }

  Status integer(Bytes& out, std::string_view digits, unsigned base, bool is_negative, std::size_t depth) {
    if (digits.empty() || digits.size() > max_integer_digits) return wrong("an integer of at most 200 digits");
    const auto magnitude = big_endian(digits, base);
    if (!magnitude) return wrong("digits of the number's base");
    Bytes octets = *magnitude;
    const bool is_zero = octets.empty();
    if (is_negative && !is_zero) decrement(octets);
    const int info = ACEWARD_TRY(indicator());
    if (octets.size() > 8) {
      if (info != no_indicator) return wrong("no encoding indicator after an integer beyond 64 bits");
      Writer(out).tag(is_negative ? 3 : 2).byte_string(octets);
      return {};
    }
    std::uint64_t argument = 0;
    for (const std::uint8_t octet : octets) argument = argument << 8 | octet;
    if (!is_negative && next_is("(")) return tag(out, argument, info, depth);
    if (is_negative && is_zero) return wrong("a floating-point number: there is no negative zero among the integers");
    return head(out, is_negative ? 1 : 0, argument, info);
  }

  /// Without leading zeros; empty for zero.
  static std::optional<Bytes> big_endian(std::string_view digits, unsigned base) {
    Bytes octets;  // the least significant first
    for (const char c : digits) {
      const int digit = detail::digit_of(c);
      if (digit < 0 || static_cast<unsigned>(digit) >= base) return std::nullopt;
      unsigned carry = static_cast<unsigned>(digit);
      for (auto& octet : octets) {
        carry += octet * base;
        octet = static_cast<std::uint8_t>(carry);
        carry >>= 8;
      }
      if (carry != 0) octets.push_back(static_cast<std::uint8_t>(carry));
    }
    std::reverse(octets.begin(), octets.end());
    return octets;
  }

  /// `octets` are big-endian and not zero.
  static void decrement(Bytes& octets) {
    for (std::size_t i = octets.size(); i-- > 0;) {
      if (octets[i]-- != 0) break;
    }
    if (octets.front() == 0) octets.erase(octets.begin());
  }

  Status tag(Bytes& out, std::uint64_t number, int info, std::size_t depth) {
    ACEWARD_TRY(head(out, 6, number, info));
    ++pos_;
    ACEWARD_TRY(blank());
    ACEWARD_TRY(item(out, depth + 1));
    ACEWARD_TRY(blank());
    if (!take(")")) return wrong("a closing parenthesis");
    return {};
  }

  /// A list of items between brackets: `content` reads it and tells the head's argument.
  template <class F>
  Status container(Bytes& out, std::uint8_t major, F&& content) {
    const int info = ACEWARD_TRY(indicator());
    Bytes inside;
    const std::uint64_t count = ACEWARD_TRY(content(inside));
    if (info == indefinite) {
      out.push_back(static_cast<std::uint8_t>(major << 5 | indefinite));
    } else {
      ACEWARD_TRY(head(out, major, count, info));
    }
    append(out, inside);
    if (info == indefinite) out.push_back(0xff);
    return {};
  }

  Status array(Bytes& out, std::size_t depth) {
    return container(out, 4, [&](Bytes& inside) { return items(inside, "]", depth + 1); });
  }

  Status map(Bytes& out, std::size_t depth) {
    return container(out, 5, [&](Bytes& inside) -> Result<std::uint64_t> {
      for (std::uint64_t count = 0;; ++count) {
        ACEWARD_TRY(blank());
        if (take("}")) return count;
        ACEWARD_TRY(item(inside, depth + 1));
        ACEWARD_TRY(blank());
        if (!take(":")) return wrong("a colon after the key");
        ACEWARD_TRY(blank());
        ACEWARD_TRY(item(inside, depth + 1));
        ACEWARD_TRY(blank());
        if (take(",")) continue;
        if (take("}")) return count + 1;
        return wrong("a comma or the end of the map");
      }
    });
  }

  Status embedded(Bytes& out, std::size_t depth) {
    Bytes inside;
    ACEWARD_TRY(items(inside, ">>", depth + 1));
    const int info = ACEWARD_TRY(indicator());
    ACEWARD_TRY(head(out, 2, inside.size(), info));
    append(out, inside);
    return {};
  }

  Status chunks(Bytes& out) {
    pos_ += 2;
    Bytes inside;
    for (std::size_t count = 0;; ++count) {
      ACEWARD_TRY(blank());
      if (count > 0 && take(")")) break;
      const std::size_t start = inside.size();
      ACEWARD_TRY(string(inside));
      const std::uint8_t initial = inside[start];
      if (initial >> 5 != inside.front() >> 5 || (initial & 0x1f) == indefinite) {
        return wrong("chunks of one kind and of definite length");
      }
      ACEWARD_TRY(blank());
      if (take(",")) continue;
      if (take(")")) break;
      return wrong("a comma or a closing parenthesis");
    }
    out.push_back(static_cast<std::uint8_t>((inside.front() & 0xe0) | indefinite));
    append(out, inside);
    out.push_back(0xff);
    return {};
  }

  Status string(Bytes& out) {
    detail::StringLiteral whole = ACEWARD_TRY(literal());
    // Strings joined by + take the kind of the first; blanks belong to the join only if a + follows.
    for (;;) {
      const std::size_t before = pos_;
      ACEWARD_TRY(blank());
      if (!take("+")) {
        pos_ = before;
        break;
      }
      ACEWARD_TRY(blank());
      append(whole.octets, ACEWARD_TRY(literal()).octets);
    }
    if (whole.is_text && !whole.is_broken && !detail::is_valid_text(whole.octets))
      return wrong("a text string in UTF-8");
    const std::uint8_t major = whole.is_text ? 3 : 2;
    const int info = ACEWARD_TRY(indicator());
    if (info == indefinite) {
      if (!whole.octets.empty()) return wrong("the indicator _ only after an empty string");
      out.push_back(static_cast<std::uint8_t>(major << 5 | indefinite));
      out.push_back(0xff);
      return {};
    }
    ACEWARD_TRY(head(out, major, whole.octets.size(), info));
    append(out, whole.octets);
    return {};
  }

  Result<detail::StringLiteral> literal() { return detail::string_literal(text_, pos_); }

  std::string_view text_;
  std::size_t pos_ = 0;
};

}  // namespace

Result<Bytes> from_diagnostic(std::string_view text, std::size_t* error_offset) {
  DiagnosticParser parser(text);
  auto octets = parser.parse();
  if (!octets && error_offset != nullptr) *error_offset = parser.offset();
  return octets;
}

}  // namespace aceward::cbor
