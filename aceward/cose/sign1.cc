#include "aceward/cose/sign1.h"

#include "aceward/cose/frame.h"
#include "aceward/cose/reasons.h"

namespace aceward::cose {

Secret signature1_structure(BytesView protected_octets, BytesView external_aad, BytesView payload) {
  return authenticated_structure("Signature1", protected_octets, external_aad, payload);
}

Result<Sign1> Sign1::parse(BytesView encoded, const ParseOptions& options) {
  Frame frame = ACEWARD_TRY(parse_frame(encoded, MessageTag::sign1, 4, options));
  Sign1 message;
  message.headers_ = std::move(frame.headers);
  message.payload_ = std::move(frame.body);
  message.signature_ = std::move(frame.last);
  return message;
}

Result<Bytes> Sign1::create(const SigningKey& key, Headers headers, BytesView payload, const CreateOptions& options) {
  ACEWARD_TRY(complete(headers, key.algorithm()));
  const Bytes protected_octets = protected_to_send(headers);
  const Secret to_sign = signature1_structure(protected_octets, options.external_aad, payload);
  const Bytes signature = ACEWARD_TRY(key.signer().sign(to_sign.expose()));
  return framed(MessageTag::sign1, protected_octets, headers, payload, signature, options);
}

Result<BytesView> Sign1::verify(const VerifyingKey& key, const VerifyOptions& options) const& {
  if (!payload_) return fail(reason::cose_payload_detached, "detached");
  ACEWARD_TRY(check_signature(key, payload_->expose(), options));
  return payload_->expose();
}

Result<> Sign1::verify_detached(const VerifyingKey& key, BytesView payload, const VerifyOptions& options) const {
  if (payload_) return fail(reason::cose_payload_detached, "not detached");
  return check_signature(key, payload, options);
}

Result<> Sign1::check_signature(const VerifyingKey& key, BytesView payload, const VerifyOptions& options) const {
  ACEWARD_TRY(check_algorithm(headers_, key.algorithm(), options.algorithm));
  const Secret signed_octets = signature1_structure(headers_.protected_octets(), options.external_aad, payload);
  if (!key.verifier().verify(signed_octets.expose(), signature_)) {
    return fail(reason::cose_verification_failed, "signature");
  }
  return {};
}

}  // namespace aceward::cose
