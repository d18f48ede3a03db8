#include "app/config/config.h"

#include <algorithm>
#include <cstdlib>

#include "app/config/limits.h"
#include "app/config/sections.h"
#include "app/key_files.h"

namespace aceward::app {

namespace {

void read_store(const ConfigBlock& block, Config& config) {
  config.store.path = block.get<std::filesystem::path>("path");
  config.store.socket = block.get<std::filesystem::path>("socket");
  config.store.is_relaxed = block.get<std::string>("durability") == "relaxed";
  config.store.token_retention = block.get<std::chrono::seconds>("token_retention");
}

LogLevel log_level(const ConfigBlock& block) {
  const auto& level = block.get<std::string>("level");
  return level == "none" ? LogLevel::none : level == "all" ? LogLevel::all : LogLevel::refusals;
}

Outcome<Config> build(const Sections& sections) {
  Config config;
  config.file = sections.file();
  if (const ConfigBlock* block = sections.single("as")) {
    auto as = read_as_section(sections, *block);
    if (!as) return std::unexpected(as.error());
    config.as = std::move(*as);
  }
  if (const ConfigBlock* block = sections.single("rs")) {
    auto rs = read_rs_section(sections, *block);
    if (!rs) return std::unexpected(rs.error());
    config.rs = std::move(*rs);
  }
  if (const ConfigBlock* block = sections.single("client")) {
    auto client = read_client_section(sections, *block);
    if (!client) return std::unexpected(client.error());
    config.client = std::move(*client);
  }
  read_store(sections.with_defaults("store"), config);
  config.log = log_level(sections.with_defaults("log"));
  const ConfigBlock audit = sections.with_defaults("audit");
  config.audit.path = optional_value<std::filesystem::path>(audit, "path");
  config.audit.strangers_per_second = audit.get<std::uint64_t>("strangers_per_second");
  const ConfigBlock metrics = sections.with_defaults("metrics");
  config.metrics.listen = optional_value<Address>(metrics, "listen");
  const ConfigBlock admin = sections.with_defaults("admin");
  config.admin.group = optional_value<std::string>(admin, "group");
  config.admin.open_to_anybody = admin.get<bool>("open_to_anybody");
  const auto section_of = [&](std::string_view section) { return sections.with_defaults(section); };
  auto coap = read_coap(section_of, config.file);
  if (!coap) return std::unexpected(coap.error());
  config.coap = *coap;
  auto limits = read_limits(section_of, config.file);
  if (!limits) return std::unexpected(limits.error());
  config.limits = *limits;
  return config;
}

}  // namespace

std::unexpected<Failure> Sections::fault(Place place, const std::string& what, const std::string& check) const {
  return std::unexpected(config_failure(file_, place, what, check));
}

const std::vector<ConfigBlock>& Sections::all(std::string_view section) const {
  static const std::vector<ConfigBlock> none;
  const auto found = document_.blocks.find(section);
  return found == document_.blocks.end() ? none : found->second;
}

const ConfigBlock* Sections::single(std::string_view section) const {
  return all(section).empty() ? nullptr : &all(section).front();
}

ConfigBlock Sections::with_defaults(std::string_view section) const {
  if (const ConfigBlock* block = single(section)) return *block;
  ConfigBlock block{section, {}, {}};
  for (const ConfigKey& key : config_keys()) {
    if (key.section != section || key.fallback.empty()) continue;
    if (auto value = value_from_text(key, key.fallback, file_.parent_path())) {
      block.values.emplace(key.name, std::move(*value));
    }
  }
  return block;
}

Failure config_failure(const std::filesystem::path& file, Place place, std::string_view what, std::string_view check) {
  std::string text = file.string();
  if (place.line > 0) text += ":" + std::to_string(place.line) + ":" + std::to_string(place.column);
  return Failure::configuration(text + ": " + std::string(what), std::string(check));
}

Outcome<Config> parse_config(std::string_view text, const std::filesystem::path& file) {
  auto document = read_document(text, file);
  if (!document) return std::unexpected(document.error());
  return build(Sections(*document, file));
}

Outcome<std::filesystem::path> find_config(const GlobalOptions& options) {
  if (options.config) return *options.config;
  std::vector<std::filesystem::path> places{"aceward.toml"};
  const char* home = std::getenv("HOME");
  if (const char* config_home = std::getenv("XDG_CONFIG_HOME"); config_home != nullptr && *config_home == '/') {
    places.push_back(std::filesystem::path(config_home) / "aceward/aceward.toml");
  } else if (home != nullptr) {
    places.push_back(std::filesystem::path(home) / ".config/aceward/aceward.toml");
  }
  places.push_back("/etc/aceward/aceward.toml");
  for (const auto& place : places) {
    std::error_code ignored;
    if (std::filesystem::exists(place, ignored)) return place;
  }
  std::string looked = "there is no configuration; looked at";
  for (const auto& place : places) looked += " " + place.string();
  return std::unexpected(Failure::configuration(looked, "make one with `aceward init DIR`, and name it with -c FILE"));
}

Outcome<Config> load_config(const GlobalOptions& options) {
  const auto file = find_config(options);
  if (!file) return std::unexpected(file.error());
  const auto content = read_file(*file, Exposure::anybody);
  if (!content) return std::unexpected(Failure::configuration(content.error().what, content.error().check));
  return parse_config(as_text(content->expose()), *file);
}

}  // namespace aceward::app
