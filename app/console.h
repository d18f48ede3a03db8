// What a command says: results on standard output, everything else on standard error.
#pragma once

#include <expected>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "app/exit_code.h"

namespace aceward::app {

/// The options that every command takes.
struct GlobalOptions {
  std::optional<std::filesystem::path> config;
  bool json = false;
  bool quiet = false;
  bool verbose = false;
  bool trace = false;
  std::optional<std::filesystem::path> pcapng;  ///< --trace FILE.pcapng
  std::optional<std::filesystem::path> keylog;
};

/// Why a command ended without doing what it was asked for.
struct Failure {
  ExitCode code = ExitCode::usage;
  std::string reason;  ///< a Reason's id, `usage` or `configuration`
  std::string what;
  std::string check;  ///< what the reader can do; may be empty

  static Failure of(ExitCode code, const Error& error, std::string_view doing = {});
  static Failure usage(std::string what, std::string check = {});
  static Failure configuration(std::string what, std::string check = {});
};
template <class T = void>
using Outcome = std::expected<T, Failure>;

class Console {
 public:
  explicit Console(GlobalOptions options) : options_(std::move(options)) {}

  const GlobalOptions& options() const { return options_; }
  bool json() const { return options_.json; }
  bool out_is_terminal() const;
  bool in_is_terminal() const;
  /// Standard error is a terminal and NO_COLOR is not set (https://no-color.org).
  bool colour() const;

  /// To standard output, as it is, at once.
  void out(std::string_view text) const;
  /// A line to standard error, unless --quiet.
  void note(std::string_view line) const;
  /// A line to standard error with -v.
  void detail(std::string_view line) const;
  /// Says why; with --json as an object on standard output. Returns the exit status.
  int fail(const Failure& failure) const;
  /// Asks on a terminal. Without one, or if the answer is not yes, a Failure that names --yes.
  Outcome<> confirm(std::string_view question) const;

 private:
  GlobalOptions options_;
};

/// In double quotes as JSON takes it, with what printable() escapes as \uXXXX. What is not UTF-8 is replaced.
std::string json_quoted(std::string_view text);
/// `text` with every octet that a terminal could take for a command escaped, and every mark that reverses what is
/// shown; valid UTF-8 is kept, and so are tabs and ends of lines.
std::string printable(std::string_view text);
/// The same on one line, for what stands in a table, a log or beside a label: nobody else can begin a line there.
std::string printable_line(std::string_view text);

}  // namespace aceward::app
