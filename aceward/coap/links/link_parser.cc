#include <algorithm>

#include "aceward/coap/links/attribute_grammar.h"
#include "aceward/coap/links/link.h"
#include "aceward/coap/links/uri_reference.h"

namespace aceward::coap::links {

namespace {

class LinkParser {
 public:
  LinkParser(std::string_view text, Reading reading, const LinkLimits& limits)
      : rest_(text), strict_(reading == Reading::strict), limits_(limits) {}

  Result<std::vector<Link>> all() {
    std::vector<Link> links;
    skip_space();
    if (rest_.empty()) return links;
    while (true) {
      if (links.size() == limits_.links) return fail(reason::link_too_many, "links");
      links.push_back(ACEWARD_TRY(one()));
      if (rest_.empty()) return links;
      if (!take(',')) return fail(reason::link_malformed, "comma");
      skip_space();
    }
  }

 private:
  Result<Link> one() {
    if (!take('<')) return fail(reason::link_malformed, "target");
    const auto end = rest_.find('>');
    if (end == std::string_view::npos) return fail(reason::link_malformed, "target");
    const auto target = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    const bool good = strict_
                          ? UriReference::parse(target).has_value()
                          : std::ranges::none_of(target, [](char c) { return is_control(c) || c == ' ' || c == '<'; });
    if (!good) return fail(reason::link_malformed, "target");
    Link link;
    link.target = target;
    skip_space();
    while (take(';')) {
      skip_space();
      auto attribute = ACEWARD_TRY(next_attribute());
      ACEWARD_TRY(add(link, std::move(attribute)));
      skip_space();
    }
    return link;
  }

  Result<void> add(Link& link, Attribute attribute) {
    if (link.attributes.size() == limits_.attributes) return fail(reason::link_too_many, "attributes");
    const bool repeated = is_single(attribute.name) && link.has(attribute.name);
    if (strict_) {
      ACEWARD_TRY(check_attribute(attribute));
      if (repeated) return fail(reason::link_attribute_repeated);
    } else if (repeated || attribute.name == "href") {
      return {};
    }
    link.attributes.push_back(std::move(attribute));
    return {};
  }

  Result<Attribute> next_attribute() {
    Attribute attribute;
    const auto end = std::min(rest_.find_first_of(strict_ ? "=;," : "=;, \t\r\n"), rest_.size());
    attribute.name = rest_.substr(0, end);
    std::string_view name = attribute.name;
    if (name.ends_with('*')) name.remove_suffix(1);
    if (!is_parmname(name)) return fail(reason::link_malformed, "attribute name");
    rest_.remove_prefix(end);
    skip_space();
    if (!take('=')) return attribute;
    skip_space();
    if (take('"')) {
      attribute.quoted = true;
      attribute.value = ACEWARD_TRY(quoted_string());
      return attribute;
    }
    const auto value_end = std::min(rest_.find_first_of(strict_ ? ";,\"" : ";,\" \t\r\n"), rest_.size());
    const auto value = rest_.substr(0, value_end);
    if (!is_ptoken(value)) return fail(reason::link_malformed, "attribute value");
    attribute.value = value;
    rest_.remove_prefix(value_end);
    return attribute;
  }

  // RFC 2616 section 2.2, without line breaks. The opening quote is taken.
  Result<std::string> quoted_string() {
    std::string value;
    while (!rest_.empty()) {
      char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"') return value;
      if (c == '\\') {
        if (rest_.empty() || static_cast<unsigned char>(rest_.front()) > 0x7f) break;
        c = rest_.front();
        rest_.remove_prefix(1);
      } else if (is_control(c) && c != '\t') {
        return fail(reason::link_malformed, "quoted string");
      }
      value += c;
    }
    return fail(reason::link_malformed, "quoted string");
  }

  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  void skip_space() {
    if (strict_) return;
    rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size()));
  }

  std::string_view rest_;
  bool strict_;
  const LinkLimits& limits_;
};

}  // namespace

Result<std::vector<Link>> parse(std::string_view document, Reading reading, const LinkLimits& limits) {
  if (document.size() > limits.size) return fail(reason::link_too_large);
  return LinkParser(document, reading, limits).all();
}

}  // namespace aceward::coap::links
