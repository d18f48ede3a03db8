#include "aceward/store/sqlite/record_check.h"

#include <chrono>
#include <string_view>

#include "aceward/store/reasons.h"

namespace aceward::store {

namespace {

constexpr std::chrono::seconds longest_lifetime = std::chrono::hours(24 * 30);
constexpr std::size_t thumbprint_octets = 32;
constexpr std::size_t token_key_octets = 16;
constexpr std::size_t shortest_psk = 16;
constexpr std::size_t longest_psk = 512;

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

Result<> require(bool holds, std::string_view member) {
  if (!holds) return fail(reason::record_invalid, member);
  return {};
}

}  // namespace

Result<> check_record(const ace::as::ClientRecord& client) {
  ACEWARD_TRY(require(is_name(client.name), "name"));
  ACEWARD_TRY(require(client.public_key.size() <= key_limit, "public_key"));
  ACEWARD_TRY(
      require(client.key_thumbprint.size() == (client.public_key.empty() ? 0 : thumbprint_octets), "key_thumbprint"));
  ACEWARD_TRY(require(client.psk_identity.size() <= name_limit, "psk_identity"));
  if (client.psk_identity.empty()) return require(client.psk.empty(), "psk_identity");
  return require(client.psk.size() >= shortest_psk && client.psk.size() <= longest_psk, "psk");
}

Result<> check_record(const ace::as::ServerRecord& server) {
  using ace::as::ScopeFormat;
  using ace::as::TokenProtection;
  ACEWARD_TRY(require(is_name(server.name), "name"));
  ACEWARD_TRY(require(is_name(server.audience), "audience"));
  ACEWARD_TRY(require(server.public_key.size() <= key_limit, "public_key"));
  ACEWARD_TRY(require(server.token_key.empty() || server.token_key.size() == token_key_octets, "token_key"));
  ACEWARD_TRY(require(server.token_key_id.size() <= name_limit, "token_key_id"));
  ACEWARD_TRY(require(server.protection == TokenProtection::signed_cwt ||
                          (server.protection == TokenProtection::encrypted_cwt && !server.token_key.empty()),
                      "protection"));
  ACEWARD_TRY(
      require(server.scope_format == ScopeFormat::text || server.scope_format == ScopeFormat::aif, "scope_format"));
  return require(is_lifetime(server.token_lifetime), "token_lifetime");
}

Result<> check_record(const ace::as::PolicyRule& rule) {
  ACEWARD_TRY(require(rule.name.empty() || is_name(rule.name), "name"));
  ACEWARD_TRY(require(rule.text_scope.empty() != rule.aif_scope.empty(), "scope"));
  ACEWARD_TRY(require(rule.text_scope.empty() || is_text_scope(rule.text_scope), "text_scope"));
  ACEWARD_TRY(require(rule.aif_scope.size() <= scope_limit, "aif_scope"));
  return require(!rule.lifetime || is_lifetime(*rule.lifetime), "lifetime");
}

Result<> check_record(const ace::as::IssuedToken& token) {
  ACEWARD_TRY(require(token.number.value > 0, "number"));
  ACEWARD_TRY(require(token.client.size() <= name_limit && token.server.size() <= name_limit, "name"));
  ACEWARD_TRY(require(!token.scope.empty() && token.scope.size() <= scope_limit, "scope"));
  ACEWARD_TRY(require(token.key_id.size() <= name_limit, "key_id"));
  ACEWARD_TRY(
      require(token.key_thumbprint.empty() || token.key_thumbprint.size() == thumbprint_octets, "key_thumbprint"));
  ACEWARD_TRY(require(token.pop_key.size() <= key_limit, "pop_key"));
  return require(token.issued_at <= token.expires_at, "expires_at");
}

}  // namespace aceward::store
