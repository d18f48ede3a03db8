#include "app/config/role_settings.h"

#include <charconv>

#include "aceward/coap/message/uri.h"
#include "aceward/crypto/encoding.h"
#include "aceward/net/resolve.h"
#include "app/client/token_files.h"
#include "app/config/key_reader.h"

namespace aceward::app {

namespace {

/// Certificates are nobody's secret.
Outcome<std::string> certificates_in(const std::optional<std::filesystem::path>& path, const std::string& key,
                                     const Config& config) {
  if (!path) return std::string();
  const auto content = read_file(*path, Exposure::anybody);
  if (!content) {
    return std::unexpected(config_failure(config.file, {}, key + ": " + content.error().what, content.error().check));
  }
  return std::string(as_text(content->expose()));
}

void set_endpoints(AsSettings& settings, const AsSection& as) {
  const AsRequestsSection& requests = as.requests;
  settings.tokens.arrival_allowance = as.arrival_allowance;
  settings.tokens.requests.per_client = static_cast<std::uint32_t>(requests.per_client);
  settings.tokens.live_tokens_per_client = requests.live_tokens_per_client;
  settings.tokens.secrets.wrong_per_peer = static_cast<std::uint32_t>(requests.wrong_secrets_per_peer);
  settings.tokens.secrets.wrong_per_client = static_cast<std::uint32_t>(requests.wrong_secrets_per_client);
  settings.tokens.come_back = requests.come_back;
  settings.tokens.request_kept = requests.kept;
  settings.tokens.request_book = {.in_all = requests.waiting, .per_client = requests.waiting_per_client};
  settings.introspection_path = as.introspection.path;
  settings.introspection.cache_for = as.introspection.cache;
  settings.introspection.clients_may_ask = as.introspection.clients_may_ask;
  settings.introspection.asks_per_second = static_cast<std::uint32_t>(as.introspection.per_second);
  settings.introspection.asks_at_once = static_cast<std::uint32_t>(as.introspection.at_once);
  settings.revocation_path = as.revocation.path;
  settings.revocations.administrators = as.revocation.administrators;
  settings.revocations.updates_kept = as.revocation.updates_kept;
  settings.revocations.updates_in_answer = as.revocation.updates_in_answer;
}

/// By its raw public key, or by its name in a certificate.
Outcome<tls::ExpectedServer> expected_server(const ClientAsSection& section, const KeyReader& keys) {
  if (section.authorities) {
    auto authorities = keys.authorities(*section.authorities);
    if (!authorities) return std::unexpected(authorities.error());
    return tls::ExpectedServer(tls::NamedServer{std::move(*authorities), section.server_name});
  }
  const auto key = keys.public_key(*section.key);
  if (!key) return std::unexpected(key.error());
  const auto public_key = key->public_key();
  if (!public_key) return keys.fault(*section.key, "the key cannot be used", "name a P-256 public key");
  return tls::ExpectedServer(crypto::spki_der(*public_key));
}

Outcome<ace::dtls::AsCertificate> as_certificate(const Config& config, const ClientAsSection& section,
                                                 const KeyReader& keys) {
  const KeyReference& key_file = section.certificate_key ? *section.certificate_key : *config.client->key;
  const auto key = keys.private_key(key_file);
  if (!key) return std::unexpected(key.error());
  const auto private_key = key->private_key();
  const auto pair = private_key ? tls::RawKeyPair::from_key(*private_key) : std::unexpected(private_key.error());
  if (!pair) return keys.fault(key_file, "DTLS takes a P-256 key", "make one with: aceward keygen -o FILE");
  auto chain = keys.chain(*section.certificate, *pair);
  if (!chain) return std::unexpected(chain.error());
  auto server = expected_server(section, keys);
  if (!server) return std::unexpected(server.error());
  return ace::dtls::AsCertificate{std::move(*chain), std::move(*server)};
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
  as.entry.token_lifetime = section.token_lifetime;
  as.entry.ask_profile = section.ask_profile;
  if (section.follows_revocations) as.revocations.emplace().path = section.revocation_path;
  if (section.certificate) {
    auto certificate = as_certificate(config, section, keys);
    if (!certificate) return std::unexpected(certificate.error());
    as.credentials = std::move(*certificate);
  } else if (section.client_secret) {
    auto secret = keys.symmetric(*section.client_secret);
    if (!secret) return std::unexpected(secret.error());
    auto server = expected_server(section, keys);
    if (!server) return std::unexpected(server.error());
    as.credentials = ace::dtls::AsSecret{section.client_id, std::move(*secret), std::move(*server)};
  } else if (section.key) {
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

tls::ServerConfig dtls_of(const LimitsSection& limits) {
  tls::ServerConfig dtls;
  dtls.max_sessions = limits.sessions;
  dtls.max_half_open = limits.half_open;
  dtls.half_open_timeout = limits.handshake_timeout;
  dtls.idle_timeout = limits.idle_timeout;
  return dtls;
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
  for (const KeyReference& reference : as.previous_signing_keys) {
    auto key = keys.private_key(reference);
    if (!key) return std::unexpected(key.error());
    settings.previous_signing_keys.push_back(std::move(*key));
  }
  auto chain = certificates_in(as.channel_certificate, "[as] channel_certificate", config);
  if (!chain) return std::unexpected(chain.error());
  settings.certificate_chain = std::move(*chain);
  auto authorities = certificates_in(as.client_authorities, "[as] client_authorities", config);
  if (!authorities) return std::unexpected(authorities.error());
  settings.client_authorities = std::move(*authorities);
  set_endpoints(settings, as);
  settings.store.durability = config.store.is_relaxed ? store::Durability::relaxed : store::Durability::full;
  settings.store.token_retention = config.store.token_retention;
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
  if (section.key) {
    auto key = keys.public_key(*section.key);
    if (!key) return std::unexpected(key.error());
    access.server_key = std::move(*key);
  }
  if (section.authz_info) {
    access.entry.authz_info_path = *section.authz_info;
    access.entry.find_authz_info = false;
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
  settings.access.renew_before = client.renew_before;
  return settings;
}

std::optional<std::filesystem::path> kept_tokens_folder(const Config& config) {
  const std::string& configured = config.client ? config.client->token_cache : "";
  const auto folder = token_folder(configured);
  if (!folder || folder->is_absolute()) return folder;
  return config.file.parent_path() / *folder;
}

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
