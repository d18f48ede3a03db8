#include <algorithm>

#include "app/config/sections.h"

namespace aceward::app {

namespace {

using Texts = std::vector<std::string>;

/// `["GET /temp", "PUT /led"]`.
Outcome<ace::Aif> methods_on_paths(const Sections& sections, const Texts& entries, const std::string& whose,
                                   Place place) {
  ace::Aif aif;
  for (const std::string& entry : entries) {
    const std::size_t space = entry.find(' ');
    ace::MethodSet methods;
    for (unsigned method = 1; space != std::string::npos && method <= 7; ++method) {
      if (ace::method_name(method) == std::string_view(entry).substr(0, space)) methods.add(method);
    }
    if (methods.empty() || !aif.add(std::string_view(entry).substr(space + 1), methods)) {
      return sections.fault(place, whose + " holds \"" + entry + "\"",
                            "write a method and a path from the root: \"GET /temp\"");
    }
  }
  return aif;
}

Outcome<> read_resource(const Sections& sections, const ConfigBlock& block, RsSection& rs) {
  ResourceSection resource;
  resource.path = block.get<std::string>("path");
  resource.content = optional_value<std::string>(block, "content").value_or("");
  resource.content_format = block.get<std::string>("content_format");
  resource.methods = block.get<Texts>("methods");
  resource.is_public = block.get<bool>("public");
  resource.place = block.place;
  if (!resource.path.starts_with('/')) {
    return sections.fault(block.values.at("path").place, "[rs.resource] path is \"" + resource.path + "\"",
                          "write it from the root: \"/" + resource.path + "\"");
  }
  if (std::ranges::find(rs.resources, resource.path, &ResourceSection::path) != rs.resources.end()) {
    return sections.fault(block.place, "there are two resources " + resource.path, "give each one a path of its own");
  }
  for (const std::string& method : resource.methods) {
    if (method != "GET" && method != "PUT" && method != "POST" && method != "DELETE") {
      return sections.fault(block.values.at("methods").place, "[rs.resource] methods names \"" + method + "\"",
                            "choose of GET, PUT, POST, DELETE");
    }
  }
  rs.resources.push_back(std::move(resource));
  return {};
}

/// Either a public key, or an identity with a symmetric key.
bool has_one_kind_of_key(const std::optional<KeyReference>& key, const std::string& identity,
                         const std::optional<KeyReference>& psk) {
  return psk.has_value() == !identity.empty() && psk.has_value() != key.has_value();
}

Outcome<RsAsSection> read_link(const Sections& sections, const ConfigBlock& block) {
  RsAsSection as{block.get<std::string>("issuer"),
                 block.get<std::string>("uri"),
                 optional_value<KeyReference>(block, "key"),
                 value_or_empty<std::string>(block, "psk_identity"),
                 optional_value<KeyReference>(block, "psk"),
                 block.get<std::string>("introspect"),
                 block.get<std::string>("introspection_path"),
                 block.get<std::chrono::seconds>("cache"),
                 block.get<bool>("follow_revocations"),
                 block.get<std::string>("revocation_path")};
  if (!as.uri.starts_with("coaps:")) {
    return sections.fault(block.values.at("uri").place, "[rs.as] has a uri without DTLS", "write coaps://");
  }
  if (!has_one_kind_of_key(as.key, as.psk_identity, as.psk)) {
    return sections.fault(block.place, "[rs.as] needs exactly one way to authenticate",
                          "give key, or psk_identity with psk");
  }
  return as;
}

Outcome<> read_grant(const Sections& sections, const ConfigBlock& block, RsSection& rs) {
  GrantSection grant{block.get<std::string>("name"),
                     optional_value<KeyReference>(block, "key"),
                     value_or_empty<std::string>(block, "psk_identity"),
                     optional_value<KeyReference>(block, "psk"),
                     block.get<std::string>("scope"),
                     block.place};
  const std::string whose = "[[rs.grant]] \"" + grant.name + "\"";
  if (!has_one_kind_of_key(grant.key, grant.psk_identity, grant.psk)) {
    return sections.fault(block.place, whose + " needs exactly one key", "give key, or psk_identity with psk");
  }
  if (std::ranges::find(rs.grants, grant.name, &GrantSection::name) != rs.grants.end()) {
    return sections.fault(block.place, "there are two " + whose, "give each one a name of its own");
  }
  rs.grants.push_back(std::move(grant));
  return {};
}

}  // namespace

Outcome<RsSection> read_rs_section(const Sections& sections, const ConfigBlock& block) {
  RsSection rs;
  rs.listen = block.get<std::vector<Address>>("listen");
  rs.listen_plain = optional_value<std::vector<Address>>(block, "listen_plain").value_or(std::vector<Address>());
  rs.trusted_plain = optional_value<std::vector<Address>>(block, "trusted_plain").value_or(std::vector<Address>());
  for (const Address& address : rs.trusted_plain) {
    if (std::ranges::find(rs.listen_plain, address) == rs.listen_plain.end()) {
      return sections.fault(block.values.at("trusted_plain").place, "[rs] trusted_plain names " + address.to_string(),
                            "name addresses that listen_plain has");
    }
  }
  rs.socket = block.get<std::filesystem::path>("socket");
  rs.audiences = block.get<Texts>("audience");
  rs.as_uri = optional_value<std::string>(block, "as_uri");
  rs.hint_scope = block.get<std::string>("hint_scope");
  rs.authz_info_path = block.get<std::string>("authz_info_path");
  rs.hosts = optional_value<Texts>(block, "hosts").value_or(Texts());
  rs.channel_key = block.get<KeyReference>("channel_key");
  rs.content_limit = block.get<std::uint64_t>("content_limit");
  rs.clock_is_synchronized = block.get<bool>("clock_synchronized");
  rs.sequences = optional_value<std::filesystem::path>(block, "sequences");
  rs.cnonce_lifetime = optional_value<std::chrono::seconds>(block, "cnonce_lifetime");
  rs.anonymous_sessions = block.get<std::uint64_t>("anonymous_sessions");
  rs.unused_tokens = block.get<std::chrono::seconds>("unused_tokens");
  if (!rs.clock_is_synchronized && !rs.sequences && !rs.cnonce_lifetime) {
    return sections.fault(block.place, "[rs] has no clock, and no other way to tell when tokens end",
                          "add sequences, for tokens with exi, or cnonce_lifetime");
  }
  if (const ConfigBlock* as = sections.single("rs.as")) {
    auto read = read_link(sections, *as);
    if (!read) return std::unexpected(read.error());
    rs.as = std::move(*read);
  }
  for (const ConfigBlock& issuer : sections.all("rs.issuer")) {
    rs.issuers.push_back({issuer.get<std::string>("iss"), value_or_empty<std::vector<KeyReference>>(issuer, "key"),
                          optional_value<KeyReference>(issuer, "token_key"),
                          value_or_empty<Bytes>(issuer, "token_key_id"),
                          optional_value<KeyReference>(issuer, "previous_token_key"),
                          value_or_empty<Bytes>(issuer, "previous_token_key_id"),
                          value_or_empty<std::vector<KeyReference>>(issuer, "derivation_key")});
    const IssuerSection& read = rs.issuers.back();
    const bool is_asked = rs.as && rs.as->issuer == read.iss && rs.as->introspect != "never";
    if (read.keys.empty() && !read.token_key && !is_asked) {
      return sections.fault(issuer.place, "[[rs.issuer]] has neither key nor token_key",
                            "name its public key, or the key that is shared with it");
    }
  }
  if (rs.as && std::ranges::find(rs.issuers, rs.as->issuer, &IssuerSection::iss) == rs.issuers.end()) {
    return sections.fault(sections.single("rs.as")->place, "[rs.as] names the unknown issuer \"" + rs.as->issuer + "\"",
                          "add an [[rs.issuer]] with that iss");
  }
  for (const ConfigBlock& grant : sections.all("rs.grant")) {
    if (auto read = read_grant(sections, grant, rs); !read) return std::unexpected(read.error());
  }
  if (rs.issuers.empty()) {
    return sections.fault(block.place, "[rs] trusts nobody's tokens", "add an [[rs.issuer]] with iss and key");
  }
  for (const ConfigBlock& resource : sections.all("rs.resource")) {
    if (auto read = read_resource(sections, resource, rs); !read) return std::unexpected(read.error());
  }
  for (const ConfigBlock& scopes : sections.all("rs.scope")) {
    for (const auto& [name, value] : scopes.values) {
      auto allowed = methods_on_paths(sections, std::get<Texts>(value.value), "[rs.scope] " + name, value.place);
      if (!allowed) return std::unexpected(allowed.error());
      rs.scopes.emplace(name, std::move(*allowed));
    }
  }
  return rs;
}

}  // namespace aceward::app
