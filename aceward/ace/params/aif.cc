#include "aceward/ace/params/aif.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "aceward/ace/params/reasons.h"
#include "aceward/cbor/reader.h"
#include "aceward/cbor/writer.h"

namespace aceward::ace {

namespace {

constexpr std::size_t max_aif_entries = 256;
constexpr std::size_t max_path_size = 255;
constexpr std::string_view dynamic_prefix = "Dynamic-";
constexpr std::array<std::string_view, 8> rest_methods{"", "GET", "POST", "PUT", "DELETE", "FETCH", "PATCH", "iPATCH"};

/// A local-path is a URI reference, which has neither spaces nor control characters (RFC 3986 section 2).
bool is_local_path(std::string_view path) {
  return path.starts_with('/') && path.size() <= max_path_size &&
         std::ranges::none_of(path, [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f; });
}

std::string name_of_bit(unsigned bit) {
  std::string name(bit >= MethodSet::dynamic_offset ? dynamic_prefix : "");
  const unsigned method = bit % MethodSet::dynamic_offset + 1;
  const std::string_view known = method_name(method);
  return known.empty() ? name + "M" + std::to_string(method) : name.append(known);
}

Result<unsigned> bit_of_name(std::string_view name) {
  unsigned offset = 0;
  if (name.starts_with(dynamic_prefix)) {
    name.remove_prefix(dynamic_prefix.size());
    offset = MethodSet::dynamic_offset;
  }
  for (unsigned method = 1; method < rest_methods.size(); ++method)
    if (name == rest_methods[method]) return offset + method - 1;
  unsigned method = 0;
  if (name.starts_with('M')) {
    const auto [end, error] = std::from_chars(name.data() + 1, name.data() + name.size(), method);
    if (error != std::errc() || end != name.data() + name.size()) method = 0;
  }
  if (method < 1 || method > MethodSet::dynamic_offset) return fail(reason::scope_malformed, "a method");
  return offset + method - 1;
}

Result<MethodSet> parse_methods(std::string_view text) {
  MethodSet methods;
  for (std::size_t start = 0;;) {
    const std::size_t end = std::min(text.find(',', start), text.size());
    const unsigned bit = ACEWARD_TRY(bit_of_name(text.substr(start, end - start)));
    methods.bits |= std::uint64_t{1} << bit;
    if (end == text.size()) return methods;
    start = end + 1;
  }
}

}  // namespace

std::string_view method_name(unsigned method) {
  return method < rest_methods.size() ? rest_methods[method] : std::string_view();
}

Result<Aif> Aif::parse(BytesView cbor) {
  cbor::Reader reader(cbor);
  const std::size_t count = ACEWARD_TRY(reader.array());
  Aif aif;
  for (std::size_t i = 0; i < count; ++i) {
    if (ACEWARD_TRY(reader.array()) != 2) return fail(reason::scope_malformed, "an entry is not a pair");
    const std::string_view path = ACEWARD_TRY(reader.text_string());
    const MethodSet methods{ACEWARD_TRY(reader.unsigned_integer())};
    ACEWARD_TRY(aif.add(path, methods));
  }
  ACEWARD_TRY(reader.finish());
  return aif;
}

Bytes Aif::serialize() const {
  cbor::Writer writer;
  writer.array(entries_.size());
  for (const auto& [path, methods] : entries_) writer.array(2).text_string(path).unsigned_integer(methods.bits);
  return writer.take();
}

Result<Aif> Aif::parse_text(std::string_view text) {
  Aif aif;
  for (std::size_t start = 0;;) {
    const std::size_t end = std::min(text.find(' ', start), text.size());
    const std::string_view entry = text.substr(start, end - start);
    // The last one: a query may hold others.
    const std::size_t equals = entry.rfind('=');
    if (equals == std::string_view::npos) return fail(reason::scope_malformed, "an entry without methods");
    const MethodSet methods = ACEWARD_TRY(parse_methods(entry.substr(equals + 1)));
    ACEWARD_TRY(aif.add(entry.substr(0, equals), methods));
    if (end == text.size()) return aif;
    start = end + 1;
  }
}

std::string Aif::to_text() const {
  std::string text;
  for (const auto& [path, methods] : entries_) {
    if (!text.empty()) text += ' ';
    text += path;
    char separator = '=';
    for (unsigned bit = 0; bit < 64; ++bit) {
      if ((methods.bits >> bit & 1) == 0) continue;
      text += separator;
      text += name_of_bit(bit);
      separator = ',';
    }
    if (separator == '=') text += '=';
  }
  return text;
}

Result<> Aif::add(std::string_view path, MethodSet methods) {
  if (!is_local_path(path)) return fail(reason::scope_malformed, "a path");
  const auto found = entries_.find(path);
  if (found != entries_.end()) {
    found->second.bits |= methods.bits;
    return {};
  }
  if (entries_.size() == max_aif_entries) return fail(reason::scope_malformed, "too many entries");
  entries_.emplace(path, methods);
  return {};
}

Aif Aif::union_with(const Aif& other) const {
  Aif both = *this;
  for (const auto& [path, methods] : other.entries_) both.entries_[path].bits |= methods.bits;
  return both;
}

Aif Aif::intersection_with(const Aif& other) const {
  Aif both;
  for (const auto& [path, methods] : entries_) {
    const auto found = other.entries_.find(path);
    if (found == other.entries_.end()) continue;
    const MethodSet allowed{methods.bits & found->second.bits};
    if (!allowed.empty()) both.entries_.emplace(path, allowed);
  }
  return both;
}

}  // namespace aceward::ace
