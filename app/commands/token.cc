// `aceward token`: get one as a client; list, show and revoke those that the authorization server has issued.
#include <algorithm>
#include <cmath>

#include "app/client/client_run.h"
#include "app/client/server_choice.h"
#include "app/commands/commands.h"
#include "app/commands/held_tokens.h"
#include "app/key_files.h"
#include "app/records/ask.h"

namespace aceward::app {

namespace {

void print_token(const ace::client::HeldToken& token, const ClientServerSection& server, const TokenOptions& options,
                 const Console& console) {
  const bool is_raw = token.kind == ace::client::PopKind::raw_public_key;
  const std::string scope = token.scope ? scope_as_text(*token.scope) : "";
  if (console.json()) {
    std::string text = "{\"server\":" + json_quoted(server.name) + ",\"audience\":" + json_quoted(server.audience) +
                       ",\"bound_to\":" + (is_raw ? "\"raw-key\"" : "\"psk\"") +
                       ",\"key_id\":" + json_quoted(to_hex(token.key_id)) + ",\"scope\":" + json_quoted(scope) +
                       ",\"expires_in\":" + (token.expires_in ? std::to_string(*token.expires_in) : "null") +
                       ",\"token_octets\":" + std::to_string(token.access_token.size());
    if (!options.output.empty()) text += ",\"file\":" + json_quoted(options.output.string());
    return console.out(text + "}\n");
  }
  std::string text = "token for   " + server.name + " (audience " + server.audience + ")\n";
  text += std::string("bound to    ") + (is_raw ? "the client's raw public key" : "a pre-shared key") + ", kid " +
          to_hex(token.key_id) + "\n";
  text += "scope       " + (scope.empty() ? std::string("as asked for") : scope) + "\n";
  text +=
      "expires in  " + (token.expires_in ? std::to_string(*token.expires_in) + " s" : std::string("not said")) + "\n";
  text += "size        " + std::to_string(token.access_token.size()) + " octets\n";
  if (!options.output.empty()) text += "written to  " + options.output.string() + "\n";
  console.out(printable(text));
}

/// With --wait again and again, as often as the authorization server says, until it has decided.
ace::dtls::Completed ask_for_token(ClientRun& run, const TokenOptions& options, const Console& console) {
  const SystemClock clock;
  const Instant end = clock.now() + std::chrono::milliseconds(std::llround(options.timeout * 1000));
  for (;;) {
    auto completed = run.obtain_token(end - clock.now());
    if (completed.result || !options.wait || !completed.retry_after) return completed;
    const auto pause = std::max(*completed.retry_after, std::chrono::seconds(1));
    // Nobody asks earlier than told.
    if (clock.now() + pause >= end) return completed;
    console.note("aceward: " + std::string(completed.result.error().reason().what) + "; asking again in " +
                 std::to_string(pause.count()) + " s");
    if (!run.pause(pause)) return completed;
  }
}

int get_token(const TokenOptions& options, const Config& config, const Console& console) {
  std::optional<std::size_t> server;
  if (const auto uri = coap::parse_uri(options.server)) {
    server = server_for(config, *uri);
  } else if (config.client) {
    const auto found = std::ranges::find(config.client->servers, options.server, &ClientServerSection::name);
    if (found != config.client->servers.end())
      server = static_cast<std::size_t>(found - config.client->servers.begin());
  }
  if (!server) {
    return console.fail(config_failure(config.file, {}, "there is no [[client.server]] \"" + options.server + "\"",
                                       "name one that the file has, or add it"));
  }
  if (!(options.timeout > 0 && options.timeout <= 86400)) {
    return console.fail(Failure::usage("--timeout takes seconds, more than 0 and at most 86400"));
  }
  auto settings = client_settings(config, *server);
  if (!settings) return console.fail(settings.error());
  if (!options.scope.empty()) {
    auto scope = parse_scope(options.scope);
    if (!scope) return console.fail(scope.error());
    settings->access.servers.front().scope = std::move(*scope);
  }
  auto run = ClientRun::start(std::move(*settings), console);
  if (!run) return console.fail(run.error());
  const auto completed = ask_for_token(**run, options, console);
  if (!completed.result) return console.fail(failure_of(completed));
  const ace::client::HeldToken* token = (*run)->token();
  if (token == nullptr) return console.fail({ExitCode::security, "as_answer_unusable", "there is no token", ""});
  if (!options.output.empty()) {
    const auto written = write_file(options.output, token->access_token, Exposure::owner_only, options.yes);
    if (!written) return console.fail(Failure::usage(written.error().what, written.error().check));
  }
  print_token(*token, config.client->servers[*server], options, console);
  return 0;
}

}  // namespace

int run_token(const TokenOptions& options, const Console& console) {
  const auto config = load_config(console.options());
  if (!config) return console.fail(config.error());
  if (options.verb == "get") return get_token(options, *config, console);
  if (options.verb == "list" && options.held) return list_held_tokens(*config, console);
  if (options.verb == "remove") return remove_held_tokens(options, *config, console);
  JsonObject request;
  request.add("do", "token." + options.verb);
  request.add_text_unless_empty("client", options.client).add_text_unless_empty("rs", options.rs);
  request.add_text_unless_empty("audience", options.audience);
  if (options.number) request.add("number", *options.number);
  if (options.verb == "list") {
    if (options.live) request.add("live", true);
    request.add("limit", options.limit).add("after", options.after);
  }
  if (options.verb == "revoke") {
    const int ways = (options.number ? 1 : 0) + (options.client.empty() ? 0 : 1) + (options.rs.empty() ? 0 : 1) +
                     (options.audience.empty() ? 0 : 1);
    if (ways != 1) return console.fail(Failure::usage("revoke takes one of NUMBER, --client, --rs and --audience"));
    if (!options.yes) {
      const std::string what = options.number            ? "token " + std::to_string(*options.number)
                               : !options.client.empty() ? "all tokens of client " + options.client
                                                         : "all tokens for " + options.rs + options.audience;
      if (const auto confirmed = console.confirm("Revoke " + what + "?"); !confirmed) {
        return console.fail(confirmed.error());
      }
    }
  }
  return ask_and_print(console, *config, std::move(request).finish(), options.verb == "revoke" ? "done" : "");
}

}  // namespace aceward::app
