// The commands about records: client, rs, policy, token.
#include "app/grammar.h"

namespace aceward::app {

RecordOptions& Grammar::add_verb(CLI::App* noun, const std::string& verb, const std::string& what,
                                 const std::string& example, CLI::App*& command,
                                 int (*action)(const RecordOptions&, const Console&)) {
  command = add(*noun, verb, what, example);
  RecordOptions& options = records_.emplace_back();
  options.verb = verb;
  if (verb == "show" || verb == "remove" || verb == "set") {
    command->add_option("NAME", options.name, "Its name")->required();
  }
  if (verb == "remove") command->add_flag("--yes", options.yes, "Do not ask");
  if (verb == "add" || verb == "remove" || verb == "set") add_dry_run(command, options.dry_run);
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

void Grammar::add_credential_options(CLI::App* command, RecordOptions& options) {
  command->add_option("--key", options.key, "Its public key (PEM)")->type_name("FILE");
  command->add_option("--psk-identity", options.psk_identity, "Who it says it is with a pre-shared key");
  command->add_option("--psk", options.psk, "Its pre-shared key")->type_name("file:PATH|generated");
  command->add_option("--psk-out", options.psk_out, "Where a generated one is written")->type_name("FILE");
  command->add_option("--certificate-name", options.certificate_name,
                      "The name in its certificate, under an authority of [as] client_authorities");
  command->add_option("--secret", options.secret, "Its client_secret; a generated one is printed, once")
      ->type_name("file:PATH|generated");
  command->add_option("--secret-out", options.secret_out, "Write a generated one here instead of printing it")
      ->type_name("FILE");
}

void Grammar::add_client_options(CLI::App* command, RecordOptions& options) {
  add_credential_options(command, options);
  command->add_option("--group", options.groups, "Groups that rules can name; an empty text: none")
      ->multi_option_policy(CLI::MultiOptionPolicy::Join)
      ->join(',');
}

void Grammar::add_client() {
  CLI::App* noun =
      add_noun("client", "Who may ask the authorization server for tokens.", "aceward client list", run_client);
  CLI::App* command = nullptr;
  RecordOptions& added = add_verb(noun, "add", "Registers a client with one way to authenticate or several.",
                                  "aceward client add lamp --key lamp.pub.pem --group lights", command, run_client);
  command->add_option("NAME", added.name, "Its name, unique")->required();
  add_client_options(command, added);
  RecordOptions& set = add_verb(
      noun, "set",
      "Changes what is given and leaves the rest; an empty text takes away. A key that goes revokes its tokens.",
      "aceward client set lamp --group lights,kitchen", command, run_client);
  add_client_options(command, set);
}

void Grammar::add_rs_options(CLI::App* command, RecordOptions& options, bool rotates) {
  add_credential_options(command, options);
  command->add_option("--audience", options.audience, "What its tokens name as audience (default: NAME)");
  command->add_option("--group-audience", options.group_audiences, "Audiences that it shares with other servers")
      ->multi_option_policy(CLI::MultiOptionPolicy::Join)
      ->join(',');
  command
      ->add_option("--token-key", options.token_key,
                   rotates ? "16 octets shared with it, to encrypt tokens with; rotate: a generated one, and the one "
                             "before stays good"
                           : "16 octets shared with it, to encrypt tokens with")
      ->type_name(rotates ? "file:PATH|generated|rotate" : "file:PATH|generated");
  command->add_option("--token-key-id", options.token_key_id, "The kid of the token key, in hexadecimal");
  command->add_option("--token-key-out", options.token_key_out, "Where a generated one is written")->type_name("FILE");
  command
      ->add_option("--derivation-key", options.derivation_key,
                   "Shared with it: keys of clients are derived from it and the token, which then carries none")
      ->type_name("file:PATH|generated");
  command->add_option("--derivation-key-out", options.derivation_key_out, "Where a generated one is written")
      ->type_name("FILE");
  command
      ->add_option("--protection", options.protection,
                   "Of tokens without a symmetric key (default: signed); --reference is short for reference")
      ->check(CLI::IsMember({"signed", "encrypted", "reference"}));
  command->add_flag_callback(
      "--reference", [&options] { options.protection = "reference"; },
      "Its tokens are opaque, and it introspects them");
  command->add_option("--scope-format", options.scope_format, "How its scopes are written (default: text)")
      ->check(CLI::IsMember({"text", "aif"}));
  command->add_option("--profile", options.profiles, "ACE profiles that it speaks, the preferred one first")
      ->multi_option_policy(CLI::MultiOptionPolicy::Join)
      ->join(',');
  command->add_option("--lifetime", options.lifetime, "Of its tokens: 90s, 10m, 1h, 7d (default: 1h)");
  command->add_option("--refresh-lifetime", options.refresh_lifetime,
                      "How long a client may refresh a token (default: not at all)");
  command->add_option("--pop", options.pop, "Keys that its tokens can be bound to (default: all that are possible)")
      ->multi_option_policy(CLI::MultiOptionPolicy::Join)
      ->join(',');
  command->add_flag("--exi,!--no-exi", options.exi, "It has no synchronized clock: tokens live from their arrival");
  command->add_flag("--group-keys,!--no-group-keys", options.group_keys,
                    "A symmetric key may stand in a token for a group audience, though each server could then pose as "
                    "the client to the others");
  command->add_flag("--ask-owner,!--no-ask-owner", options.ask_owner,
                    "A request that no rule decides waits for aceward request approve|deny");
  command->add_option("--owner", options.owner, "The user of this machine who administers it");
}

void Grammar::add_rs() {
  CLI::App* noun = add_noun("rs", "For whom the authorization server issues tokens.", "aceward rs list", run_rs);
  CLI::App* command = nullptr;
  RecordOptions& added = add_verb(
      noun, "add", "Registers a resource server.",
      "aceward rs add kitchen --audience kitchen --key rs.pub.pem --token-key file:rs-token.key", command, run_rs);
  command->add_option("NAME", added.name, "Its name, unique")->required();
  add_rs_options(command, added, false);
  RecordOptions& set = add_verb(
      noun, "set",
      "Changes what is given and leaves the rest; an empty text takes away. A key or an audience that goes revokes "
      "tokens.",
      "aceward rs set kitchen --token-key rotate --token-key-out new.key", command, run_rs);
  add_rs_options(command, set, true);
}

void Grammar::add_rule_options(CLI::App* command, RecordOptions& options) {
  command->add_option("--scope", options.scope, "Scope-tokens, for a server whose scopes are text");
  command->add_option("--aif", options.aif, "Paths and methods, for one whose scopes are AIF: \"/temp=GET,PUT\"");
  command->add_option("--lifetime", options.lifetime, "Shortens the server's: 90s, 10m, 1h, 7d");
  command->add_option("--hours", options.hours, "When it holds, in UTC: \"Mon-Fri 08:00-18:00\"");
  command->add_option("--until", options.until, "It holds before this time, in UTC: 2026-12-31 or 2026-12-31T18:00");
}

void Grammar::add_policy() {
  CLI::App* noun =
      add_noun("policy", "Which client may do what where: the owner's rules.", "aceward policy list", run_policy);
  CLI::App* command = nullptr;
  const auto add_whom = [&](RecordOptions& options) {
    command->add_option("--client", options.client, "The client's name");
    command->add_option("--group", options.group, "Instead, a group of clients");
    command->add_option("--rs", options.rs, "The resource server's name");
  };
  RecordOptions& added =
      add_verb(noun, "add", "Adds a rule. The rules of a client and a server add up.",
               "aceward policy add --client lamp --rs kitchen --scope \"read_temp write_led\"", command, run_policy);
  command->add_option("NAME", added.name, "Its name, unique; made from the others if left out");
  add_whom(added);
  command->get_option("--rs")->required();
  add_rule_options(command, added);
  RecordOptions& set =
      add_verb(noun, "set", "Changes what is given and leaves the rest; an empty text takes away.",
               "aceward policy set lamp-kitchen-1 --hours \"Mon-Fri 08:00-18:00\"", command, run_policy);
  add_whom(set);
  add_rule_options(command, set);
  RecordOptions& test = add_verb(
      noun, "test", "Explains what the authorization server would decide, and which rule makes it so.",
      "aceward policy test --client lamp --rs kitchen --scope read_temp --at 2026-12-31T08:00", command, run_policy);
  command->add_option("--client", test.client, "The client's name")->required();
  command->add_option("--rs", test.rs, "The resource server's name");
  command->add_option("--audience", test.audience, "Instead, an audience: its own, or one of a group");
  command->add_option("--scope", test.scope, "What is asked for (default: all that the rules give)");
  command->add_option("--at", test.at, "When (default: now), in UTC");
}

void Grammar::add_access_request() {
  CLI::App* noun =
      add(app_, "request", "Requests for access that wait for the owner of a server.", "aceward request list");
  noun->require_subcommand(1);
  const auto add_one = [&](const std::string& verb, const std::string& what, const std::string& example) {
    CLI::App* command = add(*noun, verb, what, example);
    AccessRequestOptions& options = access_requests_.emplace_back();
    options.verb = verb;
    if (verb != "list") command->add_option("NUMBER", options.number, "Its number")->required();
    on(command, run_access_request, options);
    return std::pair(command, &options);
  };
  {
    auto [command, options] = add_one("list", "Lists them.", "aceward request list --rs kitchen");
    command->add_option("--client", options->rule.client, "Only this client's");
    command->add_option("--rs", options->rule.rs, "Only those for this resource server");
    command->add_option("--limit", options->limit, "At most so many")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    command->add_option("--after", options->after, "Only those with a higher number");
  }
  add_one("show", "Shows one.", "aceward request show 3");
  {
    auto [command, options] = add_one("approve", "Makes a rule of it; the client gets a token when it asks again.",
                                      "aceward request approve 3 --until 2026-12-31");
    command->add_option("--name", options->rule.name, "The rule's name");
    add_rule_options(command, options->rule);
    add_dry_run(command, options->rule.dry_run);
  }
  {
    auto [command, options] = add_one("deny", "Denies it.", "aceward request deny 3 --for 30d");
    command->add_option("--for", options->how_long, "How long that holds (default: 7d)");
    add_dry_run(command, options->rule.dry_run);
  }
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
    auto [command, options] = add_token_verb(noun, "revoke",
                                             "Revokes tokens. Resource servers that introspect them, or follow the "
                                             "list of revoked tokens, learn of it; others "
                                             "go on accepting a revoked token until it expires.",
                                             "aceward token revoke 17 --yes");
    command->add_option("NUMBER", options->number, "The token's number");
    command->add_option("--client", options->client, "All of this client's");
    command->add_option("--rs", options->rs, "All for this resource server");
    command->add_option("--audience", options->audience, "All for this audience");
    command->add_flag("--yes", options->yes, "Do not ask");
  }
}

}  // namespace aceward::app
