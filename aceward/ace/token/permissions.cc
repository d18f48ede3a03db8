#include "aceward/ace/token/permissions.h"

#include <algorithm>
#include <array>
#include <utility>

#include "aceward/ace/params/reasons.h"
#include "aceward/ace/token/reasons.h"

namespace aceward::ace {
namespace {

constexpr std::size_t max_targets = 256;
constexpr std::size_t max_element_size = 255;  // of a Uri-Path or Uri-Query option (RFC 7252 section 5.10)

int hex_digit_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Result<std::string> percent_decode(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    const int high = i + 1 < text.size() ? hex_digit_value(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_digit_value(text[i + 2]) : -1;
    if (high < 0 || low < 0) return fail(reason::scope_malformed, "percent-encoding");
    decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  if (decoded.size() > max_element_size) return fail(reason::scope_malformed, "a path segment or query is too long");
  return decoded;
}

Result<std::vector<std::string>> split_and_decode(std::string_view text, char separator) {
  std::vector<std::string> elements;
  for (std::size_t start = 0;;) {
    const std::size_t end = std::min(text.find(separator, start), text.size());
    elements.push_back(ACEWARD_TRY(percent_decode(text.substr(start, end - start))));
    if (end == text.size()) return elements;
    start = end + 1;
  }
}

/// pchar of RFC 3986 section 3.3, but '&' only where it does not separate queries.
bool stands_unencoded(char c, bool in_query) {
  if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) return true;
  if (c == '&') return !in_query;
  if (in_query && (c == '/' || c == '?')) return true;
  return c != '\0' && std::string_view("-._~!$'()*+,;=:@").contains(c);
}

void append_encoded(std::string& out, std::string_view element, bool in_query) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  for (const char c : element) {
    if (stands_unencoded(c, in_query)) {
      out += c;
      continue;
    }
    const auto octet = static_cast<unsigned char>(c);
    out += '%';
    out += digits[octet >> 4];
    out += digits[octet & 15];
  }
}

}  // namespace

Result<Target> Target::parse(std::string_view local_path) {
  if (!local_path.starts_with('/')) return fail(reason::scope_malformed, "a path is not absolute");
  if (local_path.contains('#')) return fail(reason::scope_malformed, "a path has a fragment");
  Target target;
  const std::size_t mark = local_path.find('?');
  const std::string_view path = local_path.substr(1, mark == std::string_view::npos ? mark : mark - 1);
  if (!path.empty()) target.path = ACEWARD_TRY(split_and_decode(path, '/'));
  if (mark != std::string_view::npos) target.query = ACEWARD_TRY(split_and_decode(local_path.substr(mark + 1), '&'));
  return target;
}

Target Target::of(const coap::Options& options) {
  Target target;
  for (const std::string_view segment : options.path()) target.path.emplace_back(segment);
  for (const std::string_view query : options.queries()) target.query.emplace_back(query);
  return target;
}

bool Target::is_named_by(const coap::Options& options) const {
  std::size_t segments = 0;
  std::size_t queries = 0;
  for (const coap::OptionView option : options) {
    if (option.number == coap::option::uri_path) {
      if (segments == path.size() || path[segments++] != as_text(option.value)) return false;
    } else if (option.number == coap::option::uri_query) {
      if (queries == query.size() || query[queries++] != as_text(option.value)) return false;
    }
  }
  return segments == path.size() && queries == query.size();
}

std::string Target::to_local_path() const {
  std::string text;
  for (const std::string& segment : path) {
    text += '/';
    append_encoded(text, segment, false);
  }
  if (text.empty()) text = "/";
  char before = '?';
  for (const std::string& argument : query) {
    text += std::exchange(before, '&');
    append_encoded(text, argument, true);
  }
  return text;
}

Result<Permissions> Permissions::from_aif(const Aif& aif) {
  Permissions permissions;
  for (const auto& [local_path, methods] : aif.entries()) {
    permissions.targets_[ACEWARD_TRY(Target::parse(local_path))].bits |= methods.bits;
  }
  return permissions;
}

Result<> Permissions::add(const Permissions& other) {
  auto merged = targets_;
  for (const auto& [target, methods] : other.targets_) merged[target].bits |= methods.bits;
  if (merged.size() > max_targets) return fail(reason::scope_malformed, "too many resources");
  targets_ = std::move(merged);
  return {};
}

Verdict Permissions::judge(const coap::Options& request, coap::Code method) const {
  const auto found =
      std::ranges::find_if(targets_, [&](const auto& entry) { return entry.first.is_named_by(request); });
  if (found == targets_.end()) return Verdict::target_not_covered;
  const bool allowed = method.is_request() && found->second.allows(method.detail());
  return allowed ? Verdict::allowed : Verdict::method_not_covered;
}

Result<ScopeMap> ScopeMap::from(const std::map<std::string, Aif>& allowed_by_scope_token) {
  ScopeMap map;
  for (const auto& [name, aif] : allowed_by_scope_token) {
    const TextScope checked = ACEWARD_TRY(TextScope::parse(name));
    if (checked.tokens().size() != 1) return fail(reason::scope_malformed, "a name holds several scope-tokens");
    map.tokens_.emplace(name, ACEWARD_TRY(Permissions::from_aif(aif)));
  }
  return map;
}

Result<Permissions> ScopeMap::resolve(const Scope& scope) const {
  if (const auto* aif = std::get_if<Bytes>(&scope)) return Permissions::from_aif(ACEWARD_TRY(Aif::parse(*aif)));
  const TextScope wanted = ACEWARD_TRY(TextScope::parse(std::get<std::string>(scope)));
  Permissions permissions;
  bool recognised = false;
  for (const std::string& name : wanted.tokens()) {
    const auto known = tokens_.find(name);
    if (known == tokens_.end()) continue;
    recognised = true;
    ACEWARD_TRY(permissions.add(known->second));
  }
  if (!recognised) return fail(reason::token_scope_unrecognised);
  return permissions;
}

const std::string* ScopeMap::suggest(const coap::Options& request, coap::Code method) const {
  for (const auto& [name, permissions] : tokens_) {
    if (permissions.judge(request, method) == Verdict::allowed) return &name;
  }
  return nullptr;
}

}  // namespace aceward::ace
