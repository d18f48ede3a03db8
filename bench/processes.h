// Servers as processes of their own, and what they cost.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace aceward::bench {

/// Pins this process, or the one that is started, to a processor. Nothing happens where there is only one.
void pin_to(pid_t process, unsigned processor);
bool can_pin();

/// A started program. It is ended with this object.
class Process {
 public:
  /// `words` are the program, looked up in PATH, and its arguments; on processor 0. Standard error is dropped unless
  /// `show_errors`.
  Process(const std::vector<std::string>& words, bool show_errors);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t id() const { return id_; }
  bool alive();
  /// The next line of its standard output, without the line feed; nullopt when it ended or ten seconds passed.
  std::optional<std::string> read_line();
  void signal(int number);

  /// User and system time since its start.
  std::chrono::nanoseconds processor_time() const;
  /// What it holds in memory, in octets.
  std::uint64_t resident() const;

 private:
  pid_t id_ = -1;
  int output_ = -1;
  std::string unread_;
};

/// The path of a program, or nothing.
std::optional<std::string> find_program(const std::string& name);
/// The first line that a command prints on either output that contains `word`; empty when there is none.
std::string line_of(const std::vector<std::string>& words, const std::string& word);

}  // namespace aceward::bench
