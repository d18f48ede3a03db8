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

struct AsIntrospectionSection {
  std::string path;
  std::chrono::seconds cache{};
  bool clients_may_ask = true;
  std::uint64_t per_second = 0;
  std::uint64_t at_once = 0;
  friend bool operator==(const AsIntrospectionSection&, const AsIntrospectionSection&) = default;
};

struct AsRevocationSection {
  std::string path;
  std::vector<std::string> administrators;
  std::uint64_t updates_kept = 0;
  std::uint64_t updates_in_answer = 0;
  friend bool operator==(const AsRevocationSection&, const AsRevocationSection&) = default;
};

struct AsRequestsSection {
  std::uint64_t per_client = 0;
  std::uint64_t live_tokens_per_client = 0;
  std::uint64_t wrong_secrets_per_peer = 0;
  std::uint64_t wrong_secrets_per_client = 0;
  std::chrono::seconds come_back{};
  std::chrono::seconds kept{};
  std::uint64_t waiting = 0;
  std::uint64_t waiting_per_client = 0;
  friend bool operator==(const AsRequestsSection&, const AsRequestsSection&) = default;
};

struct AsSection {
  std::vector<Address> listen;
  std::string issuer;
  std::string token_path;
  KeyReference channel_key;
  KeyReference signing_key;
  std::vector<KeyReference> previous_signing_keys;
  std::chrono::seconds maximum_lifetime{};
  std::chrono::seconds arrival_allowance{};
  std::optional<std::filesystem::path> channel_certificate;
  std::optional<std::filesystem::path> client_authorities;
  AsIntrospectionSection introspection;
  AsRevocationSection revocation;
  AsRequestsSection requests;
};

struct IssuerSection {
  std::string iss;
  std::vector<KeyReference> keys;
  std::optional<KeyReference> token_key;
  Bytes token_key_id;
  std::optional<KeyReference> previous_token_key;
  Bytes previous_token_key_id;
  std::vector<KeyReference> derivation_keys;
};

struct RsAsSection {
  std::string issuer;
  std::string uri;
  std::optional<KeyReference> key;
  std::string psk_identity;
  std::optional<KeyReference> psk;
  std::string introspect;
  std::string introspection_path;
  std::chrono::seconds cache{};
  bool follows_revocations = true;
  std::string revocation_path;
};

struct GrantSection {
  std::string name;
  std::optional<KeyReference> key;
  std::string psk_identity;
  std::optional<KeyReference> psk;
  std::string scope;
  Place place;
};

struct ResourceSection {
  std::string path;
  std::string content;
  std::string content_format;
  std::vector<std::string> methods;
  bool is_public = false;
  Place place;

  /// Wherever they stand.
  friend bool operator==(const ResourceSection& a, const ResourceSection& b) {
    return a.path == b.path && a.content == b.content && a.content_format == b.content_format &&
           a.methods == b.methods && a.is_public == b.is_public;
  }
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
  bool clock_is_synchronized = true;
  std::optional<std::filesystem::path> sequences;
  std::optional<std::chrono::seconds> cnonce_lifetime;
  std::size_t anonymous_sessions = 0;
  std::chrono::seconds unused_tokens{};
  std::vector<IssuerSection> issuers;
  std::optional<RsAsSection> as;
  std::vector<GrantSection> grants;
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
  // Instead of key and psk, or in addition:
  std::optional<KeyReference> certificate = std::nullopt;      ///< the client's chain
  std::optional<KeyReference> certificate_key = std::nullopt;  ///< absent: [client] key
  std::optional<KeyReference> authorities = std::nullopt;      ///< who vouch for the server
  std::string server_name = {};                                ///< in its certificate
  std::string client_id = {};
  std::optional<KeyReference> client_secret = std::nullopt;
  std::optional<std::chrono::seconds> token_lifetime = std::nullopt;
  bool ask_profile = false;
  bool follows_revocations = false;
  std::string revocation_path = {};
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
  std::optional<KeyReference> key = std::nullopt;        ///< the server's public key
  std::optional<std::string> authz_info = std::nullopt;  ///< absent: found out
};

struct ClientSection {
  std::optional<KeyReference> key;
  std::string token_cache;  ///< `none`, a folder, or empty: the state folder of the user
  std::chrono::seconds renew_before{60};
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

struct AuditSection {
  std::optional<std::filesystem::path> path;  ///< absent: no audit log
  std::uint64_t strangers_per_second = 0;
};

struct MetricsSection {
  std::optional<Address> listen;  ///< absent: none
};

/// Who else than the superuser and the server's own user may open the local socket.
struct AdminSection {
  std::optional<std::string> group;
  bool open_to_anybody = false;
};

struct LimitsSection {
  std::chrono::seconds drain_timeout{};
  std::size_t sessions = 0;
  std::size_t half_open = 0;
  std::size_t tokens = 0;
  std::chrono::seconds handshake_timeout{};
  std::chrono::seconds idle_timeout{};
  coap::Limits messages;
  coap::BlockwiseLimits blockwise;
  coap::ObservationLimits observe;
  std::string written;  ///< what of it cannot change while roles run, as text to compare
};

struct CoapSection {
  coap::Parameters parameters;
  coap::BlockwiseParameters blockwise;
  std::string written;  ///< as in LimitsSection
};

struct Config {
  std::filesystem::path file;
  std::optional<AsSection> as;
  std::optional<RsSection> rs;
  std::optional<ClientSection> client;
  StoreSection store;
  LogLevel log = LogLevel::refusals;
  AuditSection audit;
  MetricsSection metrics;
  AdminSection admin;
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
