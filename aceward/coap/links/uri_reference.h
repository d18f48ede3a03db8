// URI references: their grammar, and resolving them against a base (RFC 3986 sections 4 and 5). Schemes other than coap
// occur in links, so this knows none.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "aceward/base/result.h"
#include "aceward/coap/links/link.h"

namespace aceward::coap::links {

/// A reference taken apart (RFC 3986 appendix B), borrowed. Nothing is decoded.
struct UriReference {
  std::optional<std::string_view> scheme;
  std::optional<std::string_view> authority;
  std::string_view path;
  std::optional<std::string_view> query;
  std::optional<std::string_view> fragment;

  /// Checks the grammar of RFC 3986 but for the inside of an IP literal. Errors: `uri_reference_malformed`.
  static Result<UriReference> parse(std::string_view text);
};

/// `reference` against `base`, which must have a scheme (RFC 3986 section 5.2). Errors: `uri_reference_malformed`.
Result<std::string> resolve(std::string_view reference, std::string_view base);

/// `scheme://authority` of a URI: `coap://h/a/b` gives `coap://h`. Errors: `uri_reference_malformed`, also for a URI
/// without an authority.
Result<std::string> origin_of(std::string_view uri);

/// What a link says, with nothing relative left.
struct ResolvedLink {
  std::string context;
  std::string target;
};

/// `base` is the URI that the document was retrieved from. The context is the anchor if there is one, else the origin
/// of the target if that is absolute, else the origin of `base` (RFC 6690 section 2.1). A relative target or anchor is
/// resolved against `base`. Nothing is dereferenced (section 3). Errors: `uri_reference_malformed`.
Result<ResolvedLink> resolve(const Link& link, std::string_view base);

}  // namespace aceward::coap::links
