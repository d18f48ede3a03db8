// What a token allows: methods on resources, ready to be compared with a request.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "aceward/ace/params/aif.h"
#include "aceward/ace/params/scope.h"
#include "aceward/coap/message/code.h"
#include "aceward/coap/message/options.h"

namespace aceward::ace {

/// The part of a URI that a resource server judges: path and query, taken apart and percent-decoded like a coap URI
/// (RFC 7252 section 6.4, RFC 9237 section 2.1). `%2F` stays within its segment.
struct Target {
  std::vector<std::string> path;
  std::vector<std::string> query;

  /// `/s/temp`, `/s/temp?unit=C`; "/" is the root, which has no segment. Errors: `scope_malformed` for a path that is
  /// not absolute, a fragment, a broken percent-encoding, or an element beyond 255 octets.
  static Result<Target> parse(std::string_view local_path);
  /// Of a request.
  static Target of(const coap::Options& options);
  /// Are the Uri-Path and Uri-Query options exactly these, one by one and octet by octet? Allocates nothing.
  bool is_named_by(const coap::Options& options) const;
  /// As an AIF local-path, percent-encoded.
  std::string to_local_path() const;

  friend auto operator<=>(const Target&, const Target&) = default;
};

enum class Verdict : std::uint8_t {
  allowed,
  method_not_covered,  ///< the resource is covered, the method is not: 4.05
  target_not_covered,  ///< 4.03
};

/// An allow-list: what is not in it is denied (RFC 9237 section 2). An entry covers exactly the resource that its path
/// and query name, nothing below it, and without a query not the resource with one (section 2.2). Dynamic permissions
/// (section 2.3) are not evaluated: they allow nothing. At most 256 targets.
class Permissions {
 public:
  /// Errors: `scope_malformed`.
  static Result<Permissions> from_aif(const Aif& aif);

  /// Adds what `other` allows. Errors: `scope_malformed` beyond 256 targets.
  Result<> add(const Permissions& other);
  /// `method` is a request code.
  Verdict judge(const coap::Options& request, coap::Code method) const;
  bool empty() const { return targets_.empty(); }
  const std::map<Target, MethodSet>& targets() const { return targets_; }

  friend bool operator==(const Permissions&, const Permissions&) = default;

 private:
  std::map<Target, MethodSet> targets_;
};

/// What each scope-token of a text scope allows at this resource server. Immutable once made.
class ScopeMap {
 public:
  /// Errors: `scope_malformed`.
  static Result<ScopeMap> from(const std::map<std::string, Aif>& allowed_by_scope_token);

  /// The permissions of a token's scope: a byte string is AIF-REST; of a text scope the scope-tokens that this server
  /// knows count, the others give nothing, and at least one must be known (RFC 9200 section 5.10.1.1).
  /// Errors: `token_scope_unrecognised`; for AIF `scope_malformed` or those of cbor/.
  Result<Permissions> resolve(const Scope& scope) const;
  /// The first scope-token by name that allows the request; null if there is none.
  const std::string* suggest(const coap::Options& request, coap::Code method) const;

 private:
  std::map<std::string, Permissions, std::less<>> tokens_;
};

}  // namespace aceward::ace
