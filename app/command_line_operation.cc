// The commands that set up, run and look into servers, and the tools.
#include "app/grammar.h"

namespace aceward::app {

void Grammar::add_init() {
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

void Grammar::add_serve() {
  CLI::App* command =
      add(app_, "serve", "Runs servers until SIGTERM or SIGINT. Prints a line for each address, then \"ready\".",
          "aceward -c demo/aceward.toml serve as rs");
  command->add_option("ROLE", serve_.roles, "as, rs, or both")
      ->required()
      ->check(CLI::IsMember({"as", "rs"}))
      ->type_name("ROLE");
  on(command, run_serve, serve_);
}

void Grammar::add_config() {
  CLI::App* noun = add(app_, "config", "The configuration file.", "aceward -c aceward.toml config check");
  noun->require_subcommand(1);
  CLI::App* command =
      add(*noun, "check",
          "Reads the configuration and every key file that it names, as serve does, says what is wrong, "
          "and what would run.",
          "aceward -c aceward.toml config check");
  on(command, run_config_check, config_check_);
}

void Grammar::add_database() {
  CLI::App* noun = add(app_, "db", "The authorization server's database as a whole.", "aceward db status");
  noun->require_subcommand(1);
  const auto add_one = [&](const std::string& verb, const std::string& what, const std::string& example) {
    CLI::App* command = add(*noun, verb, what, example);
    DatabaseOptions& options = databases_.emplace_back();
    options.verb = verb;
    on(command, run_database, options);
    return std::pair(command, &options);
  };
  add_one("status", "Checks all of it, and says what it holds; also beside a running server.", "aceward db status");
  add_one("migrate", "Brings one of an older release up to date, after a copy was made; the server must be stopped.",
          "aceward db migrate");
  {
    auto [command, options] = add_one("backup", "Copies it as of one moment; also beside a running server.",
                                      "aceward db backup store.backup");
    command->add_option("FILE", options->file, "Where to; it must not be there yet")->required();
  }
  {
    auto [command, options] =
        add_one("restore",
                "Puts a backup in its place; the server must be stopped. Tokens and revocations of the present one are "
                "kept where "
                "it can be read; else the backup's tokens are revoked, as they may have been since.",
                "aceward db restore store.backup --yes");
    command->add_option("FILE", options->file, "The backup")->required();
    command->add_flag("--replace-unreadable", options->replace_unreadable, "Even if the present one cannot be read");
    command->add_flag("--keep-tokens", options->keep_tokens,
                      "Keep the backup's tokens where nobody knows whether they were revoked since");
    command->add_flag("--yes", options->yes, "Do not ask");
  }
}

void Grammar::add_counters() {
  CLI::App* command =
      add(app_, "counters", "Shows what the running servers of this configuration count.", "aceward counters --json");
  command->add_flag("--all", counters_.all, "Those that are 0 too");
  on(command, run_counters, counters_);
}

void Grammar::add_decode() {
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
      ->add_option("--key", decode_.keys,
                   "Verify or decrypt a CWT with this key: PEM, hexadecimal, or a COSE_Key in hexadecimal; repeatable")
      ->type_name("FILE")
      ->allow_extra_args(false);
  on(command, run_decode, decode_);
}

void Grammar::add_keygen() {
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

void Grammar::add_loadgen() {
  CLI::App* command =
      add(app_, "loadgen", "Puts load on a CoAP server, checks every response, and says how long each took.",
          "aceward loadgen --endpoints 100 --rate 5000 --duration 10 'coap://[::1]/temp'");
  add_loadgen_options(*command, loadgen_);
  on(command, run_loadgen, loadgen_);
}

}  // namespace aceward::app
