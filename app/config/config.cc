#include "app/config/config.h"

#include <algorithm>
#include <cstdlib>

#include "aceward/ace/params/aif.h"
#include "app/config/document.h"
#include "app/config/limits.h"
#include "app/key_files.h"

namespace aceward::app {

namespace {

using Texts = std::vector<std::string>;

class ConfigBuilder {
 public:
  ConfigBuilder(const ConfigDocument& document, const std::filesystem::path& file) : document_(document) {
    config_.file = file;
  }

  Outcome<Config> build() {
    if (const ConfigBlock* block = single("as")) read_as(*block);
    if (const ConfigBlock* block = single("rs")) {
      if (auto read = read_rs(*block); !read) return std::unexpected(read.error());
    }
    if (const ConfigBlock* block = single("client")) {
      if (auto read = read_client(*block); !read) return std::unexpected(read.error());
    }
    read_rest();
    const auto section_of = [this](std::string_view section) { return with_defaults(section); };
    auto coap = read_coap(section_of, config_.file);
    if (!coap) return std::unexpected(coap.error());
    config_.coap = *coap;
    auto limits = read_limits(section_of, config_.file);
    if (!limits) return std::unexpected(limits.error());
    config_.limits = *limits;
    return std::move(config_);
  }

 private:
  std::unexpected<Failure> fault(Place place, const std::string& what, const std::string& check) const {
    return std::unexpected(config_failure(config_.file, place, what, check));
  }

  const std::vector<ConfigBlock>& all(std::string_view section) const {
    static const std::vector<ConfigBlock> none;
    const auto found = document_.blocks.find(section);
    return found == document_.blocks.end() ? none : found->second;
  }
  const ConfigBlock* single(std::string_view section) const {
    return all(section).empty() ? nullptr : &all(section).front();
  }

  template <class T>
  static std::optional<T> optional(const ConfigBlock& block, const std::string& name) {
    const T* value = block.find<T>(name);
    return value == nullptr ? std::nullopt : std::optional<T>(*value);
  }

  void read_as(const ConfigBlock& block) {
    AsSection as;
    as.listen = block.get<std::vector<Address>>("listen");
    as.issuer = block.get<std::string>("issuer");
    as.token_path = block.get<std::string>("token_path");
    as.channel_key = block.get<KeyReference>("channel_key");
    as.signing_key = block.get<KeyReference>("signing_key");
    as.maximum_lifetime = block.get<std::chrono::seconds>("maximum_lifetime");
    config_.as = std::move(as);
  }

  Outcome<> read_rs(const ConfigBlock& block) {
    RsSection rs;
    rs.listen = block.get<std::vector<Address>>("listen");
    rs.listen_plain = optional<std::vector<Address>>(block, "listen_plain").value_or(std::vector<Address>());
    rs.trusted_plain = optional<std::vector<Address>>(block, "trusted_plain").value_or(std::vector<Address>());
    for (const Address& address : rs.trusted_plain) {
      if (std::ranges::find(rs.listen_plain, address) == rs.listen_plain.end()) {
        return fault(block.values.at("trusted_plain").place, "[rs] trusted_plain names " + address.to_string(),
                     "name addresses that listen_plain has");
      }
    }
    rs.socket = block.get<std::filesystem::path>("socket");
    rs.audiences = block.get<Texts>("audience");
    rs.as_uri = optional<std::string>(block, "as_uri");
    rs.hint_scope = block.get<std::string>("hint_scope");
    rs.authz_info_path = block.get<std::string>("authz_info_path");
    rs.hosts = optional<Texts>(block, "hosts").value_or(Texts());
    rs.channel_key = block.get<KeyReference>("channel_key");
    rs.content_limit = block.get<std::uint64_t>("content_limit");
    for (const ConfigBlock& issuer : all("rs.issuer")) {
      IssuerSection read{issuer.get<std::string>("iss"), optional<KeyReference>(issuer, "key"),
                         optional<KeyReference>(issuer, "token_key"),
                         optional<Bytes>(issuer, "token_key_id").value_or(Bytes())};
      if (!read.key && !read.token_key) {
        return fault(issuer.place, "[[rs.issuer]] has neither key nor token_key",
                     "name its public key, or the key that is shared with it");
      }
      rs.issuers.push_back(std::move(read));
    }
    if (rs.issuers.empty()) {
      return fault(block.place, "[rs] trusts nobody's tokens", "add an [[rs.issuer]] with iss and key");
    }
    for (const ConfigBlock& resource : all("rs.resource")) {
      if (auto read = read_resource(resource, rs); !read) return read;
    }
    for (const ConfigBlock& scopes : all("rs.scope")) {
      for (const auto& [name, value] : scopes.values) {
        auto allowed = methods_on_paths(std::get<Texts>(value.value), "[rs.scope] " + name, value.place);
        if (!allowed) return std::unexpected(allowed.error());
        rs.scopes.emplace(name, std::move(*allowed));
      }
    }
    config_.rs = std::move(rs);
    return {};
  }

  Outcome<> read_resource(const ConfigBlock& block, RsSection& rs) {
    ResourceSection resource;
    resource.path = block.get<std::string>("path");
    resource.content = optional<std::string>(block, "content").value_or("");
    resource.content_format = block.get<std::string>("content_format");
    resource.methods = block.get<Texts>("methods");
    resource.is_public = block.get<bool>("public");
    resource.place = block.place;
    if (!resource.path.starts_with('/')) {
      return fault(block.values.at("path").place, "[rs.resource] path is \"" + resource.path + "\"",
                   "write it from the root: \"/" + resource.path + "\"");
    }
    if (std::ranges::find(rs.resources, resource.path, &ResourceSection::path) != rs.resources.end()) {
      return fault(block.place, "there are two resources " + resource.path, "give each one a path of its own");
    }
    for (const std::string& method : resource.methods) {
      if (method != "GET" && method != "PUT" && method != "POST" && method != "DELETE") {
        return fault(block.values.at("methods").place, "[rs.resource] methods names \"" + method + "\"",
                     "choose of GET, PUT, POST, DELETE");
      }
    }
    rs.resources.push_back(std::move(resource));
    return {};
  }

  /// `["GET /temp", "PUT /led"]`.
  Outcome<ace::Aif> methods_on_paths(const Texts& entries, const std::string& whose, Place place) const {
    ace::Aif aif;
    for (const std::string& entry : entries) {
      const std::size_t space = entry.find(' ');
      ace::MethodSet methods;
      for (unsigned method = 1; space != std::string::npos && method <= 7; ++method) {
        if (ace::method_name(method) == std::string_view(entry).substr(0, space)) methods.add(method);
      }
      if (methods.empty() || !aif.add(std::string_view(entry).substr(space + 1), methods)) {
        return fault(place, whose + " holds \"" + entry + "\"",
                     "write a method and a path from the root: \"GET /temp\"");
      }
    }
    return aif;
  }

  Outcome<> read_client(const ConfigBlock& block) {
    ClientSection client;
    client.key = optional<KeyReference>(block, "key");
    for (const ConfigBlock& as : all("client.as")) {
      ClientAsSection read{as.get<std::string>("name"),
                           as.get<std::string>("uri"),
                           optional<Address>(as, "address"),
                           optional<KeyReference>(as, "key"),
                           optional<std::string>(as, "psk_identity").value_or(""),
                           optional<KeyReference>(as, "psk")};
      const bool has_psk = read.psk.has_value() && !read.psk_identity.empty();
      if (has_psk == read.key.has_value() || read.psk.has_value() != !read.psk_identity.empty()) {
        return fault(as.place, "[[client.as]] \"" + read.name + "\" needs exactly one way to authenticate",
                     "give key, or psk_identity with psk");
      }
      if (read.key && !client.key) {
        return fault(as.place, "[[client.as]] \"" + read.name + "\" is met with a raw key, but [client] has none",
                     "add [client] key, or use psk_identity and psk");
      }
      if (std::ranges::find(client.authorization_servers, read.name, &ClientAsSection::name) !=
          client.authorization_servers.end()) {
        return fault(as.place, "there are two [[client.as]] \"" + read.name + "\"", "give each one a name of its own");
      }
      client.authorization_servers.push_back(std::move(read));
    }
    config_.client = std::move(client);
    for (const ConfigBlock& server : all("client.server")) {
      if (auto read = read_client_server(server); !read) return read;
    }
    return {};
  }

  Outcome<> read_client_server(const ConfigBlock& block) {
    ClientSection& client = *config_.client;
    ClientServerSection server;
    server.name = block.get<std::string>("name");
    server.uri = block.get<std::string>("uri");
    server.plain = optional<std::string>(block, "plain");
    server.audience = block.get<std::string>("audience");
    server.with_psk = block.get<std::string>("pop") == "psk";
    server.token_in_psk_identity = block.get<std::string>("token") == "psk-identity";
    server.scope = optional<std::string>(block, "scope");
    const std::string whose = "[[client.server]] \"" + server.name + "\"";
    if (!server.uri.starts_with("coaps:")) {
      return fault(block.values.at("uri").place, whose + " has a uri without DTLS",
                   "write coaps:// in uri, and the coap:// one in plain");
    }
    if (server.plain && !server.plain->starts_with("coap:")) {
      return fault(block.values.at("plain").place, whose + " has a plain uri with DTLS", "write coap:// in plain");
    }
    if (server.token_in_psk_identity && !server.with_psk) {
      return fault(block.place, whose + " sends its token in the psk identity, but has no psk", "add pop = \"psk\"");
    }
    if (!server.with_psk && !client.key) {
      return fault(block.place, whose + " is met with a raw key, but [client] has none",
                   "add [client] key, or pop = \"psk\"");
    }
    if (std::ranges::find(client.servers, server.name, &ClientServerSection::name) != client.servers.end()) {
      return fault(block.place, "there are two " + whose, "give each one a name of its own");
    }
    const auto& known = client.authorization_servers;
    const auto name = optional<std::string>(block, "as");
    if (!name && known.size() != 1) {
      return fault(block.place, whose + " does not say which authorization server it belongs to",
                   known.empty() ? "add a [[client.as]]" : "add as = \"" + known.front().name + "\" or another");
    }
    if (name) {
      const auto found = std::ranges::find(known, *name, &ClientAsSection::name);
      if (found == known.end()) {
        std::vector<std::string_view> names;
        for (const ClientAsSection& as : known) names.push_back(as.name);
        const auto nearest = nearest_of(*name, names);
        return fault(
            block.values.at("as").place, whose + " names the unknown authorization server \"" + *name + "\"",
            nearest.empty() ? "add a [[client.as]] with that name" : "did you mean \"" + std::string(nearest) + "\"?");
      }
      server.as = static_cast<std::size_t>(found - known.begin());
    }
    client.servers.push_back(std::move(server));
    return {};
  }

  /// These have a default in every key, so a file without the section reads like one with an empty section.
  ConfigBlock with_defaults(std::string_view section) const {
    if (const ConfigBlock* block = single(section)) return *block;
    ConfigBlock block{section, {}, {}};
    for (const ConfigKey& key : config_keys()) {
      if (key.section != section || key.fallback.empty()) continue;
      if (auto value = value_from_text(key, key.fallback, config_.file.parent_path())) {
        block.values.emplace(key.name, std::move(*value));
      }
    }
    return block;
  }

  void read_rest() {
    const ConfigBlock store = with_defaults("store");
    config_.store.path = store.get<std::filesystem::path>("path");
    config_.store.socket = store.get<std::filesystem::path>("socket");
    config_.store.is_relaxed = store.get<std::string>("durability") == "relaxed";
    config_.store.token_retention = store.get<std::chrono::seconds>("token_retention");
    const ConfigBlock log = with_defaults("log");
    const auto& level = log.get<std::string>("level");
    config_.log = level == "none" ? LogLevel::none : level == "all" ? LogLevel::all : LogLevel::refusals;
  }

  const ConfigDocument& document_;
  Config config_;
};

}  // namespace

Failure config_failure(const std::filesystem::path& file, Place place, std::string_view what, std::string_view check) {
  std::string text = file.string();
  if (place.line > 0) text += ":" + std::to_string(place.line) + ":" + std::to_string(place.column);
  return Failure::configuration(text + ": " + std::string(what), std::string(check));
}

Outcome<Config> parse_config(std::string_view text, const std::filesystem::path& file) {
  auto document = read_document(text, file);
  if (!document) return std::unexpected(document.error());
  return ConfigBuilder(*document, file).build();
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
