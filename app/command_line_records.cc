// The commands about records: client, rs, policy, token.
#include "app/grammar.h"

namespace aceward::app {

RecordOptions& Grammar::add_verb(CLI::App* noun, const std::string& verb, const std::string& what,
                                 const std::string& example, CLI::App*& command,
                                 int (*action)(const RecordOptions&, const Console&)) {
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

CLI::App* Grammar::add_noun(const std::string& noun, const std::string& what, const std::string& example,
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

void Grammar::add_client() {
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

void Grammar::add_rs() {
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
  command->add_option("--token-key-out", options.token_key_out, "Where a generated one is written")->type_name("FILE");
  command->add_option("--protection", options.protection, "Of tokens without a symmetric key (default: signed)")
      ->check(CLI::IsMember({"signed", "encrypted"}));
  command->add_option("--scope-format", options.scope_format, "How its scopes are written (default: text)")
      ->check(CLI::IsMember({"text", "aif"}));
  command->add_option("--lifetime", options.lifetime, "Of its tokens: 90s, 10m, 1h, 7d (default: 1h)");
  command->add_option("--pop", options.pop, "Keys that its tokens can be bound to (default: all that are possible)")
      ->delimiter(',')
      ->check(CLI::IsMember({"raw-key", "psk"}));
}

void Grammar::add_policy() {
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

std::pair<CLI::App*, TokenOptions*> Grammar::add_token_verb(CLI::App* noun, const std::string& verb,
                                                            const std::string& what, const std::string& example) {
  CLI::App* command = add(*noun, verb, what, example);
  TokenOptions& options = tokens_.emplace_back();
  options.verb = verb;
  on(command, run_token, options);
  return {command, &options};
}

void Grammar::add_token() {
  CLI::App* noun = add(app_, "token", "Access tokens: get one as a client; list and revoke what was issued.",
                       "aceward token list --live");
  noun->require_subcommand(1);
  add_token_get(noun);
  {
    auto [command, options] =
        add_token_verb(noun, "list", "Lists issued tokens.", "aceward token list --client lamp --live");
    command->add_option("--client", options->client, "Only this client's");
    command->add_option("--rs", options->rs, "Only those for this resource server");
    command->add_flag("--live", options->live, "Only those neither expired nor revoked");
    command->add_flag("--held", options->held, "Instead, those that this client keeps");
    command->add_option("--limit", options->limit, "At most so many")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    command->add_option("--after", options->after, "Only those with a higher number");
  }
  {
    auto [command, options] = add_token_verb(noun, "show", "Shows one issued token.", "aceward token show 17");
    command->add_option("NUMBER", options->number, "Its number")->required();
  }
  {
    auto [command, options] = add_token_verb(
        noun, "revoke",
        "Revokes tokens at the authorization server. Resource servers that verify tokens by themselves go on "
        "accepting a revoked token until it expires: keep lifetimes short.",
        "aceward token revoke 17 --yes");
    command->add_option("NUMBER", options->number, "The token's number");
    command->add_option("--client", options->client, "All of this client's");
    command->add_option("--rs", options->rs, "All for this resource server");
    command->add_flag("--yes", options->yes, "Do not ask");
  }
}

}  // namespace aceward::app
