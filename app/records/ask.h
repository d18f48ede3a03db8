// Asking for records: of the running server, or of the store when none runs.
#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <vector>

#include "aceward/base/secret.h"
#include "aceward/base/time.h"
#include "app/config/config.h"
#include "app/console.h"

namespace aceward::app {

/// A JSON object, member by member.
class JsonObject {
 public:
  JsonObject() { text_.reserve(4096); }
  JsonObject& add(std::string_view name, std::string_view text);
  JsonObject& add_text_unless_empty(std::string_view name, std::string_view text);
  JsonObject& add(std::string_view name, std::int64_t number);
  JsonObject& add(std::string_view name, std::same_as<bool> auto flag) { return add_flag(name, flag); }
  JsonObject& add_null(std::string_view name);
  JsonObject& add_texts(std::string_view name, const std::vector<std::string>& texts);
  /// In hexadecimal, without a copy of its own. The request is wiped by ask_admin.
  JsonObject& add_secret(std::string_view name, const Secret& octets);
  std::string finish() &&;

 private:
  JsonObject& add_flag(std::string_view name, bool flag);
  JsonObject& member(std::string_view name);
  std::string text_ = "{";
};

/// For configurations with [as] alone: without it there is nothing to ask. The reply of admin.h, without its refusals.
/// `request` is wiped: it may hold keys.
Outcome<std::string> ask_admin(const Config& config, std::string request);

/// With --json `line`, an object; else a table or the members, or `done` with what was removed or revoked.
void print_reply(const Console& console, const std::string& line, std::string_view done);

/// Asks, and prints: with --json the reply, else a table or the members, or `done` with what was removed or revoked.
/// Returns the exit status.
int ask_and_print(const Console& console, const Config& config, std::string request, std::string_view done);

/// `2026-11-21T20:45:31Z`.
std::string time_text(WallTime time);

}  // namespace aceward::app
