#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "aceward/cbor/diagnostic.h"
#include "aceward/cbor/floating.h"
#include "aceward/cbor/utf8.h"

namespace aceward::cbor {

namespace {

constexpr std::size_t max_bignum_octets = 64;

std::uint8_t shortest_info(std::uint64_t argument) {
  return argument < 24 ? 0 : argument <= 0xff ? 24 : argument <= 0xffff ? 25 : argument <= 0xffffffff ? 26 : 27;
}

std::string decimal(std::uint64_t number) { return std::to_string(number); }

/// -1 - argument.
std::string negative_decimal(std::uint64_t argument) {
  if (argument == UINT64_MAX) return "-18446744073709551616";
  return "-" + decimal(argument + 1);
}

/// `number` is big-endian; `plus` is added to it.
std::string big_decimal(BytesView number, std::uint32_t plus) {
  Bytes rest = to_bytes(number);
  rest.insert(rest.begin(), 0);
  for (std::size_t i = rest.size(); plus != 0 && i-- > 0; plus >>= 8) {
    plus += rest[i];
    rest[i] = static_cast<std::uint8_t>(plus);
  }
  std::string digits;
  while (std::any_of(rest.begin(), rest.end(), [](std::uint8_t octet) { return octet != 0; })) {
    std::uint32_t remainder = 0;
    for (auto& octet : rest) {
      const std::uint32_t dividend = remainder << 8 | octet;
      octet = static_cast<std::uint8_t>(dividend / 10);
      remainder = dividend % 10;
    }
    digits.push_back(static_cast<char>('0' + remainder));
  }
  std::reverse(digits.begin(), digits.end());
  return digits;
}

/// The shortest digits that read back as the same double, always with a point.
std::string finite_decimal(double value) {
  std::array<char, 32> buffer{};
  const auto end =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::scientific).ptr;
  const std::string_view text(buffer.data(), end);
  const std::size_t e = text.find('e');
  std::string_view mantissa = text.substr(0, e);
  const int exponent = std::atoi(std::string(text.substr(e + 1)).c_str());
  std::string out;
  if (mantissa.front() == '-') {
    out = "-";
    mantissa.remove_prefix(1);
  }
  std::string digits;
  for (const char c : mantissa) {
    if (c != '.') digits.push_back(c);
  }
  if (exponent < -6 || exponent > 20) {
    out += digits.substr(0, 1) + '.' + (digits.size() > 1 ? digits.substr(1) : "0") + 'e';
    return out + (exponent < 0 ? "-" : "+") + std::to_string(std::abs(exponent));
  }
  if (exponent < 0) return out + "0." + std::string(static_cast<std::size_t>(-1 - exponent), '0') + digits;
  const auto whole = static_cast<std::size_t>(exponent) + 1;
  if (digits.size() < whole) digits.resize(whole, '0');
  return out + digits.substr(0, whole) + '.' + (digits.size() > whole ? digits.substr(whole) : "0");
}

bool hold_a_secret(const Names* names) {
  if (names == nullptr) return false;
  if (names->secret || hold_a_secret(names->each.get())) return true;
  const auto in_value = [](const auto& entry) { return hold_a_secret(entry.second.value.get()); };
  return std::ranges::any_of(names->keys, in_value) || std::ranges::any_of(names->text_keys, in_value) ||
         std::ranges::any_of(names->places, [](const auto& place) { return hold_a_secret(place.value.get()); }) ||
         std::ranges::any_of(names->tags, [](const auto& tag) { return hold_a_secret(tag.second.get()); });
}

class DiagnosticPrinter {
 public:
  explicit DiagnosticPrinter(const DiagnosticOptions& options) : options_(options) {}

  std::string print(BytesView sequence) {
    Reader reader = reader_for(sequence);
    Result<void> result;
    while (result && !reader.at_end()) {
      if (reader.position() != 0) separate(0);
      result = item(reader, options_.names, 0);
    }
    if (!result) {
      out_ += " / ";
      out_ += result.error().id();
      out_ += " at octet " + decimal(reader.position()) + ", rest ";
      if (hold_a_secret(options_.names)) {
        // Where it would have stood nobody can tell any more.
        out_ += "of " + decimal(reader.remaining()) + " octets kept secret /";
      } else {
        out_ += "h'" + elided_hex(sequence.subspan(reader.position()), 64) + "' /";
      }
    }
    return std::move(out_);
  }

 private:
  Reader reader_for(BytesView octets) const { return Reader(octets, options_.limits, Strictness::well_formed); }

  void line(std::size_t depth) {
    out_ += '\n';
    out_.append(2 * depth, ' ');
  }

  /// Between two items at that depth.
  void separate(std::size_t depth) {
    out_ += ',';
    if (broken_) {
      line(depth);
    } else {
      out_ += ' ';
    }
  }

  /// A name may come from configuration: it must not end its comment, nor leave the line.
  void comment(std::string_view name) {
    out_ += "/ ";
    for (const char c : name) out_ += c == '/' ? '|' : (c < ' ' || c > '~') ? '?' : c;
    out_ += " / ";
  }

  void indicator(const Head& head) {
    if (head.info >= 24 && head.info <= 27 && head.info != shortest_info(head.argument)) {
      out_ += '_';
      out_ += static_cast<char>('0' + head.info - 24);
    }
  }

  Result<void> item(Reader& reader, const Names* names, std::size_t depth) {
    if (depth > std::min(options_.limits.max_depth, Reader::depth_cap)) return fail(reason::cbor_too_deep);
    if (names != nullptr && names->secret) return secret(reader);
    ACEWARD_TRY(reader.peek());  // so that the report of a break out of place points at it
    const Head head = ACEWARD_TRY(reader.head());
    switch (head.major) {
      case 0:
      case 1: integer(head, names); return {};
      case 2:
      case 3: return head.is_indefinite() ? chunks(reader, head.major) : string(reader, head, names, depth);
      case 4: return array(reader, head, names, depth);
      case 5: return map(reader, head, names, depth);
      case 6: return tag(reader, head, names, depth);
      default: break;
    }
    simple_or_float(head);
    return {};
  }

  Result<void> secret(Reader& reader) {
    const Kind kind = ACEWARD_TRY(reader.peek());
    Reader inside = reader;
    const BytesView whole = ACEWARD_TRY(reader.skip());
    if (kind == Kind::byte_string || kind == Kind::text_string) {
      const Head head = ACEWARD_TRY(inside.head());
      kept_secret(head.is_indefinite() ? whole.size() : head.argument);
    } else {
      comment("secret");
      out_ += "...";
    }
    return {};
  }

  void kept_secret(std::uint64_t octets) {
    comment("secret, " + decimal(octets) + " octets");
    out_ += "...";
  }

  void integer(const Head& head, const Names* names) {
    if (names != nullptr && !names->values.empty() && head.argument <= INT64_MAX) {
      const auto magnitude = static_cast<std::int64_t>(head.argument);
      const auto found = names->values.find(head.major == 0 ? magnitude : -1 - magnitude);
      if (found != names->values.end()) comment(found->second);
    }
    out_ += head.major == 0 ? decimal(head.argument) : negative_decimal(head.argument);
    indicator(head);
  }

  Result<void> string(Reader& reader, const Head& head, const Names* names, std::size_t depth) {
    const BytesView content = ACEWARD_TRY(reader.octets(head.argument));
    if (head.major == 3) {
      text(as_text(content));
    } else if (names != nullptr && names->embedded && is_embedded(content)) {
      ACEWARD_TRY(embedded(content, *names, depth));
    } else if (names != nullptr && names->embedded && !content.empty() && hold_a_secret(names)) {
      kept_secret(content.size());
      return {};
    } else {
      out_ += "h'" + elided_hex(content, options_.elide_beyond) + '\'';
      if (is_elided(content.size())) out_ += " / " + decimal(content.size()) + " octets /";
    }
    indicator(head);
    return {};
  }

  bool is_elided(std::size_t size) const { return options_.elide_beyond != 0 && size > options_.elide_beyond; }

  static std::string elided_hex(BytesView octets, std::size_t limit) {
    if (limit == 0 || octets.size() <= limit) return to_hex(octets);
    const std::size_t tail = limit / 2;
    return to_hex(octets.first(limit - tail)) + "..." + to_hex(octets.last(tail));
  }

  bool is_embedded(BytesView content) const {
    Reader reader = reader_for(content);
    while (!reader.at_end()) {
      if (!reader.skip()) return false;
    }
    return !content.empty();
  }

  Result<void> embedded(BytesView content, const Names& names, std::size_t depth) {
    Names inner = names;
    inner.embedded = false;
    Reader reader = reader_for(content);
    out_ += "<<";
    while (!reader.at_end()) {
      if (reader.position() != 0) separate(depth);
      ACEWARD_TRY(item(reader, &inner, depth));
    }
    out_ += ">>";
    return {};
  }

  void text(std::string_view content) {
    if (!detail::is_utf8(content)) {
      out_ += "nonutf8'" + to_hex(as_bytes(content)) + '\'';
      return;
    }
    const std::size_t size = content.size();
    std::string_view rest = content;
    out_ += '"';
    while (!rest.empty() && !(is_elided(size) && size - rest.size() >= options_.elide_beyond)) {
      character(static_cast<std::uint32_t>(detail::take_code_point(rest)));
    }
    out_ += '"';
    if (!rest.empty()) out_ += "... / " + decimal(size) + " octets /";
  }

  void character(std::uint32_t code_point) {
    switch (code_point) {
      case '"': out_ += "\\\""; return;
      case '\\': out_ += "\\\\"; return;
      case '\n': out_ += "\\n"; return;
      case '\r': out_ += "\\r"; return;
      case '\t': out_ += "\\t"; return;
      default: break;
    }
    if (code_point >= 0x20 && code_point < 0x7f) {
      out_ += static_cast<char>(code_point);
    } else if (code_point < 0x10000) {
      escape(code_point);
    } else {
      escape(0xd800 + ((code_point - 0x10000) >> 10));
      escape(0xdc00 + ((code_point - 0x10000) & 0x3ff));
    }
  }

  void escape(std::uint32_t unit) {
    const std::array<std::uint8_t, 2> octets{static_cast<std::uint8_t>(unit >> 8), static_cast<std::uint8_t>(unit)};
    out_ += "\\u" + to_hex(octets);
  }

  /// Of an array, map or string of indefinite length.
  Result<bool> ends(Reader& reader) {
    if (reader.peek()) return false;
    const std::size_t start = reader.position();
    Reader ahead = reader;
    const auto head = ahead.head();
    if (!head) return std::unexpected(head.error());
    if (!head->is_break() || ahead.position() != start + 1) return fail(reason::cbor_not_well_formed);
    reader = ahead;
    return true;
  }

  Result<bool> done(Reader& reader, const Head& head, std::uint64_t count) {
    if (!head.is_indefinite()) return count == head.argument;
    return ends(reader);
  }

  Result<void> chunks(Reader& reader, std::uint8_t major) {
    bool first = true;
    while (!ACEWARD_TRY(ends(reader))) {
      out_ += first ? "(_ " : ", ";
      first = false;
      const Head chunk = ACEWARD_TRY(reader.head());
      if (chunk.major != major || chunk.is_indefinite()) return fail(reason::cbor_not_well_formed);
      ACEWARD_TRY(string(reader, chunk, nullptr, 0));
    }
    // "(_ )" would not tell bytes from text (section 8.1).
    out_ += !first ? ")" : major == 2 ? "''_" : "\"\"_";
    return {};
  }

  void open(char bracket, const Head& head) {
    out_ += bracket;
    if (head.is_indefinite()) {
      out_ += "_ ";
      return;
    }
    const std::size_t before = out_.size();
    indicator(head);
    if (out_.size() != before) out_ += ' ';
  }

  Result<void> array(Reader& reader, const Head& head, const Names* names, std::size_t depth) {
    if (!head.is_indefinite() && head.argument > reader.remaining()) return fail(reason::cbor_truncated);
    open('[', head);
    const bool outer = broken_;
    const bool has_places = names != nullptr && !names->places.empty();
    broken_ = options_.indented && head.argument != 0 && (has_places || !is_short_array(reader, head));
    std::uint64_t i = 0;
    for (; !ACEWARD_TRY(done(reader, head, i)); ++i) {
      if (i != 0) {
        separate(depth + 1);
      } else if (broken_) {
        line(depth + 1);
      }
      const Names* element = names != nullptr ? names->each.get() : nullptr;
      if (has_places && i < names->places.size()) {
        const auto& place = names->places[static_cast<std::size_t>(i)];
        if (!place.name.empty()) comment(place.name);
        element = place.value.get();
      }
      const bool here = broken_;
      ACEWARD_TRY(item(reader, element, depth + 1));
      broken_ = here;
    }
    if (broken_) line(depth);
    broken_ = outer;
    out_ += ']';
    return {};
  }

  /// `reader` stands after the head.
  bool is_short_array(const Reader& reader, const Head& head) const {
    Reader ahead = reader;
    for (std::uint64_t i = 0; i < head.argument; ++i) {
      const auto kind = ahead.peek();
      if (!kind || *kind == Kind::array || *kind == Kind::map || *kind == Kind::tag || !ahead.skip()) return false;
      if (ahead.position() - reader.position() > 40) return false;
    }
    return true;
  }

  Result<void> map(Reader& reader, const Head& head, const Names* names, std::size_t depth) {
    if (!head.is_indefinite() && head.argument > reader.remaining() / 2) return fail(reason::cbor_truncated);
    open('{', head);
    const bool outer = broken_;
    broken_ = options_.indented && (head.is_indefinite() || head.argument != 0);
    const bool here = broken_;
    for (std::uint64_t i = 0; !ACEWARD_TRY(done(reader, head, i)); ++i) {
      if (i != 0) {
        separate(depth + 1);
      } else if (broken_) {
        line(depth + 1);
      }
      const Names* value = ACEWARD_TRY(key(reader, names, depth));
      ACEWARD_TRY(item(reader, value, depth + 1));
      broken_ = here;
    }
    if (broken_) line(depth);
    broken_ = outer;
    out_ += '}';
    return {};
  }

  /// Prints a key and the colon, and returns the names of its value.
  Result<const Names*> key(Reader& reader, const Names* names, std::size_t depth) {
    const Names::Pair* pair = nullptr;
    if (names != nullptr) {
      Reader ahead = reader;
      const Kind kind = ACEWARD_TRY(ahead.peek());
      if (kind == Kind::text_string) {
        const auto text = ahead.text_string();
        const auto found = text ? names->text_keys.find(*text) : names->text_keys.end();
        if (found != names->text_keys.end()) pair = &found->second;
      } else if (kind == Kind::unsigned_integer || kind == Kind::negative_integer) {
        const auto number = ahead.integer();
        const auto found = number ? names->keys.find(*number) : names->keys.end();
        if (found != names->keys.end()) pair = &found->second;
      }
    }
    const bool named = pair != nullptr && !pair->name.empty();
    if (named) comment(pair->name);
    ACEWARD_TRY(item(reader, nullptr, depth + 1));
    out_ += named ? " : " : ": ";
    return pair != nullptr ? pair->value.get() : nullptr;
  }

  Result<void> tag(Reader& reader, const Head& head, const Names* names, std::size_t depth) {
    if ((head.argument == 2 || head.argument == 3) && head.info < 24 && bignum(reader, head.argument == 3)) return {};
    if (names != nullptr) {
      const auto found = names->tags.find(head.argument);
      if (found != names->tags.end()) names = found->second.get();
    }
    out_ += decimal(head.argument);
    indicator(head);
    out_ += '(';
    ACEWARD_TRY(item(reader, names, depth + 1));
    out_ += ')';
    return {};
  }

  /// As a decimal number, if its octets follow from that number.
  bool bignum(Reader& reader, bool is_negative) {
    Reader ahead = reader;
    const auto head = ahead.head();
    if (!head || head->major != 2 || head->is_indefinite() || head->info >= 26) return false;
    if (head->info >= 24 && head->info != shortest_info(head->argument)) return false;
    const auto octets = ahead.octets(head->argument);
    if (!octets || octets->size() < 9 || octets->size() > max_bignum_octets || octets->front() == 0) return false;
    out_ += is_negative ? "-" + big_decimal(*octets, 1) : big_decimal(*octets, 0);
    reader = ahead;
    return true;
  }

  void simple_or_float(const Head& head) {
    if (head.info < 25) {
      switch (head.argument) {
        case 20: out_ += "false"; return;
        case 21: out_ += "true"; return;
        case 22: out_ += "null"; return;
        case 23: out_ += "undefined"; return;
        default: out_ += "simple(" + decimal(head.argument) + ')'; return;
      }
    }
    const double value = detail::widen(head.info, head.argument);
    const auto shortest = detail::shortest(value);
    if (std::isnan(value) && !(shortest.info == 25 && shortest.bits == 0x7e00)) {
      const std::size_t width = std::size_t{1} << (head.info - 24);
      std::array<std::uint8_t, 8> octets{};
      for (std::size_t i = 0; i < width; ++i) {
        octets[i] = static_cast<std::uint8_t>(head.argument >> (8 * (width - 1 - i)));
      }
      out_ += "float'" + to_hex(BytesView(octets).first(width)) + '\'';
      return;
    }
    if (std::isnan(value)) {
      out_ += "NaN";
    } else if (std::isinf(value)) {
      out_ += value < 0 ? "-Infinity" : "Infinity";
    } else {
      out_ += finite_decimal(value);
    }
    if (head.info != shortest.info) {
      out_ += '_';
      out_ += static_cast<char>('0' + head.info - 24);
    }
  }

  const DiagnosticOptions& options_;
  std::string out_;
  bool broken_ = false;  // whether the array or map at hand has one line an element
};

}  // namespace

std::string to_diagnostic(BytesView sequence, const DiagnosticOptions& options) {
  return DiagnosticPrinter(options).print(sequence);
}

}  // namespace aceward::cbor
