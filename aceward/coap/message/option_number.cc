#include "aceward/coap/message/option_number.h"

#include <algorithm>
#include <iterator>

namespace aceward::coap {

namespace {

using enum OptionFormat;

// RFC 7252 table 4, then what others added; sorted by number. A Proxy-Uri goes up to 1034 octets. Lengths of uint
// options are those of their documents: Block1 and Block2 RFC 7959 section 2.1, Observe RFC 7641 section 2, Q-Block
// RFC 9177 section 4.1, Hop-Limit RFC 8768 section 3, No-Response RFC 7967 section 2, Echo and Request-Tag RFC 9175
// sections 2.2.1 and 3.2.1, OSCORE RFC 8613 section 2, EDHOC RFC 9668 section 3.1.
constexpr OptionDefinition definitions[] = {
    {option::if_match, "If-Match", opaque, true, 0, 8},
    {option::uri_host, "Uri-Host", string, false, 1, 255},
    {option::etag, "ETag", opaque, true, 1, 8},
    {option::if_none_match, "If-None-Match", OptionFormat::empty, false, 0, 0},
    {option::observe, "Observe", uint, false, 0, 3},
    {option::uri_port, "Uri-Port", uint, false, 0, 2},
    {option::location_path, "Location-Path", string, true, 0, 255},
    {option::oscore, "OSCORE", opaque, false, 0, 255},
    {option::uri_path, "Uri-Path", string, true, 0, 255},
    {option::content_format, "Content-Format", uint, false, 0, 2},
    {option::max_age, "Max-Age", uint, false, 0, 4},
    {option::uri_query, "Uri-Query", string, true, 0, 255},
    {option::hop_limit, "Hop-Limit", uint, false, 1, 1},
    {option::accept, "Accept", uint, false, 0, 2},
    {option::q_block1, "Q-Block1", uint, false, 0, 3},
    {option::location_query, "Location-Query", string, true, 0, 255},
    {option::edhoc, "EDHOC", OptionFormat::empty, false, 0, 0},
    {option::block2, "Block2", uint, false, 0, 3},
    {option::block1, "Block1", uint, false, 0, 3},
    {option::size2, "Size2", uint, false, 0, 4},
    {option::q_block2, "Q-Block2", uint, true, 0, 3},
    {option::proxy_uri, "Proxy-Uri", string, false, 1, 1034},
    {option::proxy_scheme, "Proxy-Scheme", string, false, 1, 255},
    {option::size1, "Size1", uint, false, 0, 4},
    {option::echo, "Echo", opaque, false, 1, 40},
    {option::no_response, "No-Response", uint, false, 0, 1},
    {option::request_tag, "Request-Tag", opaque, true, 0, 8},
};

}  // namespace

const OptionDefinition* find_definition(OptionNumber number) {
  const auto* found = std::ranges::lower_bound(definitions, number, {}, &OptionDefinition::number);
  return found != std::end(definitions) && found->number == number ? found : nullptr;
}

std::string to_string(OptionNumber number) {
  if (const auto* definition = find_definition(number)) return std::string(definition->name);
  return "Option " + std::to_string(number.value);
}

}  // namespace aceward::coap
