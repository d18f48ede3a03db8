#include "aceward/cose/headers.h"

#include <algorithm>

#include "aceward/cbor/writer.h"
#include "aceward/cose/map_entries.h"
#include "aceward/cose/reasons.h"

namespace aceward::cose {

namespace {

constexpr std::size_t crit_limit = 16;

Result<Bytes> header_octets(BytesView value, std::string_view name) {
  const auto octets = read_all(value, &cbor::Reader::byte_string);
  if (!octets) return fail(reason::cose_header_malformed, name);
  return to_bytes(*octets);
}

Result<Algorithm> header_algorithm(BytesView value) {
  cbor::Reader reader(value);
  const auto kind = ACEWARD_TRY(reader.peek());
  if (kind == cbor::Kind::text_string) return fail(reason::cose_algorithm_unsupported, "text");
  const auto number = reader.integer();
  if (!number) return fail(reason::cose_header_malformed, "alg");
  return Algorithm(*number);
}

Result<std::vector<Label>> header_crit(BytesView value) {
  cbor::Reader reader(value);
  const auto count = reader.array();
  if (!count || *count == 0 || *count > crit_limit) return fail(reason::cose_header_malformed, "crit");
  std::vector<Label> labels;
  for (std::size_t i = 0; i < *count; ++i) {
    if (ACEWARD_TRY(reader.peek()) == cbor::Kind::text_string) {
      labels.emplace_back(std::string(ACEWARD_TRY(reader.text_string())));
    } else {
      const auto number = reader.integer();
      if (!number) return fail(reason::cose_header_malformed, "crit");
      labels.emplace_back(*number);
    }
  }
  return labels;
}

// Text is `type/subtype` without white space around it (RFC 9052 section 3.1).
bool is_media_type(std::string_view text) {
  constexpr std::string_view space = " \t\r\n";
  const std::size_t slash = text.find('/');
  return slash != std::string_view::npos && slash > 0 && slash + 1 < text.size() &&
         space.find(text.front()) == std::string_view::npos && space.find(text.back()) == std::string_view::npos;
}

Result<std::variant<std::uint64_t, std::string>> header_content_type(BytesView value) {
  if (const auto number = read_all(value, &cbor::Reader::unsigned_integer)) return *number;
  const auto text = read_all(value, &cbor::Reader::text_string);
  if (!text || !is_media_type(*text)) return fail(reason::cose_header_malformed, "content type");
  return std::string(*text);
}

std::vector<Label> labels_of(const HeaderMap& map) {
  std::vector<Label> labels;
  if (map.alg) labels.emplace_back(header::alg);
  if (!map.crit.empty()) labels.emplace_back(header::crit);
  if (map.content_type) labels.emplace_back(header::content_type);
  if (map.kid) labels.emplace_back(header::kid);
  if (map.iv) labels.emplace_back(header::iv);
  if (map.partial_iv) labels.emplace_back(header::partial_iv);
  for (const Member& member : map.others) labels.push_back(member.label);
  return labels;
}

bool is_basic(const Label& label) {
  const auto* number = std::get_if<std::int64_t>(&label.value);
  return number != nullptr && *number >= header::alg && *number <= header::partial_iv;
}

}  // namespace

bool HeaderMap::empty() const {
  return !alg && crit.empty() && !content_type && !kid && !iv && !partial_iv && others.empty();
}

bool HeaderMap::contains(const Label& label) const {
  const auto labels = labels_of(*this);
  return std::ranges::find(labels, label) != labels.end();
}

const Member* HeaderMap::other(const Label& label) const { return find_member(others, label); }

Bytes HeaderMap::serialize() const {
  cbor::SortedMap map;
  if (alg) map.entry(header::alg).integer(alg->value);
  if (!crit.empty()) {
    cbor::Writer& out = map.entry(header::crit).array(crit.size());
    for (const Label& label : crit) {
      if (const auto* number = std::get_if<std::int64_t>(&label.value)) {
        out.integer(*number);
      } else {
        out.text_string(std::get<std::string>(label.value));
      }
    }
  }
  if (content_type) {
    cbor::Writer& out = map.entry(header::content_type);
    if (const auto* number = std::get_if<std::uint64_t>(&*content_type)) {
      out.unsigned_integer(*number);
    } else {
      out.text_string(std::get<std::string>(*content_type));
    }
  }
  if (kid) map.entry(header::kid).byte_string(*kid);
  if (iv) map.entry(header::iv).byte_string(*iv);
  if (partial_iv) map.entry(header::partial_iv).byte_string(*partial_iv);
  for (const Member& member : others) {
    if (const auto* number = std::get_if<std::int64_t>(&member.label.value)) {
      map.entry(*number).raw(member.value);
    } else {
      map.entry(std::string_view(std::get<std::string>(member.label.value))).raw(member.value);
    }
  }
  cbor::Writer out;
  map.write_to(out);
  return out.take();
}

Result<HeaderMap> HeaderMap::parse(BytesView encoded) {
  HeaderMap map;
  const auto entries = ACEWARD_TRY(parse_map(encoded, reason::cose_header_malformed));
  for (const MapEntry& entry : entries) {
    const auto* number = std::get_if<std::int64_t>(&entry.label.value);
    switch (number != nullptr ? *number : 0) {
      case header::alg: map.alg = ACEWARD_TRY(header_algorithm(entry.value)); break;
      case header::crit: map.crit = ACEWARD_TRY(header_crit(entry.value)); break;
      case header::content_type: map.content_type = ACEWARD_TRY(header_content_type(entry.value)); break;
      case header::kid: map.kid = ACEWARD_TRY(header_octets(entry.value, "kid")); break;
      case header::iv: map.iv = ACEWARD_TRY(header_octets(entry.value, "IV")); break;
      case header::partial_iv: map.partial_iv = ACEWARD_TRY(header_octets(entry.value, "Partial IV")); break;
      default: map.others.push_back(keep(entry)); break;
    }
  }
  return map;
}

const std::optional<Algorithm>& Headers::alg() const {
  return protected_map.alg ? protected_map.alg : unprotected_map.alg;
}
const std::optional<Bytes>& Headers::kid() const { return protected_map.kid ? protected_map.kid : unprotected_map.kid; }
const std::optional<Bytes>& Headers::iv() const { return protected_map.iv ? protected_map.iv : unprotected_map.iv; }
const std::optional<Bytes>& Headers::partial_iv() const {
  return protected_map.partial_iv ? protected_map.partial_iv : unprotected_map.partial_iv;
}

Result<Headers> Headers::parse(BytesView protected_octets, BytesView unprotected_encoded,
                               std::span<const Label> understood) {
  Headers headers;
  if (!protected_octets.empty()) {
    headers.protected_map = ACEWARD_TRY(HeaderMap::parse(protected_octets));
    // An empty map in a byte string counts as an empty byte string in what is signed (RFC 9052 section 4.4).
    if (!headers.protected_map.empty()) headers.protected_octets_ = to_bytes(protected_octets);
  }
  headers.unprotected_map = ACEWARD_TRY(HeaderMap::parse(unprotected_encoded));
  ACEWARD_TRY(headers.check(understood));
  return headers;
}

Result<> Headers::check(std::span<const Label> understood) const {
  const auto protected_labels = labels_of(protected_map);
  for (const Label& label : labels_of(unprotected_map)) {
    if (std::ranges::find(protected_labels, label) != protected_labels.end()) {
      return fail(reason::cose_header_malformed, "label in both buckets");
    }
  }
  for (const HeaderMap* map : {&protected_map, &unprotected_map}) {
    for (const Member& member : map->others) {
      if (is_basic(member.label)) return fail(reason::cose_header_malformed, "label given twice");
    }
  }
  if (iv() && partial_iv()) return fail(reason::cose_header_malformed, "IV and Partial IV");
  if (!unprotected_map.crit.empty()) return fail(reason::cose_header_malformed, "crit unprotected");
  for (const Label& label : protected_map.crit) {
    if (std::ranges::find(protected_labels, label) == protected_labels.end()) {
      return fail(reason::cose_header_malformed, "crit names an absent parameter");
    }
    if (!is_basic(label) && std::ranges::find(understood, label) == understood.end()) {
      return fail(reason::cose_critical_unknown);
    }
  }
  return {};
}

}  // namespace aceward::cose
