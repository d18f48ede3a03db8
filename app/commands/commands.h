// The subcommands: what the command line asked for, as plain values, and a function each that does it and returns the
// exit status (exit_code.h).
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "aceward/coap/message/code.h"
#include "app/console.h"

namespace aceward::app {

struct InitOptions {
  std::filesystem::path directory;
  std::uint16_t as_port = 5684;
  std::uint16_t rs_port = 5694;
  std::uint16_t rs_plain_port = 5693;
  bool yes = false;
  bool dry_run = false;
};
int run_init(const InitOptions& options, const Console& console);

struct ServeOptions {
  std::vector<std::string> roles;
};
int run_serve(const ServeOptions& options, const Console& console);

struct ConfigCheckOptions {};
int run_config_check(const ConfigCheckOptions& options, const Console& console);

struct RequestOptions {
  coap::Code method = coap::code::get;
  std::string uri;
  std::optional<std::string> data;
  std::string content_format;
  std::string accept;
  std::filesystem::path output;
  std::string scope;
  std::vector<std::string> if_match;  ///< entity-tags in hexadecimal, or `*`
  std::vector<std::string> etags;
  unsigned block_size = 0;  ///< 0: as large as possible
  double timeout = 90;
  bool if_none_match = false;
  bool include = false;
  bool non = false;
  bool no_extend = false;
};
int run_request(const RequestOptions& options, const Console& console);

struct ObserveOptions {
  RequestOptions request;   ///< a GET
  std::uint64_t count = 0;  ///< notifications; 0: without end
  double duration = 0;      ///< seconds; 0: without end
};
int run_observe(const ObserveOptions& options, const Console& console);

struct DiscoverOptions {
  std::string uri;
  std::string resource_type;
  std::string interface;
  std::string href;
  std::string query;  ///< as it stands: `rt=x&if=y`
  std::string scope;
  double timeout = 90;
};
int run_discover(const DiscoverOptions& options, const Console& console);

struct PingOptions {
  std::string uri;
  std::string scope;
  std::size_t count = 4;  ///< 0: without end
  double interval = 1;    ///< seconds
  double timeout = 2;     ///< seconds, for each
};
int run_ping(const PingOptions& options, const Console& console);

struct CountersOptions {
  bool all = false;  ///< those that are 0 too
};
int run_counters(const CountersOptions& options, const Console& console);

/// `verb` is add, show, list, set, remove, or test. What is absent was not given: `set` leaves it as it is. An empty
/// text takes away.
struct RecordOptions {
  using Text = std::optional<std::string>;

  std::string verb;
  std::string name;
  bool yes = false;
  bool dry_run = false;
  // client, rs
  Text key;  ///< FILE
  Text psk_identity;
  Text psk;  ///< `file:PATH` or `generated`
  std::filesystem::path psk_out;
  Text certificate_name;
  Text secret;  ///< `file:PATH` or `generated`
  std::filesystem::path secret_out;
  // client
  Text groups;  ///< with commas between them, as the other lists
  // rs
  Text audience;
  Text group_audiences;
  Text token_key;  ///< `file:PATH`, `generated` or `rotate`
  Text token_key_id;
  std::filesystem::path token_key_out;
  Text derivation_key;  ///< `file:PATH` or `generated`
  std::filesystem::path derivation_key_out;
  Text protection;
  Text scope_format;
  Text profiles;
  Text pop;
  std::optional<bool> exi;
  std::optional<bool> group_keys;
  std::optional<bool> ask_owner;
  Text refresh_lifetime;
  Text owner;
  // rs, policy
  Text lifetime;
  // policy
  Text client;
  Text group;
  Text rs;
  Text scope;
  Text aif;
  Text hours;
  Text until;
  Text at;  ///< test
};
int run_client(const RecordOptions& options, const Console& console);
int run_rs(const RecordOptions& options, const Console& console);
int run_policy(const RecordOptions& options, const Console& console);

/// `verb` is list, show, approve or deny. The rest is for the rule that approving makes.
struct AccessRequestOptions {
  std::string verb;
  std::int64_t number = 0;
  RecordOptions rule;
  std::string how_long;  ///< deny
  std::int64_t limit = 100;
  std::int64_t after = 0;
};
int run_access_request(const AccessRequestOptions& options, const Console& console);

/// `verb` is status, migrate, backup or restore.
struct DatabaseOptions {
  std::string verb;
  std::filesystem::path file;  ///< the backup
  bool replace_unreadable = false;
  bool keep_tokens = false;
  bool yes = false;
};
int run_database(const DatabaseOptions& options, const Console& console);

/// `verb` is get, list, show, remove or revoke.
struct TokenOptions {
  std::string verb;
  std::string server;  ///< get: the name or URI of a [[client.server]]; remove: the name
  bool wait = false;   ///< get: ask again until the owner has decided
  bool held = false;   ///< list: those that this client keeps
  bool all = false;    ///< remove
  std::string scope;
  std::filesystem::path output;
  double timeout = 90;
  std::optional<std::int64_t> number;
  std::string client;
  std::string rs;
  std::string audience;
  bool live = false;
  std::int64_t limit = 100;
  std::int64_t after = 0;
  bool yes = false;
};
int run_token(const TokenOptions& options, const Console& console);

struct KeygenOptions {
  bool ed25519 = false;
  std::size_t symmetric = 0;  ///< octets; 0: a key pair
  std::filesystem::path output;
  std::filesystem::path public_output;
  bool yes = false;
};
int run_keygen(const KeygenOptions& options, const Console& console);

struct DecodeOptions {
  std::string input;
  std::string kind;  ///< empty: found out
  std::vector<std::filesystem::path> keys;
};
int run_decode(const DecodeOptions& options, const Console& console);

/// Reads all of standard input or of a file, at most 1 MiB; `name` is `-` or a path.
Outcome<std::string> read_input(const std::string& name);

}  // namespace aceward::app
