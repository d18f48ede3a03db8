// `aceward discover`: what a server says that it has (RFC 6690).
#include <algorithm>

#include "aceward/coap/links/link.h"
#include "aceward/coap/links/uri_reference.h"
#include "aceward/coap/message/content_format.h"
#include "app/client/client_run.h"
#include "app/commands/commands.h"
#include "app/commands/request.h"
#include "app/response_text.h"

namespace aceward::app {

namespace {

namespace links = coap::links;

/// The URI that is asked: that of the server with the path of the standard and the filters as its query; a path or a
/// query of the URI itself stays.
coap::Uri uri_asked(coap::Uri uri, const DiscoverOptions& options) {
  if (uri.path.empty() || (uri.path.size() == 1 && uri.path.front().empty())) uri.path = {".well-known", "core"};
  const auto filter = [&](const char* name, const std::string& value) {
    if (!value.empty()) uri.query.push_back(std::string(name) + "=" + value);
  };
  filter("rt", options.resource_type);
  filter("if", options.interface);
  filter("href", options.href);
  std::string_view rest = options.query;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('&'), rest.size());
    if (end > 0) uri.query.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return uri;
}

std::string attribute_text(const links::Attribute& attribute) {
  if (!attribute.value) return printable_line(attribute.name);
  const bool is_word = !attribute.value->empty() && attribute.value->find_first_of(" \t\"") == std::string::npos;
  return printable_line(attribute.name + "=" + (is_word ? *attribute.value : "\"" + *attribute.value + "\""));
}

/// Content-Formats by name where they have one.
std::string formats_text(const links::Link& link) {
  std::string text;
  for (const std::string_view number : link.values("ct")) {
    const auto format = parse_content_format(number);
    const std::string_view name = format ? coap::name_of(*format) : "";
    text += (text.empty() ? "" : " ") + (name.empty() ? printable_line(number) : std::string(name));
  }
  return text;
}

std::string table_of(const std::vector<links::Link>& all) {
  struct Row {
    std::string target, type, interface, formats, rest;
  };
  std::vector<Row> rows{{"RESOURCE", "TYPE", "INTERFACE", "FORMATS", "MORE"}};
  for (const links::Link& link : all) {
    Row row{printable_line(link.target), printable_line(link.value("rt").value_or("")),
            printable_line(link.value("if").value_or("")), formats_text(link), ""};
    for (const links::Attribute& attribute : link.attributes) {
      if (attribute.name == "rt" || attribute.name == "if" || attribute.name == "ct") continue;
      row.rest += (row.rest.empty() ? "" : " ") + attribute_text(attribute);
    }
    rows.push_back(std::move(row));
  }
  std::string text;
  std::vector<std::string> lines(rows.size());
  for (const auto column : {&Row::target, &Row::type, &Row::interface, &Row::formats, &Row::rest}) {
    // A column in which nobody has anything is left out.
    const bool is_used =
        std::any_of(rows.begin() + 1, rows.end(), [&](const Row& row) { return !(row.*column).empty(); });
    if (!is_used) continue;
    std::size_t width = 0;
    for (const std::string& line : lines) width = std::max(width, line.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (width > 0) lines[i].resize(width + 2, ' ');
      lines[i] += rows[i].*column;
    }
  }
  for (std::string& line : lines) {
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

std::string json_of(const std::vector<links::Link>& all, const std::string& base) {
  std::string text = "{\"links\":[";
  for (const links::Link& link : all) {
    text += (&link == all.data() ? "{\"href\":" : ",{\"href\":") + json_quoted(link.target);
    if (const auto resolved = links::resolve(link, base)) text += ",\"uri\":" + json_quoted(resolved->target);
    text += ",\"attributes\":[";
    for (const links::Attribute& attribute : link.attributes) {
      text += (&attribute == link.attributes.data() ? "{\"name\":" : ",{\"name\":") + json_quoted(attribute.name) +
              ",\"value\":" + (attribute.value ? json_quoted(*attribute.value) : "true") + "}";
    }
    text += "]}";
  }
  return text + "]}\n";
}

}  // namespace

int run_discover(const DiscoverOptions& options, const Console& console) {
  auto target = parse_target(options.uri, options.scope);
  if (!target) return console.fail(target.error());
  target->uri = uri_asked(std::move(target->uri), options);
  const std::string base = coap::compose_uri(target->uri);
  RequestOptions request;
  request.uri = base;
  request.timeout = options.timeout;
  auto operation = operation_of(request, target->uri);
  if (!operation) return console.fail(operation.error());
  auto run = ClientRun::start(std::move(*target), console);
  if (!run) return console.fail(run.error());
  const auto completed = (*run)->request(std::move(*operation));
  if (!completed.result) return console.fail(failure_of(completed));
  const coap::Response& response = *completed.result;
  if (response.code.is_error()) {
    if (console.json()) {
      console.out("{" + response_members(response) + "}\n");
      return static_cast<int>(exit_code_of(response.code));
    }
    return report_error(response, completed.stage == ace::dtls::Stage::access, console);
  }
  // Servers that say nothing about the format have the one of the standard (RFC 6690 section 4).
  const auto found = links::parse(as_text(response.payload), links::Reading::tolerant);
  if (!found) return console.fail(Failure::of(ExitCode::security, found.error(), "the list of resources"));
  if (console.json()) {
    console.out(json_of(*found, base));
  } else if (found->empty()) {
    console.note("there are none");
  } else {
    console.out(table_of(*found));
  }
  return 0;
}

}  // namespace aceward::app
