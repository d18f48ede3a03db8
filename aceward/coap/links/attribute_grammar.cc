#include "aceward/coap/links/attribute_grammar.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

#include "aceward/coap/links/uri_reference.h"

namespace aceward::coap::links {

namespace {

bool is_ascii_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_ascii_digit(char c) { return c >= '0' && c <= '9'; }
bool is_one_of(char c, std::string_view set) { return set.find(c) != std::string_view::npos; }

// Every part between single or several separators; none empty at the ends.
template <class Check>
bool each_between_spaces(std::string_view text, Check check) {
  if (text.empty() || text.front() == ' ' || text.back() == ' ') return false;
  while (!text.empty()) {
    const auto space = std::min(text.find(' '), text.size());
    if (!check(text.substr(0, space))) return false;
    text.remove_prefix(space);
    while (text.starts_with(' ')) text.remove_prefix(1);
  }
  return true;
}

// reg-rel-type, or a URI as ext-rel-type.
bool is_relation_type(std::string_view text) {
  if (text.empty()) return false;
  const auto is_lower = [](char c) { return c >= 'a' && c <= 'z'; };
  if (is_lower(text.front()) &&
      std::ranges::all_of(text, [&](char c) { return is_lower(c) || is_ascii_digit(c) || c == '.' || c == '-'; })) {
    return true;
  }
  const auto uri = UriReference::parse(text);
  return uri && uri->scheme;
}

// RFC 4288 section 4.2: type-name and subtype-name are 1*127 of these.
bool is_media_type(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return false;
  const auto is_name = [](std::string_view name) {
    return !name.empty() && name.size() <= 127 && std::ranges::all_of(name, [](char c) {
      return is_ascii_letter(c) || is_ascii_digit(c) || is_one_of(c, "!#$&.+-^_");
    });
  };
  return is_name(text.substr(0, slash)) && is_name(text.substr(slash + 1));
}

// RFC 5987 section 3.2.1: charset "'" [ language ] "'" value-chars.
bool is_ext_value(std::string_view text) {
  const auto first = text.find('\'');
  const auto second = first == std::string_view::npos ? first : text.find('\'', first + 1);
  if (second == std::string_view::npos) return false;
  const auto charset = text.substr(0, first);
  const auto language = text.substr(first + 1, second - first - 1);
  const bool charset_good = !charset.empty() && std::ranges::all_of(charset, [](char c) {
    return is_ascii_letter(c) || is_ascii_digit(c) || is_one_of(c, "!#$%&+-^_`{}~");
  });
  if (!charset_good || (!language.empty() && !is_language_tag(language))) return false;
  auto value = text.substr(second + 1);
  while (!value.empty()) {
    const auto is_hex = [](char c) { return is_ascii_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); };
    if (value.front() == '%') {
      if (value.size() < 3 || !is_hex(value[1]) || !is_hex(value[2])) return false;
      value.remove_prefix(3);
    } else if (is_parmname(value.substr(0, 1))) {
      value.remove_prefix(1);
    } else {
      return false;
    }
  }
  return true;
}

bool is_content_format_number(std::string_view text) {
  std::uint16_t number = 0;
  return is_cardinal(text) &&
         std::from_chars(text.data(), text.data() + text.size(), number).ec == std::errc();  // 16 bits
}

bool has_known_form(const Attribute& attribute) {
  const std::string_view name = attribute.name;
  const std::string_view value = attribute.value ? std::string_view(*attribute.value) : std::string_view();
  const bool has_value = attribute.value.has_value();
  const bool token = has_value && !attribute.quoted;
  if (name == "rel" || name == "rev" || name == "rt" || name == "if") {
    return has_value && (attribute.quoted ? each_between_spaces(value, is_relation_type) : is_relation_type(value));
  }
  if (name == "anchor") return attribute.quoted && has_value && UriReference::parse(value);
  if (name == "hreflang") return token && is_language_tag(value);
  if (name == "media") return has_value;
  if (name == "title") return attribute.quoted && has_value;
  if (name == "type") return has_value && is_media_type(value);
  if (name == "sz") return token && is_cardinal(value);
  // RFC 7252 section 7.2.1
  if (name == "ct") {
    return has_value &&
           (attribute.quoted ? each_between_spaces(value, is_content_format_number) : is_content_format_number(value));
  }
  if (name.ends_with('*')) return token && is_ext_value(value);
  return true;
}

}  // namespace

bool is_control(char c) { return (c >= 0 && c < 0x20) || c == 0x7f; }

bool is_ptoken(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return is_ascii_letter(c) || is_ascii_digit(c) || is_one_of(c, "!#$%&'()*+-./:<=>?@[]^_`{|}~");
  });
}

bool is_cardinal(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, is_ascii_digit) && (text == "0" || text.front() != '0');
}

bool is_parmname(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return is_ascii_letter(c) || is_ascii_digit(c) || is_one_of(c, "!#$&+-.^_`|~");
  });
}

bool is_language_tag(std::string_view text) {
  bool first = true;
  while (true) {
    const auto dash = std::min(text.find('-'), text.size());
    const auto part = text.substr(0, dash);
    if (part.empty() || part.size() > 8) return false;
    if (!std::ranges::all_of(part, [first](char c) { return is_ascii_letter(c) || (!first && is_ascii_digit(c)); })) {
      return false;
    }
    if (dash == text.size()) return true;
    text.remove_prefix(dash + 1);
    first = false;
  }
}

bool is_single(std::string_view name) {
  static constexpr std::array<std::string_view, 11> names{"rel",  "rev", "anchor", "media", "title", "title*",
                                                          "type", "rt",  "if",     "sz",    "obs"};
  return std::ranges::find(names, name) != names.end();
}

Result<void> check_attribute(const Attribute& attribute) {
  std::string_view name = attribute.name;
  if (name == "href") return fail(reason::link_attribute_malformed, "href");
  if (name.ends_with('*')) name.remove_suffix(1);
  if (!is_parmname(name)) return fail(reason::link_malformed, "attribute name");
  if (!has_known_form(attribute)) return fail(reason::link_attribute_malformed);
  return {};
}

}  // namespace aceward::coap::links
