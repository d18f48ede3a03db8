// Every key that the configuration file may have, in one table: the reader goes by it, and docs/configuration.md is
// made from it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace aceward::app {

enum class ValueKind : std::uint8_t {
  text,
  texts,  ///< a text, or an array of them
  uri,    ///< coap or coaps
  address,
  address0,   ///< an address whose port may be 0
  addresses,  ///< an address, or an array of them
  path,       ///< relative to the file's folder
  keys,       ///< a key, or an array of them
  key,        ///< `file:PATH` or `credential:NAME`
  duration,   ///< "90s", "10m", "1h", "7d"
  count,      ///< an integer from 1
  count0,     ///< an integer from 0
  factor,     ///< a number from 1 to 10, with a fraction or without
  interval,   ///< "250ms", "2s", "10m"
  flag,
  choice,
  octets,   ///< hexadecimal
  methods,  ///< an array of `METHOD /path`
};

struct ConfigKey {
  std::string_view section;  ///< "as", "rs.issuer"
  std::string_view name;     ///< "*": any name
  ValueKind kind;
  bool required;
  std::string_view fallback;  ///< as it would be written, without quotes; empty: none
  std::string_view choices;   ///< of a choice, separated by |
  std::string_view help;
};

/// Sections of the file. An array section is written `[[rs.issuer]]`.
struct ConfigSectionKind {
  std::string_view name;
  bool is_array;
  std::string_view help;
};

std::span<const ConfigKey> config_keys();
std::span<const ConfigSectionKind> config_sections();
const ConfigSectionKind* find_section(std::string_view name);
/// A section's entry for that name; that of "*" where there is one.
const ConfigKey* find_key(std::string_view section, std::string_view name);

/// The candidate that `word` is most like, if it is like any.
std::string_view nearest_of(std::string_view word, const std::vector<std::string_view>& candidates);

/// docs/configuration.md.
std::string configuration_markdown();

}  // namespace aceward::app
