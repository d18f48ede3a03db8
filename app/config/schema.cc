#include "app/config/schema.h"

#include <algorithm>
#include <array>

namespace aceward::app {

namespace {

using enum ValueKind;

constexpr std::array section_table = std::to_array<ConfigSectionKind>({
    {"as", false, "The authorization server, run by `aceward serve as`."},
    {"as.introspection", false,
     "Where resource servers, and clients of their own tokens, ask what a token is worth (RFC 9200 section 5.9)."},
    {"as.revocation", false, "The list of revoked tokens that resource servers and clients follow (RFC 9770)."},
    {"as.requests", false, "How much each client may ask, and how long what the owner has to decide waits."},
    {"rs", false, "The resource server, run by `aceward serve rs`."},
    {"rs.as", false,
     "The server's own session with its authorization server: to ask about tokens, and to follow the list of revoked "
     "ones."},
    {"rs.grant", true, "A key that has rights here without any token and any authorization server."},
    {"rs.issuer", true, "An authorization server whose tokens the resource server takes."},
    {"rs.resource", true,
     "A resource, held in memory: GET reads it, PUT replaces it, POST appends to it, DELETE empties it."},
    {"rs.scope", false, "What the scope-tokens allow: each key is a scope-token."},
    {"client", false,
     "The client: `aceward get` and the other requests, `observe`, `discover`, `ping` and `token get`."},
    {"client.as", true, "An authorization server that the client may ask for tokens."},
    {"client.server", true,
     "A resource server. The client follows its hints only to the authorization server that is named here."},
    {"store", false, "The authorization server's database, and the socket through which commands reach it."},
    {"admin", false,
     "Who may use the local socket. The superuser and the user that the server runs as are administrators. Any other "
     "user whom the socket lets in sees and changes only the servers that name that user as their owner (`aceward rs "
     "add --owner USER`): their rules, tokens and waiting requests."},
    {"log", false, "What a running server says on standard error."},
    {"audit", false,
     "A record of every decision: a line of JSON each, without secrets. Opened anew at SIGHUP, for logrotate."},
    {"metrics", false,
     "What the servers count, for Prometheus: `http://ADDRESS/metrics`, text format 0.0.4, without encryption."},
    {"coap", false,
     "How messages travel, of servers and of the client: the transmission parameters of RFC 7252 section 4.8, and the "
     "size of blocks."},
    {"limits", false,
     "What strangers can make a running server hold. Each server role has its own share. What was refused for a limit "
     "is "
     "counted: `aceward counters` shows it."},
    {"limits.blockwise", false, "The same of bodies that travel in blocks (RFC 7959)."},
    {"limits.observe", false, "The same of observers (RFC 7641)."},
});

constexpr std::array key_table = std::to_array<ConfigKey>({
    {"as", "listen", addresses, true, "", "", "where clients reach it, over DTLS; port 0 takes a free one"},
    {"as", "issuer", text, true, "", "", "its name: the claim `iss` of its tokens"},
    {"as", "token_path", text, false, "/token", "", "the path of the token endpoint"},
    {"as", "channel_key", key, true, "", "", "P-256 private key (PEM): its raw public key in DTLS"},
    {"as", "signing_key", key, true, "", "", "P-256 or Ed25519 private key (PEM): signs tokens"},
    {"as", "previous_signing_keys", keys, false, "", "",
     "private keys (PEM) that signed before and that resource servers still trust, while keys change"},
    {"as", "maximum_lifetime", duration, false, "30d", "", "no token lives longer"},
    {"as", "arrival_allowance", duration, false, "24h", "",
     "how long a token that lives from its arrival (exi) may take to reach its server before it is taken for ended"},
    {"as", "channel_certificate", path, false, "", "",
     "the certificate chain (PEM) of channel_key, for clients that want one"},
    {"as", "client_authorities", path, false, "", "",
     "the authorities (PEM) whose certificates clients and servers may authenticate with; none if absent"},

    {"as.introspection", "path", text, false, "/introspect", "", "its path; empty: there is none"},
    {"as.introspection", "cache", duration, false, "30s", "", "how long an answer may be kept (Max-Age)"},
    {"as.introspection", "clients_may_ask", flag, false, "true", "", "whether clients may ask about their own tokens"},
    {"as.introspection", "per_second", count0, false, "1000", "",
     "questions of one asker in a second, on average; more are answered 4.29; 0: no limit"},
    {"as.introspection", "at_once", count, false, "2000", "", "the same, at once"},

    {"as.revocation", "path", text, false, "/revoke/trl", "", "its path; empty: there is none"},
    {"as.revocation", "administrators", texts, false, "", "",
     "names of clients or servers that see the whole list, not only what concerns them"},
    {"as.revocation", "updates_kept", count, false, "10", "", "MAX_N: updates kept for each asker"},
    {"as.revocation", "updates_in_answer", count, false, "5", "", "MAX_DIFF_BATCH: updates in one answer"},

    {"as.requests", "per_client", count0, false, "20", "",
     "token requests of a client in 10 s; more are answered 4.29; 0: no limit"},
    {"as.requests", "live_tokens_per_client", count0, false, "1000", "",
     "tokens of a client that live at a time, and refresh tokens of a client; 0: no limit"},
    {"as.requests", "wrong_secrets_per_peer", count, false, "10", "",
     "wrong client_secrets from one address, of IPv6 from one /64, in 60 s"},
    {"as.requests", "wrong_secrets_per_client", count, false, "100", "", "the same for one client, from anywhere"},
    {"as.requests", "come_back", duration, false, "60s", "",
     "when a client whose request waits for the owner is told to ask again"},
    {"as.requests", "kept", duration, false, "7d", "", "how long such a request waits after it was last asked"},
    {"as.requests", "waiting", count, false, "1000", "", "requests that wait, in all"},
    {"as.requests", "waiting_per_client", count, false, "10", "", "requests of a client that wait"},

    {"rs", "listen", addresses, true, "", "", "CoAP over DTLS; port 0 takes a free one"},
    {"rs", "listen_plain", addresses, false, "", "",
     "CoAP without DTLS: hints, the upload of tokens and public resources; none if absent"},
    {"rs", "trusted_plain", addresses, false, "", "",
     "those of listen_plain whose clients need not show that they receive at their address before they get an answer "
     "longer than `[limits] unverified_answer`: for networks in which addresses cannot be forged"},
    {"rs", "socket", path, false, "rs.sock", "",
     "where `aceward counters` asks a resource server that runs without an authorization server in its process"},
    {"rs", "audience", texts, true, "", "", "what tokens for it name as their audience"},
    {"rs", "as_uri", uri, false, "", "", "the token endpoint that its hints name; no hints if absent"},
    {"rs", "hint_scope", choice, false, "text", "no|text|aif", "whether hints suggest a scope, and in which form"},
    {"rs", "authz_info_path", text, false, "/authz-info", "", "the path where tokens are uploaded"},
    {"rs", "hosts", texts, false, "", "", "the names (Uri-Host) under which it is asked; any if absent"},
    {"rs", "channel_key", key, true, "", "", "P-256 private key (PEM): its raw public key in DTLS"},
    {"rs", "clock_synchronized", flag, false, "true", "",
     "whether the machine's clock tells the date; if not, tokens need exi, or cnonce_lifetime"},
    {"rs", "sequences", path, false, "", "",
     "the file of the highest numbers of tokens with exi, which makes the server take such tokens; keep it out of "
     "backups"},
    {"rs", "cnonce_lifetime", duration, false, "", "",
     "hints carry a nonce, and tokens must have one that is not older than this; no nonces if absent"},
    {"rs", "anonymous_sessions", count0, false, "0", "",
     "DTLS sessions of clients that authenticate with nothing, to post tokens unseen by others"},
    {"rs", "unused_tokens", duration, false, "1h", "",
     "a token that nobody used for so long after it came is forgotten"},
    {"rs", "content_limit", count, false, "65536", "", "octets that a resource may hold"},

    {"rs.issuer", "iss", text, true, "", "", "the claim `iss` of its tokens"},
    {"rs.issuer", "key", keys, false, "", "",
     "its public keys (PEM), with which it signs tokens; two while it changes them"},
    {"rs.issuer", "token_key", key, false, "", "",
     "the symmetric key (16 octets) under which it encrypts tokens for this server; `key`, this, or an `[rs.as]` for "
     "this issuer is needed"},
    {"rs.issuer", "token_key_id", octets, false, "", "", "the `kid` of token_key; any if absent"},
    {"rs.issuer", "previous_token_key", key, false, "", "", "the token_key before, while it changes"},
    {"rs.issuer", "previous_token_key_id", octets, false, "", "", "the `kid` of previous_token_key; any if absent"},
    {"rs.issuer", "derivation_key", keys, false, "", "",
     "symmetric keys, the newest first, from which and from the token the keys of clients are derived (RFC 9202 "
     "section "
     "3.3.1)"},

    {"rs.as", "issuer", text, true, "", "", "the `iss` of an [[rs.issuer]]: whose tokens are asked about"},
    {"rs.as", "uri", uri, true, "", "", "where it is: `coaps://as.example`"},
    {"rs.as", "key", key, false, "", "", "its public key (PEM), which it must prove; the server uses channel_key"},
    {"rs.as", "psk_identity", text, false, "", "", "instead of `key`: who this server is to it"},
    {"rs.as", "psk", key, false, "", "", "with psk_identity: the symmetric key shared with it"},
    {"rs.as", "introspect", choice, false, "reference", "never|reference|always",
     "which tokens it is asked about: none, those that only it can read, or all of its own"},
    {"rs.as", "introspection_path", text, false, "/introspect", "", "where it is asked"},
    {"rs.as", "cache", duration, false, "30s", "",
     "how long its answer counts; a token about which it can not be asked again gives no rights then"},
    {"rs.as", "follow_revocations", flag, false, "true", "",
     "whether the session is kept up to follow its list of revoked tokens"},
    {"rs.as", "revocation_path", text, false, "/revoke/trl", "", "where that list is"},

    {"rs.grant", "name", text, true, "", "", "what logs call it"},
    {"rs.grant", "key", key, false, "", "", "the client's public key (PEM)"},
    {"rs.grant", "psk_identity", text, false, "", "", "instead of `key`: the identity that the client uses"},
    {"rs.grant", "psk", key, false, "", "", "with psk_identity: the symmetric key"},
    {"rs.grant", "scope", text, true, "", "", "what it may do: scope-tokens of `[rs.scope]`, or `/temp=GET,PUT`"},

    {"rs.resource", "path", text, true, "", "", "where it is: `/temp`"},
    {"rs.resource", "content", text, false, "", "",
     "what it holds at the start; for CBOR formats in diagnostic notation"},
    {"rs.resource", "content_format", text, false, "text/plain", "", "its Content-Format by name or number"},
    {"rs.resource", "methods", texts, false, "GET", "", "what it can do, of GET, PUT, POST, DELETE"},
    {"rs.resource", "public", flag, false, "false", "", "readable by anybody, without a token and without DTLS"},

    {"rs.scope", "*", methods, false, "", "", "what the scope-token allows: `[\"GET /temp\", \"PUT /led\"]`"},

    {"client", "key", key, false, "", "", "P-256 private key (PEM): its raw public key in DTLS"},
    {"client", "token_cache", text, false, "", "",
     "the folder in which tokens are kept until they end, readable by its owner alone; `none` keeps nothing. If "
     "absent: "
     "`$XDG_STATE_HOME/aceward/tokens`"},
    {"client", "renew_before", duration, false, "60s", "",
     "so long before its end, but not before its last fifth, a token is renewed: when it is used, and while something "
     "is observed"},

    {"client.as", "name", text, true, "", "", "what it is called in this file"},
    {"client.as", "uri", uri, true, "", "", "its token endpoint: `coaps://as.example/token`"},
    {"client.as", "address", address, false, "", "", "where it is reached, if not at the URI's host and port"},
    {"client.as", "key", key, false, "", "", "its public key (PEM), which it must prove; the client uses its own key"},
    {"client.as", "psk_identity", text, false, "", "", "instead of `key`: who the client is to it"},
    {"client.as", "psk", key, false, "", "", "with psk_identity: the symmetric key shared with it"},
    {"client.as", "certificate", key, false, "", "",
     "the client's certificate chain (PEM), its own first: the client uses it instead of its raw key"},
    {"client.as", "certificate_key", key, false, "", "", "its private key (PEM); `[client] key` if absent"},
    {"client.as", "authorities", key, false, "", "",
     "instead of `key`: CA certificates (PEM); the server must have a certificate by one of them, for server_name"},
    {"client.as", "server_name", text, false, "", "", "with authorities: the name in its certificate"},
    {"client.as", "client_id", text, false, "", "", "who the client is to it, where it authenticates with a secret"},
    {"client.as", "client_secret", key, false, "", "", "with client_id: the secret (hexadecimal)"},
    {"client.as", "token_lifetime", duration, false, "", "",
     "how long its tokens live if it does not say so; such tokens are of no use if absent"},
    {"client.as", "ask_profile", flag, false, "false", "", "it is asked to say for which profile a token is"},
    {"client.as", "follow_revocations", flag, false, "false", "",
     "whether its list of revoked tokens is followed while something is observed"},
    {"client.as", "revocation_path", text, false, "/revoke/trl", "", "where that list is"},

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
    {"client.server", "key", key, false, "", "",
     "its public key (PEM): used where the authorization server does not tell it; one that it tells must be the same"},
    {"client.server", "authz_info", text, false, "", "",
     "the path where it takes tokens; `/authz-info` if absent, else what its /.well-known/core names"},

    {"store", "path", path, false, "store.db", "", "the database"},
    {"store", "socket", path, false, "admin.sock", "", "the running server's local socket"},
    {"store", "durability", choice, false, "full", "full|relaxed",
     "full: what was told survives a power cut; relaxed: the last moments may be lost"},
    {"store", "token_retention", duration, false, "7d", "", "how long an expired token stays listed"},

    {"admin", "group", text, false, "", "", "this group of the system may open the socket"},
    {"admin", "open_to_anybody", flag, false, "false", "", "every user of the machine may open it"},

    {"log", "level", choice, false, "refusals", "none|refusals|all", "which decisions are logged"},

    {"audit", "path", path, false, "", "", "the file, made with mode 0600; no audit log if absent"},
    {"audit", "strangers_per_second", count, false, "100", "",
     "lines about peers that proved no identity; more are counted, and their number is a line of its own"},

    {"metrics", "listen", address0, false, "", "",
     "where it is fetched: `127.0.0.1:9464`; port 0 takes a free one; none if absent"},

    {"limits", "drain_timeout", duration, false, "5s", "",
     "how long a server that was told to end waits until answers that are due have left"},
    {"limits", "sessions", count, false, "4096", "", "DTLS sessions, at about 12 KiB each"},
    {"limits", "half_open", count, false, "64", "", "DTLS handshakes under way"},
    {"limits", "tokens", count, false, "4096", "", "tokens that the resource server holds"},
    {"limits", "handshake_timeout", duration, false, "10s", "", "for a whole handshake"},
    {"limits", "idle_timeout", duration, false, "24h", "", "after which a silent session is closed"},
    {"limits", "datagram_size", count, false, "1232", "", "octets of a CoAP message, received or sent"},
    {"limits", "options", count, false, "64", "", "options of one message"},
    {"limits", "token_length", count0, false, "64", "", "octets of a request's token (RFC 8974)"},
    {"limits", "peers", count, false, "20000", "",
     "peers that something is remembered of, plain and through DTLS each"},
    {"limits", "remembered_per_peer", count, false, "1000", "",
     "requests of a peer that are known when they are repeated"},
    {"limits", "remembered", count, false, "50000", "", "the same over all peers"},
    {"limits", "answers_per_peer", count, false, "64", "",
     "requests of a peer that wait for their answer, observations included"},
    {"limits", "answers", count, false, "10000", "", "the same over all peers"},
    {"limits", "requests_per_peer", count, false, "64", "", "requests to a peer that wait for its answer"},
    {"limits", "requests", count, false, "10000", "", "the same over all peers"},
    {"limits", "unverified_answer", count0, false, "136", "",
     "octets of an answer to an address that was not yet shown to be reachable; a longer one is answered with Echo "
     "(RFC "
     "9175 section 2.4); 0: addresses are never asked to prove themselves"},
    {"limits", "verified_addresses", count, false, "16384", "", "addresses shown to be reachable that are remembered"},
    {"limits", "events", count, false, "4096", "", "requests that wait to be looked at"},
    {"limits", "datagrams", count, false, "4096", "", "datagrams that wait to be sent"},

    {"limits.blockwise", "request_body", count, false, "1048576", "", "octets of a request's body"},
    {"limits.blockwise", "assemblies_per_peer", count, false, "8", "",
     "request bodies of a peer that are put together at once"},
    {"limits.blockwise", "assemblies", count, false, "1000", "", "the same over all peers"},
    {"limits.blockwise", "assembly_octets", count, false, "16777216", "", "octets of all of them together"},
    {"limits.blockwise", "assembly_lifetime", duration, false, "", "",
     "how long the next block is waited for; EXCHANGE_LIFETIME if absent"},
    {"limits.blockwise", "held_per_peer", count, false, "8", "",
     "answers of which a peer has not fetched all blocks yet"},
    {"limits.blockwise", "held", count, false, "1000", "", "the same over all peers"},
    {"limits.blockwise", "held_octets", count, false, "16777216", "", "octets of all of them together"},
    {"limits.blockwise", "held_lifetime", duration, false, "", "",
     "after the last block that was fetched; EXCHANGE_LIFETIME if absent"},
    {"limits.blockwise", "response_body", count, false, "1048576", "", "of the client: octets of an answer's body"},
    {"limits.blockwise", "answer_octets", count, false, "16777216", "",
     "of the client: octets of all answers under way"},

    {"limits.observe", "per_resource", count, false, "1000", "", "observers of one resource"},
    {"limits.observe", "per_peer", count, false, "16", "", "observations of a peer; below `[limits] answers_per_peer`"},
    {"limits.observe", "overall", count, false, "5000", "", "observations of all peers"},
    {"limits.observe", "request_size", count, false, "1024", "", "octets of payload and options of a registration"},
    {"limits.observe", "apart", interval, false, "", "",
     "at least so long between two non-confirmable notifications to a peer, beyond what RFC 7641 section 4.5.1 asks "
     "for"},
    {"limits.observe", "answer_within", duration, false, "247s", "", "how long a resource may take for a notification"},

    {"coap", "ack_timeout", interval, false, "2s", "", "ACK_TIMEOUT: the first wait for an acknowledgement"},
    {"coap", "ack_random_factor", factor, false, "1.5", "", "ACK_RANDOM_FACTOR: up to so many times that"},
    {"coap", "max_retransmit", count0, false, "4", "", "MAX_RETRANSMIT, at most 10"},
    {"coap", "nstart", count, false, "1", "", "NSTART: requests to one peer that wait for an answer at a time"},
    {"coap", "probing_rate", count, false, "1", "", "PROBING_RATE: octets a second to a peer that does not answer"},
    {"coap", "max_latency", duration, false, "100s", "", "MAX_LATENCY: how long a datagram may be on its way"},
    {"coap", "acknowledge_after", interval, false, "250ms", "",
     "how long an answer is waited for before the request is acknowledged without it; below ack_timeout"},
    {"coap", "block_size", choice, false, "1024", "16|32|64|128|256|512|1024", "octets of a block"},
});

std::string_view kind_text(ValueKind kind) {
  switch (kind) {
    case text: return "text";
    case texts: return "text or array of texts";
    case uri: return "URI";
    case address: return "address";
    case address0: return "address";
    case addresses: return "address or array of addresses";
    case path: return "path";
    case keys: return "`file:PATH` or `credential:NAME`, or array of them";
    case key: return "`file:PATH` or `credential:NAME`";
    case duration: return "duration";
    case count: return "integer from 1";
    case count0: return "integer from 0";
    case factor: return "number from 1 to 10";
    case interval: return "duration";
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
      "duration is a number with `s`, `m`, `h` or `d`, a short one also with `ms`.\n";
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
