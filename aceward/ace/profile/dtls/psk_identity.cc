#include "aceward/ace/profile/dtls/psk_identity.h"

#include "aceward/ace/profile/dtls/reasons.h"
#include "aceward/cbor/schema.h"

namespace aceward::ace::dtls {
namespace {

constexpr std::size_t max_identity_size = 16384;
constexpr std::int64_t kty_symmetric = 4;

}  // namespace

struct KeyReference {
  std::int64_t kty = 0;
  Bytes kid;
};
struct KeyReferenceCnf {
  KeyReference cose_key;
};
struct KeyReferenceIdentity {
  KeyReferenceCnf cnf;
};

}  // namespace aceward::ace::dtls

template <>
struct aceward::cbor::Schema<aceward::ace::dtls::KeyReference> {
  using T = aceward::ace::dtls::KeyReference;
  static constexpr auto value =
      declare<T>("COSE_Key", Unknown::reject, required(1, "kty", &T::kty), required(2, "kid", &T::kid));
};
template <>
struct aceward::cbor::Schema<aceward::ace::dtls::KeyReferenceCnf> {
  using T = aceward::ace::dtls::KeyReferenceCnf;
  static constexpr auto value = declare<T>("cnf", Unknown::reject, required(1, "COSE_Key", &T::cose_key));
};
template <>
struct aceward::cbor::Schema<aceward::ace::dtls::KeyReferenceIdentity> {
  using T = aceward::ace::dtls::KeyReferenceIdentity;
  static constexpr auto value = declare<T>("psk_identity", Unknown::reject, required(8, "cnf", &T::cnf));
};

namespace aceward::ace::dtls {

Bytes serialize_kid_identity(BytesView kid) {
  return cbor::serialize(KeyReferenceIdentity{.cnf = {.cose_key = {.kty = kty_symmetric, .kid = to_bytes(kid)}}});
}

Result<std::variant<KidIdentity, TokenIdentity>> parse_psk_identity(BytesView identity) {
  const cbor::Limits limits{.max_size = max_identity_size};
  cbor::Reader reader(identity, limits);
  const auto kind = reader.peek();
  if (!kind) return fail(reason::psk_identity_malformed);
  if (*kind == cbor::Kind::map) {
    auto parsed = cbor::parse<KeyReferenceIdentity>(identity, limits);
    if (!parsed) return fail(reason::psk_identity_malformed, parsed.error().detail());
    if (parsed->cnf.cose_key.kty != kty_symmetric) return fail(reason::psk_identity_malformed, "kty");
    return KidIdentity{std::move(parsed->cnf.cose_key.kid)};
  }
  if (*kind != cbor::Kind::array && *kind != cbor::Kind::tag) return fail(reason::psk_identity_malformed);
  // A token may nest any CBOR; here only its end is looked for. What is within is for the token's own parser.
  if (!reader.skip() || !reader.finish()) return fail(reason::psk_identity_malformed);
  return TokenIdentity{to_bytes(identity)};
}

}  // namespace aceward::ace::dtls
