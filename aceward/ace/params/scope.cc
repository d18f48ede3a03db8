#include "aceward/ace/params/scope.h"

#include <algorithm>
#include <iterator>

#include "aceward/ace/params/reasons.h"

namespace aceward::ace {

namespace {

constexpr std::size_t max_scope_tokens = 64;
constexpr std::size_t max_scope_token_size = 128;

bool is_scope_character(char c) {
  const auto octet = static_cast<unsigned char>(c);
  return octet == 0x21 || (octet >= 0x23 && octet <= 0x5b) || (octet >= 0x5d && octet <= 0x7e);
}

}  // namespace

Result<TextScope> TextScope::parse(std::string_view text) {
  std::vector<std::string> tokens;
  for (std::size_t start = 0;;) {
    const std::size_t end = std::min(text.find(' ', start), text.size());
    const std::string_view token = text.substr(start, end - start);
    if (token.empty()) return fail(reason::scope_malformed, "an empty scope-token");
    if (token.size() > max_scope_token_size) return fail(reason::scope_malformed, "a scope-token is too long");
    if (!std::ranges::all_of(token, is_scope_character)) return fail(reason::scope_malformed, "a character");
    if (tokens.size() == max_scope_tokens) return fail(reason::scope_malformed, "too many scope-tokens");
    tokens.emplace_back(token);
    if (end == text.size()) break;
    start = end + 1;
  }
  std::ranges::sort(tokens);
  if (std::ranges::adjacent_find(tokens) != tokens.end()) return fail(reason::scope_malformed, "a token twice");
  return TextScope(std::move(tokens));
}

std::string TextScope::to_string() const {
  std::string text;
  for (const std::string& token : tokens_) {
    if (!text.empty()) text += ' ';
    text += token;
  }
  return text;
}

bool TextScope::contains(std::string_view token) const { return std::ranges::binary_search(tokens_, token); }

TextScope TextScope::union_with(const TextScope& other) const {
  std::vector<std::string> tokens;
  std::ranges::set_union(tokens_, other.tokens_, std::back_inserter(tokens));
  return TextScope(std::move(tokens));
}

TextScope TextScope::intersection_with(const TextScope& other) const {
  std::vector<std::string> tokens;
  std::ranges::set_intersection(tokens_, other.tokens_, std::back_inserter(tokens));
  return TextScope(std::move(tokens));
}

}  // namespace aceward::ace
