#include "app/records/record_json.h"

#include <nlohmann/json.hpp>
#include <set>

#include "aceward/ace/params/scope.h"
#include "aceward/cbor/reader.h"
#include "aceward/cose/key.h"

namespace aceward::app {

namespace {

using ace::as::ClientRecord;
using ace::as::PolicyRule;
using ace::as::ServerRecord;

Json hex_or_null(BytesView octets) { return octets.empty() ? Json() : Json(to_hex(octets)); }

/// The scope of a token or a rule: CBOR text, or a byte string with AIF in it.
std::string scope_text(BytesView encoded) {
  cbor::Reader reader(encoded);
  const auto kind = reader.peek();
  if (kind && *kind == cbor::Kind::text_string) {
    if (const auto text = reader.text_string()) return std::string(*text);
  } else if (const auto octets = reader.byte_string()) {
    if (const auto aif = ace::Aif::parse(*octets)) return aif->to_text();
  }
  return "h'" + to_hex(encoded) + "'";
}

/// Takes members out one by one; what is left at the end was not known.
class Members {
 public:
  explicit Members(const Json& json) : json_(json) { known_.insert("do"); }

  Result<std::string> text(const char* name, std::string_view fallback = {}) {
    known_.insert(name);
    const auto found = json_.find(name);
    if (found == json_.end() || found->is_null()) return std::string(fallback);
    if (!found->is_string()) return invalid(name);
    return found->get<std::string>();
  }
  Result<Bytes> octets(const char* name) {
    auto octets = from_hex(ACEWARD_TRY(text(name)));
    if (!octets) return invalid(name);
    return octets;
  }
  Result<std::optional<std::int64_t>> number(const char* name) {
    known_.insert(name);
    const auto found = json_.find(name);
    if (found == json_.end() || found->is_null()) return std::nullopt;
    if (!found->is_number_integer()) return invalid(name);
    return found->get<std::int64_t>();
  }
  Result<std::vector<std::string>> texts(const char* name) {
    known_.insert(name);
    std::vector<std::string> all;
    const auto found = json_.find(name);
    if (found == json_.end() || found->is_null()) return all;
    if (!found->is_array()) return invalid(name);
    for (const Json& element : *found) {
      if (!element.is_string()) return invalid(name);
      all.push_back(element.get<std::string>());
    }
    return all;
  }
  Result<> finish() const {
    for (const auto& [name, value] : json_.items()) {
      if (!known_.contains(name)) return fail(reason::record_invalid, "a member that is not known");
    }
    return {};
  }
  /// `name` is a literal.
  static std::unexpected<Error> invalid(const char* name) { return fail(reason::record_invalid, name); }

 private:
  const Json& json_;
  std::set<std::string> known_;
};

/// The public key in the form that the store wants; its thumbprint.
Result<Bytes> public_key_in(Members& members, Bytes* thumbprint) {
  const Bytes octets = ACEWARD_TRY(members.octets("public_key"));
  if (octets.empty()) return Bytes();
  const auto key = cose::Key::parse(octets);
  if (!key || key->is_symmetric() || key->has_private()) return Members::invalid("public_key");
  const auto of_key = key->thumbprint();
  if (thumbprint != nullptr) thumbprint->assign(of_key.begin(), of_key.end());
  return to_bytes(key->serialize().expose());
}

}  // namespace

Json to_json(const ClientRecord& record) {
  return {{"name", record.name},
          {"public_key", hex_or_null(record.public_key)},
          {"thumbprint", hex_or_null(record.key_thumbprint)},
          {"psk_identity", record.psk_identity.empty() ? Json() : Json(std::string(as_text(record.psk_identity)))},
          {"has_psk", !record.psk.empty()}};
}

Json to_json(const ServerRecord& record) {
  Json pop = Json::array();
  if (record.accepts_asymmetric) pop.push_back("raw-key");
  if (record.accepts_symmetric) pop.push_back("psk");
  return {{"name", record.name},
          {"audience", record.audience},
          {"public_key", hex_or_null(record.public_key)},
          {"has_token_key", !record.token_key.empty()},
          {"token_key_id", hex_or_null(record.token_key_id)},
          {"protection", record.protection == ace::as::TokenProtection::encrypted_cwt ? "encrypted" : "signed"},
          {"scope_format", record.scope_format == ace::as::ScopeFormat::aif ? "aif" : "text"},
          {"lifetime", record.token_lifetime.count()},
          {"pop", std::move(pop)}};
}

Json to_json(const PolicyRule& record) {
  std::string scope = record.text_scope;
  if (scope.empty()) {
    const auto aif = ace::Aif::parse(record.aif_scope);
    scope = aif ? aif->to_text() : "h'" + to_hex(record.aif_scope) + "'";
  }
  return {{"name", record.name},
          {"client", record.client},
          {"rs", record.server},
          {"scope", std::move(scope)},
          {"lifetime", record.lifetime ? Json(record.lifetime->count()) : Json()}};
}

Json to_json(const ace::as::IssuedToken& token, WallTime now) {
  return {{"number", token.number.value},
          {"client", token.client},
          {"rs", token.server},
          {"scope", scope_text(token.scope)},
          {"key_id", hex_or_null(token.key_id)},
          {"key_thumbprint", hex_or_null(token.key_thumbprint)},
          {"issued_at", token.issued_at.time_since_epoch().count()},
          {"expires_at", token.expires_at.time_since_epoch().count()},
          {"state", token.revoked             ? "revoked"
                    : now >= token.expires_at ? "expired"
                                              : "live"}};
}

Result<ClientRecord> client_from_json(const Json& json) {
  Members members(json);
  ClientRecord record;
  record.name = ACEWARD_TRY(members.text("name"));
  record.public_key = ACEWARD_TRY(public_key_in(members, &record.key_thumbprint));
  record.psk_identity = to_bytes(ACEWARD_TRY(members.text("psk_identity")));
  record.psk = Secret(ACEWARD_TRY(members.octets("psk")));
  ACEWARD_TRY(members.finish());
  if (record.public_key.empty() && record.psk.empty()) return Members::invalid("public_key or psk");
  return record;
}

Result<ServerRecord> server_from_json(const Json& json) {
  Members members(json);
  ServerRecord record;
  record.name = ACEWARD_TRY(members.text("name"));
  record.audience = ACEWARD_TRY(members.text("audience"));
  record.public_key = ACEWARD_TRY(public_key_in(members, nullptr));
  record.token_key = Secret(ACEWARD_TRY(members.octets("token_key")));
  record.token_key_id = ACEWARD_TRY(members.octets("token_key_id"));
  const std::string protection = ACEWARD_TRY(members.text("protection", "signed"));
  if (protection != "signed" && protection != "encrypted") return Members::invalid("protection");
  if (protection == "encrypted") record.protection = ace::as::TokenProtection::encrypted_cwt;
  const std::string format = ACEWARD_TRY(members.text("scope_format", "text"));
  if (format != "text" && format != "aif") return Members::invalid("scope_format");
  if (format == "aif") record.scope_format = ace::as::ScopeFormat::aif;
  if (const auto lifetime = ACEWARD_TRY(members.number("lifetime"))) {
    record.token_lifetime = std::chrono::seconds(*lifetime);
  }
  const auto kinds = ACEWARD_TRY(members.texts("pop"));
  if (!kinds.empty()) record.accepts_asymmetric = record.accepts_symmetric = false;
  for (const std::string& kind : kinds) {
    if (kind != "raw-key" && kind != "psk") return Members::invalid("pop");
    (kind == "psk" ? record.accepts_symmetric : record.accepts_asymmetric) = true;
  }
  ACEWARD_TRY(members.finish());
  // RFC 9202 section 3.3.1: a token that carries a symmetric key is encrypted, so there must be a key for that.
  if (kinds.empty() && record.token_key.empty()) record.accepts_symmetric = false;
  if (record.accepts_symmetric && record.token_key.empty()) return Members::invalid("token_key");
  if (kinds.empty() && record.public_key.empty()) record.accepts_asymmetric = false;
  if (record.accepts_asymmetric && record.public_key.empty()) return Members::invalid("public_key");
  if (!record.accepts_asymmetric && !record.accepts_symmetric) return Members::invalid("public_key or token_key");
  return record;
}

Result<PolicyRule> rule_from_json(const Json& json) {
  Members members(json);
  PolicyRule record;
  record.name = ACEWARD_TRY(members.text("name"));
  record.client = ACEWARD_TRY(members.text("client"));
  record.server = ACEWARD_TRY(members.text("rs"));
  const std::string scope = ACEWARD_TRY(members.text("scope"));
  if (scope.starts_with('/')) {
    const auto aif = ace::Aif::parse_text(scope);
    if (!aif) return Members::invalid("scope");
    record.aif_scope = aif->serialize();
  } else {
    const auto tokens = ace::TextScope::parse(scope);
    if (!tokens) return Members::invalid("scope");
    record.text_scope = tokens->to_string();
  }
  if (const auto lifetime = ACEWARD_TRY(members.number("lifetime"))) record.lifetime = std::chrono::seconds(*lifetime);
  ACEWARD_TRY(members.finish());
  return record;
}

}  // namespace aceward::app
