#include "app/service/server_log.h"

#include <cstdio>

#include "app/records/ask.h"

namespace aceward::app {

namespace {

/// Refusals logged within one second; strangers cause them, so more are only counted.
constexpr unsigned refusals_logged = 50;

}  // namespace

void ServerLog::granted(std::string_view role, const std::string& text) {
  if (level_ == LogLevel::all) write(role, "granted", text, {});
}

void ServerLog::refused(std::string_view role, const std::string& text, const Error& why) {
  refused(role, text, why.id(), why.detail());
}

void ServerLog::refused(std::string_view role, const std::string& text, std::string_view reason,
                        std::string_view detail) {
  if (level_ == LogLevel::none || !admit()) return;
  write(role, "refused", text + (detail.empty() ? "" : " (" + std::string(detail) + ")"), reason);
}

void ServerLog::session(std::string_view role, const coaps::SessionEvent& event) {
  if (const auto* failed = std::get_if<coaps::SessionFailed>(&event)) {
    refused(role, "handshake with " + failed->peer.remote.to_string(), failed->why);
  } else if (const auto* established = std::get_if<coaps::SessionEstablished>(&event)) {
    granted(role, "session with " + established->peer.remote.to_string() + " " + tls::describe(established->identity));
  }
}

void ServerLog::said(std::string_view role, std::string_view event, const std::string& text, std::string_view reason) {
  write(role, event, text, reason);
}

bool ServerLog::admit() {
  const WallTime now = clock_.wall();
  if (now != second_) {
    if (in_second_ > refusals_logged) {
      write("log", "refused", std::to_string(in_second_ - refusals_logged) + " more in the second before", {});
    }
    second_ = now;
    in_second_ = 0;
  }
  return ++in_second_ <= refusals_logged;
}

void ServerLog::write(std::string_view role, std::string_view event, const std::string& text, std::string_view reason) {
  std::string line;
  const std::string time = time_text(clock_.wall());
  if (json_) {
    line = "{\"time\":" + json_quoted(time) + ",\"role\":" + json_quoted(role) + ",\"event\":" + json_quoted(event) +
           ",\"text\":" + json_quoted(text) + ",\"reason\":" + json_quoted(reason) + "}\n";
  } else {
    line = time + " " + std::string(role) + " " + std::string(event) + " " + printable_line(text) +
           (reason.empty() ? "" : " [" + std::string(reason) + "]") + "\n";
  }
  std::fputs(line.c_str(), stderr);
  std::fflush(stderr);
}

}  // namespace aceward::app
