// `aceward counters`: what the running servers count.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "aceward/net/local_socket.h"
#include "aceward/net/reasons.h"
#include "app/commands/commands.h"
#include "app/config/config.h"
#include "app/records/record_json.h"

namespace aceward::app {

namespace {

std::string text_of(const Json& roles, bool with_zeros) {
  std::string text;
  for (const auto& [role, groups] : roles.items()) {
    for (const auto& [group, values] : groups.items()) {
      text += role + " " + group + "\n";
      bool has_any = false;
      for (const auto& [name, value] : values.items()) {
        if (!with_zeros && value == 0) continue;
        has_any = true;
        text += "  " + name + std::string(name.size() < 24 ? 24 - name.size() : 1, ' ') + value.dump() + "\n";
      }
      if (!has_any) text += "  all 0\n";
    }
  }
  return text;
}

}  // namespace

int run_counters(const CountersOptions& options, const Console& console) {
  const auto config = load_config(console.options());
  if (!config) return console.fail(config.error());
  std::vector<std::filesystem::path> sockets;
  if (config->as) sockets.push_back(config->store.socket);
  if (config->rs) sockets.push_back(config->rs->socket);
  if (sockets.empty()) {
    return console.fail(config_failure(config->file, {}, "there is neither a section [as] nor [rs]",
                                       "name a server's configuration with -c FILE"));
  }
  Json all = Json::object();
  std::optional<Failure> failure;
  for (const auto& socket : sockets) {
    const auto line = net::ask_local(socket.string(), R"({"do":"counters"})");
    if (!line) {
      failure = Failure::of(exit_code_of_store(line.error()), line.error(), socket.string());
      continue;
    }
    const Json reply = Json::parse(*line, nullptr, false);
    if (!reply.is_object() || reply.contains("error")) {
      failure = Failure{ExitCode::server_error, "local_server_unreachable",
                        "the running server's answer does not parse", "look whether it is of this version"};
      continue;
    }
    all.update(reply);
  }
  if (all.empty()) return console.fail(*failure);
  console.out(console.json() ? all.dump() + "\n" : text_of(all, options.all));
  return 0;
}

}  // namespace aceward::app
