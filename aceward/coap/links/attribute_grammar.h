// The grammar of the attributes of a link (RFC 6690 section 2), used in this folder only.
#pragma once

#include <string_view>

#include "aceward/base/result.h"
#include "aceward/coap/links/link.h"
#include "aceward/coap/links/reasons.h"

namespace aceward::coap::links {

bool is_control(char c);
/// 1*ptokenchar
bool is_ptoken(std::string_view text);
/// "0" / ( %x31-39 *DIGIT )
bool is_cardinal(std::string_view text);
/// parmname (RFC 5987 section 3.2.1): 1*attr-char
bool is_parmname(std::string_view text);
/// `1*8ALPHA *("-" 1*8alphanum)`, which every Language-Tag of RFC 5646 is.
bool is_language_tag(std::string_view text);
/// Whether a link may have it only once.
bool is_single(std::string_view name);

/// The form that a known attribute must have, and that of the extensions. Errors: `link_attribute_malformed`.
Result<void> check_attribute(const Attribute& attribute);

}  // namespace aceward::coap::links
