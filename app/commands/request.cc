// `aceward get|put|post|delete`: one request, with permission obtained on the way.
#include <cmath>
#include <fstream>
#include <iostream>

#include "aceward/ace/client/reasons.h"
#include "aceward/ace/params/names.h"
#include "aceward/cbor/diagnostic.h"
#include "aceward/coap/message/pretty.h"
#include "aceward/coap/message/uri.h"
#include "aceward/net/resolve.h"
#include "app/client/access_run.h"
#include "app/client/server_choice.h"
#include "app/commands/commands.h"
#include "app/key_files.h"
#include "app/payload_text.h"

namespace aceward::app {

namespace {

constexpr std::size_t largest_input = 1 << 20;

Outcome<Bytes> payload_of(const std::string& data, std::optional<coap::ContentFormat> format) {
  const bool is_cbor = format && is_cbor_format(*format);
  std::string text = data;
  bool is_notation = is_cbor;
  if (data == "-" || data.starts_with("@")) {
    auto read = read_input(data == "-" ? data : data.substr(1));
    if (!read) return std::unexpected(read.error());
    text = std::move(*read);
    // A file is taken as it is, unless its name says that it is notation.
    is_notation = is_cbor && (data.ends_with(".edn") || data.ends_with(".diag"));
  }
  if (!is_notation) return to_bytes(text);
  std::size_t offset = 0;
  auto octets = cbor::from_diagnostic(text, &offset);
  if (!octets) {
    return std::unexpected(Failure::usage("the payload is not CBOR in diagnostic notation: at octet " +
                                              std::to_string(offset) + ", " + std::string(octets.error().detail()),
                                          "write it like {\"on\": true, 1: h'01ff'}"));
  }
  return std::move(*octets);
}

Outcome<ace::dtls::Operation> operation_of(const RequestOptions& options, const coap::Uri& uri) {
  ace::dtls::Operation operation;
  operation.request.method = options.method;
  operation.plain_answer_allowed = !uri.secure;
  if (options.non) operation.reliability = coap::Reliability::non_confirmable;
  if (!(options.timeout > 0 && options.timeout <= 86400)) {
    return std::unexpected(Failure::usage("--timeout takes seconds, more than 0 and at most 86400"));
  }
  operation.timeout = std::chrono::milliseconds(std::llround(std::ceil(options.timeout * 1000)));
  if (auto added = coap::add_uri_options(uri, uri.port, operation.request.options); !added) {
    return std::unexpected(Failure::of(ExitCode::usage, added.error(), options.uri));
  }
  std::optional<coap::ContentFormat> format;
  for (const auto& [text, is_accept] : {std::pair(options.content_format, false), std::pair(options.accept, true)}) {
    if (text.empty()) continue;
    const auto parsed = parse_content_format(text);
    if (!parsed) {
      return std::unexpected(Failure::usage("no Content-Format is called \"" + text + "\"",
                                            "write a number, or a name like text/plain, json, cbor, ace+cbor"));
    }
    if (is_accept) {
      operation.request.options.set_accept(*parsed);
    } else {
      format = parsed;
      operation.request.options.set_content_format(*parsed);
    }
  }
  if (options.data) {
    auto payload = payload_of(*options.data, format);
    if (!payload) return std::unexpected(payload.error());
    operation.request.payload = std::move(*payload);
  }
  return operation;
}

std::string headers_of(const coap::Response& response) {
  coap::Message message;
  message.code = response.code;
  message.options = response.options;
  std::string text = response.code.to_string() + "\n";
  const auto lines = coap::pretty_lines(message);
  for (std::size_t i = 1; i < lines.size(); ++i) text += lines[i].label + ": " + lines[i].value + "\n";
  return text;
}

bool is_text_format(const coap::Response& response) {
  const auto format = response.options.content_format();
  return !format || *format == coap::content_format::text_plain || *format == coap::content_format::json ||
         *format == coap::content_format::link_format || *format == coap::content_format::aif_json;
}

/// With names where it is an ACE message.
std::string notation_of(const coap::Response& response) {
  coap::Message message;
  message.code = response.code;
  message.options = response.options;
  message.payload = response.payload;
  return payload_text(message);
}

void print_payload(const coap::Response& response, const Console& console) {
  if (response.payload.empty()) return;
  const auto format = response.options.content_format();
  if (format && is_cbor_format(*format)) return console.out(notation_of(response) + "\n");
  if (!console.out_is_terminal()) return console.out(as_text(response.payload));
  std::string text = is_text_format(response) ? printable(as_text(response.payload)) : to_hex(response.payload);
  if (!text.ends_with('\n')) text += "\n";
  console.out(text);
}

std::string response_json(const coap::Response& response, std::string_view stage) {
  std::string text = "{\"code\":" + json_quoted(response.code.number()) +
                     ",\"name\":" + json_quoted(response.code.name()) + ",\"stage\":" + json_quoted(stage);
  if (const auto format = response.options.content_format()) {
    text += ",\"content_format\":" + std::to_string(format->value);
    if (is_cbor_format(*format)) text += ",\"payload_diagnostic\":" + json_quoted(notation_of(response));
  }
  if (is_text_format(response)) text += ",\"payload\":" + json_quoted(as_text(response.payload));
  text += ",\"payload_hex\":" + json_quoted(to_hex(response.payload)) + ",\"options\":[";
  coap::Message message;
  message.code = response.code;
  message.options = response.options;
  const auto lines = coap::pretty_lines(message);
  for (std::size_t i = 1; i < lines.size(); ++i) {
    text += (i > 1 ? ",{\"name\":" : "{\"name\":") + json_quoted(lines[i].label) +
            ",\"value\":" + json_quoted(lines[i].value) + "}";
  }
  return text + "]}\n";
}

/// The answer of whoever answered in the end, good or bad.
int report(const coap::Response& response, std::string_view stage, const RequestOptions& options,
           const Console& console) {
  const ExitCode code = exit_code_of(response.code);
  if (code == ExitCode::done && !options.output.empty()) {
    // What was asked for may replace a file, as a shell's redirection does.
    const auto written = write_file(options.output, response.payload, Exposure::anybody, true);
    if (!written) return console.fail(Failure::usage(written.error().what, written.error().check));
  }
  if (console.json()) {
    console.out(response_json(response, stage));
  } else if (code == ExitCode::done) {
    if (options.include) console.out(headers_of(response) + "\n");
    if (options.output.empty()) print_payload(response, console);
    console.detail(response.code.to_string());
  } else {
    if (options.include) console.out(headers_of(response));
    std::string text = "aceward: the server answers " + response.code.to_string();
    if (!response.payload.empty()) text += "\n" + notation_of(response);
    std::cerr << text << "\n";
    if (response.code == coap::code::forbidden || response.code == coap::code::method_not_allowed) {
      console.note("  the token does not allow this: ask the owner for a policy rule, or ask for more with --scope");
    } else if (response.code == coap::code::unauthorized) {
      console.note("  add a [[client.server]] for it, and ask the owner of its authorization server for access");
    }
  }
  return static_cast<int>(code);
}

}  // namespace

Outcome<std::string> read_input(const std::string& name) {
  std::ifstream file;
  std::istream* in = &std::cin;
  if (name != "-") {
    file.open(name, std::ios::binary);
    if (!file) return std::unexpected(Failure::usage("cannot read " + name, "look at the path and its mode"));
    in = &file;
  }
  std::string content(largest_input + 1, '\0');
  in->read(content.data(), static_cast<std::streamsize>(content.size()));
  content.resize(static_cast<std::size_t>(in->gcount()));
  if (content.size() > largest_input) return std::unexpected(Failure::usage(name + " is larger than 1 MiB"));
  return content;
}

int run_request(const RequestOptions& options, const Console& console) {
  const auto uri = coap::parse_uri(options.uri);
  if (!uri) return console.fail(Failure::of(ExitCode::usage, uri.error(), options.uri));
  auto operation = operation_of(options, *uri);
  if (!operation) return console.fail(operation.error());
  std::optional<ace::Scope> scope;
  if (!options.scope.empty()) {
    auto parsed = parse_scope(options.scope);
    if (!parsed) return console.fail(parsed.error());
    scope = std::move(*parsed);
  }

  // Without any configuration a plain server can still be asked, as with any CoAP client.
  const auto file = find_config(console.options());
  std::optional<std::size_t> server;
  std::optional<Config> config;
  if (file) {
    auto loaded = load_config(console.options());
    if (!loaded) return console.fail(loaded.error());
    config = std::move(*loaded);
    server = server_for(*config, *uri);
  } else if (uri->secure || console.options().config) {
    return console.fail(file.error());
  }
  if (!server) {
    if (uri->secure) {
      return console.fail(Failure::of(ExitCode::configuration, Error(reason::server_unknown), options.uri));
    }
    const auto addresses = net::resolve(uri->host, uri->port);
    if (!addresses) return console.fail(Failure::of(ExitCode::no_answer, addresses.error(), uri->host));
    const auto answer =
        request_plainly(addresses->front(), std::move(*operation), console.options().trace, console.colour());
    if (!answer) return console.fail(Failure::of(exit_code_of(answer.error()), answer.error(), options.uri));
    return report(*answer, "probe", options, console);
  }

  auto settings = client_settings(*config, *server);
  if (!settings) return console.fail(settings.error());
  settings->access.extend_rights = !options.no_extend;
  if (scope) settings->access.servers.front().scope = std::move(scope);
  auto run = AccessRun::start(std::move(*settings), console.options().trace, console.colour());
  if (!run) return console.fail(run.error());
  const auto completed = (*run)->request(std::move(*operation));
  if (!completed.result) return console.fail(failure_of(completed));
  if (completed.refusal) {
    console.note("aceward: the authorization server does not extend the token: " +
                 std::string(name_of(completed.refusal->error)));
  }
  return report(*completed.result, name_of(completed.stage), options, console);
}

}  // namespace aceward::app
