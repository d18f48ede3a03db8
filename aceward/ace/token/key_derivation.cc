#include "aceward/ace/token/key_derivation.h"

#include <string_view>

#include "aceward/ace/token/reasons.h"
#include "aceward/cbor/writer.h"
#include "aceward/crypto/hkdf.h"

namespace aceward::ace {
namespace {

constexpr std::string_view derivation_type = "ACE-CoAP-DTLS-key-derivation";
// Apart from every info of a derivation proper, which begins with an array.
constexpr std::string_view identifier_info = "Aceward key derivation key identifier";

}  // namespace

Result<Secret> derive_pop_key(const Secret& key_derivation_key, BytesView access_token, std::size_t octets) {
  if (key_derivation_key.size() < min_derivation_key_octets) return fail(reason::derivation_key_too_short);
  cbor::Writer info;
  info.array(3).text_string(derivation_type).unsigned_integer(octets).byte_string(access_token);
  return crypto::hkdf(crypto::HashAlgorithm::sha256, {}, key_derivation_key.expose(), info.view(), octets);
}

Bytes derivation_key_id(const Secret& key_derivation_key) {
  const auto id = crypto::hkdf(crypto::HashAlgorithm::sha256, {}, key_derivation_key.expose(),
                               as_bytes(identifier_info), derivation_key_id_octets);
  return id ? to_bytes(id->expose()) : Bytes();
}

}  // namespace aceward::ace
