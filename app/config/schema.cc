#include "app/config/schema.h"

#include <algorithm>
#include <array>

namespace aceward::app {

namespace {

using enum ValueKind;

constexpr std::array section_table = std::to_array<ConfigSectionKind>({
    {"as", false, "The authorization server, run by `aceward serve as`."},
    {"rs", false, "The resource server, run by `aceward serve rs`."},
    {"rs.issuer", true, "An authorization server whose tokens the resource server takes."},
    {"rs.resource", true,
     "A resource, held in memory: GET reads it, PUT replaces it, POST appends to it, DELETE empties it."},
    {"rs.scope", false, "What the scope-tokens allow: each key is a scope-token."},
    {"client", false, "The client: `aceward get`, `put`, `post`, `delete` and `token get`."},
    {"client.as", true, "An authorization server that the client may ask for tokens."},
    {"client.server", true,
     "A resource server. The client follows its hints only to the authorization server that is named here."},
    {"store", false, "The authorization server's database, and the socket through which commands reach it."},
    {"log", false, "What a running server says on standard error."},
    {"limits", false, "What strangers can make a running server hold."},
});

constexpr std::array key_table = std::to_array<ConfigKey>({
    {"as", "listen", addresses, true, "", "", "where clients reach it, over DTLS; port 0 takes a free one"},
    {"as", "issuer", text, true, "", "", "its name: the claim `iss` of its tokens"},
    {"as", "token_path", text, false, "/token", "", "the path of the token endpoint"},
    {"as", "channel_key", key, true, "", "", "P-256 private key (PEM): its raw public key in DTLS"},
    {"as", "signing_key", key, true, "", "", "P-256 or Ed25519 private key (PEM): signs tokens"},
    {"as", "maximum_lifetime", duration, false, "30d", "", "no token lives longer"},

    {"rs", "listen", addresses, true, "", "", "CoAP over DTLS; port 0 takes a free one"},
    {"rs", "listen_plain", addresses, false, "", "",
     "CoAP without DTLS: hints, the upload of tokens and public resources; none if absent"},
    {"rs", "audience", texts, true, "", "", "what tokens for it name as their audience"},
    {"rs", "as_uri", uri, false, "", "", "the token endpoint that its hints name; no hints if absent"},
    {"rs", "hint_scope", choice, false, "text", "no|text|aif", "whether hints suggest a scope, and in which form"},
    {"rs", "authz_info_path", text, false, "/authz-info", "", "the path where tokens are uploaded"},
    {"rs", "hosts", texts, false, "", "", "the names (Uri-Host) under which it is asked; any if absent"},
    {"rs", "channel_key", key, true, "", "", "P-256 private key (PEM): its raw public key in DTLS"},
    {"rs", "content_limit", count, false, "1024", "", "octets that a resource may hold"},

    {"rs.issuer", "iss", text, true, "", "", "the claim `iss` of its tokens"},
    {"rs.issuer", "key", key, false, "", "", "its public key (PEM), with which it signs tokens"},
    {"rs.issuer", "token_key", key, false, "", "",
     "the symmetric key (16 octets) under which it encrypts tokens for this server; `key` or this is needed"},
    {"rs.issuer", "token_key_id", octets, false, "", "", "the `kid` of token_key; any if absent"},

    {"rs.resource", "path", text, true, "", "", "where it is: `/temp`"},
    {"rs.resource", "content", text, false, "", "",
     "what it holds at the start; for CBOR formats in diagnostic notation"},
    {"rs.resource", "content_format", text, false, "text/plain", "", "its Content-Format by name or number"},
    {"rs.resource", "methods", texts, false, "GET", "", "what it can do, of GET, PUT, POST, DELETE"},
    {"rs.resource", "public", flag, false, "false", "", "readable by anybody, without a token and without DTLS"},

    {"rs.scope", "*", methods, false, "", "", "what the scope-token allows: `[\"GET /temp\", \"PUT /led\"]`"},

    {"client", "key", key, false, "", "", "P-256 private key (PEM): its raw public key in DTLS"},

    {"client.as", "name", text, true, "", "", "what it is called in this file"},
    {"client.as", "uri", uri, true, "", "", "its token endpoint: `coaps://as.example/token`"},
    {"client.as", "address", address, false, "", "", "where it is reached, if not at the URI's host and port"},
    {"client.as", "key", key, false, "", "", "its public key (PEM), which it must prove; the client uses its own key"},
    {"client.as", "psk_identity", text, false, "", "", "instead of `key`: who the client is to it"},
    {"client.as", "psk", key, false, "", "", "with psk_identity: the symmetric key shared with it"},

    {"client.server", "name", text, true, "", "", "what `aceward token get` calls it"},
    {"client.server", "uri", uri, true, "", "", "where it is: `coaps://rs.example`"},
    {"client.server", "plain", uri, false, "", "",
     "where it takes tokens and gives hints without DTLS: `coap://rs.example`"},
    {"client.server", "audience", text, true, "", "", "what its authorization server calls it"},
    {"client.server", "as", text, false, "", "",
     "the name of the [[client.as]] that may issue tokens for it; may be left out where there is one alone"},
    {"client.server", "pop", choice, false, "raw-key", "raw-key|psk", "the kind of key that tokens are bound to"},
    {"client.server", "token", choice, false, "authz-info", "authz-info|psk-identity",
     "how a token bound to a psk gets there: uploaded, or in the handshake"},
    {"client.server", "scope", text, false, "", "",
     "what to ask for: scope-tokens, or `/temp=GET,PUT` for AIF; else what the hints suggest"},

    {"store", "path", path, false, "store.db", "", "the database"},
    {"store", "socket", path, false, "admin.sock", "", "the running server's local socket"},
    {"store", "durability", choice, false, "full", "full|relaxed",
     "full: what was told survives a power cut; relaxed: the last moments may be lost"},
    {"store", "token_retention", duration, false, "7d", "", "how long an expired token stays listed"},

    {"log", "level", choice, false, "refusals", "none|refusals|all", "which decisions are logged"},

    {"limits", "sessions", count, false, "4096", "", "DTLS sessions, at about 12 KiB each"},
    {"limits", "half_open", count, false, "64", "", "DTLS handshakes under way"},
    {"limits", "tokens", count, false, "4096", "", "tokens that the resource server holds"},
    {"limits", "handshake_timeout", duration, false, "10s", "", "for a whole handshake"},
    {"limits", "idle_timeout", duration, false, "24h", "", "after which a silent session is closed"},
});

std::string_view kind_text(ValueKind kind) {
  switch (kind) {
    case text: return "text";
    case texts: return "text or array of texts";
    case uri: return "URI";
    case address: return "address";
    case addresses: return "address or array of addresses";
    case path: return "path";
    case key: return "`file:PATH` or `credential:NAME`";
    case duration: return "duration";
    case count: return "integer from 1";
    case flag: return "true or false";
    case choice: return "one of";
    case octets: return "hexadecimal";
    case methods: return "array of `METHOD /path`";
  }
  return "";
}

/// Letters inserted, left out, replaced, or swapped with their neighbour.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> rows(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) {
    for (std::size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        rows[i][j] = i + j;
        continue;
      }
      const std::size_t replaced = rows[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      rows[i][j] = std::min({replaced, rows[i - 1][j] + 1, rows[i][j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        rows[i][j] = std::min(rows[i][j], rows[i - 2][j - 2] + 1);
      }
    }
  }
  return rows[a.size()][b.size()];
}

}  // namespace

std::span<const ConfigKey> config_keys() { return key_table; }
std::span<const ConfigSectionKind> config_sections() { return section_table; }

const ConfigSectionKind* find_section(std::string_view name) {
  const auto found = std::ranges::find(section_table, name, &ConfigSectionKind::name);
  return found == section_table.end() ? nullptr : &*found;
}

const ConfigKey* find_key(std::string_view section, std::string_view name) {
  for (const ConfigKey& entry : key_table) {
    if (entry.section == section && (entry.name == name || entry.name == "*")) return &entry;
  }
  return nullptr;
}

std::string_view nearest_of(std::string_view word, const std::vector<std::string_view>& candidates) {
  if (word.size() > 64) return {};
  std::string_view nearest;
  // A third of the letters may differ.
  std::size_t best = word.size() / 3 + 2;
  for (const std::string_view candidate : candidates) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < best) {
      best = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

std::string configuration_markdown() {
  std::string page =
      "# Configuration\n\n"
      "One TOML file, made by `aceward init DIR`. It is the one that `-c` names, else the first of `./aceward.toml`,\n"
      "`$XDG_CONFIG_HOME/aceward/aceward.toml` and `/etc/aceward/aceward.toml`. A key that is not listed here is an\n"
      "error. This page is made from the table in `app/config/schema.cc`.\n\n"
      "Keys and other secrets never stand in the file: `file:PATH` names one (relative to the configuration's folder,\n"
      "readable by its owner alone), `credential:NAME` one in `$CREDENTIALS_DIRECTORY`, where systemd puts them. Key\n"
      "pairs are PEM, symmetric keys hexadecimal text. An address is `192.0.2.1:5684` or `[2001:db8::1]:5684`; a\n"
      "duration is a number with `s`, `m`, `h` or `d`.\n";
  for (const ConfigSectionKind& section : section_table) {
    const std::string brackets =
        section.is_array ? "[[" + std::string(section.name) + "]]" : "[" + std::string(section.name) + "]";
    page.append("\n## ").append(brackets).append("\n\n").append(section.help).append("\n\n");
    page += "| key | value | default | meaning |\n|---|---|---|---|\n";
    for (const ConfigKey& entry : key_table) {
      if (entry.section != section.name) continue;
      std::string value(kind_text(entry.kind));
      if (entry.kind == choice) {
        std::string choices(entry.choices);
        for (std::size_t at = 0; (at = choices.find('|', at)) != std::string::npos; at += 4)
          choices.replace(at, 1, "`, `");
        value += " `" + choices + "`";
      }
      page.append("| `").append(entry.name).append("` | ").append(value).append(" | ");
      if (entry.required) {
        page += "must be there";
      } else if (!entry.fallback.empty()) {
        page.append("`").append(entry.fallback).append("`");
      }
      page.append(" | ").append(entry.help).append(" |\n");
    }
  }
  return page;
}

}  // namespace aceward::app
