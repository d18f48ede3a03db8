// The scope of a request or a token: text or octets (RFC 9200 section 5.8.1).
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "aceward/ace/params/aif.h"
#include "aceward/base/bytes.h"
#include "aceward/base/result.h"

namespace aceward::ace {

/// As it stands on the wire: a text string, or a byte string whose format the application defines (here: AIF-REST).
using Scope = std::variant<std::string, Bytes>;

/// Scope-tokens of RFC 6749 section 3.3: `%x21 / %x23-5B / %x5D-7E`, separated by single spaces, in any order, none
/// twice. Kept sorted, so that equal sets are equal values. At most 64 tokens of at most 128 octets.
class TextScope {
 public:
  TextScope() = default;
  /// Errors: `scope_malformed`, also for an empty text.
  static Result<TextScope> parse(std::string_view text);

  bool empty() const { return tokens_.empty(); }
  const std::vector<std::string>& tokens() const { return tokens_; }
  std::string to_string() const;
  bool contains(std::string_view token) const;
  TextScope union_with(const TextScope& other) const;
  TextScope intersection_with(const TextScope& other) const;

  friend bool operator==(const TextScope&, const TextScope&) = default;

 private:
  explicit TextScope(std::vector<std::string> sorted) : tokens_(std::move(sorted)) {}
  std::vector<std::string> tokens_;
};

}  // namespace aceward::ace
