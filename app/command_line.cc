#include "app/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "app/commands/commands.h"
#include "app/commands/loadgen.h"
#include "app/config/schema.h"

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

class Grammar {
 public:
  Grammar() : app_("Authorization for constrained devices: ACE, CoAP, DTLS, COSE.", "aceward") {
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
    add_token();
    add_counters();
    add_decode();
    add_keygen();
    add_loadgen();
  }

  int run(int argc, const char* const* argv) {
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

 private:
  static constexpr const char* trace_file_option = "--trace-file";

  /// The arguments as CLI11 takes a vector of them, the last one first. `--trace` is a flag that may be followed by a
  /// file, which is told by its name: whatever else follows is not its own.
  static std::vector<std::string> arguments_of(int argc, const char* const* argv) {
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

  Failure usage_failure(const CLI::ParseError& error) const {
    std::string command = "aceward";
    const CLI::App* at = &app_;
    while (!at->get_subcommands().empty()) {
      at = at->get_subcommands().front();
      command += " " + at->get_name();
    }
    return Failure::usage(error.what(), "see " + command + " --help");
  }

  /// Parsing may have ended before it came to --json.
  int refuse(const Failure& failure, int argc, const char* const* argv) {
    for (int i = 1; i < argc; ++i) global_.json = global_.json || std::string_view(argv[i]) == "--json";
    return Console(global_).fail(failure);
  }

  /// The first word that stands where a command belongs and is none, and the nearest that is.
  std::optional<Failure> unknown_command(int argc, const char* const* argv) const {
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
        return Failure::usage(
            "there is no command \"" + std::string(word) + "\"" + whose,
            nearest.empty() ? "see aceward --help" : "did you mean \"" + std::string(nearest) + "\"?");
      }
      parent = next;
    }
    return std::nullopt;
  }

  CLI::App* add(CLI::App& parent, const std::string& name, const std::string& what, const std::string& example) {
    CLI::App* command = parent.add_subcommand(name, what);
    command->fallthrough();
    examples_[command] = example;
    return command;
  }

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

  void add_init() {
    CLI::App* command =
        add(app_, "init", "Writes a configuration with fresh keys that starts as it is.", "aceward init demo");
    command->add_option("DIR", init_.directory, "The folder")->required();
    command->add_option("--as-port", init_.as_port, "Where the authorization server listens")->capture_default_str();
    command->add_option("--rs-port", init_.rs_port, "Where the resource server listens")->capture_default_str();
    command->add_option("--rs-plain-port", init_.rs_plain_port, "Where it listens without DTLS")->capture_default_str();
    command->add_flag("--yes", init_.yes, "Replace what is there: keys, records and tokens are lost");
    add_dry_run(command, init_.dry_run);
    on(command, run_init, init_);
  }

  void add_serve() {
    CLI::App* command =
        add(app_, "serve", "Runs servers until SIGTERM or SIGINT. Prints a line for each address, then \"ready\".",
            "aceward -c demo/aceward.toml serve as rs");
    command->add_option("ROLE", serve_.roles, "as, rs, or both")
        ->required()
        ->check(CLI::IsMember({"as", "rs"}))
        ->type_name("ROLE");
    on(command, run_serve, serve_);
  }

  static bool has_payload(coap::Code method) { return method != coap::code::get && method != coap::code::delete_; }

  void add_request(const std::string& name, coap::Code method, const std::string& what, const std::string& example) {
    CLI::App* command = add(app_, name, what, example);
    RequestOptions& request = requests_.emplace_back();
    request.method = method;
    command->add_option("URI", request.uri, "coap:// asks what is wanted first; coaps:// goes for a token at once")
        ->required();
    if (has_payload(method)) {
      command
          ->add_option("-d,--data", request.data,
                       "The payload: TEXT (diagnostic notation for CBOR formats), @FILE, or - for standard input")
          ->type_name("TEXT|@FILE|-");
      command->add_option("--content-format", request.content_format, "What the payload is, by name or number");
    }
    if (method != coap::code::get && method != coap::code::fetch) {
      command->add_option("--if-match", request.if_match, "Only if the resource has this entity-tag, or any: *")
          ->type_name("ETAG|*")
          ->allow_extra_args(false);
      command->add_flag("--if-none-match", request.if_none_match, "Only if there is no such resource yet");
    }
    add_request_options(command, request);
    command->add_option("-o,--output", request.output, "Write the payload to FILE, as it came")->type_name("FILE");
    on(command, run_request, request);
  }

  /// What observe has too.
  static void add_request_options(CLI::App* command, RequestOptions& request) {
    command->add_option("--accept", request.accept, "The Content-Format wanted, by name or number");
    if (request.method == coap::code::get || request.method == coap::code::fetch) {
      command->add_option("--etag", request.etags, "Only if the resource has none of these entity-tags any more")
          ->type_name("ETAG")
          ->allow_extra_args(false);
    }
    command->add_option("--block-size", request.block_size, "Octets of a block, of large payloads: 16, 32, … 1024")
        ->check(CLI::Range(16, 1024));
    command->add_flag("--include", request.include, "Print code and options too");
    command->add_flag("--non", request.non, "Send non-confirmable messages");
    command->add_option("--timeout", request.timeout, "Give up after so many seconds")->capture_default_str();
    command->add_option("--scope", request.scope, "What to ask for: scope-tokens, or /path=GET,PUT for AIF");
    command->add_flag("--no-extend", request.no_extend, "After 4.03 or 4.05, do not ask for more rights");
  }

  void add_observe() {
    CLI::App* command = add(app_, "observe", "Prints a resource whenever it changes, until SIGINT.",
                            "aceward observe --count 10 coap://rs.example/temp");
    command->add_option("URI", observe_.request.uri, "What to observe")->required();
    command->add_option("-n,--count", observe_.count, "End after so many");
    command->add_option("--duration", observe_.duration, "End after so many seconds");
    add_request_options(command, observe_.request);
    on(command, run_observe, observe_);
  }

  void add_discover() {
    CLI::App* command = add(app_, "discover", "Lists what a server has, as /.well-known/core tells.",
                            "aceward discover --rt temperature coap://rs.example");
    command->add_option("URI", discover_.uri, "The server")->required();
    command->add_option("--rt", discover_.resource_type, "Only resources of this type; tem* for all that begin so");
    command->add_option("--if", discover_.interface, "Only those with this interface");
    command->add_option("--href", discover_.href, "Only those at this path");
    command->add_option("--query", discover_.query, "Any other filter, as it stands: sz=10&ct=60");
    command->add_option("--timeout", discover_.timeout, "Give up after so many seconds")->capture_default_str();
    command->add_option("--scope", discover_.scope, "What to ask for: scope-tokens, or /path=GET,PUT for AIF");
    on(command, run_discover, discover_);
  }

  void add_ping() {
    CLI::App* command = add(app_, "ping", "Asks whether a server is there, and measures the round trip.",
                            "aceward ping -n 4 coap://rs.example");
    command->add_option("URI", ping_.uri, "The server; over DTLS a session is set up first")->required();
    command->add_option("-n,--count", ping_.count, "How many; 0: until SIGINT")->capture_default_str();
    command->add_option("--interval", ping_.interval, "Seconds between two")->capture_default_str();
    command->add_option("--timeout", ping_.timeout, "Seconds to wait for each answer")->capture_default_str();
    command->add_option("--scope", ping_.scope, "What to ask for: scope-tokens, or /path=GET,PUT for AIF");
    on(command, run_ping, ping_);
  }

  RecordOptions& add_verb(CLI::App* noun, const std::string& verb, const std::string& what, const std::string& example,
                          CLI::App*& command, int (*action)(const RecordOptions&, const Console&)) {
    command = add(*noun, verb, what, example);
    RecordOptions& options = records_.emplace_back();
    options.verb = verb;
    if (verb == "show" || verb == "remove") {
      command->add_option("NAME", options.name, "Its name")->required();
    }
    if (verb == "remove") command->add_flag("--yes", options.yes, "Do not ask");
    if (verb == "add" || verb == "remove") add_dry_run(command, options.dry_run);
    on(command, action, options);
    return options;
  }

  CLI::App* add_noun(const std::string& noun, const std::string& what, const std::string& example,
                     int (*action)(const RecordOptions&, const Console&)) {
    CLI::App* command = add(app_, noun, what, example);
    command->require_subcommand(1);
    CLI::App* verb = nullptr;
    add_verb(command, "show", "Shows one.", "aceward " + noun + " show NAME", verb, action);
    add_verb(command, "list", "Lists all.", "aceward " + noun + " list", verb, action);
    add_verb(command, "remove",
             noun == "policy" ? "Removes one. Tokens already issued stay."
                              : "Removes one, with its rules, and revokes its tokens.",
             "aceward " + noun + " remove NAME --yes", verb, action);
    return command;
  }

  void add_client() {
    CLI::App* noun =
        add_noun("client", "Who may ask the authorization server for tokens.", "aceward client list", run_client);
    CLI::App* command = nullptr;
    RecordOptions& options = add_verb(noun, "add", "Registers a client by its public key, a pre-shared key, or both.",
                                      "aceward client add lamp --key lamp.pub.pem", command, run_client);
    command->add_option("NAME", options.name, "Its name, unique")->required();
    command->add_option("--key", options.key, "Its public key (PEM)")->type_name("FILE");
    command->add_option("--psk-identity", options.psk_identity, "Who it says it is with a pre-shared key");
    command->add_option("--psk", options.psk, "Its pre-shared key")->type_name("file:PATH|generated");
    command->add_option("--psk-out", options.psk_out, "Where a generated one is written")->type_name("FILE");
  }

  void add_rs() {
    CLI::App* noun = add_noun("rs", "For whom the authorization server issues tokens.", "aceward rs list", run_rs);
    CLI::App* command = nullptr;
    RecordOptions& options = add_verb(
        noun, "add", "Registers a resource server.",
        "aceward rs add kitchen --audience kitchen --key rs.pub.pem --token-key file:rs-token.key", command, run_rs);
    command->add_option("NAME", options.name, "Its name, unique")->required();
    command->add_option("--audience", options.audience, "What its tokens name as audience (default: NAME)");
    command->add_option("--key", options.key, "Its public key (PEM), for clients with raw keys")->type_name("FILE");
    command->add_option("--token-key", options.token_key, "16 octets shared with it, to encrypt tokens with")
        ->type_name("file:PATH|generated");
    command->add_option("--token-key-id", options.token_key_id, "The kid of the token key, in hexadecimal");
    command->add_option("--token-key-out", options.token_key_out, "Where a generated one is written")
        ->type_name("FILE");
    command->add_option("--protection", options.protection, "Of tokens without a symmetric key (default: signed)")
        ->check(CLI::IsMember({"signed", "encrypted"}));
    command->add_option("--scope-format", options.scope_format, "How its scopes are written (default: text)")
        ->check(CLI::IsMember({"text", "aif"}));
    command->add_option("--lifetime", options.lifetime, "Of its tokens: 90s, 10m, 1h, 7d (default: 1h)");
    command->add_option("--pop", options.pop, "Keys that its tokens can be bound to (default: all that are possible)")
        ->delimiter(',')
        ->check(CLI::IsMember({"raw-key", "psk"}));
  }

  void add_policy() {
    CLI::App* noun =
        add_noun("policy", "Which client may do what where: the owner's rules.", "aceward policy list", run_policy);
    CLI::App* command = nullptr;
    RecordOptions& options =
        add_verb(noun, "add", "Adds a rule. The rules of a client and a server add up.",
                 "aceward policy add --client lamp --rs kitchen --scope \"read_temp write_led\"", command, run_policy);
    command->add_option("NAME", options.name, "Its name, unique; made from the others if left out");
    command->add_option("--client", options.client, "The client's name")->required();
    command->add_option("--rs", options.rs, "The resource server's name")->required();
    command->add_option("--scope", options.scope, "Scope-tokens, for a server whose scopes are text");
    command->add_option("--aif", options.aif, "Paths and methods, for one whose scopes are AIF: \"/temp=GET,PUT\"");
    command->add_option("--lifetime", options.lifetime, "Shortens the server's: 90s, 10m, 1h, 7d");
  }

  void add_token() {
    CLI::App* noun = add(app_, "token", "Access tokens: get one as a client; list and revoke what was issued.",
                         "aceward token list --live");
    noun->require_subcommand(1);
    const auto verb = [&](const std::string& name, const std::string& what, const std::string& example) {
      CLI::App* command = add(*noun, name, what, example);
      TokenOptions& options = tokens_.emplace_back();
      options.verb = name;
      on(command, run_token, options);
      return std::pair<CLI::App*, TokenOptions&>(command, options);
    };
    {
      auto [command, options] = verb("get", "Gets a token as a client, and shows what it is bound to.",
                                     "aceward token get rs --scope read_temp -o token.cwt");
      command->add_option("SERVER", options.server, "The name or URI of a [[client.server]]")->required();
      command->add_option("--scope", options.scope, "What to ask for: scope-tokens, or /path=GET,PUT for AIF");
      command->add_option("-o,--output", options.output, "Write the token to FILE, as it came")->type_name("FILE");
      command->add_option("--timeout", options.timeout, "Give up after so many seconds")->capture_default_str();
      command->add_flag("--yes", options.yes, "Replace FILE if it is there");
    }
    {
      auto [command, options] = verb("list", "Lists issued tokens.", "aceward token list --client lamp --live");
      command->add_option("--client", options.client, "Only this client's");
      command->add_option("--rs", options.rs, "Only those for this resource server");
      command->add_flag("--live", options.live, "Only those neither expired nor revoked");
      command->add_option("--limit", options.limit, "At most so many")
          ->check(CLI::Range(1, 1000))
          ->capture_default_str();
      command->add_option("--after", options.after, "Only those with a higher number");
    }
    {
      auto [command, options] = verb("show", "Shows one issued token.", "aceward token show 17");
      command->add_option("NUMBER", options.number, "Its number")->required();
    }
    {
      auto [command, options] =
          verb("revoke",
               "Revokes tokens at the authorization server. Resource servers that verify tokens by themselves go on "
               "accepting a revoked token until it expires: keep lifetimes short.",
               "aceward token revoke 17 --yes");
      command->add_option("NUMBER", options.number, "The token's number");
      command->add_option("--client", options.client, "All of this client's");
      command->add_option("--rs", options.rs, "All for this resource server");
      command->add_flag("--yes", options.yes, "Do not ask");
    }
  }

  void add_counters() {
    CLI::App* command =
        add(app_, "counters", "Shows what the running servers of this configuration count.", "aceward counters --json");
    command->add_flag("--all", counters_.all, "Those that are 0 too");
    on(command, run_counters, counters_);
  }

  void add_decode() {
    CLI::App* command = add(app_, "decode",
                            "Explains a message: CoAP, CWT, COSE, token requests and responses, hints, "
                            "PSK identities, AIF, any CBOR.",
                            "aceward decode a1080a --as cbor");
    command->add_option("INPUT", decode_.input, "Hexadecimal, base64url, @FILE (also binary), or - for standard input")
        ->required();
    command->add_option("--as", decode_.kind, "Take it for this, whatever it looks like")
        ->check(CLI::IsMember({"coap", "cwt", "claims", "cose-key", "token-request", "token-response", "token-error",
                               "hints", "psk-identity", "aif", "cbor"}));
    command
        ->add_option(
            "--key", decode_.keys,
            "Verify or decrypt a CWT with this key: PEM, hexadecimal, or a COSE_Key in hexadecimal; repeatable")
        ->type_name("FILE")
        ->allow_extra_args(false);
    on(command, run_decode, decode_);
  }

  void add_keygen() {
    CLI::App* command = add(app_, "keygen", "Makes a key: P-256 unless told otherwise. Only the public part is shown.",
                            "aceward keygen -o lamp.pem --public lamp.pub.pem");
    CLI::Option* ed25519 = command->add_flag("--ed25519", keygen_.ed25519, "An Ed25519 key pair: for signing tokens");
    command->add_option("--symmetric", keygen_.symmetric, "A symmetric key of so many octets")
        ->check(CLI::Range(1, 512))
        ->excludes(ed25519);
    command->add_option("-o,--output", keygen_.output, "The file for the key, readable by its owner alone")
        ->required()
        ->type_name("FILE");
    command->add_option("--public", keygen_.public_output, "The file for the public key")->type_name("FILE");
    command->add_flag("--yes", keygen_.yes, "Replace the files if they are there");
    on(command, run_keygen, keygen_);
  }

  void add_loadgen() {
    CLI::App* command =
        add(app_, "loadgen", "Puts load on a CoAP server, checks every response, and says how long each took.",
            "aceward loadgen --endpoints 100 --rate 5000 --duration 10 'coap://[::1]/temp'");
    add_loadgen_options(*command, loadgen_);
    on(command, run_loadgen, loadgen_);
  }

  std::map<const CLI::App*, std::string> examples_;
  CLI::App app_;
  GlobalOptions global_;
  std::string config_;
  std::string trace_file_;
  std::string keylog_;
  std::function<int(const Console&)> action_;
  InitOptions init_;
  ServeOptions serve_;
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
  std::deque<TokenOptions> tokens_;
};

}  // namespace

int run_command_line(int argc, const char* const* argv) { return Grammar().run(argc, argv); }

}  // namespace aceward::app
