// What the demonstration prints.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace aceward::demo {

/// Standard output, in colours where it is a terminal and NO_COLOR is not set. Not thread-safe.
class Console {
 public:
  /// With `quiet`, only what goes through `always` is printed.
  explicit Console(bool quiet);

  bool colour() const { return colour_; }
  void heading(std::string_view number, std::string_view title);
  /// A paragraph in plain words, broken into lines.
  void say(std::string_view text);
  /// As it is.
  void write(std::string_view text);
  void always(std::string_view text);

  enum class Paint : std::uint8_t { bold, dim, green, red };
  std::string painted(std::string_view text, Paint paint) const;

 private:
  bool quiet_;
  bool colour_;
};

}  // namespace aceward::demo
