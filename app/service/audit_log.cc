#include "app/service/audit_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "app/records/ask.h"

namespace aceward::app {

namespace {

/// Octets of one text of a line; where the line would be too long all the same, the second.
constexpr std::size_t longest_text = 255;
constexpr std::size_t shortened_text = 32;
constexpr std::size_t most_rules = 16;
constexpr std::size_t fewest_rules = 4;

std::string audit_line_with(const AuditEvent& event, WallTime now, std::size_t text_limit, std::size_t rule_limit,
                            bool is_cut) {
  JsonObject line;
  const auto add = [&](std::string_view name, std::string_view text) {
    line.add_text_unless_empty(name, text.substr(0, text_limit));
  };
  line.add("time", time_text(now));
  add("role", event.role);
  add("what", event.what);
  line.add("decision", event.granted ? "granted" : "refused");
  add("reason", event.reason);
  add("detail", event.detail);
  add("by", event.by);
  add("client", event.client);
  add("authentication", event.authentication);
  add("rs", event.server);
  add("audience", event.audience);
  add("scope", event.scope);
  if (event.number) line.add("number", *event.number);
  add("name", event.name);
  add("method", event.method);
  add("code", event.code);
  if (!event.rules.empty()) {
    std::vector<std::string> rules;
    for (const std::string& rule : event.rules) {
      if (rules.size() == rule_limit) break;
      rules.push_back(rule.substr(0, text_limit));
    }
    line.add_texts("rules", rules);
    is_cut = is_cut || event.rules.size() > rule_limit;
  }
  if (is_cut) line.add("cut", true);
  return std::move(line).finish();
}

int open_for_appending(const std::filesystem::path& path) {
  // Not blocking: a pipe that nobody reads is an error, not a wait.
  return ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
}

Failure audit_open_failure(const std::filesystem::path& path, int error) {
  return Failure::configuration("the audit log " + path.string() + " cannot be opened: " + std::strerror(error),
                                "look at [audit] path, and at the mode of its folder");
}

}  // namespace

std::string audit_line(const AuditEvent& event, WallTime now) {
  std::string line = audit_line_with(event, now, longest_text, most_rules, false);
  if (line.size() >= longest_audit_line) line = audit_line_with(event, now, shortened_text, fewest_rules, true);
  return line;
}

AuditLog::AuditLog(std::filesystem::path path, std::uint64_t strangers_per_second, const Clock& clock, Say say)
    : path_(std::move(path)), strangers_per_second_(strangers_per_second), clock_(clock), say_(std::move(say)) {}

AuditLog::~AuditLog() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Outcome<std::unique_ptr<AuditLog>> AuditLog::open(const std::filesystem::path& path, std::uint64_t strangers_per_second,
                                                  const Clock& clock, Say say) {
  std::unique_ptr<AuditLog> log(new AuditLog(path, strangers_per_second, clock, std::move(say)));
  if (auto opened = log->reopen(); !opened) return std::unexpected(opened.error());
  return log;
}

Outcome<> AuditLog::reopen() {
  const int fresh = open_for_appending(path_);
  if (fresh < 0) return std::unexpected(audit_open_failure(path_, errno));
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = fresh;
  is_torn_ = false;
  return {};
}

void AuditLog::write(const AuditEvent& event) {
  if (admit(event)) append(audit_line(event, clock_.wall()));
}

bool AuditLog::admit(const AuditEvent& event) {
  if (!event.is_stranger) return true;
  const WallTime now = clock_.wall();
  if (now != second_) {
    const std::uint64_t unwritten = in_second_ > strangers_per_second_ ? in_second_ - strangers_per_second_ : 0;
    second_ = now;
    in_second_ = 0;
    if (unwritten > 0) {
      JsonObject line;
      line.add("time", time_text(now)).add("role", event.role).add("what", "suppressed");
      line.add("lines", static_cast<std::int64_t>(unwritten));
      append(std::move(line).finish());
    }
  }
  if (++in_second_ <= strangers_per_second_) return true;
  ++counters_.suppressed;
  return false;
}

void AuditLog::append(std::string line) {
  line += '\n';
  // What was torn by a full disk ends here, so that it spoils no line but itself.
  if (is_torn_) line.insert(line.begin(), '\n');
  std::string_view rest = line;
  while (!rest.empty()) {
    const ssize_t written = ::write(descriptor_, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      is_torn_ = is_torn_ || rest.size() < line.size();
      return lose(std::strerror(errno));
    }
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  is_torn_ = false;
  ++counters_.lines;
  counters_.octets += line.size();
  if (std::exchange(is_in_trouble_, false)) {
    say_("written again; " + std::to_string(counters_.lost - lost_before_) + " lines were lost");
  }
}

void AuditLog::lose(const std::string& why) {
  if (!std::exchange(is_in_trouble_, true)) {
    lost_before_ = counters_.lost;
    say_("lines are lost: " + path_.string() + ": " + why);
  }
  ++counters_.lost;
}

}  // namespace aceward::app
