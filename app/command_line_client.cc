// The commands that speak CoAP: requests, observe, discover, ping.
#include "app/grammar.h"

namespace aceward::app {

bool Grammar::has_payload(coap::Code method) { return method != coap::code::get && method != coap::code::delete_; }

void Grammar::add_request(const std::string& name, coap::Code method, const std::string& what,
                          const std::string& example) {
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
void Grammar::add_request_options(CLI::App* command, RequestOptions& request) {
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

void Grammar::add_observe() {
  CLI::App* command = add(app_, "observe", "Prints a resource whenever it changes, until SIGINT.",
                          "aceward observe --count 10 coap://rs.example/temp");
  command->add_option("URI", observe_.request.uri, "What to observe")->required();
  command->add_option("-n,--count", observe_.count, "End after so many");
  command->add_option("--duration", observe_.duration, "End after so many seconds");
  add_request_options(command, observe_.request);
  on(command, run_observe, observe_);
}

void Grammar::add_discover() {
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

void Grammar::add_ping() {
  CLI::App* command = add(app_, "ping", "Asks whether a server is there, and measures the round trip.",
                          "aceward ping -n 4 coap://rs.example");
  command->add_option("URI", ping_.uri, "The server; over DTLS a session is set up first")->required();
  command->add_option("-n,--count", ping_.count, "How many; 0: until SIGINT")->capture_default_str();
  command->add_option("--interval", ping_.interval, "Seconds between two")->capture_default_str();
  command->add_option("--timeout", ping_.timeout, "Seconds to wait for each answer")->capture_default_str();
  command->add_option("--scope", ping_.scope, "What to ask for: scope-tokens, or /path=GET,PUT for AIF");
  on(command, run_ping, ping_);
}

void Grammar::add_token_get(CLI::App* noun) {
  auto [command, options] = add_token_verb(noun, "get", "Gets a token as a client, and shows what it is bound to.",
                                           "aceward token get rs --scope read_temp -o token.cwt");
  command->add_option("SERVER", options->server, "The name or URI of a [[client.server]]")->required();
  command->add_option("--scope", options->scope, "What to ask for: scope-tokens, or /path=GET,PUT for AIF");
  command->add_option("-o,--output", options->output, "Write the token to FILE, as it came")->type_name("FILE");
  command->add_flag("--wait", options->wait, "If the owner has to decide first: ask again until then, or --timeout");
  command->add_option("--timeout", options->timeout, "Give up after so many seconds")->capture_default_str();
  command->add_flag("--yes", options->yes, "Replace FILE if it is there");

  auto [remove, removed] =
      add_token_verb(noun, "remove", "Removes tokens that this client keeps: the next request asks for a new one.",
                     "aceward token remove rs");
  remove->add_option("SERVER", removed->server, "The name of a [[client.server]]");
  remove->add_flag("--all", removed->all, "Those for all servers");
}

}  // namespace aceward::app
