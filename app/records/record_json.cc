#include "app/records/record_json.h"

#include <nlohmann/json.hpp>

#include "aceward/ace/params/registries.h"
#include "aceward/ace/params/scope.h"
#include "aceward/cbor/reader.h"
#include "app/records/hours_text.h"

namespace aceward::app {

namespace {

using ace::as::ClientRecord;
using ace::as::PolicyRule;
using ace::as::ServerRecord;

Json text_or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }

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

}  // namespace

Json to_json(const ClientRecord& record) {
  return {{"name", record.name},
          {"public_key", hex_or_null(record.public_key)},
          {"thumbprint", hex_or_null(record.key_thumbprint)},
          {"psk_identity", record.psk_identity.empty() ? Json() : Json(std::string(as_text(record.psk_identity)))},
          {"has_psk", !record.psk.empty()},
          {"certificate_name", text_or_null(record.certificate_name)},
          {"has_secret", !record.secret_digest.empty()},
          {"groups", record.groups}};
}

Json to_json(const ServerRecord& record) {
  using ace::as::TokenProtection;
  Json pop = Json::array();
  if (record.accepts_asymmetric) pop.push_back("raw-key");
  if (record.accepts_symmetric) pop.push_back("psk");
  Json profiles = Json::array();
  for (const ace::Profile profile : record.profiles) profiles.push_back(ace::name_of(profile));
  return {{"name", record.name},
          {"audience", record.audience},
          {"group_audiences", record.group_audiences},
          {"public_key", hex_or_null(record.public_key)},
          {"has_token_key", !record.token_key.empty()},
          {"token_key_id", hex_or_null(record.token_key_id)},
          {"has_previous_token_key", !record.previous_token_key.empty()},
          {"previous_token_key_id", hex_or_null(record.previous_token_key_id)},
          {"has_derivation_key", !record.derivation_key.empty()},
          {"protection", record.protection == TokenProtection::encrypted_cwt ? "encrypted"
                         : record.protection == TokenProtection::reference   ? "reference"
                                                                             : "signed"},
          {"scope_format", record.scope_format == ace::as::ScopeFormat::aif ? "aif" : "text"},
          {"profiles", std::move(profiles)},
          {"pop", std::move(pop)},
          {"exi", record.uses_exi},
          {"lifetime", record.token_lifetime.count()},
          {"refresh_lifetime", record.refresh_lifetime ? Json(record.refresh_lifetime->count()) : Json()},
          {"group_keys", record.allows_group_keys},
          {"undecided", record.undecided == ace::as::Undecided::ask_owner ? "ask-owner" : "refuse"},
          {"owner", text_or_null(record.owner)},
          {"psk_identity", record.psk_identity.empty() ? Json() : Json(std::string(as_text(record.psk_identity)))},
          {"has_psk", !record.psk.empty()},
          {"certificate_name", text_or_null(record.certificate_name)},
          {"has_secret", !record.secret_digest.empty()}};
}

Json to_json(const PolicyRule& record) {
  std::string scope = record.text_scope;
  if (scope.empty()) {
    const auto aif = ace::Aif::parse(record.aif_scope);
    scope = aif ? aif->to_text() : "h'" + to_hex(record.aif_scope) + "'";
  }
  return {{"name", record.name},
          {"client", text_or_null(record.client)},
          {"group", text_or_null(record.group)},
          {"rs", record.server},
          {"scope", std::move(scope)},
          {"lifetime", record.lifetime ? Json(record.lifetime->count()) : Json()},
          {"hours", record.hours ? Json(hours_text(*record.hours)) : Json()},
          {"until", record.until ? Json(record.until->time_since_epoch().count()) : Json()}};
}

Json to_json(const ace::as::IssuedToken& token, WallTime now) {
  return {
      {"number", token.number.value},
      {"client", token.client},
      {"rs", token.server},
      {"audience", token.audience},
      {"scope", scope_text(token.scope)},
      {"key_id", hex_or_null(token.key_id)},
      {"key_thumbprint", hex_or_null(token.key_thumbprint)},
      {"issued_at", token.issued_at.time_since_epoch().count()},
      {"expires_at", token.expires_at.time_since_epoch().count()},
      {"refresh_until", token.refresh_digest.empty() ? Json() : Json(token.refresh_until.time_since_epoch().count())},
      {"state", token.revoked             ? "revoked"
                : now >= token.expires_at ? "expired"
                                          : "live"}};
}

Json to_json(const ace::as::AccessRequest& request, WallTime now) {
  return {{"number", request.number.value},
          {"client", request.client},
          {"rs", request.server},
          {"scope", request.scope.empty() ? Json() : Json(scope_text(request.scope))},
          {"state", now >= request.expires_at                        ? "expired"
                    : request.state == ace::as::RequestState::denied ? "denied"
                                                                     : "waiting"},
          {"times", request.times},
          {"first_asked", request.first_asked.time_since_epoch().count()},
          {"last_asked", request.last_asked.time_since_epoch().count()},
          {"expires_at", request.expires_at.time_since_epoch().count()}};
}

}  // namespace aceward::app
