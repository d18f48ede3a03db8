#include "aceward/cose/cwt/token.h"

#include "aceward/cbor/reader.h"
#include "aceward/cbor/writer.h"
#include "aceward/cose/cwt/one_form.h"
#include "aceward/cose/cwt/reasons.h"
#include "aceward/cose/encrypt0.h"
#include "aceward/cose/mac0.h"
#include "aceward/cose/reasons.h"
#include "aceward/cose/sign1.h"

namespace aceward::cwt {

namespace {

// AES-CCM-64's nonces of 7 octets meet after some ten million draws.
constexpr std::size_t shortest_random_nonce = 12;

cose::HeaderMap& bucket_for(cose::Headers& headers, Tagging tagging) {
  return tagging == Tagging::one_form ? headers.protected_map : headers.unprotected_map;
}

cose::Headers headers_for(const std::optional<Bytes>& kid, Tagging tagging) {
  cose::Headers headers;
  bucket_for(headers, tagging).kid = kid;
  return headers;
}

cose::CreateOptions framing(Tagging tagging) { return {.tagged = tagging != Tagging::none}; }

Bytes with_cwt_tag(Bytes message, Tagging tagging) {
  if (tagging != Tagging::cose_and_cwt && tagging != Tagging::one_form) return message;
  cbor::Writer out;
  out.tag(cwt_tag).raw(message);
  return out.take();
}

Result<Bytes> encrypt_octets(BytesView plaintext, const cose::ContentKey& key, Random& random, Tagging tagging) {
  const std::size_t nonce_size = key.aead().sizes().nonce;
  if (nonce_size < shortest_random_nonce) return fail(reason::cwt_nonce_too_short);
  cose::Headers headers = headers_for(key.kid(), tagging);
  bucket_for(headers, tagging).iv = random.bytes(nonce_size);
  return with_cwt_tag(ACEWARD_TRY(cose::Encrypt0::create(key, std::move(headers), plaintext, framing(tagging))),
                      tagging);
}

Result<Bytes> sign_octets(BytesView payload, const cose::SigningKey& key, Tagging tagging) {
  Bytes message = ACEWARD_TRY(cose::Sign1::create(key, headers_for(key.kid(), tagging), payload, framing(tagging)));
  if (tagging == Tagging::one_form && key.algorithm() == cose::alg::es256) make_s_low(message);
  return with_cwt_tag(std::move(message), tagging);
}

// A layer that has been opened: what it held, and by whose key.
struct Opened {
  Secret message;
  OpenedToken::Layer layer;
};

template <class UsableKey>
const UsableKey* usable(const KeySource::Candidate& candidate, cose::Algorithm algorithm) {
  const auto* key = std::get_if<const UsableKey*>(&candidate.key);
  return key != nullptr && *key != nullptr && (*key)->algorithm() == algorithm ? *key : nullptr;
}

// Tries the keys that may fit. A key that does not verify says nothing: another issuer may use the same kid.
template <class UsableKey, class Try>
Result<Opened> open_layer(const cose::Headers& headers, Protection protection, KeySource& keys,
                          const OpenOptions& options, Try&& attempt) {
  const auto& algorithm = headers.protected_map.alg;
  if (!algorithm) return fail(reason::cose_algorithm_missing);
  KeySource::Query query{protection, *algorithm, std::nullopt};
  if (headers.kid()) query.kid = BytesView(*headers.kid());
  std::vector<KeySource::Candidate> candidates;
  keys.candidates(query, candidates);
  std::size_t tried = 0;
  for (const KeySource::Candidate& candidate : candidates) {
    const UsableKey* key = usable<UsableKey>(candidate, *algorithm);
    if (key == nullptr) continue;
    if (tried++ == options.max_candidates) break;
    Result<Secret> message = attempt(*key);
    if (message) return Opened{std::move(*message), {protection, *algorithm, headers.kid(), candidate.issuer}};
    // A message without a payload or a fitting nonce is so under every key.
    if (message.error() != reason::cose_verification_failed && message.error() != reason::cose_key_restricted) {
      return std::unexpected(message.error());
    }
  }
  return tried == 0 ? fail(reason::cwt_key_unknown) : fail(reason::cwt_verification_failed);
}

Result<Opened> open_sign1(BytesView encoded, KeySource& keys, const OpenOptions& options) {
  const auto message = ACEWARD_TRY(cose::Sign1::parse(encoded));
  return open_layer<cose::VerifyingKey>(message.headers(), Protection::signature, keys, options,
                                        [&](const cose::VerifyingKey& key) -> Result<Secret> {
                                          return Secret::copy_of(ACEWARD_TRY(message.verify(key)));
                                        });
}

Result<Opened> open_mac0(BytesView encoded, KeySource& keys, const OpenOptions& options) {
  const auto message = ACEWARD_TRY(cose::Mac0::parse(encoded));
  return open_layer<cose::MacKey>(
      message.headers(), Protection::mac, keys, options,
      [&](const cose::MacKey& key) -> Result<Secret> { return Secret::copy_of(ACEWARD_TRY(message.verify(key))); });
}

Result<Opened> open_encrypt0(BytesView encoded, KeySource& keys, const OpenOptions& options) {
  const auto message = ACEWARD_TRY(cose::Encrypt0::parse(encoded));
  return open_layer<cose::ContentKey>(
      message.headers(), Protection::encryption, keys, options,
      [&](const cose::ContentKey& key) -> Result<Secret> { return message.decrypt(key); });
}

Result<Opened> open_message(BytesView encoded, Protection protection, KeySource& keys, const OpenOptions& options) {
  switch (protection) {
    case Protection::signature: return open_sign1(encoded, keys, options);
    case Protection::mac: return open_mac0(encoded, keys, options);
    case Protection::encryption: return open_encrypt0(encoded, keys, options);
  }
  return fail(reason::cwt_malformed, "protection");
}

std::optional<Protection> protection_of(BytesView encoded) {
  const auto tag = cose::tag_of(encoded);
  if (!tag) return std::nullopt;
  switch (*tag) {
    case cose::MessageTag::sign1: return Protection::signature;
    case cose::MessageTag::mac0: return Protection::mac;
    case cose::MessageTag::encrypt0: return Protection::encryption;
  }
  return std::nullopt;
}

// What is within tag 61, or all of it; 61 must be followed by a COSE tag (RFC 8392 section 6).
Result<BytesView> without_cwt_tag(BytesView token) {
  cbor::Reader reader(token);
  if (ACEWARD_TRY(reader.peek()) != cbor::Kind::tag || ACEWARD_TRY(reader.tag()) != cwt_tag) return token;
  const BytesView inner = token.subspan(reader.position());
  if (!protection_of(inner)) return fail(reason::cwt_malformed, "no COSE tag within the CWT tag");
  return inner;
}

bool begins_with_tag(BytesView message) { return !message.empty() && (message.front() >> 5) == 6; }

}  // namespace

Result<Bytes> sign(const Claims& claims, const cose::SigningKey& key, Tagging tagging) {
  if (claims.carries_bare_secret()) return fail(reason::cwt_key_unprotected);
  const Secret payload = ACEWARD_TRY(claims.serialize());
  return sign_octets(payload.expose(), key, tagging);
}

Result<Bytes> mac(const Claims& claims, const cose::MacKey& key, Tagging tagging) {
  if (claims.carries_bare_secret()) return fail(reason::cwt_key_unprotected);
  const Secret payload = ACEWARD_TRY(claims.serialize());
  return with_cwt_tag(
      ACEWARD_TRY(cose::Mac0::create(key, headers_for(key.kid(), tagging), payload.expose(), framing(tagging))),
      tagging);
}

Result<Bytes> encrypt(const Claims& claims, const cose::ContentKey& key, Random& random, Tagging tagging) {
  const Secret plaintext = ACEWARD_TRY(claims.serialize());
  return encrypt_octets(plaintext.expose(), key, random, tagging);
}

Result<Bytes> sign_then_encrypt(const Claims& claims, const cose::SigningKey& signing, const cose::ContentKey& content,
                                Random& random, Tagging tagging) {
  const Secret payload = ACEWARD_TRY(claims.serialize());
  // The inner message is tagged whatever the context knows of the outer one (RFC 8392 section 7.1, step 5).
  // Its octets are fixed by the outer one.
  Bytes signed_octets = ACEWARD_TRY(
      cose::Sign1::create(signing, headers_for(signing.kid(), tagging), payload.expose(), framing(Tagging::cose)));
  const Secret inner(std::move(signed_octets));
  return encrypt_octets(inner.expose(), content, random, tagging);
}

bool OpenedToken::is_encrypted() const {
  for (const Layer& layer : layers_) {
    if (layer.protection == Protection::encryption) return true;
  }
  return false;
}

Result<OpenedToken> open(BytesView token, KeySource& keys, const OpenOptions& options) {
  if (token.size() > options.max_octets) return fail(reason::cwt_malformed, "too large");
  BytesView message = ACEWARD_TRY(without_cwt_tag(token));
  auto protection = protection_of(message);
  if (!protection) {
    if (begins_with_tag(message)) return fail(reason::cwt_malformed, "tag");
    if (!options.untagged) return fail(reason::cwt_malformed, "untagged");
    protection = options.untagged;
  }

  OpenedToken out;
  Secret held;  // what `message` borrows from, once a layer is off
  while (protection) {
    if (out.layers_.size() == options.max_layers) return fail(reason::cwt_nested_too_deep);
    Opened opened = ACEWARD_TRY(open_message(message, *protection, keys, options));
    out.layers_.push_back(std::move(opened.layer));
    held = std::move(opened.message);
    message = held.expose();
    protection = protection_of(message);
  }
  if (begins_with_tag(message)) return fail(reason::cwt_malformed, "tag");
  out.claims_ = ACEWARD_TRY(Claims::parse(message));
  out.claims_octets_ = std::move(held);
  out.octets_ = to_bytes(token);
  return out;
}

Result<> check_key_protected(const OpenedToken& token) {
  if (token.claims().carries_bare_secret() && !token.is_encrypted()) return fail(reason::cwt_key_unprotected);
  return {};
}

}  // namespace aceward::cwt
