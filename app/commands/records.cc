// `aceward client|rs|policy|request`: who and what the authorization server knows.
#include <algorithm>

#include "aceward/ace/as/client_secret.h"
#include "aceward/ace/params/scope.h"
#include "aceward/crypto/openssl/random.h"
#include "app/commands/commands.h"
#include "app/config/config.h"
#include "app/key_files.h"
#include "app/records/ask.h"
#include "app/records/hours_text.h"

namespace aceward::app {

namespace {

std::unexpected<Failure> usage_of(const Problem& problem) {
  return std::unexpected(Failure::usage(problem.what, problem.check));
}

Outcome<cose::Key> public_key_in(const std::filesystem::path& path) {
  const auto content = read_file(path, Exposure::anybody);
  if (!content) return usage_of(content.error());
  auto key = parse_public_key(as_text(content->expose()), path.string());
  if (!key) return usage_of(key.error());
  return std::move(*key);
}

/// `file:PATH`, or `generated`, which is written to `out` so that the other side can have it.
Outcome<Secret> symmetric_key(const std::string& text, const std::filesystem::path& out, const char* flag,
                              std::size_t octets, bool dry_run) {
  const std::string name(flag);
  if (text == "generated") {
    if (out.empty()) {
      return std::unexpected(
          Failure::usage("a generated key is never printed", "name a file for it with " + name + "-out FILE"));
    }
    crypto::openssl::SystemRandom random;
    Secret key(random.bytes(octets));
    if (dry_run) return key;
    const auto written = write_file(out, symmetric_key_text(key.expose()).expose(), Exposure::owner_only, false);
    if (!written) return usage_of(written.error());
    return key;
  }
  if (!text.starts_with("file:")) {
    return std::unexpected(Failure::usage(name + " is not a place where a key is", "write file:PATH or generated"));
  }
  if (!out.empty()) return std::unexpected(Failure::usage(name + "-out goes with " + name + " generated"));
  const auto content = read_file(text.substr(5), Exposure::owner_only);
  if (!content) return usage_of(content.error());
  auto key = parse_symmetric_key(*content, text.substr(5));
  if (!key) return usage_of(key.error());
  return std::move(*key);
}

Outcome<> add_duration(JsonObject& request, const char* member, const char* flag,
                       const std::optional<std::string>& text) {
  if (!text) return {};
  if (text->empty()) return request.add_null(member), Outcome<>();
  const auto duration = parse_duration(*text);
  if (!duration) {
    return std::unexpected(
        Failure::usage(std::string(flag) + " " + *text + " is not a duration", "write 90s, 10m, 1h or 7d"));
  }
  request.add(member, std::int64_t{duration->count()});
  return {};
}

void add_given(JsonObject& request, const char* member, const std::optional<std::string>& text) {
  if (text) request.add(member, *text);
}

/// Of texts with commas between them; an empty text is an empty list. `known`: what each must be one of, if not empty.
Outcome<> add_list(JsonObject& request, const char* member, const char* flag, const std::optional<std::string>& text,
                   std::initializer_list<std::string_view> known = {}) {
  if (!text) return {};
  std::vector<std::string> all;
  for (std::size_t at = 0; at < text->size();) {
    const std::size_t comma = std::min(text->find(',', at), text->size());
    if (comma > at) all.push_back(text->substr(at, comma - at));
    at = comma + 1;
  }
  for (const std::string& one : all) {
    if (known.size() == 0 || std::ranges::find(known, one) != known.end()) continue;
    std::string choices;
    for (const std::string_view choice : known) choices.append(choices.empty() ? "" : ", ").append(choice);
    return std::unexpected(Failure::usage(std::string(flag) + " names \"" + one + "\"", "choose of " + choices));
  }
  request.add_texts(member, all);
  return {};
}

/// Each is `file:PATH`, `generated`, or empty to take it away.
Outcome<> add_key(JsonObject& request, const char* member, const char* flag, const std::optional<std::string>& text,
                  const std::filesystem::path& out, std::size_t octets, bool dry_run) {
  if (!text) return {};
  if (text->empty()) return request.add(member, ""), Outcome<>();
  const auto key = symmetric_key(*text, out, flag, octets, dry_run);
  if (!key) return std::unexpected(key.error());
  request.add_secret(member, *key);
  return {};
}

/// What a record needs beside the request: what is printed once it has been stored.
struct Told {
  std::string secret;  ///< a client_secret that was made, in hexadecimal
};

Outcome<> add_client_secret(JsonObject& request, const RecordOptions& options, Told& told) {
  if (!options.secret) return {};
  if (options.secret->empty()) return request.add("secret_digest", ""), Outcome<>();
  crypto::openssl::SystemRandom random;
  Secret secret;
  if (*options.secret == "generated" && options.secret_out.empty()) {
    secret = Secret(random.bytes(32));
    if (!options.dry_run) told.secret = to_hex(secret.expose());
  } else {
    auto made = symmetric_key(*options.secret, options.secret_out, "--secret", 32, options.dry_run);
    if (!made) return std::unexpected(made.error());
    secret = std::move(*made);
  }
  if (secret.size() < ace::as::minimum_secret_size || secret.size() > ace::as::maximum_secret_size) {
    return std::unexpected(Failure::usage("a client_secret has 16 to 256 octets", "let it be generated"));
  }
  request.add("secret_digest", to_hex(ace::as::make_secret_digest(secret.expose(), random)));
  return {};
}

Outcome<> add_credentials(JsonObject& request, const RecordOptions& options, Told& told) {
  if (options.key && options.key->empty()) {
    request.add("public_key", "");
  } else if (options.key) {
    const auto key = public_key_in(*options.key);
    if (!key) return std::unexpected(key.error());
    request.add("public_key", to_hex(key->serialize().expose()));
  }
  add_given(request, "psk_identity", options.psk_identity);
  if (auto added = add_key(request, "psk", "--psk", options.psk, options.psk_out, 32, options.dry_run); !added) {
    return added;
  }
  add_given(request, "certificate_name", options.certificate_name);
  return add_client_secret(request, options, told);
}

/// What show, list and remove of every noun have in common; add and set go through `fill`.
template <class Fill>
int run_records(const std::string& noun, const RecordOptions& options, const Console& console, Fill fill) {
  const auto config = load_config(console.options());
  if (!config) return console.fail(config.error());
  JsonObject request;
  Told told;
  request.add("do", noun + "." + options.verb);
  if (options.dry_run) request.add("dry_run", true);
  if (options.verb != "list") request.add_text_unless_empty("name", options.name);
  if (options.verb == "add" || options.verb == "set") {
    if (Outcome<> filled = fill(request, told); !filled) return console.fail(filled.error());
  }
  if (options.verb == "remove" && !options.yes && !options.dry_run) {
    const std::string also = noun == "policy" ? "" : " with its rules, and revoke its tokens";
    if (const auto confirmed = console.confirm("Remove " + noun + " " + options.name + also + "?"); !confirmed) {
      return console.fail(confirmed.error());
    }
  }
  const std::string would = options.dry_run ? "would have " : "";
  const std::string done = options.verb == "add"      ? would + "added " + noun
                           : options.verb == "set"    ? would + "set " + noun
                           : options.verb == "remove" ? would + "removed " + noun
                                                      : "";
  const int status = ask_and_print(console, *config, std::move(request).finish(), done);
  if (status != 0 || told.secret.empty()) return status;
  console.out(console.json() ? "{\"secret\":" + json_quoted(told.secret) + "}\n" : told.secret + "\n");
  console.note("that is its client_secret, in hexadecimal; it is stored nowhere and not shown again");
  return 0;
}

Outcome<> add_rule_members(JsonObject& request, const RecordOptions& options) {
  if (options.scope && options.aif) return std::unexpected(Failure::usage("--scope and --aif exclude each other"));
  if (options.aif && !ace::Aif::parse_text(*options.aif)) {
    return std::unexpected(Failure::usage("--aif \"" + *options.aif + "\" is not AIF", "write /temp=GET,PUT /led=PUT"));
  }
  if (options.scope && !ace::TextScope::parse(*options.scope)) {
    return std::unexpected(Failure::usage("--scope \"" + *options.scope + "\" is no list of scope-tokens",
                                          "write tokens with one space between them; paths go into --aif"));
  }
  add_given(request, "scope", options.aif ? options.aif : options.scope);
  if (options.hours && !options.hours->empty() && !parse_hours(*options.hours)) {
    return std::unexpected(Failure::usage("--hours \"" + *options.hours + "\" is not understood",
                                          "write \"Mon-Fri 08:00-18:00\", \"Sat,Sun\" or \"22:00-06:00\", in UTC"));
  }
  add_given(request, "hours", options.hours);
  if (options.until && options.until->empty()) {
    request.add_null("until");
  } else if (options.until) {
    const auto until = parse_time(*options.until);
    if (!until) {
      return std::unexpected(Failure::usage("--until \"" + *options.until + "\" is no date",
                                            "write 2026-12-31 or 2026-12-31T18:00, in UTC"));
    }
    request.add("until", std::int64_t{until->time_since_epoch().count()});
  }
  return add_duration(request, "lifetime", "--lifetime", options.lifetime);
}

int test_policy(const RecordOptions& options, const Console& console) {
  const auto config = load_config(console.options());
  if (!config) return console.fail(config.error());
  if (options.rs.has_value() == options.audience.has_value()) {
    return console.fail(Failure::usage("the decision is about one server or audience", "give --rs or --audience"));
  }
  JsonObject request;
  request.add("do", "policy.test");
  add_given(request, "client", options.client);
  add_given(request, "rs", options.rs);
  add_given(request, "audience", options.audience);
  add_given(request, "scope", options.scope);
  if (options.at) {
    const auto at = parse_time(*options.at);
    if (!at) {
      return console.fail(Failure::usage("--at \"" + *options.at + "\" is no time", "write 2026-12-31T18:00, in UTC"));
    }
    request.add("at", std::int64_t{at->time_since_epoch().count()});
  }
  return ask_and_print(console, *config, std::move(request).finish(), "");
}

}  // namespace

int run_client(const RecordOptions& options, const Console& console) {
  return run_records("client", options, console, [&](JsonObject& request, Told& told) -> Outcome<> {
    if (options.verb == "add" && !options.key && !options.psk_identity && !options.certificate_name &&
        !options.secret) {
      return std::unexpected(Failure::usage("the client needs a way to authenticate",
                                            "add --key FILE, --psk-identity ID with --psk file:PATH, "
                                            "--certificate-name NAME, or --secret generated"));
    }
    if (options.verb == "add" && options.psk_identity.has_value() != options.psk.has_value()) {
      return std::unexpected(Failure::usage("--psk-identity and --psk belong together"));
    }
    if (auto added = add_list(request, "groups", "--group", options.groups); !added) return added;
    return add_credentials(request, options, told);
  });
}

int run_rs(const RecordOptions& options, const Console& console) {
  return run_records("rs", options, console, [&](JsonObject& request, Told& told) -> Outcome<> {
    if (options.audience || options.verb == "add") request.add("audience", options.audience.value_or(options.name));
    if (auto added = add_list(request, "group_audiences", "--group-audience", options.group_audiences); !added) {
      return added;
    }
    if (auto added = add_credentials(request, options, told); !added) return added;
    const bool rotates = options.token_key == "rotate";
    if (rotates && options.verb != "set") {
      return std::unexpected(Failure::usage("there is no token key to rotate yet", "write --token-key generated"));
    }
    const auto token_key = rotates ? std::optional<std::string>("generated") : options.token_key;
    if (auto added =
            add_key(request, "token_key", "--token-key", token_key, options.token_key_out, 16, options.dry_run);
        !added) {
      return added;
    }
    if (rotates) request.add("token_key_before", true);
    add_given(request, "token_key_id", options.token_key_id);
    if (auto added = add_key(request, "derivation_key", "--derivation-key", options.derivation_key,
                             options.derivation_key_out, 32, options.dry_run);
        !added) {
      return added;
    }
    add_given(request, "protection", options.protection);
    add_given(request, "scope_format", options.scope_format);
    if (auto added =
            add_list(request, "profiles", "--profile", options.profiles, {"coap_dtls", "coap_oscore", "mqtt_tls"});
        !added) {
      return added;
    }
    if (auto added = add_list(request, "pop", "--pop", options.pop, {"raw-key", "psk"}); !added) return added;
    if (options.exi) request.add("exi", bool{*options.exi});
    if (options.group_keys) request.add("group_keys", bool{*options.group_keys});
    if (options.ask_owner) request.add("undecided", *options.ask_owner ? "ask-owner" : "refuse");
    add_given(request, "owner", options.owner);
    if (auto added = add_duration(request, "refresh_lifetime", "--refresh-lifetime", options.refresh_lifetime);
        !added) {
      return added;
    }
    return add_duration(request, "lifetime", "--lifetime", options.lifetime);
  });
}

int run_policy(const RecordOptions& options, const Console& console) {
  if (options.verb == "test") return test_policy(options, console);
  return run_records("policy", options, console, [&](JsonObject& request, Told&) -> Outcome<> {
    const bool adds = options.verb == "add";
    if (adds && options.scope.has_value() == options.aif.has_value()) {
      return std::unexpected(
          Failure::usage("a rule grants a scope", "add --scope \"read write\", or --aif \"/temp=GET\""));
    }
    if (adds && options.client.has_value() == options.group.has_value()) {
      return std::unexpected(Failure::usage("a rule is for a client or a group", "add --client NAME or --group NAME"));
    }
    add_given(request, "client", options.client);
    add_given(request, "group", options.group);
    // Whom the rule is for is one or the other.
    if (!adds && options.client && !options.group) request.add("group", "");
    if (!adds && options.group && !options.client) request.add("client", "");
    add_given(request, "rs", options.rs);
    return add_rule_members(request, options);
  });
}

int run_access_request(const AccessRequestOptions& options, const Console& console) {
  const auto config = load_config(console.options());
  if (!config) return console.fail(config.error());
  JsonObject request;
  request.add("do", "request." + options.verb);
  if (options.rule.dry_run) request.add("dry_run", true);
  if (options.verb == "list") {
    add_given(request, "client", options.rule.client);
    add_given(request, "rs", options.rule.rs);
    request.add("limit", options.limit).add("after", options.after);
    return ask_and_print(console, *config, std::move(request).finish(), "");
  }
  request.add("number", options.number);
  if (options.verb == "show") return ask_and_print(console, *config, std::move(request).finish(), "");
  const std::string would = options.rule.dry_run ? "would have " : "";
  if (options.verb == "deny") {
    const std::optional<std::string> how_long =
        options.how_long.empty() ? std::nullopt : std::optional<std::string>(options.how_long);
    if (auto added = add_duration(request, "for", "--for", how_long); !added) return console.fail(added.error());
    return ask_and_print(console, *config, std::move(request).finish(), would + "denied request");
  }
  request.add_text_unless_empty("name", options.rule.name);
  if (auto added = add_rule_members(request, options.rule); !added) return console.fail(added.error());
  return ask_and_print(console, *config, std::move(request).finish(), would + "approved; added policy");
}

}  // namespace aceward::app
