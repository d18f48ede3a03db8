#include "app/records/record_members.h"

#include <nlohmann/json.hpp>
#include <set>

#include "aceward/ace/as/client_secret.h"
#include "aceward/ace/params/registries.h"
#include "aceward/ace/params/scope.h"
#include "aceward/cose/key.h"
#include "app/records/hours_text.h"

namespace aceward::app {

namespace {

using ace::as::ClientRecord;
using ace::as::PolicyRule;
using ace::as::ServerRecord;
using ace::as::TokenProtection;

/// Takes members out one by one; what is left at the end was not known.
class Members {
 public:
  explicit Members(const Json& json) : json_(json) { known_ = {"do", "name"}; }

  bool has(const char* name) {
    known_.insert(name);
    return json_.contains(name);
  }
  Result<bool> flag(const char* name) {
    known_.insert(name);
    const auto found = json_.find(name);
    if (found == json_.end() || found->is_null()) return false;
    if (!found->is_boolean()) return invalid(name);
    return found->get<bool>();
  }

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

/// What a client and a server have in common: how they authenticate to the authorization server.
template <class Record>
Result<> apply_credentials(Record& record, Members& members) {
  if (members.has("public_key")) {
    record.key_thumbprint.clear();
    record.public_key = ACEWARD_TRY(public_key_in(members, &record.key_thumbprint));
  }
  if (members.has("psk_identity")) record.psk_identity = to_bytes(ACEWARD_TRY(members.text("psk_identity")));
  if (members.has("psk")) record.psk = Secret(ACEWARD_TRY(members.octets("psk")));
  if (members.has("certificate_name")) record.certificate_name = ACEWARD_TRY(members.text("certificate_name"));
  if (members.has("secret_digest")) {
    record.secret_digest = ACEWARD_TRY(members.octets("secret_digest"));
    if (!record.secret_digest.empty() && record.secret_digest.size() != ace::as::secret_digest_size) {
      return Members::invalid("secret_digest");
    }
  }
  if (record.psk_identity.empty() != record.psk.empty()) return Members::invalid("psk and psk_identity");
  return {};
}

Result<TokenProtection> protection_in(Members& members) {
  const std::string text = ACEWARD_TRY(members.text("protection", "signed"));
  if (text == "signed") return TokenProtection::signed_cwt;
  if (text == "encrypted") return TokenProtection::encrypted_cwt;
  if (text == "reference") return TokenProtection::reference;
  return Members::invalid("protection");
}

Result<> apply_token_keys(ServerRecord& record, Members& members) {
  const bool keeps_before = ACEWARD_TRY(members.flag("token_key_before"));
  if (keeps_before && (record.token_key.empty() || !members.has("token_key"))) {
    return Members::invalid("token_key_before");
  }
  if (members.has("token_key")) {
    Secret fresh(ACEWARD_TRY(members.octets("token_key")));
    record.previous_token_key = keeps_before ? std::move(record.token_key) : Secret();
    record.previous_token_key_id = keeps_before ? std::move(record.token_key_id) : Bytes();
    record.token_key = std::move(fresh);
    record.token_key_id.clear();
  }
  if (members.has("token_key_id")) record.token_key_id = ACEWARD_TRY(members.octets("token_key_id"));
  if (members.has("derivation_key")) record.derivation_key = Secret(ACEWARD_TRY(members.octets("derivation_key")));
  return {};
}

Result<> apply_kinds_of_keys(ServerRecord& record, Members& members) {
  if (!members.has("pop")) return {};
  const auto kinds = ACEWARD_TRY(members.texts("pop"));
  if (kinds.empty()) return Members::invalid("pop");
  record.accepts_asymmetric = record.accepts_symmetric = false;
  for (const std::string& kind : kinds) {
    if (kind != "raw-key" && kind != "psk") return Members::invalid("pop");
    (kind == "psk" ? record.accepts_symmetric : record.accepts_asymmetric) = true;
  }
  return {};
}

Result<> apply_profiles(ServerRecord& record, Members& members) {
  if (!members.has("profiles")) return {};
  record.profiles.clear();
  for (const std::string& name : ACEWARD_TRY(members.texts("profiles"))) {
    bool is_known = false;
    for (const ace::Profile profile : {ace::Profile::coap_dtls, ace::Profile::coap_oscore, ace::Profile::mqtt_tls}) {
      if (ace::name_of(profile) != name) continue;
      record.profiles.push_back(profile);
      is_known = true;
    }
    if (!is_known) return Members::invalid("profiles");
  }
  if (record.profiles.empty()) return Members::invalid("profiles");
  return {};
}

Result<> apply_scope(PolicyRule& record, Members& members) {
  if (!members.has("scope")) return {};
  const std::string scope = ACEWARD_TRY(members.text("scope"));
  record.aif_scope.clear();
  record.text_scope.clear();
  if (scope.starts_with('/')) {
    const auto aif = ace::Aif::parse_text(scope);
    if (!aif) return Members::invalid("scope");
    record.aif_scope = aif->serialize();
  } else {
    const auto tokens = ace::TextScope::parse(scope);
    if (!tokens) return Members::invalid("scope");
    record.text_scope = tokens->to_string();
  }
  return {};
}

}  // namespace

Result<> apply_members(ClientRecord& record, const Json& json) {
  Members members(json);
  ACEWARD_TRY(apply_credentials(record, members));
  if (members.has("groups")) record.groups = ACEWARD_TRY(members.texts("groups"));
  ACEWARD_TRY(members.finish());
  if (record.public_key.empty() && record.psk.empty() && record.certificate_name.empty() &&
      record.secret_digest.empty()) {
    return Members::invalid("public_key, psk, certificate_name or secret");
  }
  return {};
}

Result<> apply_members(ServerRecord& record, const Json& json) {
  Members members(json);
  ACEWARD_TRY(apply_credentials(record, members));
  ACEWARD_TRY(apply_token_keys(record, members));
  ACEWARD_TRY(apply_kinds_of_keys(record, members));
  ACEWARD_TRY(apply_profiles(record, members));
  if (members.has("audience")) record.audience = ACEWARD_TRY(members.text("audience"));
  if (members.has("group_audiences")) record.group_audiences = ACEWARD_TRY(members.texts("group_audiences"));
  if (members.has("protection")) record.protection = ACEWARD_TRY(protection_in(members));
  if (members.has("scope_format")) {
    const std::string format = ACEWARD_TRY(members.text("scope_format", "text"));
    if (format != "text" && format != "aif") return Members::invalid("scope_format");
    record.scope_format = format == "aif" ? ace::as::ScopeFormat::aif : ace::as::ScopeFormat::text;
  }
  if (const auto lifetime = ACEWARD_TRY(members.number("lifetime"))) {
    record.token_lifetime = std::chrono::seconds(*lifetime);
  }
  if (members.has("refresh_lifetime")) {
    const auto lifetime = ACEWARD_TRY(members.number("refresh_lifetime"));
    record.refresh_lifetime.reset();
    if (lifetime) record.refresh_lifetime = std::chrono::seconds(*lifetime);
  }
  if (members.has("exi")) record.uses_exi = ACEWARD_TRY(members.flag("exi"));
  if (members.has("group_keys")) record.allows_group_keys = ACEWARD_TRY(members.flag("group_keys"));
  if (members.has("undecided")) {
    const std::string undecided = ACEWARD_TRY(members.text("undecided", "refuse"));
    if (undecided != "refuse" && undecided != "ask-owner") return Members::invalid("undecided");
    record.undecided = undecided == "refuse" ? ace::as::Undecided::refuse : ace::as::Undecided::ask_owner;
  }
  if (members.has("owner")) record.owner = ACEWARD_TRY(members.text("owner"));
  ACEWARD_TRY(members.finish());
  // RFC 9202 section 3.3.1: a token that carries a symmetric key is encrypted, so there must be a key for that, or one
  // that both sides derive it with; what a reference token stands for never leaves the authorization server.
  const bool can_carry =
      !record.token_key.empty() || !record.derivation_key.empty() || record.protection == TokenProtection::reference;
  if (record.accepts_symmetric && !can_carry) return Members::invalid("token_key");
  if (record.accepts_asymmetric && record.public_key.empty()) return Members::invalid("public_key");
  if (!record.accepts_asymmetric && !record.accepts_symmetric) return Members::invalid("public_key or token_key");
  return {};
}

Result<> apply_members(PolicyRule& record, const Json& json) {
  Members members(json);
  if (members.has("client")) record.client = ACEWARD_TRY(members.text("client"));
  if (members.has("group")) record.group = ACEWARD_TRY(members.text("group"));
  if (members.has("rs")) record.server = ACEWARD_TRY(members.text("rs"));
  ACEWARD_TRY(apply_scope(record, members));
  if (members.has("lifetime")) {
    const auto lifetime = ACEWARD_TRY(members.number("lifetime"));
    record.lifetime.reset();
    if (lifetime) record.lifetime = std::chrono::seconds(*lifetime);
  }
  if (members.has("hours")) {
    const std::string text = ACEWARD_TRY(members.text("hours"));
    record.hours = text.empty() ? std::nullopt : parse_hours(text);
    if (!text.empty() && !record.hours) return Members::invalid("hours");
  }
  if (members.has("until")) {
    const auto until = ACEWARD_TRY(members.number("until"));
    record.until.reset();
    if (until) record.until = WallTime(std::chrono::seconds(*until));
  }
  return members.finish();
}

ClientRecord copy_of(const ClientRecord& record) {
  return {.id = record.id,
          .name = record.name,
          .public_key = record.public_key,
          .key_thumbprint = record.key_thumbprint,
          .psk_identity = record.psk_identity,
          .psk = Secret::copy_of(record.psk.expose()),
          .certificate_name = record.certificate_name,
          .secret_digest = record.secret_digest,
          .groups = record.groups};
}

ServerRecord copy_of(const ServerRecord& record) {
  return {.id = record.id,
          .name = record.name,
          .audience = record.audience,
          .group_audiences = record.group_audiences,
          .public_key = record.public_key,
          .key_thumbprint = record.key_thumbprint,
          .token_key = Secret::copy_of(record.token_key.expose()),
          .token_key_id = record.token_key_id,
          .previous_token_key = Secret::copy_of(record.previous_token_key.expose()),
          .previous_token_key_id = record.previous_token_key_id,
          .derivation_key = Secret::copy_of(record.derivation_key.expose()),
          .protection = record.protection,
          .scope_format = record.scope_format,
          .profiles = record.profiles,
          .accepts_asymmetric = record.accepts_asymmetric,
          .accepts_symmetric = record.accepts_symmetric,
          .uses_exi = record.uses_exi,
          .token_lifetime = record.token_lifetime,
          .refresh_lifetime = record.refresh_lifetime,
          .allows_group_keys = record.allows_group_keys,
          .undecided = record.undecided,
          .owner = record.owner,
          .psk_identity = record.psk_identity,
          .psk = Secret::copy_of(record.psk.expose()),
          .certificate_name = record.certificate_name,
          .secret_digest = record.secret_digest};
}

Result<ClientRecord> client_from_json(const Json& json) {
  ClientRecord record;
  record.name = ACEWARD_TRY(Members(json).text("name"));
  ACEWARD_TRY(apply_members(record, json));
  return record;
}

Result<ServerRecord> server_from_json(const Json& json) {
  ServerRecord record;
  record.name = ACEWARD_TRY(Members(json).text("name"));
  if (!json.contains("pop")) {
    const auto is_given = [&](const char* member) { return json.contains(member) && !json[member].empty(); };
    record.accepts_symmetric = is_given("token_key") || is_given("derivation_key");
    record.accepts_asymmetric = is_given("public_key") && json["public_key"] != "";
    if (json.value("protection", Json()) == "reference") record.accepts_symmetric = true;
  }
  ACEWARD_TRY(apply_members(record, json));
  return record;
}

Result<PolicyRule> rule_from_json(const Json& json) {
  PolicyRule record;
  record.name = ACEWARD_TRY(Members(json).text("name"));
  ACEWARD_TRY(apply_members(record, json));
  if (record.text_scope.empty() && record.aif_scope.empty()) return Members::invalid("scope");
  if (record.client.empty() == record.group.empty()) return Members::invalid("one of client and group");
  return record;
}

}  // namespace aceward::app
