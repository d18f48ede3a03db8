#include "aceward/cose/encrypt0.h"

#include <array>

#include "aceward/cbor/writer.h"
#include "aceward/cose/frame.h"
#include "aceward/cose/reasons.h"

namespace aceward::cose {

namespace {

// IV, or Partial IV left-padded and XORed with the context's IV (RFC 9052 section 3.1).
Result<Bytes> nonce_of(const Headers& headers, std::size_t size, BytesView context_iv) {
  if (const auto& iv = headers.iv()) {
    if (iv->size() != size) return fail(reason::cose_nonce_invalid, "IV");
    return *iv;
  }
  const auto& partial = headers.partial_iv();
  if (!partial) return fail(reason::cose_nonce_invalid, "no IV");
  if (partial->empty() || partial->size() > size || context_iv.size() != size) {
    return fail(reason::cose_nonce_invalid, "Partial IV");
  }
  Bytes nonce = to_bytes(context_iv);
  for (std::size_t i = 0; i < partial->size(); ++i) nonce[size - partial->size() + i] ^= (*partial)[i];
  return nonce;
}

}  // namespace

Bytes encrypt0_structure(BytesView protected_octets, BytesView external_aad) {
  cbor::Writer out;
  out.array(3).text_string("Encrypt0").byte_string(protected_octets).byte_string(external_aad);
  return out.take();
}

Result<Encrypt0> Encrypt0::parse(BytesView encoded, const ParseOptions& options) {
  Frame frame = ACEWARD_TRY(parse_frame(encoded, MessageTag::encrypt0, 3, options));
  Encrypt0 message;
  message.headers_ = std::move(frame.headers);
  message.ciphertext_ = std::move(frame.body);
  return message;
}

Result<Bytes> Encrypt0::create(const ContentKey& key, Headers headers, BytesView plaintext,
                               const CreateOptions& options, Bytes* detached_ciphertext) {
  if (!key.may_encrypt()) return fail(reason::cose_key_restricted, "key_ops");
  ACEWARD_TRY(complete(headers, key.algorithm()));
  const auto& iv = headers.iv();
  if (!iv || iv->size() != key.aead().sizes().nonce) return fail(reason::cose_nonce_invalid, "IV");
  if (options.detached && detached_ciphertext == nullptr)
    return fail(reason::cose_payload_detached, "nowhere to write");
  const Bytes protected_octets = protected_to_send(headers);
  Bytes ciphertext =
      ACEWARD_TRY(key.aead().seal(*iv, encrypt0_structure(protected_octets, options.external_aad), plaintext));
  Bytes encoded = framed(MessageTag::encrypt0, protected_octets, headers, ciphertext, std::nullopt, options);
  if (options.detached) *detached_ciphertext = std::move(ciphertext);
  return encoded;
}

Result<Secret> Encrypt0::decrypt(const ContentKey& key, const VerifyOptions& options, BytesView context_iv) const {
  if (!ciphertext_) return fail(reason::cose_payload_detached, "detached");
  return decrypt_octets(key, ciphertext_->expose(), options, context_iv);
}

Result<Secret> Encrypt0::decrypt_detached(const ContentKey& key, BytesView ciphertext, const VerifyOptions& options,
                                          BytesView context_iv) const {
  if (ciphertext_) return fail(reason::cose_payload_detached, "not detached");
  return decrypt_octets(key, ciphertext, options, context_iv);
}

Result<Secret> Encrypt0::decrypt_octets(const ContentKey& key, BytesView ciphertext, const VerifyOptions& options,
                                        BytesView context_iv) const {
  if (!key.may_decrypt()) return fail(reason::cose_key_restricted, "key_ops");
  ACEWARD_TRY(check_algorithm(headers_, key.algorithm(), options.algorithm));
  const Bytes nonce = ACEWARD_TRY(nonce_of(headers_, key.aead().sizes().nonce, context_iv));
  auto plaintext =
      key.aead().open(nonce, encrypt0_structure(headers_.protected_octets(), options.external_aad), ciphertext);
  if (!plaintext) return fail(reason::cose_verification_failed, "ciphertext");
  return Secret(std::move(*plaintext));
}

}  // namespace aceward::cose
