// What the resource server runs with.
#include "aceward/cbor/diagnostic.h"
#include "aceward/crypto/encoding.h"
#include "app/config/key_reader.h"
#include "app/config/role_settings.h"

namespace aceward::app {

namespace {

Outcome<cose::Key> token_key_of(const KeyReference& reference, const Bytes& kid, const KeyReader& keys) {
  auto octets = keys.symmetric(reference);
  if (!octets) return std::unexpected(octets.error());
  if (octets->size() != 16) {
    return keys.fault(reference, "the key has " + std::to_string(octets->size()) + " octets",
                      "tokens are encrypted with AES-CCM-16-64-128: 16 octets");
  }
  auto key = cose::Key::symmetric(std::move(*octets));
  if (!key) return keys.fault(reference, "the key cannot be used", std::string(key.error().reason().check));
  if (!kid.empty()) key->kid = kid;
  return std::move(*key);
}

Outcome<ace::TrustedIssuer> issuer_of(const IssuerSection& section, const KeyReader& keys, bool is_asked) {
  ace::TrustedIssuer issuer{.iss = section.iss, .verifying_keys = {}, .token_keys = {}};
  issuer.is_asked = is_asked;
  for (const KeyReference& reference : section.keys) {
    // Without a kid: whatever the issuer calls it, it is tried.
    auto key = keys.public_key(reference);
    if (!key) return std::unexpected(key.error());
    issuer.verifying_keys.push_back(std::move(*key));
  }
  for (const auto& [reference, kid] : {std::pair(&section.token_key, &section.token_key_id),
                                       std::pair(&section.previous_token_key, &section.previous_token_key_id)}) {
    if (!*reference) continue;
    auto key = token_key_of(**reference, *kid, keys);
    if (!key) return std::unexpected(key.error());
    issuer.token_keys.push_back(std::move(*key));
  }
  for (const KeyReference& reference : section.derivation_keys) {
    auto key = keys.symmetric(reference);
    if (!key) return std::unexpected(key.error());
    if (key->size() < 16) {
      return keys.fault(reference, "the key has " + std::to_string(key->size()) + " octets",
                        "keys are derived from 16 octets or more");
    }
    issuer.derivation_keys.push_back(std::move(*key));
  }
  return issuer;
}

/// How this server authenticates to the other one, and knows it.
Outcome<std::function<tls::ClientCredentials()>> link_credentials(const RsAsSection& section, const cose::Key& channel,
                                                                  const KeyReader& keys) {
  if (section.psk) {
    auto psk = keys.symmetric(*section.psk);
    if (!psk) return std::unexpected(psk.error());
    // Shared, as a function is copied and a secret is not.
    const auto shared = std::make_shared<const Secret>(std::move(*psk));
    return [identity = to_bytes(section.psk_identity), shared]() -> tls::ClientCredentials {
      return tls::PskClient{identity, Secret::copy_of(shared->expose())};
    };
  }
  auto expected = keys.public_key(*section.key);
  if (!expected) return std::unexpected(expected.error());
  const auto expected_key = expected->public_key();
  const auto own_key = channel.private_key();
  if (!expected_key || !own_key) return keys.fault(*section.key, "the key cannot be used", "DTLS takes a P-256 key");
  auto pair = tls::RawKeyPair::from_key(*own_key);
  if (!pair) return keys.fault(*section.key, "the key cannot be used", "DTLS takes a P-256 key");
  const Bytes spki = crypto::spki_der(*expected_key);
  return [pair = std::move(*pair), spki]() -> tls::ClientCredentials { return tls::RawKeyClient{pair, spki}; };
}

Outcome<ace::dtls::AsLinkConfig> link_of(const RsAsSection& section, const Config& config, const cose::Key& channel,
                                         const KeyReader& keys) {
  ace::dtls::AsLinkConfig link;
  link.iss = section.issuer;
  auto address = address_of(config, "[rs.as]", section.uri);
  if (!address) return std::unexpected(address.error());
  link.address = *address;
  auto credentials = link_credentials(section, channel, keys);
  if (!credentials) return std::unexpected(credentials.error());
  link.credentials = std::move(*credentials);
  link.introspects = section.introspect != "never";
  link.introspection_path = section.introspection_path;
  if (section.follows_revocations) link.revocations.emplace().path = section.revocation_path;
  return link;
}

Outcome<ace::rs::ConfiguredKey> grant_of(const GrantSection& section, const Config& config, const KeyReader& keys) {
  auto scope = parse_scope(section.scope);
  if (!scope) {
    return std::unexpected(config_failure(config.file, section.place,
                                          "[[rs.grant]] \"" + section.name + "\": " + scope.error().what,
                                          scope.error().check));
  }
  if (section.key) {
    auto key = keys.public_key(*section.key);
    if (!key) return std::unexpected(key.error());
    return ace::rs::ConfiguredKey{section.name, std::move(*key), {}, std::move(*scope)};
  }
  auto octets = keys.symmetric(*section.psk);
  if (!octets) return std::unexpected(octets.error());
  auto key = cose::Key::symmetric(std::move(*octets));
  if (!key) return keys.fault(*section.psk, "the key cannot be used", std::string(key.error().reason().check));
  return ace::rs::ConfiguredKey{section.name, std::move(*key), to_bytes(section.psk_identity), std::move(*scope)};
}

Outcome<RsResource> resource_of(const ResourceSection& section, const Config& config) {
  const auto fault = [&](const std::string& what, const std::string& check) {
    return std::unexpected(
        config_failure(config.file, section.place, "[[rs.resource]] " + section.path + ": " + what, check));
  };
  RsResource resource;
  resource.path = section.path;
  resource.is_public = section.is_public;
  const auto format = parse_content_format(section.content_format);
  if (!format) return fault("content_format is \"" + section.content_format + "\"", "write a name or a number");
  resource.format = *format;
  resource.content = to_bytes(section.content);
  if (is_cbor_format(*format) && !section.content.empty()) {
    auto octets = cbor::from_diagnostic(section.content);
    if (!octets) return fault("content is not diagnostic notation", "write CBOR like {1: \"on\"}");
    resource.content = std::move(*octets);
  }
  if (resource.content.size() > config.rs->content_limit)
    return fault("content is too long", "raise [rs] content_limit");
  for (const std::string& method : section.methods) {
    for (unsigned detail = 1; detail <= 4; ++detail) {
      if (ace::method_name(detail) == method) resource.methods.emplace_back(0U, detail);
    }
  }
  return resource;
}

}  // namespace

Outcome<RsSettings> rs_settings(const Config& config) {
  if (!config.rs) {
    return std::unexpected(config_failure(config.file, {}, "there is no section [rs]", "see `aceward init --help`"));
  }
  const RsSection& rs = *config.rs;
  const KeyReader keys(config);
  auto channel = keys.private_key(rs.channel_key);
  if (!channel) return std::unexpected(channel.error());
  if (channel->crv() != cose::crv::p256) {
    return keys.fault(rs.channel_key, "DTLS takes a P-256 key", "make one with: aceward keygen -o FILE");
  }
  RsSettings settings{.listen = rs.listen,
                      .listen_plain = rs.listen_plain,
                      .trusted_plain = rs.trusted_plain,
                      .channel_key = std::move(*channel),
                      .tokens = {},
                      .server = {},
                      .resources = {},
                      .messages = message_settings(config),
                      .dtls = dtls_of(config.limits),
                      .content_limit = rs.content_limit,
                      .on_decision = {}};
  for (const IssuerSection& section : rs.issuers) {
    const bool is_asked = rs.as && rs.as->issuer == section.iss && rs.as->introspect != "never";
    auto issuer = issuer_of(section, keys, is_asked);
    if (!issuer) return std::unexpected(issuer.error());
    issuer->is_followed = rs.as && rs.as->issuer == section.iss && rs.as->follows_revocations;
    settings.tokens.issuers.push_back(std::move(*issuer));
  }
  settings.tokens.audiences = rs.audiences;
  settings.tokens.text_scopes = rs.scopes;
  settings.server.authz_info_path = rs.authz_info_path;
  settings.server.hosts = rs.hosts;
  settings.server.tokens.tokens = config.limits.tokens;
  settings.server.hints.as_uri = rs.as_uri;
  if (rs.as_uri) settings.server.hints.audience = rs.audiences.front();
  using SuggestScope = ace::rs::HintsConfig::SuggestScope;
  settings.server.hints.suggest_scope = rs.hint_scope == "no"    ? SuggestScope::no
                                        : rs.hint_scope == "aif" ? SuggestScope::aif
                                                                 : SuggestScope::text;
  settings.tokens.clock_is_synchronized = rs.clock_is_synchronized;
  settings.tokens.takes_exi = rs.sequences.has_value();
  if (rs.sequences) settings.sequences = *rs.sequences;
  settings.server.cnonce_lifetime = rs.cnonce_lifetime;
  settings.server.tokens.unused = rs.unused_tokens;
  settings.anonymous_sessions = rs.anonymous_sessions;
  if (rs.as) {
    using ace::rs::IntrospectionUse;
    auto link = link_of(*rs.as, config, settings.channel_key, keys);
    if (!link) return std::unexpected(link.error());
    settings.as_link = std::move(*link);
    settings.server.introspection.use =
        rs.as->introspect == "always" ? IntrospectionUse::always : IntrospectionUse::references;
    settings.server.introspection.cache = rs.as->cache;
  }
  for (const GrantSection& section : rs.grants) {
    auto grant = grant_of(section, config, keys);
    if (!grant) return std::unexpected(grant.error());
    settings.configured_keys.push_back(std::move(*grant));
  }
  for (const ResourceSection& section : rs.resources) {
    auto resource = resource_of(section, config);
    if (!resource) return std::unexpected(resource.error());
    settings.resources.push_back(std::move(*resource));
  }
  return settings;
}

}  // namespace aceward::app
