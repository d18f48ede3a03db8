#include "aceward/coap/links/link.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "aceward/coap/links/attribute_grammar.h"

namespace aceward::coap::links {

namespace {

constexpr std::array<std::string_view, 3> unquoted_names{"sz", "hreflang", "title*"};

void append_value(std::string& out, const Attribute& attribute) {
  const std::string& value = *attribute.value;
  out += '=';
  if (!attribute.quoted && is_ptoken(value)) {
    out += value;
    return;
  }
  out += '"';
  for (const char c : value) {
    if (c == '"' || c == '\\' || (is_control(c) && c != '\t')) out += '\\';
    out += c;
  }
  out += '"';
}

}  // namespace

Link& Link::add(std::string_view name) {
  attributes.push_back({std::string(name), std::nullopt, false});
  return *this;
}

Link& Link::add(std::string_view name, std::string_view value) {
  const bool one_number = name == "ct" && is_cardinal(value);
  const bool quoted = !one_number && std::ranges::find(unquoted_names, name) == unquoted_names.end();
  attributes.push_back({std::string(name), std::string(value), quoted});
  return *this;
}

Link& Link::add(std::string_view name, std::uint64_t number) {
  attributes.push_back({std::string(name), std::to_string(number), false});
  return *this;
}

const Attribute* Link::find(std::string_view name) const {
  const auto found = std::ranges::find(attributes, name, &Attribute::name);
  return found == attributes.end() ? nullptr : &*found;
}

std::optional<std::string_view> Link::value(std::string_view name) const {
  const auto* attribute = find(name);
  if (attribute == nullptr || !attribute->value) return std::nullopt;
  return *attribute->value;
}

std::vector<std::string_view> Link::values(std::string_view name) const {
  std::vector<std::string_view> all;
  std::string_view rest = value(name).value_or("");
  while (!rest.empty()) {
    const auto space = std::min(rest.find(' '), rest.size());
    if (space != 0) all.push_back(rest.substr(0, space));
    rest.remove_prefix(std::min(space + 1, rest.size()));
  }
  return all;
}

std::optional<std::uint64_t> Link::size_estimate() const {
  const auto text = value("sz");
  if (!text || !is_cardinal(*text)) return std::nullopt;
  std::uint64_t size = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), size);
  return error == std::errc::result_out_of_range ? UINT64_MAX : size;
}

void append(std::string& out, const Link& link) {
  out.append("<").append(link.target).append(">");
  for (const auto& attribute : link.attributes) {
    out.append(";").append(attribute.name);
    if (attribute.value) append_value(out, attribute);
  }
}

std::string serialize(std::span<const Link> links) {
  std::string out;
  for (const auto& link : links) {
    if (!out.empty()) out += ',';
    append(out, link);
  }
  return out;
}

Result<void> check(const Link& link) {
  std::string text;
  append(text, link);
  const auto again = ACEWARD_TRY(parse(text));
  // One link must not turn into two, nor an attribute be lost, when it is written.
  if (again.size() != 1 || again.front().target != link.target ||
      again.front().attributes.size() != link.attributes.size()) {
    return fail(reason::link_malformed);
  }
  return {};
}

}  // namespace aceward::coap::links
