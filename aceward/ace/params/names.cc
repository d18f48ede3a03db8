#include "aceward/ace/params/names.h"

#include <memory>
#include <utility>
#include <variant>

#include "aceward/cbor/diagnostic.h"
#include "aceward/cbor/value.h"

namespace aceward::ace {

namespace {

using cbor::Names;
using cbor::Value;

/// As much as any message here has; what passes these limits is not looked into, and so shown without secrets.
constexpr cbor::Limits name_limits{.max_depth = 16, .max_items = 16384, .max_size = 1 << 18};

const Value* member_of(const Value* map, std::int64_t number) {
  const auto* pairs = map == nullptr ? nullptr : std::get_if<Value::Map>(&map->item);
  if (pairs == nullptr) return nullptr;
  for (const auto& [key, value] : *pairs)
    if (key == Value::integer(number)) return &value;
  return nullptr;
}

Names secret_octets() {
  Names names;
  names.secret = true;
  return names;
}

Names names_of_algorithms() {
  Names names;
  constexpr std::pair<std::int64_t, std::string_view> known[] = {
      {1, "A128GCM"},
      {2, "A192GCM"},
      {3, "A256GCM"},
      {4, "HMAC 256/64"},
      {5, "HMAC 256/256"},
      {6, "HMAC 384/384"},
      {7, "HMAC 512/512"},
      {-7, "ES256"},
      {-8, "EdDSA"},
      {-35, "ES384"},
      {-36, "ES512"},
      {10, "AES-CCM-16-64-128"},
      {-6, "direct"},
      {-16, "SHA-256"},
      {11, "AES-CCM-16-64-256"},
      {30, "AES-CCM-16-128-128"},
      {31, "AES-CCM-16-128-256"},
      {24, "ChaCha20/Poly1305"},
  };
  for (const auto& [number, name] : known) names.value(number, std::string(name));
  return names;
}

Names names_of_headers() {
  Names names;
  names.key(1, "alg", names_of_algorithms()).key(2, "crit").key(3, "content type").key(4, "kid").key(5, "IV");
  names.key(6, "Partial IV").key(10, "kid context").key(13, "kcwt").key(14, "kccs").key(15, "CWT Claims");
  names.key(16, "typ").key(33, "x5chain").key(34, "x5t");
  return names;
}

/// A key whose kty cannot be read is taken for a symmetric one, so that nothing secret is shown.
Names names_of_key(const Value* key) {
  const Value* kty = member_of(key, 1);
  const bool is_symmetric = kty == nullptr || *kty == Value::integer(4);
  Names kinds;
  kinds.value(1, "OKP").value(2, "EC2").value(3, "RSA").value(4, "Symmetric");
  Names operations;
  Names operation;
  operation.value(1, "sign").value(2, "verify").value(3, "encrypt").value(4, "decrypt").value(5, "wrap key");
  operation.value(6, "unwrap key").value(7, "derive key").value(8, "derive bits").value(9, "MAC create");
  operations.each_is(operation.value(10, "MAC verify"));
  Names names;
  names.key(1, "kty", kinds).key(2, "kid").key(3, "alg", names_of_algorithms()).key(4, "key_ops", operations);
  names.key(5, "Base IV");
  if (is_symmetric) return names.key(-1, "k", secret_octets());
  Names curves;
  curves.value(1, "P-256").value(2, "P-384").value(3, "P-521").value(4, "X25519").value(5, "X448").value(6, "Ed25519");
  return names.key(-1, "crv", curves.value(7, "Ed448")).key(-2, "x").key(-3, "y").key(-4, "d", secret_octets());
}

Names names_of_token(BytesView token);

Names names_of_confirmation(const Value* cnf) {
  Names encrypted;
  Names protected_bucket = names_of_headers();
  protected_bucket.embedded = true;
  encrypted.place("protected", protected_bucket).place("unprotected", names_of_headers()).place("ciphertext");
  // OSCORE_Input_Material of RFC 9203 section 3.2.1.
  Names oscore;
  oscore.key(0, "id").key(1, "version").key(2, "ms", secret_octets()).key(3, "hkdf", names_of_algorithms());
  oscore.key(4, "alg", names_of_algorithms()).key(5, "salt").key(6, "contextId");
  Names names;
  names.key(1, "COSE_Key", names_of_key(member_of(cnf, 1))).key(2, "Encrypted_COSE_Key", encrypted).key(3, "kid");
  return names.key(4, "osc", oscore);
}

Names names_of_profiles() {
  Names names;
  return names.value(1, "coap_dtls").value(2, "coap_oscore").value(3, "mqtt_tls");
}

Names names_of_claims(const Value* claims) {
  Names names;
  names.key(1, "iss").key(2, "sub").key(3, "aud").key(4, "exp").key(5, "nbf").key(6, "iat").key(7, "cti");
  names.key(8, "cnf", names_of_confirmation(member_of(claims, 8))).key(9, "scope");
  return names.key(38, "ace_profile", names_of_profiles()).key(39, "cnonce").key(40, "exi");
}

Names names_of_claims(BytesView octets) {
  const auto claims = Value::parse(octets, name_limits, cbor::Strictness::well_formed);
  return names_of_claims(claims ? &*claims : nullptr);
}

/// [protected, unprotected, payload or ciphertext, ? signature or tag]; the names of an array hold through its tags.
Names names_of_token(BytesView token) {
  Names protected_bucket = names_of_headers();
  protected_bucket.embedded = true;
  Names names;
  names.place("protected", protected_bucket).place("unprotected", names_of_headers());
  const auto parsed = Value::parse(token, name_limits, cbor::Strictness::well_formed);
  const Value* item = parsed ? &*parsed : nullptr;
  std::uint64_t tag = 0;
  while (item != nullptr) {
    const auto* tagged = std::get_if<Value::Tag>(&item->item);
    if (tagged == nullptr || tagged->content.size() != 1) break;
    tag = tagged->number;
    item = tagged->content.data();
  }
  const auto* places = item == nullptr ? nullptr : std::get_if<Value::Array>(&item->item);
  if (places == nullptr || places->size() != 4) return names.place("ciphertext");
  Names claims;
  if (const auto* payload = std::get_if<Bytes>(&(*places)[2].item)) claims = names_of_claims(*payload);
  claims.embedded = true;
  return names.place("payload", claims).place(tag == 17 ? "tag" : "signature");
}

/// The OAuth parameters (RFC 9200 table 5, RFC 9201, RFC 9203 section 9.3): requests, answers and errors share one
/// list.
Names names_of_parameters(const Value* message) {
  Names grants;
  grants.value(0, "password").value(1, "authorization_code").value(2, "client_credentials").value(3, "refresh_token");
  Names errors;
  errors.value(1, "invalid_request").value(2, "invalid_client").value(3, "invalid_grant");
  errors.value(4, "unauthorized_client").value(5, "unsupported_grant_type").value(6, "invalid_scope");
  errors.value(7, "unsupported_pop_key").value(8, "incompatible_ace_profiles");
  Names types;
  types.value(1, "Bearer").value(2, "PoP");
  Names token;
  if (const Value* octets = member_of(message, 1)) {
    if (const auto* bytes = std::get_if<Bytes>(&octets->item)) token = names_of_token(*bytes);
  }
  token.embedded = true;
  Names names;
  names.key(1, "access_token", token).key(2, "expires_in");
  names.key(4, "req_cnf", names_of_confirmation(member_of(message, 4))).key(5, "audience");
  names.key(8, "cnf", names_of_confirmation(member_of(message, 8))).key(9, "scope").key(24, "client_id");
  names.key(25, "client_secret", secret_octets()).key(26, "response_type").key(27, "redirect_uri").key(28, "state");
  names.key(29, "code", secret_octets()).key(30, "error", errors).key(31, "error_description").key(32, "error_uri");
  names.key(33, "grant_type", grants).key(34, "token_type", types).key(35, "username");
  names.key(36, "password", secret_octets()).key(37, "refresh_token", secret_octets());
  names.key(38, "ace_profile", names_of_profiles()).key(39, "cnonce").key(40, "nonce1");
  names.key(41, "rs_cnf", names_of_confirmation(member_of(message, 41))).key(42, "nonce2");
  return names.key(43, "ace_client_recipientid").key(44, "ace_server_recipientid");
}

bool may_hold_secrets(Message message) {
  return message != Message::token_error && message != Message::creation_hints && message != Message::cose_headers;
}

}  // namespace

Names names_for(Message message, BytesView octets) {
  if (message == Message::token) return names_of_token(octets);
  if (message == Message::cose_headers) return names_of_headers();
  if (message == Message::creation_hints) {
    Names names;
    return names.key(1, "AS").key(2, "kid").key(5, "audience").key(9, "scope").key(39, "cnonce");
  }
  const auto parsed = Value::parse(octets, name_limits, cbor::Strictness::well_formed);
  const Value* item = parsed ? &*parsed : nullptr;
  switch (message) {
    case Message::claims: return names_of_claims(item);
    case Message::confirmation: return names_of_confirmation(item);
    case Message::cose_key: return names_of_key(item);
    default: return names_of_parameters(item);
  }
}

Message message_in_response(bool is_success, BytesView payload) {
  if (is_success) return Message::access_information;
  const auto parsed = Value::parse(payload, name_limits, cbor::Strictness::well_formed);
  return parsed && member_of(&*parsed, 30) != nullptr ? Message::token_error : Message::creation_hints;
}

std::string to_text(Message message, BytesView octets, bool indented) {
  // Where a message breaks off, the printer shows the rest in hexadecimal: that may be a key.
  if (may_hold_secrets(message) && !Value::parse(octets, name_limits, cbor::Strictness::well_formed))
    return "/ not one well-formed item, " + std::to_string(octets.size()) + " octets /";
  const Names names = names_for(message, octets);
  return cbor::to_diagnostic(octets, {.names = &names, .indented = indented});
}

}  // namespace aceward::ace
