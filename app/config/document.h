// The configuration file as sections of checked values, by the table in schema.h.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "app/config/config.h"
#include "app/config/schema.h"

namespace aceward::app {

struct ConfigValue {
  /// By kind: text, uri, choice; texts, methods; address; addresses; path; key; keys; duration; count and
  /// count0; flag; octets; interval; factor.
  std::variant<std::string, std::vector<std::string>, Address, std::vector<Address>, std::filesystem::path,
               KeyReference, std::vector<KeyReference>, std::chrono::seconds, std::uint64_t, bool, Bytes,
               std::chrono::milliseconds, double>
      value;
  Place place;
};

/// One section with its values; those that have a default are always there.
struct ConfigBlock {
  std::string_view section;
  Place place;
  std::map<std::string, ConfigValue> values;

  template <class T>
  const T* find(const std::string& name) const {
    const auto found = values.find(name);
    return found == values.end() ? nullptr : std::get_if<T>(&found->second.value);
  }
  /// For keys that are required or have a default.
  template <class T>
  const T& get(const std::string& name) const {
    return std::get<T>(values.at(name).value);
  }
};

struct ConfigDocument {
  /// By section; at most one of a section that is no array.
  std::map<std::string, std::vector<ConfigBlock>, std::less<>> blocks;
};

/// Reads TOML and checks every key and every value by itself, but not what they mean together.
Outcome<ConfigDocument> read_document(std::string_view text, const std::filesystem::path& file);

/// `written` as a value of the key's kind, or what is wrong with it. `folder` is that of the file.
std::expected<ConfigValue, std::string> value_from_text(const ConfigKey& key, std::string_view written,
                                                        const std::filesystem::path& folder);

}  // namespace aceward::app
