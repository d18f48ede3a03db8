#include "aceward/cose/mac0.h"

#include "aceward/cose/frame.h"
#include "aceward/cose/reasons.h"

namespace aceward::cose {

namespace {

// MAC_structure (RFC 9052 section 6.3).
Bytes mac0_structure(BytesView protected_octets, BytesView external_aad, BytesView payload) {
  cbor::Writer out;
  out.array(4).text_string("MAC0").byte_string(protected_octets).byte_string(external_aad).byte_string(payload);
  return out.take();
}

Result<> check_mac(const MacKey& key, const Headers& headers, BytesView payload, BytesView tag,
                   const VerifyOptions& options) {
  if (!key.may_verify()) return fail(reason::cose_key_restricted, "key_ops");
  ACEWARD_TRY(check_algorithm(headers, key.algorithm(), options.algorithm));
  const Bytes input = mac0_structure(headers.protected_octets(), options.external_aad, payload);
  if (!key.mac().verify(input, tag, key.tag_size())) return fail(reason::cose_verification_failed, "MAC");
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
  key.mac().compute(mac0_structure(protected_octets, options.external_aad, payload), tag);
  cbor::Writer out;
  write_frame(out, MessageTag::mac0, 4, protected_octets, headers, payload, options);
  out.byte_string(tag);
  return out.take();
}

Result<BytesView> Mac0::verify(const MacKey& key, const VerifyOptions& options) const& {
  if (!payload_) return fail(reason::cose_payload_detached, "detached");
  ACEWARD_TRY(check_mac(key, headers_, *payload_, tag_, options));
  return BytesView(*payload_);
}

Result<> Mac0::verify_detached(const MacKey& key, BytesView payload, const VerifyOptions& options) const {
  if (payload_) return fail(reason::cose_payload_detached, "not detached");
  return check_mac(key, headers_, payload, tag_, options);
}

}  // namespace aceward::cose
