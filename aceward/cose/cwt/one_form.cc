#include "aceward/cose/cwt/one_form.h"

#include <algorithm>
#include <array>
#include <span>

#include "aceward/cbor/reader.h"
#include "aceward/cose/cwt/reasons.h"
#include "aceward/cose/cwt/token.h"
#include "aceward/cose/headers.h"

namespace aceward::cwt {

namespace {

constexpr std::size_t s_size = 32;
constexpr std::size_t es256_signature_size = 64;

/// n of P-256 (SEC 2 section 2.4.2), and half of it, rounded down.
constexpr std::array<std::uint8_t, s_size> order{0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff,
                                                 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17,
                                                 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};
constexpr std::array<std::uint8_t, s_size> half_order{0x7f, 0xff, 0xff, 0xff, 0x80, 0x00, 0x00, 0x00, 0x7f, 0xff, 0xff,
                                                      0xff, 0xff, 0xff, 0xff, 0xff, 0xde, 0x73, 0x7d, 0x56, 0xd3, 0x8b,
                                                      0xcf, 0x42, 0x79, 0xdc, 0xe5, 0x61, 0x7e, 0x31, 0x92, 0xa8};

/// Signatures are public: no need for constant time.
bool is_high(BytesView s) { return std::ranges::lexicographical_compare(half_order, s); }

Result<> check_signature_form(BytesView protected_octets, BytesView signature) {
  const auto headers = cose::HeaderMap::parse(protected_octets);
  if (!headers || !headers->alg) return fail(reason::cwt_alterable, "alg");
  if (*headers->alg == cose::alg::eddsa) return {};
  if (*headers->alg != cose::alg::es256 || signature.size() != es256_signature_size)
    return fail(reason::cwt_alterable, "alg");
  if (is_high(signature.last(s_size))) return fail(reason::cwt_alterable, "signature");
  return {};
}

Result<> check_message_form(cbor::Reader& reader) {
  const auto tag = ACEWARD_TRY(reader.tag());
  if (tag != cwt_tag) return fail(reason::cwt_alterable, "CWT tag");
  const auto kind = static_cast<cose::MessageTag>(ACEWARD_TRY(reader.tag()));
  const std::size_t elements = ACEWARD_TRY(reader.array());
  const std::size_t expected = kind == cose::MessageTag::encrypt0 ? 3 : 4;
  const bool is_known =
      kind == cose::MessageTag::encrypt0 || kind == cose::MessageTag::mac0 || kind == cose::MessageTag::sign1;
  if (!is_known || elements != expected) return fail(reason::cwt_alterable, "COSE tag");
  const BytesView protected_octets = ACEWARD_TRY(reader.byte_string());
  if (ACEWARD_TRY(reader.map()) != 0) return fail(reason::cwt_alterable, "unprotected header");
  ACEWARD_TRY(reader.byte_string());
  if (expected == 3) return reader.finish();
  const BytesView last = ACEWARD_TRY(reader.byte_string());
  ACEWARD_TRY(reader.finish());
  if (kind == cose::MessageTag::sign1) return check_signature_form(protected_octets, last);
  return {};
}

}  // namespace

Result<> check_one_form(BytesView token) {
  // The reader takes preferred serialization alone, so each head has one form.
  cbor::Reader reader(token);
  const auto checked = check_message_form(reader);
  if (checked || checked.error() == reason::cwt_alterable) return checked;
  return fail(reason::cwt_alterable, "encoding");
}

void make_s_low(Bytes& message) {
  if (message.size() < es256_signature_size) return;
  const auto s = std::span(message).last(s_size);
  if (!is_high(s)) return;
  int borrow = 0;
  for (std::size_t i = s_size; i-- > 0;) {
    const int difference = order[i] - s[i] - borrow;
    borrow = difference < 0 ? 1 : 0;
    s[i] = static_cast<std::uint8_t>(difference & 0xff);
  }
}

}  // namespace aceward::cwt
