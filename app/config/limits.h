// [coap], [limits] and what is below them, as the structs that the libraries take.
#pragma once

#include <functional>

#include "app/config/document.h"

namespace aceward::app {

/// Of sections with a default in every key: as the file has it, else as if it stood there empty.
using SectionOf = std::function<ConfigBlock(std::string_view section)>;

/// Checks what the values mean together. Errors: configuration, with file, line and column.
Outcome<CoapSection> read_coap(const SectionOf& section_of, const std::filesystem::path& file);
Outcome<LimitsSection> read_limits(const SectionOf& section_of, const std::filesystem::path& file);

}  // namespace aceward::app
