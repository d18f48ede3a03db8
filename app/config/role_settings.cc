#include "app/config/role_settings.h"

#include <charconv>

#include "aceward/cbor/diagnostic.h"
#include "aceward/coap/message/uri.h"
#include "aceward/net/resolve.h"
#include "app/client/token_files.h"
#include "app/key_files.h"

namespace aceward::app {

namespace {

class KeyReader {
 public:
  explicit KeyReader(const Config& config) : config_(config) {}

  Outcome<cose::Key> private_key(const KeyReference& reference) const {
    return parsed(reference, Exposure::owner_only,
                  [&](const Secret& content, std::string_view name) { return parse_private_key(content, name); });
  }
  Outcome<cose::Key> public_key(const KeyReference& reference) const {
    return parsed(reference, Exposure::anybody, [&](const Secret& content, std::string_view name) {
      return parse_public_key(as_text(content.expose()), name);
    });
  }
  Outcome<Secret> symmetric(const KeyReference& reference) const {
    return parsed(reference, Exposure::owner_only,
                  [&](const Secret& content, std::string_view name) { return parse_symmetric_key(content, name); });
  }

  std::unexpected<Failure> fault(const KeyReference& reference, const std::string& what,
                                 const std::string& check) const {
    return std::unexpected(config_failure(config_.file, reference.place, reference.key + ": " + what, check));
  }

 private:
  template <class Parse>
  auto parsed(const KeyReference& reference, Exposure exposure, Parse parse) const
      -> Outcome<typename decltype(parse(std::declval<const Secret&>(), ""))::value_type> {
    if (reference.is_credential && reference.path.empty()) {
      return fault(reference, "$CREDENTIALS_DIRECTORY is not set, so there is no " + reference.text,
                   "start it as a systemd service with LoadCredential=, or name a file: instead");
    }
    // The service manager gives credentials out; their mode is its business.
    const auto content = read_file(reference.path, reference.is_credential ? Exposure::anybody : exposure);
    if (!content) return fault(reference, content.error().what, content.error().check);
    auto value = parse(*content, reference.path.string());
    if (!value) return fault(reference, value.error().what, value.error().check);
    return std::move(*value);
  }

  const Config& config_;
};

tls::ServerConfig dtls_of(const LimitsSection& limits) {
  tls::ServerConfig dtls;
  dtls.max_sessions = limits.sessions;
  dtls.max_half_open = limits.half_open;
  dtls.half_open_timeout = limits.handshake_timeout;
  dtls.idle_timeout = limits.idle_timeout;
  return dtls;
}

Outcome<ace::TrustedIssuer> issuer_of(const IssuerSection& section, const KeyReader& keys) {
  ace::TrustedIssuer issuer{.iss = section.iss, .verifying_keys = {}, .token_keys = {}};
  if (section.key) {
    // Without a kid: the issuer has one key, whatever it calls it.
    auto key = keys.public_key(*section.key);
    if (!key) return std::unexpected(key.error());
    issuer.verifying_keys.push_back(std::move(*key));
  }
  if (section.token_key) {
    auto octets = keys.symmetric(*section.token_key);
    if (!octets) return std::unexpected(octets.error());
    if (octets->size() != 16) {
      return keys.fault(*section.token_key, "the key has " + std::to_string(octets->size()) + " octets",
                        "tokens are encrypted with AES-CCM-16-64-128: 16 octets");
    }
    auto key = cose::Key::symmetric(std::move(*octets));
    if (!key) return keys.fault(*section.token_key, "the key cannot be used", std::string(key.error().reason().check));
    if (!section.token_key_id.empty()) key->kid = section.token_key_id;
    issuer.token_keys.push_back(std::move(*key));
  }
  return issuer;
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

Outcome<Address> address_of(const Config& config, const std::string& whose, const std::string& uri) {
  const auto parsed = coap::parse_uri(uri);
  if (!parsed) return std::unexpected(Failure::of(ExitCode::configuration, parsed.error(), whose + " " + uri));
  const auto addresses = net::resolve(parsed->host, parsed->port);
  if (!addresses) {
    return std::unexpected(
        Failure::of(ExitCode::no_answer, addresses.error(), whose + " " + uri + " in " + config.file.string()));
  }
  return addresses->front();
}

Outcome<ace::dtls::AsAccess> as_access(const Config& config, const ClientAsSection& section, const KeyReader& keys) {
  ace::dtls::AsAccess as;
  as.entry.token_uri = section.uri;
  if (section.address) {
    as.entry.address = *section.address;
  } else {
    auto address = address_of(config, "[[client.as]]", section.uri);
    if (!address) return std::unexpected(address.error());
    as.entry.address = *address;
  }
  if (section.key) {
    auto key = keys.public_key(*section.key);
    if (!key) return std::unexpected(key.error());
    as.credentials = ace::dtls::AsRawKey{std::move(*key)};
  } else {
    auto psk = keys.symmetric(*section.psk);
    if (!psk) return std::unexpected(psk.error());
    as.credentials = ace::dtls::AsPsk{to_bytes(section.psk_identity), std::move(*psk)};
  }
  return as;
}

}  // namespace

MessageSettings message_settings(const Config& config) {
  MessageSettings messages{config.coap.parameters, config.limits.messages, config.coap.blockwise,
                           config.limits.blockwise, config.limits.observe};
  messages.blockwise.message_size = config.limits.messages.datagram_size;
  return messages;
}

Outcome<AsSettings> as_settings(const Config& config) {
  if (!config.as) {
    return std::unexpected(config_failure(config.file, {}, "there is no section [as]", "see `aceward init --help`"));
  }
  const AsSection& as = *config.as;
  const KeyReader keys(config);
  auto channel = keys.private_key(as.channel_key);
  if (!channel) return std::unexpected(channel.error());
  if (channel->crv() != cose::crv::p256) {
    return keys.fault(as.channel_key, "DTLS takes a P-256 key", "make one with: aceward keygen -o FILE");
  }
  auto signing = keys.private_key(as.signing_key);
  if (!signing) return std::unexpected(signing.error());
  AsSettings settings{.listen = as.listen,
                      .issuer = as.issuer,
                      .token_path = as.token_path,
                      .channel_key = std::move(*channel),
                      .signing_key = std::move(*signing),
                      .maximum_lifetime = as.maximum_lifetime,
                      .database = config.store.path,
                      .store = {},
                      .messages = message_settings(config),
                      .dtls = dtls_of(config.limits),
                      .audit = {}};
  settings.store.durability = config.store.is_relaxed ? store::Durability::relaxed : store::Durability::full;
  settings.store.token_retention = config.store.token_retention;
  return settings;
}

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
    auto issuer = issuer_of(section, keys);
    if (!issuer) return std::unexpected(issuer.error());
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
  for (const ResourceSection& section : rs.resources) {
    auto resource = resource_of(section, config);
    if (!resource) return std::unexpected(resource.error());
    settings.resources.push_back(std::move(*resource));
  }
  return settings;
}

Outcome<ClientSettings> client_settings(const Config& config, std::size_t server) {
  const ClientSection& client = *config.client;
  const ClientServerSection& section = client.servers.at(server);
  const KeyReader keys(config);
  ClientSettings settings;
  if (client.key) {
    auto key = keys.private_key(*client.key);
    if (!key) return std::unexpected(key.error());
    settings.access.key = std::move(*key);
  }
  auto as = as_access(config, client.authorization_servers[section.as], keys);
  if (!as) return std::unexpected(as.error());
  settings.access.authorization_servers.push_back(std::move(*as));

  ace::dtls::ServerAccess access;
  access.entry.name = section.name;
  access.entry.audience = section.audience;
  auto secure = address_of(config, "[[client.server]]", section.uri);
  if (!secure) return std::unexpected(secure.error());
  access.entry.secure = *secure;
  if (section.plain) {
    auto plain = address_of(config, "[[client.server]]", *section.plain);
    if (!plain) return std::unexpected(plain.error());
    access.entry.plain = *plain;
  }
  access.kind = section.with_psk ? ace::client::PopKind::pre_shared_key : ace::client::PopKind::raw_public_key;
  access.transport =
      section.token_in_psk_identity ? ace::dtls::TokenTransport::psk_identity : ace::dtls::TokenTransport::authz_info;
  if (section.scope) {
    auto scope = parse_scope(*section.scope);
    if (!scope) {
      return std::unexpected(
          config_failure(config.file, {}, "[[client.server]] scope: " + scope.error().what, scope.error().check));
    }
    access.scope = std::move(*scope);
  }
  settings.access.servers.push_back(std::move(access));
  settings.tokens = kept_tokens_folder(config);
  return settings;
}

std::optional<std::filesystem::path> kept_tokens_folder(const Config&) { return token_folder(""); }

Outcome<ace::Scope> parse_scope(std::string_view text) {
  if (text.starts_with('/')) {
    const auto aif = ace::Aif::parse_text(text);
    if (aif) return ace::Scope(aif->serialize());
    return std::unexpected(Failure::of(ExitCode::usage, aif.error(), "scope \"" + std::string(text) + "\""));
  }
  const auto tokens = ace::TextScope::parse(text);
  if (tokens) return ace::Scope(tokens->to_string());
  return std::unexpected(Failure::of(ExitCode::usage, tokens.error(), "scope \"" + std::string(text) + "\""));
}

std::optional<coap::ContentFormat> parse_content_format(std::string_view text) {
  std::uint16_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size()) return coap::ContentFormat(number);
  if (text == "text" || text == "text/plain") return coap::content_format::text_plain;
  for (std::uint32_t candidate = 0; candidate <= 0xffff; ++candidate) {
    const coap::ContentFormat format(static_cast<std::uint16_t>(candidate));
    const std::string_view name = coap::name_of(format);
    if (name.empty()) continue;
    if (name == text || (name.starts_with("application/") && name.substr(12) == text)) return format;
  }
  return std::nullopt;
}

bool is_cbor_format(coap::ContentFormat format) {
  const std::string_view name = coap::name_of(format);
  return name == "application/cbor" || name == "application/cbor-seq" || name.contains("+cbor") ||
         name.starts_with("application/cose") || name == "application/cwt";
}

}  // namespace aceward::app
