#include <algorithm>

#include "app/config/sections.h"

namespace aceward::app {

namespace {

Outcome<> read_client_server(const Sections& sections, const ConfigBlock& block, ClientSection& client) {
  ClientServerSection server;
  server.name = block.get<std::string>("name");
  server.uri = block.get<std::string>("uri");
  server.plain = optional_value<std::string>(block, "plain");
  server.audience = block.get<std::string>("audience");
  server.with_psk = block.get<std::string>("pop") == "psk";
  server.token_in_psk_identity = block.get<std::string>("token") == "psk-identity";
  server.scope = optional_value<std::string>(block, "scope");
  server.key = optional_value<KeyReference>(block, "key");
  server.authz_info = optional_value<std::string>(block, "authz_info");
  const std::string whose = "[[client.server]] \"" + server.name + "\"";
  if (!server.uri.starts_with("coaps:")) {
    return sections.fault(block.values.at("uri").place, whose + " has a uri without DTLS",
                          "write coaps:// in uri, and the coap:// one in plain");
  }
  if (server.plain && !server.plain->starts_with("coap:")) {
    return sections.fault(block.values.at("plain").place, whose + " has a plain uri with DTLS",
                          "write coap:// in plain");
  }
  if (server.token_in_psk_identity && !server.with_psk) {
    return sections.fault(block.place, whose + " sends its token in the psk identity, but has no psk",
                          "add pop = \"psk\"");
  }
  if (!server.with_psk && !client.key) {
    return sections.fault(block.place, whose + " is met with a raw key, but [client] has none",
                          "add [client] key, or pop = \"psk\"");
  }
  if (std::ranges::find(client.servers, server.name, &ClientServerSection::name) != client.servers.end()) {
    return sections.fault(block.place, "there are two " + whose, "give each one a name of its own");
  }
  const auto& known = client.authorization_servers;
  const auto name = optional_value<std::string>(block, "as");
  if (!name && known.size() != 1) {
    return sections.fault(block.place, whose + " does not say which authorization server it belongs to",
                          known.empty() ? "add a [[client.as]]" : "add as = \"" + known.front().name + "\" or another");
  }
  if (name) {
    const auto found = std::ranges::find(known, *name, &ClientAsSection::name);
    if (found == known.end()) {
      std::vector<std::string_view> names;
      for (const ClientAsSection& as : known) names.push_back(as.name);
      const auto nearest = nearest_of(*name, names);
      return sections.fault(
          block.values.at("as").place, whose + " names the unknown authorization server \"" + *name + "\"",
          nearest.empty() ? "add a [[client.as]] with that name" : "did you mean \"" + std::string(nearest) + "\"?");
    }
    server.as = static_cast<std::size_t>(found - known.begin());
  }
  client.servers.push_back(std::move(server));
  return {};
}

/// The client proves itself in one way, and the server does too.
Outcome<> check_authentication(const Sections& sections, const ConfigBlock& block, const ClientAsSection& as,
                               const ClientSection& client) {
  const std::string whose = "[[client.as]] \"" + as.name + "\"";
  const bool has_psk = as.psk.has_value() && !as.psk_identity.empty();
  const bool has_secret = as.client_secret.has_value() && !as.client_id.empty();
  const int servers = (as.key ? 1 : 0) + (as.authorities ? 1 : 0) + (has_psk ? 1 : 0);
  const int clients = (has_psk ? 1 : 0) + (has_secret ? 1 : 0) + (as.certificate ? 1 : 0);
  const bool has_halves =
      as.psk.has_value() != !as.psk_identity.empty() || as.client_secret.has_value() != !as.client_id.empty() ||
      as.authorities.has_value() != !as.server_name.empty() || (as.certificate_key && !as.certificate);
  if (servers != 1 || clients > 1 || has_halves) {
    return sections.fault(block.place, whose + " needs exactly one way to authenticate",
                          "give key, or psk_identity with psk; for others see certificate, client_id, authorities");
  }
  if (has_secret && as.follows_revocations) {
    return sections.fault(block.place, whose + " tells its revoked tokens to clients that DTLS authenticates alone",
                          "remove follow_revocations, or authenticate with a key or a certificate");
  }
  if (clients == 0 && as.authorities) {
    return sections.fault(block.place, whose + " has a certificate, and the client nothing to show to it",
                          "add certificate, or client_id with client_secret");
  }
  if (clients == 0 && !client.key) {
    return sections.fault(block.place, whose + " is met with a raw key, but [client] has none",
                          "add [client] key, or use psk_identity and psk");
  }
  if (as.certificate && !as.certificate_key && !client.key) {
    return sections.fault(block.place, whose + " is met with a certificate, but there is no key for it",
                          "add certificate_key, or [client] key");
  }
  return {};
}

}  // namespace

Outcome<ClientSection> read_client_section(const Sections& sections, const ConfigBlock& block) {
  ClientSection client;
  client.key = optional_value<KeyReference>(block, "key");
  client.token_cache = optional_value<std::string>(block, "token_cache").value_or("");
  client.renew_before = block.get<std::chrono::seconds>("renew_before");
  for (const ConfigBlock& as : sections.all("client.as")) {
    ClientAsSection read{as.get<std::string>("name"),
                         as.get<std::string>("uri"),
                         optional_value<Address>(as, "address"),
                         optional_value<KeyReference>(as, "key"),
                         optional_value<std::string>(as, "psk_identity").value_or(""),
                         optional_value<KeyReference>(as, "psk")};
    read.certificate = optional_value<KeyReference>(as, "certificate");
    read.certificate_key = optional_value<KeyReference>(as, "certificate_key");
    read.authorities = optional_value<KeyReference>(as, "authorities");
    read.server_name = optional_value<std::string>(as, "server_name").value_or("");
    read.client_id = optional_value<std::string>(as, "client_id").value_or("");
    read.client_secret = optional_value<KeyReference>(as, "client_secret");
    read.token_lifetime = optional_value<std::chrono::seconds>(as, "token_lifetime");
    read.ask_profile = as.get<bool>("ask_profile");
    read.follows_revocations = as.get<bool>("follow_revocations");
    read.revocation_path = as.get<std::string>("revocation_path");
    if (auto checked = check_authentication(sections, as, read, client); !checked) {
      return std::unexpected(checked.error());
    }
    if (std::ranges::find(client.authorization_servers, read.name, &ClientAsSection::name) !=
        client.authorization_servers.end()) {
      return sections.fault(as.place, "there are two [[client.as]] \"" + read.name + "\"",
                            "give each one a name of its own");
    }
    client.authorization_servers.push_back(std::move(read));
  }
  for (const ConfigBlock& server : sections.all("client.server")) {
    if (auto read = read_client_server(sections, server, client); !read) return std::unexpected(read.error());
  }
  return client;
}

}  // namespace aceward::app
