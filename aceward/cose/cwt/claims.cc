#include "aceward/cose/cwt/claims.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "aceward/cbor/reader.h"
#include "aceward/cose/cwt/reasons.h"
#include "aceward/cose/map_entries.h"

namespace aceward::cwt {

namespace {

constexpr std::size_t audience_limit = 64;

// Civil time that arithmetic with leeways cannot overflow: some 146 thousand million years.
constexpr std::int64_t date_limit = std::numeric_limits<std::int64_t>::max() / 2;

// RFC 7519 section 2: any text, but one with a colon is a URI. Checked as far as its scheme goes (RFC 3986
// section 3.1).
bool is_string_or_uri(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return true;
  const auto is_alpha = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const auto is_scheme = [&](char c) {
    return is_alpha(c) || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
  };
  if (colon == 0 || !is_alpha(text.front()) || !std::ranges::all_of(text.substr(0, colon), is_scheme)) return false;
  // No white space or control character may stand in a URI (section 2).
  return std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f; });
}

Result<std::string> claim_text(BytesView value, std::string_view name) {
  const auto text = cose::read_all(value, &cbor::Reader::text_string);
  if (!text || !is_string_or_uri(*text)) return fail(reason::cwt_claim_malformed, name);
  return std::string(*text);
}

Result<Bytes> claim_octets(BytesView value, std::string_view name) {
  const auto octets = cose::read_all(value, &cbor::Reader::byte_string);
  if (!octets) return fail(reason::cwt_claim_malformed, name);
  return to_bytes(*octets);
}

Result<Audience> claim_audience(BytesView value) {
  Audience audience;
  cbor::Reader reader(value);
  if (ACEWARD_TRY(reader.peek()) != cbor::Kind::array) {
    audience.values.push_back(ACEWARD_TRY(claim_text(value, "aud")));
    return audience;
  }
  audience.as_array = true;
  const std::size_t count = ACEWARD_TRY(reader.array());
  if (count > audience_limit) return fail(reason::cwt_claim_malformed, "aud");
  for (std::size_t i = 0; i < count; ++i) {
    const BytesView item = ACEWARD_TRY(reader.skip());
    audience.values.push_back(ACEWARD_TRY(claim_text(item, "aud")));
  }
  return audience;
}

bool is_declared(const cose::Label& label) {
  const auto* number = std::get_if<std::int64_t>(&label.value);
  if (number == nullptr) return false;
  return (*number >= claim::iss && *number <= claim::scope) || (*number >= claim::ace_profile && *number <= claim::exi);
}

// A tag before the number is refused with everything else that is not a number (RFC 8392 section 5).
Result<NumericDate> claim_date(BytesView value, std::string_view name) {
  if (const auto number = cose::read_all(value, &cbor::Reader::integer)) return NumericDate(*number);
  const auto real = cose::read_all(value, &cbor::Reader::floating);
  if (!real) return fail(reason::cwt_claim_malformed, name);
  const auto date = NumericDate::from_float(*real);
  if (!date) return fail(reason::cwt_claim_malformed, name);
  return *date;
}

Result<Scope> claim_scope(BytesView value) {
  if (const auto text = cose::read_all(value, &cbor::Reader::text_string)) return Scope(std::string(*text));
  return Scope(ACEWARD_TRY(claim_octets(value, "scope")));
}

template <class T>
void add_text(cose::SecretMap& map, std::int64_t name, const std::optional<T>& text) {
  if (text) map.add(name, [&](cbor::Writer& out) { out.text_string(*text); });
}

void add_octets(cose::SecretMap& map, std::int64_t name, const std::optional<Bytes>& octets) {
  if (octets) map.add(name, [&](cbor::Writer& out) { out.byte_string(*octets); });
}

void add_date(cose::SecretMap& map, std::int64_t name, const std::optional<NumericDate>& date) {
  if (!date) return;
  map.add(name, [&](cbor::Writer& out) {
    if (const auto* seconds = std::get_if<std::int64_t>(&date->value())) {
      out.integer(*seconds);
    } else {
      out.floating(std::get<double>(date->value()));
    }
  });
}

}  // namespace

Result<NumericDate> NumericDate::from_float(double seconds) {
  if (!std::isfinite(seconds)) return fail(reason::cwt_claim_malformed, "date");
  return NumericDate(std::variant<std::int64_t, double>(seconds));
}

WallTime NumericDate::floor() const {
  if (const auto* seconds = std::get_if<std::int64_t>(&value_)) {
    return WallTime(std::chrono::seconds(std::clamp(*seconds, -date_limit, date_limit)));
  }
  const double seconds = std::floor(std::get<double>(value_));
  // Compared before it is converted: out of range, the conversion is undefined.
  if (seconds >= static_cast<double>(date_limit)) return WallTime(std::chrono::seconds(date_limit));
  if (seconds <= -static_cast<double>(date_limit)) return WallTime(std::chrono::seconds(-date_limit));
  return WallTime(std::chrono::seconds(static_cast<std::int64_t>(seconds)));
}

bool NumericDate::reached_at(WallTime time) const {
  const WallTime whole = floor();
  if (time != whole || !is_float()) return time >= whole;
  return std::get<double>(value_) <= std::floor(std::get<double>(value_));
}

bool Audience::contains(std::string_view name) const { return std::ranges::find(values, name) != values.end(); }

Claims Claims::clone() const {
  Claims copy;
  copy.iss = iss;
  copy.sub = sub;
  copy.aud = aud;
  copy.exp = exp;
  copy.nbf = nbf;
  copy.iat = iat;
  copy.cti = cti;
  if (cnf) copy.cnf = cnf->clone();
  copy.scope = scope;
  copy.ace_profile = ace_profile;
  copy.cnonce = cnonce;
  copy.exi = exi;
  copy.others = others;
  return copy;
}

const cose::Member* Claims::other(const cose::Label& name) const { return cose::find_member(others, name); }

bool Claims::carries_bare_secret() const {
  if (!cnf) return false;
  if (const auto* key = cnf->cose_key(); key != nullptr && (key->is_symmetric() || key->has_private())) return true;
  return cnf->other(confirmation_method::osc) != nullptr;
}

Result<Claims> Claims::parse(BytesView encoded) {
  cbor::Reader reader(encoded);
  if (ACEWARD_TRY(reader.peek()) != cbor::Kind::map) return fail(reason::cwt_malformed, "claims are no map");
  const auto entries = ACEWARD_TRY(cose::parse_map(encoded, reason::cwt_claim_malformed));
  Claims claims;
  for (const cose::MapEntry& entry : entries) {
    const auto* number = std::get_if<std::int64_t>(&entry.label.value);
    switch (number != nullptr ? *number : 0) {
      case claim::iss: claims.iss = ACEWARD_TRY(claim_text(entry.value, "iss")); break;
      case claim::sub: claims.sub = ACEWARD_TRY(claim_text(entry.value, "sub")); break;
      case claim::aud: claims.aud = ACEWARD_TRY(claim_audience(entry.value)); break;
      case claim::exp: claims.exp = ACEWARD_TRY(claim_date(entry.value, "exp")); break;
      case claim::nbf: claims.nbf = ACEWARD_TRY(claim_date(entry.value, "nbf")); break;
      case claim::iat: claims.iat = ACEWARD_TRY(claim_date(entry.value, "iat")); break;
      case claim::cti: claims.cti = ACEWARD_TRY(claim_octets(entry.value, "cti")); break;
      case claim::cnf: {
        if (ACEWARD_TRY(cbor::Reader(entry.value).peek()) != cbor::Kind::map) {
          return fail(reason::cwt_confirmation_malformed, "cnf is no map");
        }
        claims.cnf = ACEWARD_TRY(Confirmation::parse(entry.value));
        break;
      }
      case claim::scope: claims.scope = ACEWARD_TRY(claim_scope(entry.value)); break;
      case claim::ace_profile: {
        const auto profile = cose::read_all(entry.value, &cbor::Reader::integer);
        if (!profile) return fail(reason::cwt_claim_malformed, "ace_profile");
        claims.ace_profile = *profile;
        break;
      }
      case claim::cnonce: claims.cnonce = ACEWARD_TRY(claim_octets(entry.value, "cnonce")); break;
      case claim::exi: {
        const auto seconds = cose::read_all(entry.value, &cbor::Reader::unsigned_integer);
        if (!seconds) return fail(reason::cwt_claim_malformed, "exi");
        claims.exi = *seconds;
        break;
      }
      default: claims.others.push_back(cose::keep(entry)); break;
    }
  }
  return claims;
}

Result<Secret> Claims::serialize() const {
  if (iss && !is_string_or_uri(*iss)) return fail(reason::cwt_claim_malformed, "iss");
  if (sub && !is_string_or_uri(*sub)) return fail(reason::cwt_claim_malformed, "sub");
  cose::SecretMap map;
  add_text(map, claim::iss, iss);
  add_text(map, claim::sub, sub);
  if (aud) {
    const bool fits = aud->as_array ? aud->values.size() <= audience_limit : aud->values.size() == 1;
    if (!fits || !std::ranges::all_of(aud->values, is_string_or_uri)) return fail(reason::cwt_claim_malformed, "aud");
    map.add(claim::aud, [&](cbor::Writer& out) {
      if (aud->as_array) out.array(aud->values.size());
      for (const std::string& value : aud->values) out.text_string(value);
    });
  }
  add_date(map, claim::exp, exp);
  add_date(map, claim::nbf, nbf);
  add_date(map, claim::iat, iat);
  add_octets(map, claim::cti, cti);
  if (cnf) {
    const Secret encoded = cnf->serialize();
    map.add(claim::cnf, [&](cbor::Writer& out) { out.raw(encoded.expose()); });
  }
  if (scope) {
    map.add(claim::scope, [&](cbor::Writer& out) {
      if (const auto* text = std::get_if<std::string>(&*scope)) {
        out.text_string(*text);
      } else {
        out.byte_string(std::get<Bytes>(*scope));
      }
    });
  }
  if (ace_profile) map.add(claim::ace_profile, [&](cbor::Writer& out) { out.integer(*ace_profile); });
  add_octets(map, claim::cnonce, cnonce);
  if (exi) map.add(claim::exi, [&](cbor::Writer& out) { out.unsigned_integer(*exi); });
  for (const cose::Member& member : others) {
    if (is_declared(member.label)) return fail(reason::cwt_claim_malformed, "others");
  }
  map.add(others);
  Secret encoded = map.finish();
  // What was handed in as encoded, or as text, may not be so; and names may repeat.
  cbor::Reader reader(encoded.expose());
  if (!reader.skip() || !reader.finish()) return fail(reason::cwt_claim_malformed, "encoding");
  return encoded;
}

Result<> check_times(const Claims& claims, WallTime now, std::chrono::seconds leeway) {
  if (claims.exp && claims.exp->reached_at(now - leeway)) return fail(reason::token_expired);
  if (claims.nbf && !claims.nbf->reached_at(now + leeway)) return fail(reason::token_not_yet_valid);
  return {};
}

}  // namespace aceward::cwt
