// The grammar of the command line, as CLI11 describes it. Its nouns and verbs are in command_line_*.cc. Includes CLI11,
// so that only those may include it.
#pragma once

#include <CLI/CLI.hpp>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/commands/commands.h"
#include "app/commands/loadgen.h"

namespace aceward::app {

class Grammar {
 public:
  Grammar();

  /// Parses, runs the subcommand, and returns the exit status.
  int run(int argc, const char* const* argv);

 private:
  static constexpr const char* trace_file_option = "--trace-file";

  static std::vector<std::string> arguments_of(int argc, const char* const* argv);
  Failure usage_failure(const CLI::ParseError& error) const;
  int refuse(const Failure& failure, int argc, const char* const* argv);
  std::optional<Failure> unknown_command(int argc, const char* const* argv) const;

  CLI::App* add(CLI::App& parent, const std::string& name, const std::string& what, const std::string& example);
  /// `options` is filled in by the time that the action runs.
  template <class Options>
  void on(CLI::App* command, int (*action)(const Options&, const Console&), const Options& options) {
    command->callback([this, action, &options] {
      action_ = [action, &options](const Console& console) { return action(options, console); };
    });
  }

  static void add_dry_run(CLI::App* command, bool& flag) {
    command->add_flag("--dry-run", flag, "Say what would happen, and change nothing");
  }

  // command_line_operation.cc
  void add_init();
  void add_serve();
  void add_config();
  void add_database();
  void add_counters();
  void add_decode();
  void add_keygen();
  void add_loadgen();

  // command_line_client.cc
  static bool has_payload(coap::Code method);
  void add_request(const std::string& name, coap::Code method, const std::string& what, const std::string& example);
  /// What observe has too.
  static void add_request_options(CLI::App* command, RequestOptions& request);
  void add_observe();
  void add_discover();
  void add_ping();
  void add_token_get(CLI::App* noun);

  // command_line_records.cc
  RecordOptions& add_verb(CLI::App* noun, const std::string& verb, const std::string& what, const std::string& example,
                          CLI::App*& command, int (*action)(const RecordOptions&, const Console&));
  CLI::App* add_noun(const std::string& noun, const std::string& what, const std::string& example,
                     int (*action)(const RecordOptions&, const Console&));
  static void add_credential_options(CLI::App* command, RecordOptions& options);
  static void add_client_options(CLI::App* command, RecordOptions& options);
  static void add_rs_options(CLI::App* command, RecordOptions& options, bool rotates);
  static void add_rule_options(CLI::App* command, RecordOptions& options);
  void add_client();
  void add_rs();
  void add_policy();
  void add_access_request();
  void add_token();
  std::pair<CLI::App*, TokenOptions*> add_token_verb(CLI::App* noun, const std::string& verb, const std::string& what,
                                                     const std::string& example);

  std::map<const CLI::App*, std::string> examples_;
  CLI::App app_;
  GlobalOptions global_;
  std::string config_;
  std::string trace_file_;
  std::string keylog_;
  std::function<int(const Console&)> action_;
  InitOptions init_;
  ServeOptions serve_;
  ConfigCheckOptions config_check_;
  ObserveOptions observe_;
  DiscoverOptions discover_;
  PingOptions ping_;
  CountersOptions counters_;
  DecodeOptions decode_;
  KeygenOptions keygen_;
  LoadgenOptions loadgen_;
  // Deques: the parser holds references.
  std::deque<RequestOptions> requests_;
  std::deque<RecordOptions> records_;
  std::deque<AccessRequestOptions> access_requests_;
  std::deque<DatabaseOptions> databases_;
  std::deque<TokenOptions> tokens_;
};

}  // namespace aceward::app
