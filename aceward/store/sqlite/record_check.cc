#include "aceward/store/sqlite/record_check.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "aceward/store/reasons.h"

namespace aceward::store {

namespace {

constexpr std::chrono::seconds longest_lifetime = std::chrono::hours(24 * 30);
constexpr std::size_t thumbprint_octets = 32;
constexpr std::size_t token_key_octets = 16;
constexpr std::size_t shortest_psk = 16;
constexpr std::size_t longest_psk = 512;
constexpr std::size_t secret_digest_octets = 48;
constexpr std::size_t digest_octets = 32;
constexpr std::chrono::seconds longest_refresh = std::chrono::hours(24 * 3660);
constexpr std::size_t list_entries = 64;  ///< of each list in a record

/// The character at the front of `text`, which is cut off. Negative: not UTF-8 (RFC 3629).
std::int32_t next_character(BytesView& text) {
  const std::uint8_t first = text[0];
  constexpr std::size_t none = 9;  // no character begins with such an octet
  const std::size_t more = first < 0x80   ? 0
                           : first < 0xc2 ? none
                           : first < 0xe0 ? 1
                           : first < 0xf0 ? 2
                           : first < 0xf5 ? 3
                                          : none;
  if (more == none || more >= text.size()) return -1;
  std::int32_t character = more == 0 ? first : first & (0x3f >> more);
  for (const std::uint8_t octet : text.subspan(1, more)) {
    if ((octet & 0xc0) != 0x80) return -1;
    character = character << 6 | (octet & 0x3f);
  }
  const bool overlong = (more == 2 && character < 0x800) || (more == 3 && character < 0x10000);
  const bool surrogate = character >= 0xd800 && character < 0xe000;
  if (overlong || surrogate || character > 0x10ffff) return -1;
  text = text.subspan(more + 1);
  return character;
}

bool is_name(std::string_view name) {
  if (name.empty() || name.size() > name_limit) return false;
  for (BytesView rest = as_bytes(name); !rest.empty();) {
    const std::int32_t character = next_character(rest);
    if (character < 0x20 || (character >= 0x7f && character < 0xa0)) return false;
  }
  return true;
}

/// scope = scope-token *( SP scope-token ), scope-token = 1*( %x21 / %x23-5B / %x5D-7E ) (RFC 6749 section 3.3)
bool is_text_scope(std::string_view scope) {
  if (scope.empty() || scope.size() > scope_limit || scope.front() == ' ' || scope.back() == ' ') return false;
  if (scope.contains("  ")) return false;
  for (const char c : scope)
    if (c < 0x20 || c > 0x7e || c == '"' || c == '\\') return false;
  return true;
}

bool is_lifetime(std::chrono::seconds lifetime) {
  return lifetime >= std::chrono::seconds(1) && lifetime <= longest_lifetime;
}

template <class Entry>
bool contains(const std::vector<Entry>& entries, const Entry& entry) {
  return std::ranges::find(entries, entry) != entries.end();
}

/// Each of them once, and not too many.
template <class Entry>
bool is_list(const std::vector<Entry>& entries) {
  if (entries.size() > list_entries) return false;
  for (auto entry = entries.begin(); entry != entries.end(); ++entry)
    if (std::find(entries.begin(), entry, *entry) != entry) return false;
  return true;
}

bool is_name_list(const std::vector<std::string>& names) {
  return is_list(names) && std::ranges::all_of(names, [](const std::string& name) { return is_name(name); });
}

bool is_digest_or_empty(BytesView digest, std::size_t octets) { return digest.empty() || digest.size() == octets; }

Result<> require(bool holds, std::string_view member) {
  if (!holds) return fail(reason::record_invalid, member);
  return {};
}

/// What a client and a server authenticate with, besides a public key.
template <class Record>
Result<> check_authentication(const Record& record) {
  ACEWARD_TRY(require(record.certificate_name.empty() || is_name(record.certificate_name), "certificate_name"));
  ACEWARD_TRY(require(is_digest_or_empty(record.secret_digest, secret_digest_octets), "secret_digest"));
  ACEWARD_TRY(require(record.psk_identity.size() <= name_limit, "psk_identity"));
  if (record.psk_identity.empty()) return require(record.psk.empty(), "psk_identity");
  return require(record.psk.size() >= shortest_psk && record.psk.size() <= longest_psk, "psk");
}

Result<> check_hours(const ace::as::Hours& hours) {
  ACEWARD_TRY(require(hours.days != 0 && hours.days <= 0x7f, "hours"));
  return require(hours.from <= 1439 && hours.to >= 1 && hours.to <= 1440, "hours");
}

}  // namespace

Result<> check_record(const ace::as::ClientRecord& client) {
  ACEWARD_TRY(require(is_name(client.name), "name"));
  ACEWARD_TRY(require(client.public_key.size() <= key_limit, "public_key"));
  ACEWARD_TRY(
      require(client.key_thumbprint.size() == (client.public_key.empty() ? 0 : thumbprint_octets), "key_thumbprint"));
  ACEWARD_TRY(require(is_name_list(client.groups), "groups"));
  return check_authentication(client);
}

Result<> check_record(const ace::as::ServerRecord& server) {
  using ace::as::ScopeFormat;
  using ace::as::TokenProtection;
  using ace::as::Undecided;
  ACEWARD_TRY(require(is_name(server.name), "name"));
  ACEWARD_TRY(require(is_name(server.audience), "audience"));
  ACEWARD_TRY(require(is_name_list(server.group_audiences) && !contains(server.group_audiences, server.audience),
                      "group_audiences"));
  ACEWARD_TRY(require(server.public_key.size() <= key_limit, "public_key"));
  // A file that was migrated may hold a key that nobody can read, and so without a thumbprint.
  ACEWARD_TRY(require(server.key_thumbprint.empty() ||
                          (!server.public_key.empty() && server.key_thumbprint.size() == thumbprint_octets),
                      "key_thumbprint"));
  ACEWARD_TRY(require(is_digest_or_empty(server.token_key.expose(), token_key_octets), "token_key"));
  ACEWARD_TRY(require(server.token_key_id.size() <= name_limit, "token_key_id"));
  ACEWARD_TRY(require(is_digest_or_empty(server.previous_token_key.expose(), token_key_octets), "previous_token_key"));
  ACEWARD_TRY(require(server.previous_token_key_id.size() <= name_limit &&
                          (server.previous_token_key_id.empty() || !server.previous_token_key.empty()),
                      "previous_token_key_id"));
  ACEWARD_TRY(require(
      server.derivation_key.empty() || (server.derivation_key.size() >= 16 && server.derivation_key.size() <= 64),
      "derivation_key"));
  ACEWARD_TRY(require(server.protection == TokenProtection::signed_cwt ||
                          server.protection == TokenProtection::reference ||
                          (server.protection == TokenProtection::encrypted_cwt && !server.token_key.empty()),
                      "protection"));
  ACEWARD_TRY(
      require(server.scope_format == ScopeFormat::text || server.scope_format == ScopeFormat::aif, "scope_format"));
  ACEWARD_TRY(require(!server.profiles.empty() && is_list(server.profiles), "profiles"));
  ACEWARD_TRY(require(is_lifetime(server.token_lifetime), "token_lifetime"));
  ACEWARD_TRY(require(!server.refresh_lifetime || (*server.refresh_lifetime >= std::chrono::seconds(1) &&
                                                   *server.refresh_lifetime <= longest_refresh),
                      "refresh_lifetime"));
  ACEWARD_TRY(require(server.undecided == Undecided::refuse || server.undecided == Undecided::ask_owner, "undecided"));
  ACEWARD_TRY(require(server.owner.empty() || is_name(server.owner), "owner"));
  return check_authentication(server);
}

Result<> check_record(const ace::as::PolicyRule& rule) {
  ACEWARD_TRY(require(rule.name.empty() || is_name(rule.name), "name"));
  ACEWARD_TRY(require(rule.client.empty() != rule.group.empty(), "client"));
  ACEWARD_TRY(require(rule.group.empty() || is_name(rule.group), "group"));
  ACEWARD_TRY(require(rule.text_scope.empty() != rule.aif_scope.empty(), "scope"));
  ACEWARD_TRY(require(rule.text_scope.empty() || is_text_scope(rule.text_scope), "text_scope"));
  ACEWARD_TRY(require(rule.aif_scope.size() <= scope_limit, "aif_scope"));
  ACEWARD_TRY(require(!rule.lifetime || is_lifetime(*rule.lifetime), "lifetime"));
  return rule.hours ? check_hours(*rule.hours) : Result<>();
}

Result<> check_record(const ace::as::IssuedToken& token) {
  ACEWARD_TRY(require(token.number.value > 0, "number"));
  ACEWARD_TRY(require(token.client.size() <= name_limit && token.server.size() <= name_limit, "name"));
  ACEWARD_TRY(require(!token.scope.empty() && token.scope.size() <= scope_limit, "scope"));
  ACEWARD_TRY(require(token.key_id.size() <= name_limit, "key_id"));
  ACEWARD_TRY(
      require(token.key_thumbprint.empty() || token.key_thumbprint.size() == thumbprint_octets, "key_thumbprint"));
  ACEWARD_TRY(require(token.pop_key.size() <= key_limit, "pop_key"));
  ACEWARD_TRY(require(is_list(token.more_servers) && !contains(token.more_servers, token.server_id), "more_servers"));
  ACEWARD_TRY(require(token.audience.size() <= name_limit, "audience"));
  ACEWARD_TRY(require(is_digest_or_empty(token.token_digest, digest_octets), "token_digest"));
  ACEWARD_TRY(require(token.token_hash.size() <= name_limit, "token_hash"));
  ACEWARD_TRY(require(token.cnonce.size() <= name_limit, "cnonce"));
  ACEWARD_TRY(require(!token.exi || token.exi->count() >= 0, "exi"));
  ACEWARD_TRY(require(is_digest_or_empty(token.refresh_digest, digest_octets), "refresh_digest"));
  ACEWARD_TRY(require(token.origin.value >= 0 && token.origin != token.number, "origin"));
  return require(token.issued_at <= token.expires_at, "expires_at");
}

Result<> check_record(const ace::as::AccessRequest& request) {
  using ace::as::RequestState;
  ACEWARD_TRY(require(request.scope.size() <= scope_limit, "scope"));
  ACEWARD_TRY(require(request.state == RequestState::waiting || request.state == RequestState::denied, "state"));
  ACEWARD_TRY(require(request.times >= 1, "times"));
  ACEWARD_TRY(require(request.first_asked <= request.last_asked, "last_asked"));
  return require(request.last_asked <= request.expires_at, "expires_at");
}

}  // namespace aceward::store
