#include "app/command_line.h"

#include <algorithm>

#include "app/config/schema.h"
#include "app/grammar.h"

namespace aceward::app {

namespace {

/// Help that starts with an example, as every help of the program does.
class ExampleFirst final : public CLI::Formatter {
 public:
  explicit ExampleFirst(std::map<const CLI::App*, std::string>& examples) : examples_(examples) {}

  std::string make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const override {
    const auto found = examples_.find(app);
    const std::string usual = CLI::Formatter::make_help(app, std::move(name), mode);
    return found == examples_.end() ? usual : "Example:\n  " + found->second + "\n\n" + usual;
  }

 private:
  std::map<const CLI::App*, std::string>& examples_;
};

}  // namespace

Grammar::Grammar() : app_("Authorization for constrained devices: ACE, CoAP, DTLS, COSE.", "aceward") {
  app_.formatter(std::make_shared<ExampleFirst>(examples_));
  app_.set_version_flag("--version", "aceward " ACEWARD_VERSION);
  app_.add_option("-c,--config", config_,
                  "The configuration file (default: ./aceward.toml, then "
                  "$XDG_CONFIG_HOME/aceward/aceward.toml, then /etc/aceward/aceward.toml)")
      ->type_name("FILE");
  app_.add_flag("--json", global_.json, "Results as JSON on standard output");
  app_.add_flag("-q,--quiet", global_.quiet, "Say nothing but results and failures");
  app_.add_flag("-v,--verbose", global_.verbose, "Say more");
  app_.add_flag("--trace", global_.trace,
                "Show every message, decrypted, on standard error; followed by FILE.pcapng: write all datagrams, as "
                "on the wire, to that file for Wireshark");
  app_.add_option(trace_file_option, trace_file_)->group("");
  app_.add_option("--keylog", keylog_,
                  "Add the keys of DTLS sessions to FILE (NSS key log), and to the file of --trace: whoever has them "
                  "can decrypt the sessions")
      ->type_name("FILE");
  app_.require_subcommand(1);
  app_.fallthrough();
  examples_[&app_] = "aceward init demo && aceward -c demo/aceward.toml serve as rs";
  add_init();
  add_serve();
  add_config();
  add_database();
  add_request("get", coap::code::get, "Reads a resource, and gets permission on the way.",
              "aceward get 'coap://[::1]:5693/temp'");
  add_request("put", coap::code::put, "Replaces a resource.", "aceward put -d on 'coap://[::1]:5693/led'");
  add_request("post", coap::code::post, "Posts to a resource.",
              "aceward post --content-format cbor -d '{\"on\": true}' coap://rs.example/led");
  add_request("delete", coap::code::delete_, "Deletes a resource.", "aceward delete coap://rs.example/led");
  add_request("fetch", coap::code::fetch, "Reads the part of a resource that the payload asks for.",
              "aceward fetch --content-format cbor -d '[\"temp\"]' coap://rs.example/s");
  add_request("patch", coap::code::patch, "Changes a part of a resource.",
              "aceward patch --content-format json-patch+json -d @change.json coap://rs.example/s");
  add_request("ipatch", coap::code::ipatch, "Changes a part of a resource; doing it twice is doing it once.",
              "aceward ipatch --content-format merge-patch+json -d '{\"on\":true}' coap://rs.example/s");
  add_observe();
  add_discover();
  add_ping();
  add_client();
  add_rs();
  add_policy();
  add_access_request();
  add_token();
  add_counters();
  add_decode();
  add_keygen();
  add_loadgen();
}

int Grammar::run(int argc, const char* const* argv) {
  try {
    app_.parse(arguments_of(argc, argv));
  } catch (const CLI::RequiredError& error) {
    // Without a subcommand: CLI11 says no more than that one is needed, whatever word stands in its place.
    return refuse(unknown_command(argc, argv).value_or(usage_failure(error)), argc, argv);
  } catch (const CLI::ExtrasError& error) {
    return refuse(unknown_command(argc, argv).value_or(usage_failure(error)), argc, argv);
  } catch (const CLI::ParseError& error) {
    // CLI11 reports help and version this way too.
    if (error.get_exit_code() == 0) return app_.exit(error);
    return refuse(usage_failure(error), argc, argv);
  }
  if (!config_.empty()) global_.config = config_;
  if (!keylog_.empty()) global_.keylog = keylog_;
  if (!trace_file_.empty()) {
    if (!trace_file_.ends_with(".pcapng")) {
      return Console(global_).fail(Failure::usage("--trace writes files for Wireshark alone, not " + trace_file_,
                                                  "let the name end in .pcapng"));
    }
    global_.pcapng = trace_file_;
  }
  return action_(Console(global_));
}

/// The arguments as CLI11 takes a vector of them, the last one first. `--trace` is a flag that may be followed by a
/// file, which is told by its name: whatever else follows is not its own.
std::vector<std::string> Grammar::arguments_of(int argc, const char* const* argv) {
  std::vector<std::string> arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--trace" && i + 1 < argc && std::string_view(argv[i + 1]).ends_with(".pcapng")) {
      arguments.push_back(trace_file_option + ("=" + std::string(argv[++i])));
    } else if (argument.starts_with("--trace=")) {
      arguments.push_back(trace_file_option + argument.substr(7));
    } else {
      arguments.push_back(argument);
    }
  }
  std::ranges::reverse(arguments);
  return arguments;
}

Failure Grammar::usage_failure(const CLI::ParseError& error) const {
  std::string command = "aceward";
  const CLI::App* at = &app_;
  while (!at->get_subcommands().empty()) {
    at = at->get_subcommands().front();
    command += " " + at->get_name();
  }
  return Failure::usage(error.what(), "see " + command + " --help");
}

/// Parsing may have ended before it came to --json.
int Grammar::refuse(const Failure& failure, int argc, const char* const* argv) {
  for (int i = 1; i < argc; ++i) global_.json = global_.json || std::string_view(argv[i]) == "--json";
  return Console(global_).fail(failure);
}

/// The first word that stands where a command belongs and is none, and the nearest that is.
std::optional<Failure> Grammar::unknown_command(int argc, const char* const* argv) const {
  const CLI::App* parent = &app_;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word.starts_with('-')) {
      const CLI::Option* option = app_.get_option_no_throw(std::string(word));
      if (option != nullptr && option->get_items_expected_max() > 0) ++i;
      continue;
    }
    std::vector<std::string_view> known;
    const CLI::App* next = nullptr;
    for (const CLI::App* command : parent->get_subcommands([](const CLI::App*) { return true; })) {
      known.push_back(command->get_name());
      if (command->get_name() == word) next = command;
    }
    if (known.empty()) return std::nullopt;  // a command that takes arguments of its own
    if (next == nullptr) {
      const std::string_view nearest = nearest_of(word, known);
      const std::string whose = parent == &app_ ? "" : " of " + parent->get_name();
      return Failure::usage("there is no command \"" + std::string(word) + "\"" + whose,
                            nearest.empty() ? "see aceward --help" : "did you mean \"" + std::string(nearest) + "\"?");
    }
    parent = next;
  }
  return std::nullopt;
}

CLI::App* Grammar::add(CLI::App& parent, const std::string& name, const std::string& what, const std::string& example) {
  CLI::App* command = parent.add_subcommand(name, what);
  command->fallthrough();
  examples_[command] = example;
  return command;
}

int run_command_line(int argc, const char* const* argv) { return Grammar().run(argc, argv); }

}  // namespace aceward::app
