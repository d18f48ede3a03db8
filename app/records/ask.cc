#include "app/records/ask.h"

#include <algorithm>
#include <cctype>
#include <ctime>
#include <future>
#include <nlohmann/json.hpp>

#include "aceward/crypto/openssl/random.h"
#include "aceward/net/local_socket.h"
#include "aceward/net/reasons.h"
#include "app/records/admin.h"
#include "app/records/record_json.h"

namespace aceward::app {

namespace {

Outcome<std::string> ask_the_store(const Config& config, std::string_view request) {
  crypto::openssl::SystemRandom random;
  store::Options options;
  options.durability = config.store.is_relaxed ? store::Durability::relaxed : store::Durability::full;
  options.token_retention = config.store.token_retention;
  // A command that ends in a moment issues no tokens: the smallest block is skipped at most.
  options.number_block = 2;
  auto opened = store::Store::open(config.store.path, std::move(options), random);
  if (!opened) {
    return std::unexpected(Failure::of(exit_code_of_store(opened.error()), opened.error(), config.store.path.string()));
  }
  // The completion runs on the writer's thread, before the store ends at the latest.
  std::promise<std::string> answered;
  auto answer = answered.get_future();
  execute({.store = **opened, .now = SystemClock().wall(), .maximum_lifetime = config.as->maximum_lifetime}, request,
          [&](std::string line) { answered.set_value(std::move(line)); });
  return answer.get();
}

std::string cell_text(const std::string& column, const Json& value) {
  if (value.is_null()) return "-";
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  if (value.is_number_integer()) {
    const auto number = value.get<std::int64_t>();
    static constexpr std::string_view times[] = {"issued_at",   "expires_at", "until",         "holds_until",
                                                 "first_asked", "last_asked", "refresh_until", "at"};
    if (std::ranges::find(times, column) != std::end(times)) {
      return time_text(WallTime(std::chrono::seconds(number)));
    }
    if (column == "lifetime" || column == "refresh_lifetime") return std::to_string(number) + " s";
    return std::to_string(number);
  }
  if (value.is_array()) {
    std::string all;
    for (const Json& element : value) all += (all.empty() ? "" : ",") + cell_text(column, element);
    return all;
  }
  if (value.is_string()) {
    std::string text = printable_line(value.get<std::string>());
    std::erase(text, '\n');
    return text;
  }
  return value.dump();
}

/// What a list leaves to `show`.
bool is_in_lists(const std::string& column) {
  static constexpr std::string_view left_out[] = {
      "public_key",  "key_thumbprint",         "thumbprint",         "token_key_id",    "previous_token_key_id",
      "profiles",    "has_previous_token_key", "has_derivation_key", "group_keys",      "has_secret",
      "first_asked", "certificate_name",       "refresh_lifetime",   "group_audiences", "refresh_until"};
  return std::ranges::find(left_out, column) == std::end(left_out);
}

std::string table(const Json& records) {
  std::vector<std::vector<std::string>> rows;
  for (const Json& record : records) {
    if (rows.empty()) {
      rows.emplace_back();
      for (const auto& [column, value] : record.items()) {
        if (!is_in_lists(column)) continue;
        std::string heading = column;
        for (char& c : heading) c = c == '_' ? ' ' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
        rows.front().push_back(std::move(heading));
      }
    }
    rows.emplace_back();
    for (const auto& [column, value] : record.items()) {
      if (is_in_lists(column)) rows.back().push_back(cell_text(column, value));
    }
  }
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      text += row[i];
      if (i + 1 < row.size()) text.append(widths[i] + 2 - row[i].size(), ' ');
    }
    text += "\n";
  }
  return text;
}

std::string members(const Json& record) {
  std::size_t width = 0;
  for (const auto& [column, value] : record.items()) width = std::max(width, column.size());
  std::string text;
  for (const auto& [column, value] : record.items()) {
    if (value.is_array() && !value.empty() && value.front().is_object()) {
      text.append("\n").append(table(value));
      continue;
    }
    text.append(column).append(width + 2 - column.size(), ' ').append(cell_text(column, value)).append("\n");
  }
  return text;
}

}  // namespace

JsonObject& JsonObject::member(std::string_view name) {
  if (text_.size() > 1) text_ += ",";
  text_.append(json_quoted(name)).append(":");
  return *this;
}

JsonObject& JsonObject::add(std::string_view name, std::string_view text) {
  member(name).text_ += json_quoted(text);
  return *this;
}

JsonObject& JsonObject::add_text_unless_empty(std::string_view name, std::string_view text) {
  return text.empty() ? *this : add(name, text);
}

JsonObject& JsonObject::add(std::string_view name, std::int64_t number) {
  member(name).text_ += std::to_string(number);
  return *this;
}

JsonObject& JsonObject::add_flag(std::string_view name, bool flag) {
  member(name).text_ += flag ? "true" : "false";
  return *this;
}

JsonObject& JsonObject::add_null(std::string_view name) {
  member(name).text_ += "null";
  return *this;
}

JsonObject& JsonObject::add_texts(std::string_view name, const std::vector<std::string>& texts) {
  member(name).text_ += "[";
  for (std::size_t i = 0; i < texts.size(); ++i) text_.append(i == 0 ? "" : ",").append(json_quoted(texts[i]));
  text_ += "]";
  return *this;
}

JsonObject& JsonObject::add_secret(std::string_view name, const Secret& octets) {
  static constexpr char digits[] = "0123456789abcdef";
  member(name).text_ += '"';
  for (const std::uint8_t octet : octets.expose()) {
    text_ += digits[octet >> 4];
    text_ += digits[octet & 15];
  }
  text_ += '"';
  return *this;
}

std::string JsonObject::finish() && {
  text_ += "}";
  return std::move(text_);
}

Outcome<std::string> ask_admin(const Config& config, std::string request) {
  if (!config.as) {
    return std::unexpected(config_failure(config.file, {}, "there is no section [as], so there are no records here",
                                          "name the authorization server's configuration with -c FILE"));
  }
  auto asked = net::ask_local(config.store.socket.string(), request);
  Outcome<std::string> line = asked ? Outcome<std::string>(std::move(*asked))
                                    : std::unexpected(Failure::of(exit_code_of_store(asked.error()), asked.error(),
                                                                  config.store.socket.string()));
  if (!asked && asked.error() == reason::local_server_unreachable) line = ask_the_store(config, request);
  wipe({reinterpret_cast<std::uint8_t*>(request.data()), request.size()});
  if (!line) return line;
  const Json reply = Json::parse(*line, nullptr, false);
  if (!reply.is_object()) {
    return std::unexpected(Failure{ExitCode::server_error, "local_server_unreachable",
                                   "the running server's answer does not parse", "look whether it is of this version"});
  }
  if (const auto error = reply.find("error"); error != reply.end()) {
    const bool is_internal = error->value("class", "") == "internal";
    return std::unexpected(Failure{is_internal ? ExitCode::server_error : ExitCode::client_error,
                                   error->value("reason", ""), error->value("what", ""), error->value("check", "")});
  }
  return line;
}

void print_reply(const Console& console, const std::string& line, std::string_view done) {
  if (console.json()) {
    console.out(line + "\n");
    return;
  }
  const Json reply = Json::parse(line, nullptr, false);
  if (reply.size() == 1 && reply.begin()->is_array()) {
    if (reply.begin()->empty()) {
      console.note("there are none");
    } else {
      console.out(table(*reply.begin()));
    }
    return;
  }
  if (done.empty()) {
    console.out(members(reply));
    return;
  }
  std::string text(done);
  if (reply.contains("name")) text += " " + cell_text("name", reply["name"]);
  for (const auto& [column, value] : reply.items()) {
    if (column == "name") continue;
    std::string words = column;
    std::ranges::replace(words, '_', ' ');
    text += ", " + words + ": " + cell_text(column, value);
  }
  if (!console.options().quiet) console.out(text + "\n");
}

int ask_and_print(const Console& console, const Config& config, std::string request, std::string_view done) {
  const auto line = ask_admin(config, std::move(request));
  if (!line) return console.fail(line.error());
  print_reply(console, *line, done);
  return 0;
}

std::string time_text(WallTime time) {
  const std::time_t seconds = time.time_since_epoch().count();
  std::tm parts{};
  char text[40];
  if (::gmtime_r(&seconds, &parts) == nullptr || std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0) {
    return std::to_string(seconds);
  }
  return text;
}

}  // namespace aceward::app
