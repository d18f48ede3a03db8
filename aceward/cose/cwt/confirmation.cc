#include "aceward/cose/cwt/confirmation.h"

#include "aceward/cbor/reader.h"
#include "aceward/cose/cwt/reasons.h"
#include "aceward/cose/encrypt0.h"
#include "aceward/cose/map_entries.h"

namespace aceward::cwt {

namespace {

constexpr std::uint64_t cose_encrypt_tag = 96;
// A nonce that is drawn at random must be long enough for draws never to meet under one key.
constexpr std::size_t random_nonce_size = 12;

Result<EncryptedKey> parse_encrypted(BytesView value) {
  cbor::Reader reader(value);
  if (ACEWARD_TRY(reader.peek()) == cbor::Kind::tag) {
    if (ACEWARD_TRY(reader.tag()) == cose_encrypt_tag)
      return fail(reason::cwt_confirmation_unsupported, "COSE_Encrypt");
  } else {
    // Untagged, the two differ by the list of recipients.
    const auto count = reader.array();
    if (count && *count == 4) return fail(reason::cwt_confirmation_unsupported, "COSE_Encrypt");
  }
  ACEWARD_TRY(cose::Encrypt0::parse(value));
  return EncryptedKey{to_bytes(value)};
}

/// RFC 9202 figure 7: a symmetric COSE_Key of kty and kid and nothing else does not hold a key, but names one.
std::optional<KeyId> parse_reference(BytesView value) {
  const auto entries = cose::parse_map(value, reason::cwt_confirmation_malformed);
  if (!entries || entries->size() != 2) return std::nullopt;
  bool is_symmetric = false;
  std::optional<KeyId> reference;
  for (const cose::MapEntry& entry : *entries) {
    if (entry.label.is(1)) {
      is_symmetric = cose::read_all(entry.value, &cbor::Reader::integer) == cose::kty::symmetric.value;
    } else if (entry.label.is(2)) {
      const auto kid = cose::read_all(entry.value, &cbor::Reader::byte_string);
      if (!kid) return std::nullopt;
      reference = KeyId{to_bytes(*kid)};
    }
  }
  return is_symmetric ? reference : std::nullopt;
}

}  // namespace

Result<EncryptedKey> EncryptedKey::encrypt(const cose::Key& key, const cose::ContentKey& wrapping, Random& random) {
  if (!key.is_symmetric()) return fail(reason::cwt_confirmation_malformed, "encrypted key is not symmetric");
  const std::size_t size = wrapping.aead().sizes().nonce;
  if (size < random_nonce_size) return fail(reason::cwt_nonce_too_short);
  cose::Headers headers;
  headers.unprotected_map.iv = random.bytes(size);
  headers.unprotected_map.kid = wrapping.kid();
  const Secret plaintext = key.serialize();
  // Untagged, as in the example of RFC 8747 section 3.3.
  return EncryptedKey{
      ACEWARD_TRY(cose::Encrypt0::create(wrapping, std::move(headers), plaintext.expose(), {.tagged = false}))};
}

Result<cose::Key> EncryptedKey::decrypt(const cose::ContentKey& wrapping) const {
  const auto message = ACEWARD_TRY(cose::Encrypt0::parse(encrypt0));
  const Secret plaintext = ACEWARD_TRY(message.decrypt(wrapping));
  cose::Key key = ACEWARD_TRY(cose::Key::parse(plaintext.expose()));
  if (!key.is_symmetric()) return fail(reason::cwt_confirmation_malformed, "encrypted key is not symmetric");
  return key;
}

const cose::Member* Confirmation::other(const cose::Label& method) const { return cose::find_member(others, method); }

Confirmation Confirmation::clone() const {
  Confirmation copy;
  if (const auto* own = cose_key()) {
    copy.key = own->clone();
  } else if (const auto* encrypted = encrypted_key()) {
    copy.key = *encrypted;
  } else if (const auto* id = kid()) {
    copy.key = *id;
  }
  copy.others = others;
  return copy;
}

Result<Confirmation> Confirmation::parse(BytesView encoded) {
  const auto entries = ACEWARD_TRY(cose::parse_map(encoded, reason::cwt_confirmation_malformed));
  if (entries.empty()) return fail(reason::cwt_confirmation_malformed, "empty");
  Confirmation out;
  for (const cose::MapEntry& entry : entries) {
    const bool is_key = entry.label.is(confirmation_method::cose_key);
    const bool is_encrypted = entry.label.is(confirmation_method::encrypted_cose_key);
    const bool is_kid = entry.label.is(confirmation_method::kid);
    const bool is_first = std::holds_alternative<std::monostate>(out.key);
    if (auto reference = is_key && is_first ? parse_reference(entry.value) : std::nullopt) {
      out.key = std::move(*reference);
      continue;
    }
    if (!is_key && !is_encrypted && !is_kid) {
      out.others.push_back(cose::keep(entry));
      continue;
    }
    if (!std::holds_alternative<std::monostate>(out.key)) return fail(reason::cwt_confirmation_malformed, "two keys");
    if (is_key) {
      out.key = ACEWARD_TRY(cose::Key::parse(entry.value));
    } else if (is_encrypted) {
      out.key = ACEWARD_TRY(parse_encrypted(entry.value));
    } else {
      const auto kid = cose::read_all(entry.value, &cbor::Reader::byte_string);
      if (!kid) return fail(reason::cwt_confirmation_malformed, "kid");
      out.key = KeyId{to_bytes(*kid)};
    }
  }
  // A method that we do not process, but know to be a key.
  if (!std::holds_alternative<std::monostate>(out.key) && out.other(confirmation_method::osc) != nullptr) {
    return fail(reason::cwt_confirmation_malformed, "two keys");
  }
  return out;
}

Secret Confirmation::serialize() const {
  cose::SecretMap map;
  if (const auto* own = cose_key()) {
    const Secret encoded = own->serialize();
    map.add(confirmation_method::cose_key, [&](cbor::Writer& out) { out.raw(encoded.expose()); });
  } else if (const auto* encrypted = encrypted_key()) {
    map.add(confirmation_method::encrypted_cose_key, [&](cbor::Writer& out) { out.raw(encrypted->encrypt0); });
  } else if (const auto* id = kid()) {
    map.add(confirmation_method::kid, [&](cbor::Writer& out) { out.byte_string(id->value); });
  }
  map.add(others);
  return map.finish();
}

}  // namespace aceward::cwt
