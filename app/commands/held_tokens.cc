// `aceward token list --held` and `aceward token remove`: the tokens that this client keeps.
#include <unistd.h>

#include <ctime>

#include "app/client/token_files.h"
#include "app/commands/commands.h"
#include "app/commands/held_tokens.h"
#include "app/config/role_settings.h"

namespace aceward::app {

namespace {

std::string utc_text(std::uint64_t seconds_since_1970) {
  const auto seconds = static_cast<std::time_t>(seconds_since_1970);
  std::tm parts{};
  char text[40];
  if (::gmtime_r(&seconds, &parts) == nullptr || std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0) {
    return std::to_string(seconds_since_1970);
  }
  return text;
}

std::string scope_of(const ace::client::StoredToken& token) { return token.scope ? scope_as_text(*token.scope) : ""; }

std::string json_of(const TokenFiles::Entry& entry) {
  const ace::client::StoredToken& token = entry.token;
  const bool is_raw = token.kind == ace::client::PopKind::raw_public_key;
  return "{\"server\":" + json_quoted(token.server) + ",\"audience\":" + json_quoted(token.audience) +
         ",\"authorization_server\":" + json_quoted(token.as_uri) +
         ",\"bound_to\":" + (is_raw ? "\"raw-key\"" : "\"psk\"") + ",\"key_id\":" + json_quoted(to_hex(token.key_id)) +
         ",\"scope\":" + json_quoted(scope_of(token)) + ",\"expires\":" + json_quoted(utc_text(token.expires)) +
         ",\"refreshable\":" + (token.refresh_token ? "true" : "false") +
         ",\"file\":" + json_quoted(entry.file.string()) + "}";
}

}  // namespace

std::string scope_as_text(const ace::Scope& scope) {
  if (const auto* text = std::get_if<std::string>(&scope)) return *text;
  const auto aif = ace::Aif::parse(std::get<Bytes>(scope));
  return aif ? aif->to_text() : to_hex(std::get<Bytes>(scope));
}

int list_held_tokens(const Config& config, const Console& console) {
  const auto folder = kept_tokens_folder(config);
  std::vector<TokenFiles::Entry> entries;
  if (folder) entries = TokenFiles(*folder, console).list();
  const auto now = static_cast<std::uint64_t>(SystemClock().wall().time_since_epoch().count());
  std::string text;
  if (console.json()) {
    for (const auto& entry : entries) text += (text.empty() ? "" : ",") + json_of(entry);
    console.out("{\"tokens\":[" + text + "]}\n");
    return 0;
  }
  if (entries.empty()) {
    console.note(folder ? "aceward: no tokens are kept in " + printable_line(folder->string())
                        : "aceward: no tokens are kept");
  }
  for (const auto& [file, token] : entries) {
    const bool is_over = token.expires <= now;
    text += printable_line(token.server + " (audience " + token.audience + ", from " + token.as_uri + ")") + "\n";
    text += "  scope    " + printable_line(token.scope ? scope_of(token) : "as asked for") + "\n";
    text += std::string(is_over ? "  expired  " : "  expires  ") + utc_text(token.expires) +
            (token.refresh_token ? ", can be refreshed" : "") + "\n";
  }
  console.out(text);
  return 0;
}

int remove_held_tokens(const TokenOptions& options, const Config& config, const Console& console) {
  if (options.server.empty() != options.all) {
    return console.fail(Failure::usage("remove takes the name of a server, or --all"));
  }
  const auto folder = kept_tokens_folder(config);
  std::size_t removed = 0;
  if (folder) {
    for (const auto& [file, token] : TokenFiles(*folder, console).list()) {
      if (!options.all && token.server != options.server) continue;
      if (::unlink(file.c_str()) == 0) ++removed;
    }
  }
  if (console.json()) {
    console.out("{\"removed\":" + std::to_string(removed) + "}\n");
  } else {
    console.note("aceward: " + std::to_string(removed) + (removed == 1 ? " token" : " tokens") + " removed");
  }
  return 0;
}

}  // namespace aceward::app
