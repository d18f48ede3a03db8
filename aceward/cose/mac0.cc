#include "aceward/cose/mac0.h"

#include "aceward/cose/frame.h"
#include "aceward/cose/reasons.h"

namespace aceward::cose {

namespace {

// MAC_structure (RFC 9052 section 6.3).
Secret mac0_structure(BytesView protected_octets, BytesView external_aad, BytesView payload) {
  return authenticated_structure("MAC0", protected_octets, external_aad, payload);
}

Result<> check_mac(const MacKey& key, const Headers& headers, BytesView payload, BytesView tag,
                   const VerifyOptions& options) {
  if (!key.may_verify()) return fail(reason::cose_key_restricted, "key_ops");
  ACEWARD_TRY(check_algorithm(headers, key.algorithm(), options.algorithm));
  const Secret input = mac0_structure(headers.protected_octets(), options.external_aad, payload);
  if (!key.mac().verify(input.expose(), tag, key.tag_size())) return fail(reason::cose_verification_failed, "MAC");
  return {};
}

}  // namespace

Result<Mac0> Mac0::parse(BytesView encoded, const ParseOptions& options) {
  Frame frame = ACEWARD_TRY(parse_frame(encoded, MessageTag::mac0, 4, options));
  Mac0 message;
  message.headers_ = std::move(frame.headers);
  message.payload_ = std::move(frame.body);
  message.tag_ = std::move(frame.last);
  return message;
}

Result<Bytes> Mac0::create(const MacKey& key, Headers headers, BytesView payload, const CreateOptions& options) {
  if (!key.may_create()) return fail(reason::cose_key_restricted, "key_ops");
  ACEWARD_TRY(complete(headers, key.algorithm()));
  const Bytes protected_octets = protected_to_send(headers);
  Bytes tag(key.tag_size());
  key.mac().compute(mac0_structure(protected_octets, options.external_aad, payload).expose(), tag);
  return framed(MessageTag::mac0, protected_octets, headers, payload, tag, options);
}

Result<BytesView> Mac0::verify(const MacKey& key, const VerifyOptions& options) const& {
  if (!payload_) return fail(reason::cose_payload_detached, "detached");
  ACEWARD_TRY(check_mac(key, headers_, payload_->expose(), tag_, options));
  return payload_->expose();
}

Result<> Mac0::verify_detached(const MacKey& key, BytesView payload, const VerifyOptions& options) const {
  if (payload_) return fail(reason::cose_payload_detached, "not detached");
  return check_mac(key, headers_, payload, tag_, options);
}

}  // namespace aceward::cose
