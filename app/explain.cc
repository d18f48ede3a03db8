#include "app/explain.h"

#include <algorithm>
#include <array>
#include <deque>

#include "aceward/ace/params/aif.h"
#include "aceward/ace/params/names.h"
#include "aceward/ace/profile/dtls/psk_identity.h"
#include "aceward/cbor/diagnostic.h"
#include "aceward/cbor/value.h"
#include "aceward/coap/message/message.h"
#include "aceward/coap/message/pretty.h"
#include "aceward/cose/cwt/reasons.h"
#include "aceward/cose/cwt/token.h"
#include "app/payload_text.h"

namespace aceward::app {

namespace {

using cbor::Value;

constexpr cbor::Limits explain_limits{.max_depth = 32, .max_items = 1 << 16, .max_size = 1 << 20};

const Value* member(const Value& map, std::int64_t number) {
  const auto* pairs = std::get_if<Value::Map>(&map.item);
  if (pairs == nullptr) return nullptr;
  const Value key = Value::integer(number);
  const auto found = std::ranges::find(*pairs, key, &Value::Pair::first);
  return found == pairs->end() ? nullptr : &found->second;
}

template <class T>
bool has(const Value& map, std::int64_t number) {
  const Value* value = member(map, number);
  return value != nullptr && std::holds_alternative<T>(value->item);
}

bool is_number(const Value& map, std::int64_t number) {
  return has<std::uint64_t>(map, number) || has<Value::Negative>(map, number) || has<double>(map, number);
}

bool is_cose_message(const Value& value) {
  const Value* item = &value;
  bool is_tagged = false;
  while (const auto* tag = std::get_if<Value::Tag>(&item->item)) {
    if (tag->number != 16 && tag->number != 17 && tag->number != 18 && tag->number != cwt::cwt_tag) return false;
    is_tagged = true;
    item = tag->content.data();
  }
  const auto* places = std::get_if<Value::Array>(&item->item);
  if (places == nullptr || (places->size() != 3 && places->size() != 4)) return false;
  return std::holds_alternative<Bytes>((*places)[0].item) && std::holds_alternative<Value::Map>((*places)[1].item) &&
         (is_tagged || std::holds_alternative<Bytes>((*places)[2].item));
}

bool is_aif(const Value& value) {
  const auto* entries = std::get_if<Value::Array>(&value.item);
  if (entries == nullptr || entries->empty()) return false;
  return std::ranges::all_of(*entries, [](const Value& entry) {
    const auto* pair = std::get_if<Value::Array>(&entry.item);
    return pair != nullptr && pair->size() == 2 && std::holds_alternative<std::string>((*pair)[0].item) &&
           std::holds_alternative<std::uint64_t>((*pair)[1].item);
  });
}

/// The same numbers mean different things in different messages; the types of the values tell most of them apart.
std::string kind_of_map(const Value& map) {
  const auto* pairs = std::get_if<Value::Map>(&map.item);
  if (pairs->empty()) return "cbor";
  if (is_number(map, 1) && (member(map, -1) != nullptr || member(map, 3) != nullptr)) return "cose-key";
  if (pairs->size() == 1 && has<Value::Map>(map, 8)) return "psk-identity";
  if (has<Bytes>(map, 1)) return "token-response";
  if (is_number(map, 30)) return "token-error";
  if (is_number(map, 4) || is_number(map, 5) || is_number(map, 6) || has<std::string>(map, 2) ||
      has<std::string>(map, 3) || (has<std::string>(map, 1) && member(map, 8) != nullptr)) {
    return "claims";
  }
  if (has<Value::Map>(map, 4) || is_number(map, 33) || has<std::string>(map, 24)) return "token-request";
  if (has<std::string>(map, 1)) return "hints";
  if (has<std::string>(map, 5)) return "token-request";
  return "cbor";
}

/// The keys that the user named, for every layer that they can fit.
class NamedKeys final : public cwt::KeySource {
 public:
  explicit NamedKeys(const std::vector<cose::Key>& keys) : keys_(keys) {}

  void candidates(const Query& query, std::vector<Candidate>& out) override {
    for (std::size_t i = 0; i < keys_.size(); ++i) {
      const cwt::IssuerId name(i);
      if (query.protection == cwt::Protection::signature) {
        auto key = cose::VerifyingKey::from(keys_[i], query.algorithm);
        if (key) out.push_back({&verifying_.emplace_back(std::move(*key)), name});
      } else if (query.protection == cwt::Protection::mac) {
        auto key = cose::MacKey::from(keys_[i], query.algorithm);
        if (key) out.push_back({&macs_.emplace_back(std::move(*key)), name});
      } else {
        auto key = cose::ContentKey::from(keys_[i], query.algorithm);
        if (key) out.push_back({&contents_.emplace_back(std::move(*key)), name});
      }
    }
  }

 private:
  const std::vector<cose::Key>& keys_;
  std::deque<cose::VerifyingKey> verifying_;
  std::deque<cose::MacKey> macs_;
  std::deque<cose::ContentKey> contents_;
};

std::string_view name_of_protection(cwt::Protection protection) {
  switch (protection) {
    case cwt::Protection::signature: return "signed";
    case cwt::Protection::mac: return "MACed";
    case cwt::Protection::encryption: return "encrypted";
  }
  return "";
}

Explanation explain_token(BytesView octets, const std::vector<cose::Key>& keys) {
  Explanation explanation{"cwt", ace::to_text(ace::Message::token, octets, true), {}, {}};
  if (keys.empty()) {
    explanation.text += "\n\nNot verified: name a key with --key.";
    return explanation;
  }
  NamedKeys source(keys);
  cwt::OpenOptions options;
  const auto value = Value::parse(octets, explain_limits, cbor::Strictness::well_formed);
  if (value && !std::holds_alternative<Value::Tag>(value->item)) {
    const auto* places = std::get_if<Value::Array>(&value->item);
    options.untagged =
        places != nullptr && places->size() == 3 ? cwt::Protection::encryption : cwt::Protection::signature;
  }
  const auto opened = cwt::open(octets, source, options);
  explanation.verified = opened.has_value();
  if (!opened) {
    explanation.reason = opened.error().id();
    explanation.text +=
        "\n\nNOT VERIFIED: " + std::string(opened.error().reason().what) + " [" + explanation.reason + "]";
    return explanation;
  }
  explanation.text += "\n\nVerified:";
  for (const auto& layer : opened->layers()) {
    explanation.text += " " + std::string(name_of_protection(layer.protection)) + " with algorithm " +
                        std::to_string(layer.algorithm.value) +
                        (layer.kid ? ", kid h'" + to_hex(*layer.kid) + "'" : "") + ";";
  }
  explanation.text.back() = '.';
  explanation.text += " Times, audience and scope are not judged.\n\nClaims:\n" +
                      ace::to_text(ace::Message::claims, opened->claims_octets(), true);
  return explanation;
}

std::string coap_text(const coap::Message& message) {
  std::string text;
  for (const coap::PrettyLine& line : coap::pretty_lines(message)) {
    text += text.empty() ? line.label + " " + line.value : "\n  " + line.label + ": " + line.value;
  }
  const std::string payload = payload_text(message);
  if (payload.empty()) return text;
  text += "\n  Payload, " + std::to_string(message.payload.size()) + " octets:\n    ";
  for (const char c : payload) text += c == '\n' ? std::string("\n    ") : std::string(1, c);
  return text;
}

std::unexpected<Failure> not_a(std::string_view kind, const Error& error) {
  Failure failure = Failure::of(ExitCode::usage, error, "this is no " + std::string(kind));
  return std::unexpected(std::move(failure));
}

struct KindOfMap {
  std::string_view kind;
  ace::Message message;
};
constexpr std::array map_kinds = std::to_array<KindOfMap>({
    {"claims", ace::Message::claims},
    {"cose-key", ace::Message::cose_key},
    {"token-request", ace::Message::token_request},
    {"token-response", ace::Message::access_information},
    {"token-error", ace::Message::token_error},
    {"hints", ace::Message::creation_hints},
});

}  // namespace

std::optional<Bytes> octets_from_text(std::string_view text) {
  const auto is_space = [](char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  if (text.empty()) return std::nullopt;
  if (auto octets = from_hex(text)) return std::move(*octets);
  Bytes octets;
  std::uint32_t bits = 0;
  unsigned held = 0;
  while (text.ends_with('=')) text.remove_suffix(1);
  if (text.size() % 4 == 1) return std::nullopt;
  for (const char c : text) {
    std::uint32_t value = 0;
    if (c >= 'A' && c <= 'Z')
      value = static_cast<std::uint32_t>(c - 'A');
    else if (c >= 'a' && c <= 'z')
      value = static_cast<std::uint32_t>(c - 'a') + 26;
    else if (c >= '0' && c <= '9')
      value = static_cast<std::uint32_t>(c - '0') + 52;
    else if (c == '-' || c == '+')
      value = 62;
    else if (c == '_' || c == '/')
      value = 63;
    else
      return std::nullopt;
    bits = (bits << 6 | value) & 0xffffff;
    held += 6;
    if (held >= 8) {
      held -= 8;
      octets.push_back(static_cast<std::uint8_t>(bits >> held));
    }
  }
  return octets;
}

std::string kind_of(BytesView octets) {
  const auto value = Value::parse(octets, explain_limits, cbor::Strictness::well_formed);
  const bool is_string =
      value && (std::holds_alternative<Bytes>(value->item) || std::holds_alternative<std::string>(value->item));
  // Version 1 looks like the head of a CBOR string, whose length then seldom fits.
  if (const auto message = coap::parse(octets);
      message && !is_string && (message->code.is_empty() || !message->code.name().empty())) {
    return "coap";
  }
  if (!value) return "cbor";
  if (is_cose_message(*value)) return "cwt";
  if (is_aif(*value)) return "aif";
  if (std::holds_alternative<Value::Map>(value->item)) return kind_of_map(*value);
  return "cbor";
}

Outcome<Explanation> explain(std::string_view kind, BytesView octets, const std::vector<cose::Key>& keys) {
  Explanation explanation{std::string(kind), {}, {}, {}};
  if (kind == "coap") {
    const auto message = coap::parse(octets);
    if (!message) return not_a("CoAP message", message.error());
    explanation.text = coap_text(*message);
    return explanation;
  }
  if (kind == "psk-identity") {
    const auto identity = ace::dtls::parse_psk_identity(octets);
    if (!identity) return not_a("PSK identity", identity.error());
    if (std::holds_alternative<ace::dtls::KidIdentity>(*identity)) {
      explanation.text = ace::to_text(ace::Message::claims, octets, true);
      return explanation;
    }
    explanation = explain_token(octets, keys);
    explanation.kind = kind;
    return explanation;
  }
  const auto value = Value::parse(octets, explain_limits, cbor::Strictness::well_formed);
  if (kind == "cbor") {
    // A sequence, or what is well-formed of it: the printer says where it breaks off.
    explanation.text = cbor::to_diagnostic(octets, {.indented = true});
    if (!value) explanation.kind = "cbor-seq";
    cbor::Reader reader(octets, explain_limits, cbor::Strictness::well_formed);
    while (!reader.at_end()) {
      if (const auto item = reader.skip(); !item) {
        Failure failure = Failure::of(ExitCode::usage, item.error(), "neither CoAP nor CBOR");
        failure.check = "as far as it goes: " + explanation.text;
        return std::unexpected(std::move(failure));
      }
    }
    return explanation;
  }
  if (!value) return not_a(kind, value.error());
  if (kind == "cwt") {
    if (!is_cose_message(*value)) return not_a("CWT", Error(reason::cwt_malformed));
    return explain_token(octets, keys);
  }
  if (kind == "aif") {
    const auto aif = ace::Aif::parse(octets);
    if (!aif) return not_a("AIF scope", aif.error());
    explanation.text = cbor::to_diagnostic(octets, {.indented = true}) + "\n\n" + printable(aif->to_text());
    return explanation;
  }
  const auto found = std::ranges::find(map_kinds, kind, &KindOfMap::kind);
  if (found == map_kinds.end()) return std::unexpected(Failure::usage("no kind is called " + std::string(kind)));
  explanation.text = ace::to_text(found->message, octets, true);
  return explanation;
}

}  // namespace aceward::app
