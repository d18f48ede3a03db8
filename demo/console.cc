#include "demo/console.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace aceward::demo {

namespace {

constexpr std::size_t columns = 100;

bool wants_colour() {
  const char* no_colour = std::getenv("NO_COLOR");  // https://no-color.org: set and not empty
  return isatty(STDOUT_FILENO) == 1 && (no_colour == nullptr || *no_colour == '\0');
}

std::string broken_into_lines(std::string_view text) {
  std::string lines;
  std::size_t column = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (column != 0 && column + 1 + end > columns) {
      lines += '\n';
      column = 0;
    } else if (column != 0) {
      lines += ' ';
      ++column;
    }
    lines += text.substr(0, end);
    column += end;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines + "\n\n";
}

}  // namespace

Console::Console(bool quiet) : quiet_(quiet), colour_(wants_colour()) {}

void Console::heading(std::string_view number, std::string_view title) {
  std::string line = std::string(number) + "  " + std::string(title);
  const std::string rule(columns, '-');
  write(painted(rule, Paint::dim) + "\n" + painted(line, Paint::bold) + "\n\n");
}

void Console::say(std::string_view text) { write(broken_into_lines(text)); }

void Console::write(std::string_view text) {
  if (!quiet_) always(text);
}

void Console::always(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

std::string Console::painted(std::string_view text, Paint paint) const {
  if (!colour_) return std::string(text);
  std::string_view code;
  switch (paint) {
    case Paint::bold: code = "\x1b[1m"; break;
    case Paint::dim: code = "\x1b[2m"; break;
    case Paint::green: code = "\x1b[32m"; break;
    case Paint::red: code = "\x1b[31m"; break;
  }
  return std::string(code) + std::string(text) + "\x1b[0m";
}

}  // namespace aceward::demo
