// `aceward get|put|post|delete|fetch|patch|ipatch`: one request, with permission obtained on the way.
#include <fstream>
#include <iostream>

#include "aceward/ace/params/names.h"
#include "aceward/cbor/diagnostic.h"
#include "aceward/coap/blockwise/block_option.h"
#include "app/client/client_run.h"
#include "app/commands/commands.h"
#include "app/commands/request.h"
#include "app/key_files.h"
#include "app/response_text.h"

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

/// `0x1a2b` or `1a2b`; of If-Match also `*`: whatever there is.
Outcome<Bytes> tag_of(std::string_view text, std::string_view flag) {
  if (text == "*" && flag == "--if-match") return Bytes();
  const std::string_view digits = text.starts_with("0x") ? text.substr(2) : text;
  auto octets = from_hex(digits);
  if (!octets || octets->empty() || octets->size() > 8) {
    return std::unexpected(Failure::usage(std::string(flag) + " \"" + std::string(text) + "\" is not an entity-tag",
                                          "write its 1 to 8 octets in hexadecimal, as --include shows them"));
  }
  return std::move(*octets);
}

Outcome<> add_preconditions(const RequestOptions& options, coap::Options& out) {
  for (const std::string& text : options.if_match) {
    const auto tag = tag_of(text, "--if-match");
    if (!tag) return std::unexpected(tag.error());
    out.add(coap::option::if_match, *tag);
  }
  for (const std::string& text : options.etags) {
    const auto tag = tag_of(text, "--etag");
    if (!tag) return std::unexpected(tag.error());
    out.add(coap::option::etag, *tag);
  }
  if (options.if_none_match) out.add_empty(coap::option::if_none_match);
  return {};
}

/// Block2 and Block1 of 0/0/size state the size to use (RFC 7959 section 2.4).
Outcome<> add_block_size(unsigned size, bool has_payload, coap::Options& out) {
  if (size == 0) return {};
  const coap::Szx szx = coap::Szx::fitting(size);
  if (szx.size() != size) {
    return std::unexpected(Failure::usage("--block-size takes 16, 32, 64, 128, 256, 512 or 1024"));
  }
  const coap::BlockOption block{0, false, szx};
  out.set_uint(coap::option::block2, block.value());
  if (has_payload) out.set_uint(coap::option::block1, block.value());
  return {};
}

}  // namespace

Outcome<ace::dtls::Operation> operation_of(const RequestOptions& options, const coap::Uri& uri) {
  ace::dtls::Operation operation;
  operation.request.method = options.method;
  operation.plain_answer_allowed = !uri.secure;
  if (options.non) operation.reliability = coap::Reliability::non_confirmable;
  const auto timeout = parse_seconds(options.timeout, "--timeout");
  if (!timeout) return std::unexpected(timeout.error());
  operation.timeout = *timeout;
  coap::Options& out = operation.request.options;
  if (auto added = coap::add_uri_options(uri, uri.port, out); !added) {
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
      out.set_accept(*parsed);
    } else {
      format = parsed;
      out.set_content_format(*parsed);
    }
  }
  if (auto added = add_preconditions(options, out); !added) return std::unexpected(added.error());
  if (options.data) {
    auto payload = payload_of(*options.data, format);
    if (!payload) return std::unexpected(payload.error());
    operation.request.payload = std::move(*payload);
  }
  if (auto added = add_block_size(options.block_size, options.data.has_value(), out); !added) {
    return std::unexpected(added.error());
  }
  return operation;
}

int report_error(const coap::Response& response, bool has_token, const Console& console) {
  std::cerr << "aceward: the server answers " << response.code.to_string() << "\n" << why_text(response);
  if (has_token && (response.code == coap::code::forbidden || response.code == coap::code::method_not_allowed)) {
    console.note("  the token does not allow this: ask the owner for a policy rule, or ask for more with --scope");
  } else if (!has_token && response.code == coap::code::unauthorized) {
    console.note("  add a [[client.server]] for it, and ask the owner of its authorization server for access");
  }
  return static_cast<int>(exit_code_of(response.code));
}

namespace {

/// The answer of whoever answered in the end, good or bad.
int report(const coap::Response& response, std::string_view stage, bool has_token, const RequestOptions& options,
           const Console& console) {
  const ExitCode code = exit_code_of(response.code);
  if (code == ExitCode::done && !options.output.empty()) {
    // What was asked for may replace a file, as a shell's redirection does.
    const auto written = write_file(options.output, response.payload, Exposure::anybody, true);
    if (!written) return console.fail(Failure::usage(written.error().what, written.error().check));
  }
  if (console.json()) {
    console.out("{" + response_members(response) + ",\"stage\":" + json_quoted(stage) + "}\n");
    return static_cast<int>(code);
  }
  if (options.include) console.out(headers_of(response) + (code == ExitCode::done ? "\n" : ""));
  if (code != ExitCode::done) return report_error(response, has_token, console);
  if (options.output.empty()) print_payload(response, console);
  if (response.code == coap::code::valid) console.note("aceward: what has that entity-tag is still valid");
  console.detail(response.code.to_string());
  return 0;
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
  auto target = parse_target(options.uri, options.scope);
  if (!target) return console.fail(target.error());
  target->extend_rights = !options.no_extend;
  auto operation = operation_of(options, target->uri);
  if (!operation) return console.fail(operation.error());
  auto run = ClientRun::start(std::move(*target), console);
  if (!run) return console.fail(run.error());
  const auto completed = (*run)->request(std::move(*operation));
  if (!completed.result) return console.fail(failure_of(completed));
  if (completed.refusal) {
    console.note("aceward: the authorization server does not extend the token: " +
                 std::string(name_of(completed.refusal->error)));
  }
  return report(*completed.result, name_of(completed.stage), completed.stage == ace::dtls::Stage::access, options,
                console);
}

}  // namespace aceward::app
