// What a running server says on standard error.
#pragma once

#include <string>
#include <string_view>

#include "aceward/base/time.h"
#include "aceward/coaps/session_event.h"
#include "app/config/config.h"

namespace aceward::app {

/// One line an event. Holds no secret: reasons, names, addresses.
class ServerLog {
 public:
  ServerLog(LogLevel level, const Clock& clock, bool json) : level_(level), clock_(clock), json_(json) {}

  void set_level(LogLevel level) { level_ = level; }

  void granted(std::string_view role, const std::string& text);
  /// Strangers cause these: within a second only so many are written, the rest are counted.
  void refused(std::string_view role, const std::string& text, const Error& why);
  void refused(std::string_view role, const std::string& text, std::string_view reason, std::string_view detail);
  void session(std::string_view role, const coaps::SessionEvent& event);
  /// What the operator must know, whatever the level: `reloaded`, `not reloaded`, `needs a restart`, …
  void said(std::string_view role, std::string_view event, const std::string& text, std::string_view reason = {});

 private:
  bool admit();
  void write(std::string_view role, std::string_view event, const std::string& text, std::string_view reason);

  LogLevel level_;
  const Clock& clock_;
  bool json_;
  WallTime second_{};
  unsigned in_second_ = 0;
};

}  // namespace aceward::app
