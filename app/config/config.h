// The configuration file as values. Key files are not opened here: see role_settings.h.
#pragma once

#include <chrono>
#include <expected>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aceward/ace/params/aif.h"
#include "aceward/base/address.h"
#include "aceward/base/bytes.h"
#include "aceward/coap/blockwise/limits.h"
#include "aceward/coap/observe/observations.h"
#include "aceward/coap/reliability/parameters.h"
#include "app/console.h"

namespace aceward::app {

/// Where something stands in the file; both count from 1, 0 is unknown.
struct Place {
  int line = 0;
  int column = 0;
};

/// `file:keys/as.pem` (relative to the configuration's folder) or `credential:as-key` (in $CREDENTIALS_DIRECTORY).
struct KeyReference {
  std::filesystem::path path;
  bool is_credential = false;
  std::string text;  ///< as written
  std::string key;   ///< whose value it is: `[as] channel_key`
  Place place;
};

struct AsSection {
  std::vector<Address> listen;
  std::string issuer;
  std::string token_path;
  KeyReference channel_key;
  KeyReference signing_key;
  std::chrono::seconds maximum_lifetime{};
};

struct IssuerSection {
  std::string iss;
  std::optional<KeyReference> key;
  std::optional<KeyReference> token_key;
  Bytes token_key_id;
};

struct ResourceSection {
  std::string path;
  std::string content;
  std::string content_format;
  std::vector<std::string> methods;
  bool is_public = false;
  Place place;
};

struct RsSection {
  std::vector<Address> listen;
  std::vector<Address> listen_plain;
  std::vector<Address> trusted_plain;  ///< all of them in listen_plain
  std::filesystem::path socket;
  std::vector<std::string> audiences;
  std::optional<std::string> as_uri;
  std::string hint_scope;
  std::string authz_info_path;
  std::vector<std::string> hosts;
  KeyReference channel_key;
  std::size_t content_limit = 0;
  std::vector<IssuerSection> issuers;
  std::vector<ResourceSection> resources;
  std::map<std::string, ace::Aif> scopes;
};

struct ClientAsSection {
  std::string name;
  std::string uri;
  std::optional<Address> address;
  std::optional<KeyReference> key;
  std::string psk_identity;
  std::optional<KeyReference> psk;
};

struct ClientServerSection {
  std::string name;
  std::string uri;
  std::optional<std::string> plain;
  std::string audience;
  std::size_t as = 0;  ///< index into ClientSection::authorization_servers
  bool with_psk = false;
  bool token_in_psk_identity = false;
  std::optional<std::string> scope;
};

struct ClientSection {
  std::optional<KeyReference> key;
  std::vector<ClientAsSection> authorization_servers;
  std::vector<ClientServerSection> servers;
};

struct StoreSection {
  std::filesystem::path path;
  std::filesystem::path socket;
  bool is_relaxed = false;
  std::chrono::seconds token_retention{};
};

enum class LogLevel : std::uint8_t { none, refusals, all };

struct LimitsSection {
  std::size_t sessions = 0;
  std::size_t half_open = 0;
  std::size_t tokens = 0;
  std::chrono::seconds handshake_timeout{};
  std::chrono::seconds idle_timeout{};
  coap::Limits messages;
  coap::BlockwiseLimits blockwise;
  coap::ObservationLimits observe;
};

struct CoapSection {
  coap::Parameters parameters;
  coap::BlockwiseParameters blockwise;
};

struct Config {
  std::filesystem::path file;
  std::optional<AsSection> as;
  std::optional<RsSection> rs;
  std::optional<ClientSection> client;
  StoreSection store;
  LogLevel log = LogLevel::refusals;
  LimitsSection limits;
  CoapSection coap;
};

/// `aceward.toml:12:3: [as] listen: …`, and what would do.
Failure config_failure(const std::filesystem::path& file, Place place, std::string_view what, std::string_view check);

/// `text` is the content of `file`. The first fault that is met is reported, with file, line, column, what was found
/// and what would do.
Outcome<Config> parse_config(std::string_view text, const std::filesystem::path& file);

/// The file that -c names, or the first there is of ./aceward.toml, $XDG_CONFIG_HOME/aceward/aceward.toml (by default
/// ~/.config/aceward/aceward.toml) and /etc/aceward/aceward.toml.
Outcome<std::filesystem::path> find_config(const GlobalOptions& options);
/// find_config, then parse_config.
Outcome<Config> load_config(const GlobalOptions& options);

/// A duration: a number with one of s, m, h, d. Empty for any other text, and beyond 100 years.
std::optional<std::chrono::seconds> parse_duration(std::string_view text);

}  // namespace aceward::app
