#include "app/console.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <iostream>

namespace aceward::app {

namespace {

constexpr char hex_digits[] = "0123456789abcdef";

/// The octets of the UTF-8 character at the front; 0 if it is none (RFC 3629).
std::size_t character_size(std::string_view text) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = at(0);
  if (first < 0x80) return 1;
  const std::size_t size = first >= 0xc2 && first < 0xe0 ? 2 : first >= 0xe0 && first < 0xf0 ? 3 : 4;
  if (first < 0xc2 || first > 0xf4 || text.size() < size) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if ((at(i) & 0xc0) != 0x80) return 0;
  }
  const bool is_overlong = (first == 0xe0 && at(1) < 0xa0) || (first == 0xf0 && at(1) < 0x90);
  const bool is_surrogate = first == 0xed && at(1) >= 0xa0;
  const bool is_beyond = first == 0xf4 && at(1) >= 0x90;
  return is_overlong || is_surrogate || is_beyond ? 0 : size;
}

/// Of a well-formed character of one to three octets.
unsigned code_point(std::string_view character) {
  const auto octet = [&](std::size_t i) { return static_cast<unsigned>(static_cast<unsigned char>(character[i])); };
  if (character.size() == 1) return octet(0);
  if (character.size() == 2) return (octet(0) & 0x1fU) << 6 | (octet(1) & 0x3fU);
  return (octet(0) & 0x0fU) << 12 | (octet(1) & 0x3fU) << 6 | (octet(2) & 0x3fU);
}

bool is_control(std::string_view character) {
  const auto first = static_cast<unsigned char>(character[0]);
  if (character.size() == 1) return first < 0x20 || first == 0x7f;
  if (first == 0xc2) return static_cast<unsigned char>(character[1]) < 0xa0;  // C1 controls
  // U+202A to U+202E and U+2066 to U+2069: what follows would be shown in another order.
  return (character >= "\xe2\x80\xaa" && character <= "\xe2\x80\xae") ||
         (character >= "\xe2\x81\xa6" && character <= "\xe2\x81\xa9");
}

std::string escaped(std::string_view text, std::string_view kept) {
  std::string safe;
  while (!text.empty()) {
    const std::size_t size = character_size(text);
    const std::string_view character = text.substr(0, size == 0 ? 1 : size);
    if (kept.find(character) != std::string_view::npos || (size != 0 && !is_control(character))) {
      safe.append(character);
    } else {
      for (const char c : character) {
        const auto octet = static_cast<unsigned char>(c);
        safe.append("\\x") += hex_digits[octet >> 4];
        safe += hex_digits[octet & 15];
      }
    }
    text.remove_prefix(character.size());
  }
  return safe;
}

}  // namespace

Failure Failure::of(ExitCode code, const Error& error, std::string_view doing) {
  Failure failure{code, std::string(error.id()), {}, std::string(error.reason().check)};
  if (!doing.empty()) failure.what.append(doing).append(": ");
  failure.what.append(error.reason().what);
  if (!error.detail().empty()) failure.what.append(" (").append(error.detail()).append(")");
  return failure;
}

Failure Failure::usage(std::string what, std::string check) {
  return {ExitCode::usage, "usage", std::move(what), std::move(check)};
}

Failure Failure::configuration(std::string what, std::string check) {
  return {ExitCode::configuration, "configuration", std::move(what), std::move(check)};
}

bool Console::out_is_terminal() const { return ::isatty(STDOUT_FILENO) == 1; }
bool Console::in_is_terminal() const { return ::isatty(STDIN_FILENO) == 1; }

bool Console::colour() const {
  const char* no_color = std::getenv("NO_COLOR");
  return ::isatty(STDERR_FILENO) == 1 && (no_color == nullptr || *no_color == '\0');
}

void Console::out(std::string_view text) const {
  if (!text.empty()) std::fwrite(text.data(), 1, text.size(), stdout);  // an empty view may have no address
  std::fflush(stdout);
}

void Console::note(std::string_view line) const {
  if (!options_.quiet) std::fprintf(stderr, "%.*s\n", static_cast<int>(line.size()), line.data());
}

void Console::detail(std::string_view line) const {
  if (options_.verbose) note(line);
}

int Console::fail(const Failure& failure) const {
  if (options_.json) {
    out("{\"error\":{\"reason\":" + json_quoted(failure.reason) + ",\"what\":" + json_quoted(failure.what) +
        ",\"check\":" + json_quoted(failure.check) + ",\"exit\":" + std::to_string(static_cast<int>(failure.code)) +
        "}}\n");
  }
  // --quiet silences notes, not failures.
  std::string text = "aceward: " + printable(failure.what);
  if (failure.reason != "usage" && failure.reason != "configuration") text += " [" + failure.reason + "]";
  text += "\n";
  if (!failure.check.empty()) text += "  " + printable(failure.check) + "\n";
  std::fputs(text.c_str(), stderr);
  return static_cast<int>(failure.code);
}

Outcome<> Console::confirm(std::string_view question) const {
  if (in_is_terminal()) {
    std::fprintf(stderr, "%.*s [y/N] ", static_cast<int>(question.size()), question.data());
    std::string answer;
    std::getline(std::cin, answer);
    if (answer == "y" || answer == "Y" || answer == "yes") return {};
  }
  return std::unexpected(Failure::usage("nothing was done: it was not confirmed", "add --yes"));
}

std::string json_quoted(std::string_view text) {
  std::string quoted = "\"";
  while (!text.empty()) {
    const std::size_t size = character_size(text);
    const std::string_view character = text.substr(0, size == 0 ? 1 : size);
    if (size == 0) {
      quoted += "\xef\xbf\xbd";
    } else if (character == "\"" || character == "\\") {
      quoted.append("\\").append(character);
    } else if (is_control(character)) {
      const unsigned code = code_point(character);
      quoted.append("\\u");
      for (const int shift : {12, 8, 4, 0}) quoted += hex_digits[(code >> shift) & 15U];
    } else {
      quoted.append(character);
    }
    text.remove_prefix(character.size());
  }
  return quoted + "\"";
}

std::string printable(std::string_view text) { return escaped(text, "\n\t"); }
std::string printable_line(std::string_view text) { return escaped(text, ""); }

}  // namespace aceward::app
