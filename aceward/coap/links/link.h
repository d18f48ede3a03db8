// The CoRE Link Format (RFC 6690): links as values, and their text form both ways.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "aceward/base/result.h"

namespace aceward::coap::links {

/// One target attribute: `obs`, `sz=262144`, `title="Sensor Index"`.
struct Attribute {
  std::string name;
  /// Without quotes and backslashes; nullopt for a flag.
  std::optional<std::string> value;
  /// Stood, or is to stand, between quotes. A value that is no ptoken is written between quotes all the same.
  bool quoted = false;

  friend bool operator==(const Attribute&, const Attribute&) = default;
};

/// One link. Attributes keep their order.
///   Link{"/sensors"}.add("ct", "40").add("title", "Sensor Index").add("obs")
struct Link {
  /// The URI reference between the angle brackets.
  std::string target;
  std::vector<Attribute> attributes;

  /// A flag.
  Link& add(std::string_view name);
  /// Quoted where the examples of RFC 6690 quote: all but numbers (`sz`, `ct` with one value), `hreflang` and `title*`.
  Link& add(std::string_view name, std::string_view value);
  Link& add(std::string_view name, std::uint64_t number);

  /// The first of that name; nullptr if there is none. Names are compared octet by octet.
  const Attribute* find(std::string_view name) const;
  /// Its value; nullopt if there is none, or it is a flag.
  std::optional<std::string_view> value(std::string_view name) const;
  bool has(std::string_view name) const { return find(name) != nullptr; }
  /// The values of an attribute that may hold several, separated by spaces: `rel`, `rev`, `rt`, `if`, `ct`.
  std::vector<std::string_view> values(std::string_view name) const;
  /// `sz`; 2^64-1 stands for all that is larger (RFC 6690 section 3.3). nullopt if it is absent or no number.
  std::optional<std::uint64_t> size_estimate() const;

  friend bool operator==(const Link&, const Link&) = default;
};

/// What a stranger may make us hold.
struct LinkLimits {
  std::size_t size = 1 << 18;   ///< octets of the document
  std::size_t links = 4096;     ///< in one document
  std::size_t attributes = 64;  ///< of one link
};

enum class Reading : std::uint8_t {
  /// The grammar of RFC 6690 section 2 to the letter: the form of each attribute that it knows, none of those repeated,
  /// URI references by RFC 3986, no white space.
  strict,
  /// For what is found in the field: white space around separators, any token or quoted string as the value of any
  /// attribute (`rt="Ticks"`); of an attribute that may not be repeated the first counts (RFC 5988 section 5). `href`,
  /// which is no attribute, is dropped. A target may hold any octet but `<`, `>`, space and controls.
  tolerant,
};

/// A document of links, which may be empty. UTF-8 is not checked (section 2). Errors: `link_malformed`,
/// `link_attribute_malformed`, `link_attribute_repeated`, `link_too_large`, `link_too_many`; the detail names the
/// place.
Result<std::vector<Link>> parse(std::string_view document, Reading reading = Reading::strict,
                                const LinkLimits& limits = {});

/// The document, without white space. What parse(…, strict) would refuse is a bug of the caller, see check().
std::string serialize(std::span<const Link> links);
/// Appends one link, without a comma.
void append(std::string& out, const Link& link);

/// Whether the link can stand in a document that is read strictly. Errors: those of parse.
Result<void> check(const Link& link);

}  // namespace aceward::coap::links
