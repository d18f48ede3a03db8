// The audit log: a line of JSON for every decision, and for every change through the local socket.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aceward/base/time.h"
#include "app/console.h"

namespace aceward::app {

/// Octets of a line with its line feed, whatever it tells of.
inline constexpr std::size_t longest_audit_line = 4096;

/// One decision. Members that are empty are left out of the line. Holds no secret.
struct AuditEvent {
  std::string_view role;      ///< as, rs, admin
  std::string_view what;      ///< token, refresh, introspection, owner_asked, revocation_list, access, client.add, …
  bool granted = false;       ///< of changes: done
  std::string_view reason{};  ///< a Reason's id
  std::string detail{};
  std::string by{};  ///< who: `uid 0 (root)`, or an address
  std::string client{};
  std::string authentication{};
  std::string server{};
  std::string audience{};
  std::string scope{};
  std::optional<std::int64_t> number{};  ///< of a token or request
  std::string name{};                    ///< of the record that was changed
  std::string method{};
  std::string code{};
  std::vector<std::string> rules{};
  bool is_stranger = false;  ///< nobody has proved who that was: only so many are written in a second
};

/// The line without its line feed: each text cut to a length, control characters escaped.
std::string audit_line(const AuditEvent& event, WallTime now);

/// Appends to a file. A line that cannot be written is lost, counted and said: the server goes on. Lines are handed to
/// the operating system at once and not synced. Belongs to the loop's thread.
class AuditLog {
 public:
  struct Counters {
    std::uint64_t lines = 0;
    std::uint64_t octets = 0;
    std::uint64_t lost = 0;        ///< not written: no room, no file
    std::uint64_t suppressed = 0;  ///< about strangers, beyond the limit
  };
  /// What the operator must know; called when it begins and when it is over, not for each line.
  using Say = std::function<void(const std::string&)>;

  /// Opens the file for appending, with mode 0600 where it is not there yet.
  static Outcome<std::unique_ptr<AuditLog>> open(const std::filesystem::path& path, std::uint64_t strangers_per_second,
                                                 const Clock& clock, Say say);
  ~AuditLog();
  AuditLog(const AuditLog&) = delete;
  AuditLog& operator=(const AuditLog&) = delete;

  void write(const AuditEvent& event);
  /// The file may have been moved away: what has its name from now on is written to, made anew if need be. Where that
  /// fails, the old file stays in use.
  Outcome<> reopen();
  void set_strangers_per_second(std::uint64_t most) { strangers_per_second_ = most; }

  const std::filesystem::path& path() const { return path_; }
  const Counters& counters() const { return counters_; }

 private:
  AuditLog(std::filesystem::path path, std::uint64_t strangers_per_second, const Clock& clock, Say say);

  bool admit(const AuditEvent& event);
  void append(std::string line);
  void lose(const std::string& why);

  std::filesystem::path path_;
  std::uint64_t strangers_per_second_;
  const Clock& clock_;
  Say say_;
  int descriptor_ = -1;
  Counters counters_;
  std::uint64_t lost_before_ = 0;  ///< counters_.lost when the present trouble began
  bool is_in_trouble_ = false;
  bool is_torn_ = false;  ///< the file ends in the middle of a line
  WallTime second_{};
  std::uint64_t in_second_ = 0;
};

}  // namespace aceward::app
