#include "aceward/cose/sign1.h"

#include "aceward/cose/frame.h"
#include "aceward/cose/reasons.h"

namespace aceward::cose {

Bytes signature1_structure(BytesView protected_octets, BytesView external_aad, BytesView payload) {
  cbor::Writer out;
  out.array(4).text_string("Signature1").byte_string(protected_octets).byte_string(external_aad).byte_string(payload);
  return out.take();
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
  const Bytes signature =
      ACEWARD_TRY(key.signer().sign(signature1_structure(protected_octets, options.external_aad, payload)));
  cbor::Writer out;
  write_frame(out, MessageTag::sign1, 4, protected_octets, headers, payload, options);
  out.byte_string(signature);
  return out.take();
}

Result<BytesView> Sign1::verify(const VerifyingKey& key, const VerifyOptions& options) const& {
  if (!payload_) return fail(reason::cose_payload_detached, "detached");
  ACEWARD_TRY(check_algorithm(headers_, key.algorithm(), options.algorithm));
  const Bytes signed_octets = signature1_structure(headers_.protected_octets(), options.external_aad, *payload_);
  if (!key.verifier().verify(signed_octets, signature_)) return fail(reason::cose_verification_failed, "signature");
  return BytesView(*payload_);
}

Result<> Sign1::verify_detached(const VerifyingKey& key, BytesView payload, const VerifyOptions& options) const {
  if (payload_) return fail(reason::cose_payload_detached, "not detached");
  ACEWARD_TRY(check_algorithm(headers_, key.algorithm(), options.algorithm));
  const Bytes signed_octets = signature1_structure(headers_.protected_octets(), options.external_aad, payload);
  if (!key.verifier().verify(signed_octets, signature_)) return fail(reason::cose_verification_failed, "signature");
  return {};
}

}  // namespace aceward::cose
