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

/// `verb` is add, show, list or remove.
struct RecordOptions {
  std::string verb;
  std::string name;
  bool yes = false;
  bool dry_run = false;
  // client, rs
  std::filesystem::path key;
  // client
  std::string psk_identity;
  std::string psk;  ///< `file:PATH` or `generated`
  std::filesystem::path psk_out;
  // rs
  std::string audience;
  std::string token_key;  ///< `file:PATH` or `generated`
  std::string token_key_id;
  std::filesystem::path token_key_out;
  std::string protection;
  std::string scope_format;
  std::vector<std::string> pop;
  // rs, policy
  std::string lifetime;
  // policy
  std::string client;
  std::string rs;
  std::string scope;
  std::string aif;
};
int run_client(const RecordOptions& options, const Console& console);
int run_rs(const RecordOptions& options, const Console& console);
int run_policy(const RecordOptions& options, const Console& console);

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
