#include "aceward/coap/links/uri_reference.h"

#include <algorithm>

#include "aceward/coap/links/reasons.h"

namespace aceward::coap::links {

namespace {

constexpr std::string_view sub_delims_and_more = "!$&'()*+,;=";

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_hexadecimal(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

// unreserved, pct-encoded, sub-delims, and what `also` lists.
bool consists_of(std::string_view text, std::string_view also) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '%') {
      if (text.size() - i < 3 || !is_hexadecimal(text[i + 1]) || !is_hexadecimal(text[i + 2])) return false;
      i += 2;
      continue;
    }
    const bool allowed = is_letter(c) || is_digit(c) || std::string_view("-._~").find(c) != std::string_view::npos ||
                         sub_delims_and_more.find(c) != std::string_view::npos ||
                         also.find(c) != std::string_view::npos;
    if (!allowed) return false;
  }
  return true;
}

bool is_scheme(std::string_view text) {
  return !text.empty() && is_letter(text.front()) && std::ranges::all_of(text, [](char c) {
    return is_letter(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
  });
}

bool is_authority(std::string_view text) {
  const auto at = text.find('@');
  if (at != std::string_view::npos) {
    if (!consists_of(text.substr(0, at), ":")) return false;
    text.remove_prefix(at + 1);
  }
  std::string_view port;
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    if (close == std::string_view::npos || close < 2 || !consists_of(text.substr(1, close - 1), ":")) return false;
    text.remove_prefix(close + 1);
    if (!text.empty() && !text.starts_with(':')) return false;
    if (!text.empty()) port = text.substr(1);
  } else {
    const auto colon = text.find(':');
    if (!consists_of(text.substr(0, colon), "")) return false;
    if (colon != std::string_view::npos) port = text.substr(colon + 1);
  }
  return std::ranges::all_of(port, is_digit);
}

// RFC 3986 section 5.2.4.
std::string without_dot_segments(std::string_view path) {
  std::string out;
  while (!path.empty()) {
    if (path.starts_with("../")) {
      path.remove_prefix(3);
    } else if (path.starts_with("./") || path.starts_with("/./")) {
      path.remove_prefix(2);
    } else if (path == "/.") {
      path = "/";
    } else if (path.starts_with("/../") || path == "/..") {
      path = path == "/.." ? std::string_view("/") : path.substr(3);
      const auto slash = out.rfind('/');
      out.resize(slash == std::string::npos ? 0 : slash);
    } else if (path == "." || path == "..") {
      path = {};
    } else {
      const auto end = std::min(path.find('/', path.starts_with('/') ? 1 : 0), path.size());
      out += path.substr(0, end);
      path.remove_prefix(end);
    }
  }
  return out;
}

std::string merged(const UriReference& base, std::string_view path) {
  if (base.authority && base.path.empty()) return "/" + std::string(path);
  const auto slash = base.path.rfind('/');
  return std::string(slash == std::string_view::npos ? "" : base.path.substr(0, slash + 1)) + std::string(path);
}

std::string composed(const UriReference& parts) {
  std::string text;
  if (parts.scheme) text.append(*parts.scheme).append(":");
  if (parts.authority) text.append("//").append(*parts.authority);
  text += parts.path;
  if (parts.query) text.append("?").append(*parts.query);
  if (parts.fragment) text.append("#").append(*parts.fragment);
  return text;
}

}  // namespace

Result<UriReference> UriReference::parse(std::string_view text) {
  UriReference parts;
  const auto hash = text.find('#');
  if (hash != std::string_view::npos) {
    parts.fragment = text.substr(hash + 1);
    text = text.substr(0, hash);
    if (!consists_of(*parts.fragment, ":@/?")) return fail(reason::uri_reference_malformed, "fragment");
  }
  const auto question = text.find('?');
  if (question != std::string_view::npos) {
    parts.query = text.substr(question + 1);
    text = text.substr(0, question);
    if (!consists_of(*parts.query, ":@/?")) return fail(reason::uri_reference_malformed, "query");
  }
  // A colon before the first slash can only end a scheme (section 4.2).
  const auto colon = text.substr(0, text.find('/')).find(':');
  if (colon != std::string_view::npos) {
    parts.scheme = text.substr(0, colon);
    if (!is_scheme(*parts.scheme)) return fail(reason::uri_reference_malformed, "scheme");
    text.remove_prefix(colon + 1);
  }
  if (text.starts_with("//")) {
    text.remove_prefix(2);
    const auto slash = std::min(text.find('/'), text.size());
    parts.authority = text.substr(0, slash);
    if (!is_authority(*parts.authority)) return fail(reason::uri_reference_malformed, "authority");
    text.remove_prefix(slash);
  }
  parts.path = text;
  if (!consists_of(parts.path, ":@/")) return fail(reason::uri_reference_malformed, "path");
  return parts;
}

Result<std::string> resolve(std::string_view reference, std::string_view base) {
  const auto from = ACEWARD_TRY(UriReference::parse(base));
  const auto given = ACEWARD_TRY(UriReference::parse(reference));
  if (!from.scheme) return fail(reason::uri_reference_malformed, "base");
  UriReference target = given;
  std::string path;
  if (given.scheme || given.authority) {
    path = without_dot_segments(given.path);
  } else if (given.path.empty()) {
    path = from.path;
    if (!given.query) target.query = from.query;
  } else {
    path = without_dot_segments(given.path.starts_with('/') ? std::string(given.path) : merged(from, given.path));
  }
  if (!given.scheme) {
    target.scheme = from.scheme;
    if (!given.authority) target.authority = from.authority;
  }
  // Without an authority in front, two slashes would begin one.
  if (!target.authority && path.starts_with("//")) path.insert(0, "/.");
  target.path = path;
  return composed(target);
}

Result<std::string> origin_of(std::string_view uri) {
  const auto parts = ACEWARD_TRY(UriReference::parse(uri));
  if (!parts.scheme || !parts.authority) return fail(reason::uri_reference_malformed, "origin");
  UriReference origin;
  origin.scheme = parts.scheme;
  origin.authority = parts.authority;
  return composed(origin);
}

Result<ResolvedLink> resolve(const Link& link, std::string_view base) {
  ResolvedLink resolved;
  resolved.target = ACEWARD_TRY(resolve(link.target, base));
  if (const auto anchor = link.value("anchor")) {
    resolved.context = ACEWARD_TRY(resolve(*anchor, base));
    return resolved;
  }
  const auto target = ACEWARD_TRY(UriReference::parse(link.target));
  if (target.scheme && !target.authority) {
    // A URN has no origin; what it is the target of is then what the document is about.
    resolved.context = ACEWARD_TRY(origin_of(base));
  } else {
    resolved.context = ACEWARD_TRY(origin_of(target.scheme || target.authority ? resolved.target : base));
  }
  return resolved;
}

}  // namespace aceward::coap::links
