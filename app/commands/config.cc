// `aceward config check`: whether a configuration would start, and what would run.
#include "app/commands/commands.h"
#include "app/config/role_settings.h"
#include "app/records/asker.h"

namespace aceward::app {

namespace {

struct Line {
  std::string role;
  std::string where;
};

void add_lines(std::vector<Line>& lines, const std::string& role, const std::string& scheme,
               const std::vector<Address>& addresses) {
  for (const Address& address : addresses) lines.push_back({role, scheme + address.to_string()});
}

/// Everything but the sockets: values, key files, names of groups.
class Check {
 public:
  explicit Check(const Config& config) : config_(config) {}

  void run() {
    if (config_.as) take(as_settings(config_));
    if (config_.rs) take(rs_settings(config_));
    if (config_.client) {
      for (std::size_t i = 0; i < config_.client->servers.size(); ++i) take_client(i);
    }
    if (config_.admin.group && !group_number(*config_.admin.group)) {
      problems_.push_back(config_failure(config_.file, {}, "[admin] group is \"" + *config_.admin.group + "\"",
                                         "name a group that this system has"));
    }
    if (!config_.as && !config_.rs && !config_.client) {
      problems_.push_back(
          config_failure(config_.file, {}, "there is no section [as], [rs] or [client]", "see `aceward init --help`"));
    }
  }

  const std::vector<Failure>& problems() const { return problems_; }
  const std::vector<std::string>& notes() const { return notes_; }

  std::vector<Line> would_run() const {
    std::vector<Line> lines;
    if (config_.as) {
      add_lines(lines, "as", "coaps://", config_.as->listen);
      lines.push_back({"admin", config_.store.socket.string()});
      lines.push_back({"store", config_.store.path.string()});
    }
    if (config_.rs) {
      add_lines(lines, "rs", "coaps://", config_.rs->listen);
      add_lines(lines, "rs", "coap://", config_.rs->listen_plain);
    }
    if (config_.metrics.listen)
      lines.push_back({"metrics", "http://" + config_.metrics.listen->to_string() + "/metrics"});
    if (config_.audit.path) lines.push_back({"audit", config_.audit.path->string()});
    if (config_.client) {
      for (const ClientServerSection& server : config_.client->servers) lines.push_back({"client of", server.uri});
    }
    return lines;
  }

 private:
  template <class Settings>
  void take(const Outcome<Settings>& settings) {
    if (!settings) problems_.push_back(settings.error());
  }
  void take_client(std::size_t server) {
    const auto settings = client_settings(config_, server);
    if (settings) return;
    // A name that nobody knows at the moment is no fault of the file.
    if (settings.error().code == ExitCode::no_answer) return notes_.push_back(settings.error().what);
    for (const Failure& known : problems_) {
      if (known.what == settings.error().what) return;  // the same key file of another server
    }
    problems_.push_back(settings.error());
  }

  const Config& config_;
  std::vector<Failure> problems_;
  std::vector<std::string> notes_;
};

std::string json_of(const Config& config, const Check& check) {
  std::string text = "{\"file\":" + json_quoted(config.file.string()) +
                     ",\"good\":" + (check.problems().empty() ? "true" : "false") + ",\"problems\":[";
  for (std::size_t i = 0; i < check.problems().size(); ++i) {
    const Failure& problem = check.problems()[i];
    text += std::string(i == 0 ? "" : ",") + "{\"what\":" + json_quoted(problem.what) +
            ",\"check\":" + json_quoted(problem.check) + "}";
  }
  text += "],\"would_run\":[";
  const auto lines = check.would_run();
  for (std::size_t i = 0; i < lines.size(); ++i) {
    text += std::string(i == 0 ? "" : ",") + "{\"role\":" + json_quoted(lines[i].role) +
            ",\"where\":" + json_quoted(lines[i].where) + "}";
  }
  return text + "]}\n";
}

}  // namespace

int run_config_check(const ConfigCheckOptions& options, const Console& console) {
  static_cast<void>(options);
  const auto config = load_config(console.options());
  if (!config) return console.fail(config.error());
  Check check(*config);
  check.run();
  if (console.json()) {
    console.out(json_of(*config, check));
  } else {
    for (const Line& line : check.would_run()) console.out(line.role + " " + printable_line(line.where) + "\n");
  }
  for (const std::string& note : check.notes()) console.note("aceward: " + printable_line(note));
  if (check.problems().empty()) {
    if (!console.json()) console.note(printable_line(config->file.string()) + ": good");
    return 0;
  }
  // With --json they have been told already.
  GlobalOptions plain = console.options();
  plain.json = false;
  for (const Failure& problem : check.problems()) Console(plain).fail(problem);
  return static_cast<int>(ExitCode::configuration);
}

}  // namespace aceward::app
