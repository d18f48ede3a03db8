#include "aceward/coap/message/uri.h"

#include <algorithm>
#include <charconv>

#include "aceward/coap/reasons.h"

namespace aceward::coap {

namespace {

constexpr std::string_view sub_delims = "!$&'()*+,;=";

bool is_alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }
bool is_unreserved(char c) { return is_alphanumeric(c) || c == '-' || c == '.' || c == '_' || c == '~'; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string in_lower_case(std::string_view text) {
  std::string lowered(text);
  std::ranges::transform(lowered, lowered.begin(), lower);
  return lowered;
}

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char l = lower(c);
  return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

// Every character must be one that RFC 3986 allows at this place, `also` beside unreserved and sub-delims.
Result<std::string> percent_decoded(std::string_view text, std::string_view also) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '%') {
      if (text.size() - i < 3) return fail(reason::uri_malformed, "percent-encoding");
      const int high = digit_of(text[i + 1]);
      const int low = digit_of(text[i + 2]);
      if (high < 0 || low < 0) return fail(reason::uri_malformed, "percent-encoding");
      decoded += static_cast<char>(high << 4 | low);
      i += 2;
    } else if (is_unreserved(c) || sub_delims.find(c) != std::string_view::npos ||
               also.find(c) != std::string_view::npos) {
      decoded += c;
    } else {
      return fail(reason::uri_malformed, "character");
    }
  }
  return decoded;
}

void append_percent_encoded(std::string_view text, std::string_view also, std::string_view except, std::string& out) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  for (const char c : text) {
    const bool plain =
        is_unreserved(c) || sub_delims.find(c) != std::string_view::npos || also.find(c) != std::string_view::npos;
    if (plain && except.find(c) == std::string_view::npos) {
      out += c;
      continue;
    }
    const auto octet = static_cast<unsigned char>(c);
    out += '%';
    out += digits[octet >> 4];
    out += digits[octet & 0x0f];
  }
}

std::optional<Address> address_literal(std::string_view host, std::uint16_t port) {
  if (host.find('%') != std::string_view::npos) return std::nullopt;
  const bool v6 = host.find(':') != std::string_view::npos;
  if (!v6 && std::ranges::count(host, '.') != 3) return std::nullopt;
  auto address = Address::parse(v6 ? "[" + std::string(host) + "]" : std::string(host), port);
  if (!address) return std::nullopt;
  return *address;
}

// RFC 3986 section 3.2; CoAP has no userinfo.
Result<void> parse_authority(std::string_view authority, Uri& uri) {
  std::string_view port;
  bool has_port = false;
  if (authority.starts_with('[')) {
    const auto close = authority.find(']');
    if (close == std::string_view::npos) return fail(reason::uri_malformed, "bracket");
    const auto literal = authority.substr(1, close - 1);
    if (literal.find(':') == std::string_view::npos || !address_literal(literal, 0)) {
      return fail(reason::uri_malformed, "IP literal");
    }
    uri.host = in_lower_case(literal);
    const auto rest = authority.substr(close + 1);
    if (!rest.empty() && rest.front() != ':') return fail(reason::uri_malformed, "authority");
    has_port = !rest.empty();
    if (has_port) port = rest.substr(1);
  } else {
    const auto colon = authority.find(':');
    has_port = colon != std::string_view::npos;
    if (has_port) port = authority.substr(colon + 1);
    uri.host = ACEWARD_TRY(percent_decoded(in_lower_case(authority.substr(0, colon)), ""));
    if (uri.host.empty()) return fail(reason::uri_malformed, "host");
    // A decoded name that reads as an IPv6 literal would change its meaning.
    if (uri.host.find_first_of(":[]%") != std::string::npos) return fail(reason::uri_malformed, "host");
  }
  if (has_port && !port.empty()) {
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), uri.port);
    if (error != std::errc() || end != port.data() + port.size() || uri.port == 0) {
      return fail(reason::uri_malformed, "port");
    }
  }
  return {};
}

}  // namespace

std::optional<Address> Uri::literal() const { return address_literal(host, port); }

Result<Uri> parse_uri(std::string_view text) {
  if (text.find('#') != std::string_view::npos) return fail(reason::uri_has_fragment);
  const auto colon = text.find("://");
  if (colon == std::string_view::npos) return fail(reason::uri_malformed, "scheme");
  const auto scheme = in_lower_case(text.substr(0, colon));
  if (scheme != "coap" && scheme != "coaps") return fail(reason::uri_scheme_unknown);
  Uri uri;
  uri.secure = scheme == "coaps";
  uri.port = uri.secure ? default_secure_port : default_port;

  auto rest = text.substr(colon + 3);
  const auto authority_end = std::min(rest.find_first_of("/?"), rest.size());
  ACEWARD_TRY(parse_authority(rest.substr(0, authority_end), uri));
  rest.remove_prefix(authority_end);

  const auto question = rest.find('?');
  auto path = rest.substr(0, question);
  if (path.size() > 1) {
    bool ends_in_dots = false;
    while (!path.empty()) {
      path.remove_prefix(1);
      const auto slash = std::min(path.find('/'), path.size());
      auto segment = ACEWARD_TRY(percent_decoded(path.substr(0, slash), ":@"));
      path.remove_prefix(slash);
      // RFC 3986 section 5.2.4: dot segments never become options (RFC 7252 section 5.10.1).
      ends_in_dots = segment == "." || segment == "..";
      if (segment == ".." && !uri.path.empty()) uri.path.pop_back();
      if (!ends_in_dots) uri.path.push_back(std::move(segment));
    }
    if (ends_in_dots && !uri.path.empty()) uri.path.emplace_back();
  }
  if (question != std::string_view::npos) {
    auto query = rest.substr(question + 1);
    while (true) {
      const auto ampersand = query.find('&');
      uri.query.push_back(ACEWARD_TRY(percent_decoded(query.substr(0, ampersand), ":@/?")));
      if (ampersand == std::string_view::npos) break;
      query.remove_prefix(ampersand + 1);
    }
  }
  return uri;
}

std::string compose_uri(const Uri& uri) {
  std::string text = uri.secure ? "coaps://" : "coap://";
  if (const auto literal = uri.literal(); literal && !literal->is_v4()) {
    text += "[" + uri.host + "]";
  } else {
    append_percent_encoded(uri.host, "", "", text);
  }
  if (uri.port != (uri.secure ? default_secure_port : default_port)) text += ":" + std::to_string(uri.port);
  if (uri.path.empty()) text += '/';
  for (const auto& segment : uri.path) {
    text += '/';
    append_percent_encoded(segment, ":@", "", text);
  }
  for (std::size_t i = 0; i < uri.query.size(); ++i) {
    text += i == 0 ? '?' : '&';
    append_percent_encoded(uri.query[i], ":@/?", "&", text);
  }
  return text;
}

Result<void> add_uri_options(const Uri& uri, std::uint16_t destination_port, Options& options) {
  const auto too_long = [](const std::string& part) { return part.size() > 255; };
  if (uri.host.empty() || too_long(uri.host) || std::ranges::any_of(uri.path, too_long) ||
      std::ranges::any_of(uri.query, too_long)) {
    return fail(reason::uri_option_too_long);
  }
  if (!uri.literal()) options.add(option::uri_host, uri.host);
  if (uri.port != destination_port) options.add_uint(option::uri_port, uri.port);
  for (const auto& segment : uri.path) options.add(option::uri_path, segment);
  for (const auto& argument : uri.query) options.add(option::uri_query, argument);
  return {};
}

Uri uri_of(const Options& options, bool secure, const Address& destination) {
  Uri uri;
  uri.secure = secure;
  const auto host = options.find_text(option::uri_host);
  uri.host = host ? std::string(*host) : destination.host();
  const auto port = options.find_uint(option::uri_port);
  uri.port = port && *port <= UINT16_MAX ? static_cast<std::uint16_t>(*port) : destination.port;
  for (const auto segment : options.path()) uri.path.emplace_back(segment);
  for (const auto argument : options.queries()) uri.query.emplace_back(argument);
  return uri;
}

Result<std::string> request_uri(const Options& options, bool secure, const Address& destination) {
  auto uri = uri_of(options, secure, destination);
  const auto host = options.find_text(option::uri_host);
  if (!host) return compose_uri(uri);
  std::string text;
  for (const char c : *host) {
    if (static_cast<unsigned char>(c) < 0x80) {
      text += c;
    } else {
      append_percent_encoded(std::string_view(&c, 1), "", "", text);
    }
  }
  // reg-name, IP-literal or IPv4address; the last is a reg-name too.
  const bool bracketed = text.starts_with('[') && text.ends_with(']');
  const bool valid = bracketed ? text.find(':') != std::string::npos &&
                                     address_literal(std::string_view(text).substr(1, text.size() - 2), 0).has_value()
                               : !text.empty() && percent_decoded(text, "").has_value();
  if (!valid) return fail(reason::uri_malformed, "host");
  uri.host = "h";
  auto composed = compose_uri(uri);
  return composed.replace(composed.find("//") + 2, 1, text);
}

}  // namespace aceward::coap
