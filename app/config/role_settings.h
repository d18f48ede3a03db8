// From the configuration to what the roles and the client run with: opens key files, so these are called only for what
// is about to be started.
#pragma once

#include "aceward/ace/profile/dtls/client/access_client.h"
#include "app/config/config.h"
#include "app/roles/as_role.h"
#include "app/roles/rs_role.h"

namespace aceward::app {

/// What [coap] and [limits] say, for either role and for the client.
MessageSettings message_settings(const Config& config);

/// Callbacks are left empty.
Outcome<AsSettings> as_settings(const Config& config);
Outcome<RsSettings> rs_settings(const Config& config);

/// Whom the client can talk to. Host names in URIs are looked up, which blocks.
struct ClientSettings {
  ace::dtls::AccessClientConfig access;
  /// Of the server that was asked for: index into access.servers, which holds no other.
  std::size_t server = 0;
  /// Where tokens are kept; nothing: nowhere.
  std::optional<std::filesystem::path> tokens = std::nullopt;
};
/// For `[[client.server]]` number `server` alone: the keys and names of others are not touched.
Outcome<ClientSettings> client_settings(const Config& config, std::size_t server);

/// Where [client] token_cache keeps tokens; nothing: nowhere.
std::optional<std::filesystem::path> kept_tokens_folder(const Config& config);

/// Text scope-tokens, or AIF when it starts with a slash: `/temp=GET,PUT /led=PUT`.
Outcome<ace::Scope> parse_scope(std::string_view text);

/// By name (`text/plain`, `cbor`, `application/cbor`) or number.
std::optional<coap::ContentFormat> parse_content_format(std::string_view text);
/// application/cbor and those that end in +cbor: people write and read them in diagnostic notation.
bool is_cbor_format(coap::ContentFormat format);

}  // namespace aceward::app
