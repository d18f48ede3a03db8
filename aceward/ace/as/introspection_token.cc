#include "aceward/ace/as/introspection_token.h"

#include <utility>

#include "aceward/ace/as/token_number.h"
#include "aceward/cbor/reader.h"
#include "aceward/cose/cwt/claims.h"
#include "aceward/cose/cwt/token.h"
#include "aceward/cose/encrypt0.h"
#include "aceward/cose/headers.h"

namespace aceward::ace::as {

namespace {

constexpr cbor::Limits token_limits{.max_depth = 8, .max_items = 1024, .max_size = 16384};
constexpr std::uint8_t lowest_tag_octet = 0xc0;  // major type 6; a token's number never begins so

/// The octets without tag 61.
BytesView without_cwt_tag(BytesView token) {
  cbor::Reader reader(token, token_limits);
  const auto tag = reader.tag();
  if (!tag || *tag != cwt::cwt_tag) return token;
  return token.subspan(reader.position());
}

std::optional<TokenNumber> number_in_claims(BytesView claims) {
  cbor::Reader reader(claims, token_limits);
  const auto pairs = reader.map();
  if (!pairs) return std::nullopt;
  for (std::size_t i = 0; i < *pairs; ++i) {
    const auto key = reader.skip();
    if (!key) return std::nullopt;
    if (key->size() == 1 && key->front() == cwt::claim::cti) {
      const auto cti = reader.byte_string();
      if (!cti) return std::nullopt;
      return number_in(*cti);
    }
    if (!reader.skip()) return std::nullopt;
  }
  return std::nullopt;
}

/// COSE_Sign1 = [protected : bstr, unprotected : map, payload : bstr, signature : bstr]
std::optional<TokenNumber> number_in_signed(BytesView tagged) {
  cbor::Reader reader(tagged, token_limits);
  if (!reader.tag()) return std::nullopt;
  const auto elements = reader.array();
  if (!elements || *elements != 4 || !reader.byte_string() || !reader.skip()) return std::nullopt;
  const auto payload = reader.byte_string();
  if (!payload || !reader.byte_string() || !reader.finish()) return std::nullopt;
  return number_in_claims(*payload);
}

}  // namespace

std::optional<PresentedToken> presented_token(BytesView token) {
  if (token.empty()) return std::nullopt;
  if (token.front() < lowest_tag_octet) {
    if (token.size() != opaque_token_size) return std::nullopt;
    return PresentedToken{};
  }
  const BytesView tagged = without_cwt_tag(token);
  const auto tag = cose::tag_of(tagged);
  if (tag == cose::MessageTag::sign1) return PresentedToken{PresentedToken::Kind::signed_cwt, std::nullopt};
  if (tag != cose::MessageTag::encrypt0) return std::nullopt;
  const auto parsed = cose::Encrypt0::parse(tagged);
  if (!parsed) return std::nullopt;
  PresentedToken presented{PresentedToken::Kind::encrypted_cwt, std::nullopt};
  if (const auto kid = parsed->headers().kid()) presented.kid = to_bytes(*kid);
  return presented;
}

std::optional<TokenNumber> number_in_presented(BytesView token, const PresentedToken& presented,
                                               std::span<const TokenKeyView> keys) {
  switch (presented.kind) {
    case PresentedToken::Kind::opaque: return number_in_opaque(token);
    case PresentedToken::Kind::signed_cwt: return number_in_signed(without_cwt_tag(token));
    case PresentedToken::Kind::encrypted_cwt: break;
  }
  const auto parsed = cose::Encrypt0::parse(without_cwt_tag(token));
  if (!parsed) return std::nullopt;
  std::size_t tried = 0;
  for (const TokenKeyView& candidate : keys) {
    if (candidate.key == nullptr || candidate.key->empty()) continue;
    if (presented.kid && !candidate.kid.empty() && !equal(*presented.kid, candidate.kid)) continue;
    if (tried++ == max_token_keys_tried) break;
    auto shared = cose::Key::symmetric(candidate.key->clone());
    if (!shared) continue;
    const auto content_key = cose::ContentKey::from(*shared, cose::alg::aes_ccm_16_64_128);
    if (!content_key) continue;
    const auto claims = parsed->decrypt(*content_key);
    if (!claims) continue;
    // One for several servers is signed within (RFC 8392 section 8).
    const BytesView inner = without_cwt_tag(claims->expose());
    return cose::tag_of(inner) == cose::MessageTag::sign1 ? number_in_signed(inner) : number_in_claims(inner);
  }
  return std::nullopt;
}

}  // namespace aceward::ace::as
