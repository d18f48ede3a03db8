// The sections of a document while they are put together to a Config: what the files *_section.cc share.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/config/document.h"

namespace aceward::app {

class Sections {
 public:
  Sections(const ConfigDocument& document, const std::filesystem::path& file) : document_(document), file_(file) {}

  const std::filesystem::path& file() const { return file_; }
  std::unexpected<Failure> fault(Place place, const std::string& what, const std::string& check) const;

  const std::vector<ConfigBlock>& all(std::string_view section) const;
  const ConfigBlock* single(std::string_view section) const;
  /// For sections that have a default in every key that is read with get(): a file without the section reads like one
  /// with an empty section.
  ConfigBlock with_defaults(std::string_view section) const;

 private:
  const ConfigDocument& document_;
  const std::filesystem::path& file_;
};

template <class T>
std::optional<T> optional_value(const ConfigBlock& block, const std::string& name) {
  const T* value = block.find<T>(name);
  return value == nullptr ? std::nullopt : std::optional<T>(*value);
}
/// The value, or an empty one.
template <class T>
T value_or_empty(const ConfigBlock& block, const std::string& name) {
  const T* value = block.find<T>(name);
  return value == nullptr ? T() : *value;
}

Outcome<AsSection> read_as_section(const Sections& sections, const ConfigBlock& block);
Outcome<RsSection> read_rs_section(const Sections& sections, const ConfigBlock& block);
Outcome<ClientSection> read_client_section(const Sections& sections, const ConfigBlock& block);

}  // namespace aceward::app
