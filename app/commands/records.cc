// `aceward client|rs|policy`: who and what the authorization server knows.
#include "aceward/ace/params/scope.h"
#include "aceward/crypto/openssl/random.h"
#include "app/commands/commands.h"
#include "app/config/config.h"
#include "app/key_files.h"
#include "app/records/ask.h"

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

Outcome<> add_lifetime(JsonObject& request, const std::string& text) {
  if (text.empty()) return {};
  const auto lifetime = parse_duration(text);
  if (!lifetime) {
    return std::unexpected(Failure::usage("--lifetime " + text + " is not a duration", "write 90s, 10m, 1h or 7d"));
  }
  request.add("lifetime", std::int64_t{lifetime->count()});
  return {};
}

/// What show, list and remove of every noun have in common; add goes through `fill`.
template <class Fill>
int run_records(const std::string& noun, const RecordOptions& options, const Console& console, Fill fill) {
  const auto config = load_config(console.options());
  if (!config) return console.fail(config.error());
  JsonObject request;
  request.add("do", noun + "." + options.verb);
  if (options.dry_run) request.add("dry_run", true);
  if (options.verb != "list") request.add_text_unless_empty("name", options.name);
  if (options.verb == "add") {
    if (Outcome<> filled = fill(request); !filled) return console.fail(filled.error());
  }
  if (options.verb == "remove" && !options.yes && !options.dry_run) {
    const std::string also = noun == "policy" ? "" : " with its rules, and revoke its tokens";
    if (const auto confirmed = console.confirm("Remove " + noun + " " + options.name + also + "?"); !confirmed) {
      return console.fail(confirmed.error());
    }
  }
  const std::string would = options.dry_run ? "would have " : "";
  const std::string done = options.verb == "add"      ? would + "added " + noun
                           : options.verb == "remove" ? would + "removed " + noun
                                                      : "";
  return ask_and_print(console, *config, std::move(request).finish(), done);
}

}  // namespace

int run_client(const RecordOptions& options, const Console& console) {
  return run_records("client", options, console, [&](JsonObject& request) -> Outcome<> {
    if (options.key.empty() && options.psk_identity.empty()) {
      return std::unexpected(Failure::usage("the client needs a way to authenticate",
                                            "add --key FILE, or --psk-identity ID with --psk file:PATH"));
    }
    if (options.psk_identity.empty() != options.psk.empty()) {
      return std::unexpected(Failure::usage("--psk-identity and --psk belong together"));
    }
    if (!options.key.empty()) {
      const auto key = public_key_in(options.key);
      if (!key) return std::unexpected(key.error());
      request.add("public_key", to_hex(key->serialize().expose()));
    }
    if (!options.psk.empty()) {
      const auto psk = symmetric_key(options.psk, options.psk_out, "--psk", 32, options.dry_run);
      if (!psk) return std::unexpected(psk.error());
      request.add("psk_identity", options.psk_identity);
      request.add_secret("psk", *psk);
    }
    return {};
  });
}

int run_rs(const RecordOptions& options, const Console& console) {
  return run_records("rs", options, console, [&](JsonObject& request) -> Outcome<> {
    request.add("audience", options.audience.empty() ? options.name : options.audience);
    if (!options.key.empty()) {
      const auto key = public_key_in(options.key);
      if (!key) return std::unexpected(key.error());
      request.add("public_key", to_hex(key->serialize().expose()));
    }
    if (!options.token_key.empty()) {
      const auto key = symmetric_key(options.token_key, options.token_key_out, "--token-key", 16, options.dry_run);
      if (!key) return std::unexpected(key.error());
      request.add_secret("token_key", *key);
      request.add_text_unless_empty("token_key_id", options.token_key_id);
    }
    request.add_text_unless_empty("protection", options.protection);
    request.add_text_unless_empty("scope_format", options.scope_format);
    if (!options.pop.empty()) request.add_texts("pop", options.pop);
    return add_lifetime(request, options.lifetime);
  });
}

int run_policy(const RecordOptions& options, const Console& console) {
  return run_records("policy", options, console, [&](JsonObject& request) -> Outcome<> {
    if (options.scope.empty() == options.aif.empty()) {
      return std::unexpected(
          Failure::usage("a rule grants a scope", "add --scope \"read write\", or --aif \"/temp=GET\""));
    }
    if (!options.aif.empty() && !ace::Aif::parse_text(options.aif)) {
      return std::unexpected(
          Failure::usage("--aif \"" + options.aif + "\" is not AIF", "write /temp=GET,PUT /led=PUT"));
    }
    if (!options.scope.empty() && !ace::TextScope::parse(options.scope)) {
      return std::unexpected(Failure::usage("--scope \"" + options.scope + "\" is no list of scope-tokens",
                                            "write tokens with one space between them; paths go into --aif"));
    }
    request.add("client", options.client).add("rs", options.rs);
    request.add("scope", options.aif.empty() ? options.scope : options.aif);
    return add_lifetime(request, options.lifetime);
  });
}

}  // namespace aceward::app
