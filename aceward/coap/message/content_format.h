// CoAP Content-Formats, open registry.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "aceward/base/strong.h"

namespace aceward::coap {

/// A Content-Format number, as in the options Content-Format and Accept (RFC 7252 section 12.3). Open.
using ContentFormat = Strong<struct ContentFormatTag, std::uint16_t>;

/// `application/ace+cbor`; empty for a number that has no name here. Static storage.
std::string_view name_of(ContentFormat format);
/// `19 (application/ace+cbor)`, or the number alone.
std::string to_string(ContentFormat format);

namespace content_format {
inline constexpr ContentFormat text_plain{0};
inline constexpr ContentFormat cose_encrypt0{16};
inline constexpr ContentFormat cose_mac0{17};
inline constexpr ContentFormat cose_sign1{18};
inline constexpr ContentFormat ace_cbor{19};
inline constexpr ContentFormat link_format{40};
inline constexpr ContentFormat octet_stream{42};
inline constexpr ContentFormat json{50};
inline constexpr ContentFormat cbor{60};
inline constexpr ContentFormat cwt{61};
inline constexpr ContentFormat multipart_core{62};
inline constexpr ContentFormat cbor_seq{63};
inline constexpr ContentFormat edhoc_cbor_seq{64};
inline constexpr ContentFormat cid_edhoc_cbor_seq{65};
inline constexpr ContentFormat cose_encrypt{96};
inline constexpr ContentFormat cose_mac{97};
inline constexpr ContentFormat cose_sign{98};
inline constexpr ContentFormat cose_key{101};
inline constexpr ContentFormat cose_key_set{102};
inline constexpr ContentFormat concise_problem_details_cbor{257};
inline constexpr ContentFormat ace_groupcomm_cbor{261};
inline constexpr ContentFormat ace_trl_cbor{262};
inline constexpr ContentFormat missing_blocks_cbor_seq{272};
inline constexpr ContentFormat pkcs7_server_generated_key{280};
inline constexpr ContentFormat pkcs7_certs_only{281};
inline constexpr ContentFormat pkcs8{284};
inline constexpr ContentFormat csrattrs{285};
inline constexpr ContentFormat pkcs10{286};
inline constexpr ContentFormat pkix_cert{287};
inline constexpr ContentFormat aif_cbor{290};
inline constexpr ContentFormat aif_json{291};
inline constexpr ContentFormat aif_oscore_gname_cbor{297};
inline constexpr ContentFormat aif_oscore_gname_json{298};
inline constexpr ContentFormat oscore{10001};
}  // namespace content_format

}  // namespace aceward::coap
