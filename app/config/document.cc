#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#include "app/config/document.h"

#include <toml++/toml.h>

namespace aceward::app {

namespace {

constexpr std::uint64_t largest_count = 1'000'000'000;

Place place_of(const toml::node& node) {
  const auto& begin = node.source().begin;
  return {static_cast<int>(begin.line), static_cast<int>(begin.column)};
}

Place place_of(const toml::key& key) {
  const auto& begin = key.source().begin;
  return {static_cast<int>(begin.line), static_cast<int>(begin.column)};
}

std::string_view type_name(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table: return "a table";
    case toml::node_type::array: return "an array";
    case toml::node_type::string: return "a text";
    case toml::node_type::integer: return "an integer";
    case toml::node_type::floating_point: return "a number with a fraction";
    case toml::node_type::boolean: return "true or false";
    default: return "a date or time";
  }
}

std::string_view form_of(ValueKind kind) {
  switch (kind) {
    case ValueKind::count: return "write an integer from 1, without quotes";
    case ValueKind::count0: return "write an integer from 0, without quotes";
    case ValueKind::factor: return "write a number from 1 to 10, without quotes";
    case ValueKind::flag: return "write true or false, without quotes";
    case ValueKind::texts:
    case ValueKind::keys:
    case ValueKind::addresses: return "write a text in quotes, or an array of them";
    case ValueKind::methods: return "write an array: [\"GET /temp\", \"PUT /led\"]";
    default: return "write a text in quotes";
  }
}

class DocumentReader {
 public:
  explicit DocumentReader(const std::filesystem::path& file) : file_(file), folder_(file.parent_path()) {}

  Outcome<ConfigDocument> read(const toml::table& root) {
    for (const auto& [key, node] : root) {
      if (auto read = read_section(std::string(key.str()), key, node); !read) return std::unexpected(read.error());
    }
    return std::move(document_);
  }

 private:
  std::unexpected<Failure> fault(Place place, const std::string& what, const std::string& check) const {
    return std::unexpected(config_failure(file_, place, what, check));
  }

  /// Sections whose name begins with `above`, or those without a dot.
  static std::vector<std::string_view> sections_in(std::string_view above) {
    std::vector<std::string_view> names;
    for (const ConfigSectionKind& section : config_sections()) {
      if (above.empty() ? !section.name.contains('.')
                        : section.name.starts_with(above) && section.name.size() > above.size() &&
                              section.name[above.size()] == '.') {
        names.push_back(above.empty() ? section.name : section.name.substr(above.size() + 1));
      }
    }
    return names;
  }

  static std::string nearest_hint(std::string_view word, const std::vector<std::string_view>& names) {
    if (const auto nearest = nearest_of(word, names); !nearest.empty()) {
      return "did you mean \"" + std::string(nearest) + "\"?";
    }
    std::string all = "there are:";
    for (const std::string_view name : names) all.append(" ").append(name);
    return all;
  }

  Outcome<> read_section(const std::string& name, const toml::key& key, const toml::node& node) {
    const ConfigSectionKind* kind = find_section(name);
    if (kind == nullptr) {
      return fault(place_of(key), "there is no section [" + name + "]", nearest_hint(name, sections_in("")));
    }
    const std::string brackets = kind->is_array ? "[[" + name + "]]" : "[" + name + "]";
    if (kind->is_array) {
      const toml::array* array = node.as_array();
      if (array == nullptr || !array->is_homogeneous(toml::node_type::table)) {
        return fault(place_of(key), "[" + name + "] is one of several", "write " + brackets + " above each of them");
      }
      for (const toml::node& element : *array) {
        if (auto read = read_table(*kind, *element.as_table()); !read) return read;
      }
      return {};
    }
    if (!node.is_table()) {
      return fault(place_of(key), brackets + " is " + std::string(type_name(node)) + ", not a section",
                   "write " + brackets + " on a line of its own");
    }
    return read_table(*kind, *node.as_table());
  }

  Outcome<> read_table(const ConfigSectionKind& kind, const toml::table& table) {
    ConfigBlock block{kind.name, place_of(table), {}};
    const std::string brackets = "[" + std::string(kind.name) + "]";
    for (const auto& [key, node] : table) {
      const std::string name(key.str());
      const std::string below = std::string(kind.name) + "." + name;
      if (find_section(below) != nullptr) {
        if (auto read = read_section(below, key, node); !read) return read;
        continue;
      }
      const ConfigKey* entry = find_key(kind.name, name);
      if (entry == nullptr) {
        std::vector<std::string_view> names = sections_in(kind.name);
        for (const ConfigKey& other : config_keys()) {
          if (other.section == kind.name) names.push_back(other.name);
        }
        std::string found = brackets;
        found.append(" has no key \"").append(name).append("\"");
        return fault(place_of(key), found, nearest_hint(name, names));
      }
      auto value = read_value(*entry, name, node);
      if (!value) return std::unexpected(value.error());
      block.values.emplace(name, std::move(*value));
    }
    for (const ConfigKey& entry : config_keys()) {
      if (entry.section != kind.name || entry.name == "*" || block.values.contains(std::string(entry.name))) continue;
      if (entry.required) {
        return fault(block.place, brackets + " lacks \"" + std::string(entry.name) + "\"",
                     "add " + std::string(entry.name) + " = …: " + std::string(entry.help));
      }
      if (entry.fallback.empty()) continue;
      auto value = value_from_text(entry, entry.fallback, folder_);
      if (value) block.values.emplace(entry.name, std::move(*value));
    }
    document_.blocks[std::string(kind.name)].push_back(std::move(block));
    return {};
  }

  Outcome<ConfigValue> read_value(const ConfigKey& entry, const std::string& name, const toml::node& node) {
    const std::string whose = "[" + std::string(entry.section) + "] " + name;
    const auto wrong_type = [&](const toml::node& found) {
      return fault(place_of(found), whose + " is " + std::string(type_name(found)), std::string(form_of(entry.kind)));
    };
    ConfigValue value{{}, place_of(node)};
    if (entry.kind == ValueKind::factor) {
      const auto number = node.value<double>();
      if (!number || node.is_boolean() || node.is_string()) return wrong_type(node);
      if (!(*number >= 1 && *number <= 10)) {
        return fault(value.place, whose + " is out of range", std::string(form_of(entry.kind)));
      }
      value.value = *number;
      return value;
    }
    if (entry.kind == ValueKind::count || entry.kind == ValueKind::count0) {
      const auto* number = node.as_integer();
      if (number == nullptr) return wrong_type(node);
      const std::int64_t found = number->get();
      const std::int64_t least = entry.kind == ValueKind::count ? 1 : 0;
      if (found < least || static_cast<std::uint64_t>(found) > largest_count) {
        return fault(value.place, whose + " is " + std::to_string(found),
                     "write an integer from " + std::to_string(least) + " to 1000000000");
      }
      value.value = static_cast<std::uint64_t>(found);
      return value;
    }
    if (entry.kind == ValueKind::flag) {
      const auto* flag = node.as_boolean();
      if (flag == nullptr) return wrong_type(node);
      value.value = flag->get();
      return value;
    }
    const bool takes_array = entry.kind == ValueKind::texts || entry.kind == ValueKind::addresses ||
                             entry.kind == ValueKind::methods || entry.kind == ValueKind::keys;
    if (const toml::array* array = node.as_array(); array != nullptr && takes_array) {
      return read_array(entry, whose, *array);
    }
    // Where the choices are numbers, nobody puts them in quotes.
    const bool takes_numbers =
        entry.kind == ValueKind::choice && entry.choices.front() >= '0' && entry.choices.front() <= '9';
    if (const auto* number = node.as_integer(); number != nullptr && takes_numbers) {
      return read_text(entry, whose, node, std::to_string(number->get()));
    }
    if (!node.is_string() || entry.kind == ValueKind::methods) return wrong_type(node);
    return read_text(entry, whose, node, node.as_string()->get());
  }

  Outcome<ConfigValue> read_text(const ConfigKey& entry, const std::string& whose, const toml::node& node,
                                 const std::string& written) {
    auto value = value_from_text(entry, written, folder_);
    if (!value) return fault(place_of(node), whose + " is \"" + written.substr(0, 80) + "\"", value.error());
    value->place = place_of(node);
    if (auto* reference = std::get_if<KeyReference>(&value->value)) reference->place = value->place;
    if (auto* references = std::get_if<std::vector<KeyReference>>(&value->value)) {
      for (KeyReference& reference : *references) reference.place = value->place;
    }
    return std::move(*value);
  }

  Outcome<ConfigValue> read_array(const ConfigKey& entry, const std::string& whose, const toml::array& array) {
    ConfigValue all{std::vector<std::string>(), place_of(array)};
    if (entry.kind == ValueKind::addresses) all.value = std::vector<Address>();
    if (entry.kind == ValueKind::keys) all.value = std::vector<KeyReference>();
    for (const toml::node& element : array) {
      if (!element.is_string()) {
        return fault(place_of(element), whose + " holds " + std::string(type_name(element)),
                     std::string(form_of(entry.kind)));
      }
      auto one = read_text(entry, whose, element, element.as_string()->get());
      if (!one) return one;
      if (auto* addresses = std::get_if<std::vector<Address>>(&all.value)) {
        addresses->push_back(std::get<std::vector<Address>>(one->value).front());
      } else if (auto* references = std::get_if<std::vector<KeyReference>>(&all.value)) {
        references->push_back(std::move(std::get<std::vector<KeyReference>>(one->value).front()));
      } else {
        std::get<std::vector<std::string>>(all.value).push_back(
            std::move(std::get<std::vector<std::string>>(one->value).front()));
      }
    }
    if (entry.required && array.empty()) return fault(all.place, whose + " is empty", "name at least one");
    return all;
  }

  const std::filesystem::path& file_;
  std::filesystem::path folder_;
  ConfigDocument document_;
};

}  // namespace

Outcome<ConfigDocument> read_document(std::string_view text, const std::filesystem::path& file) {
  const toml::parse_result parsed = toml::parse(text, file.string());
  if (!parsed) {
    const toml::parse_error& error = parsed.error();
    const auto& begin = error.source().begin;
    return std::unexpected(config_failure(file, {static_cast<int>(begin.line), static_cast<int>(begin.column)},
                                          "this is not TOML: " + std::string(error.description()),
                                          "look for a missing quote, bracket or equals sign, or a key given twice"));
  }
  return DocumentReader(file).read(parsed.table());
}

}  // namespace aceward::app
