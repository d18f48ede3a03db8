// Why coap/links/ refuses.
#pragma once

#include "aceward/base/result.h"

namespace aceward::reason {

inline constexpr Reason link_malformed{
    "link_malformed", ErrorClass::malformed, "the text is not a list of links",
    "write <target>;name=value;name=\"quoted value\", with commas between the links"};
inline constexpr Reason link_attribute_malformed{"link_attribute_malformed", ErrorClass::malformed,
                                                 "an attribute of a link has a value that it may not have",
                                                 "compare the attribute with the grammar of RFC 6690 section 2"};
inline constexpr Reason link_attribute_repeated{"link_attribute_repeated", ErrorClass::malformed,
                                                "a link has an attribute twice that it may have once",
                                                "put several values into one, separated by spaces"};
inline constexpr Reason link_too_large{"link_too_large", ErrorClass::unsupported,
                                       "the list of links has more octets than are accepted",
                                       "ask for fewer links with a filter, or raise the limit"};
inline constexpr Reason link_too_many{"link_too_many", ErrorClass::unsupported,
                                      "the list has more links, or a link more attributes, than are accepted",
                                      "ask for fewer links with a filter, or raise the limit"};
inline constexpr Reason link_filter_malformed{"link_filter_malformed", ErrorClass::malformed,
                                              "the query is no filter on links", "write name=value or name=prefix*"};
inline constexpr Reason uri_reference_malformed{"uri_reference_malformed", ErrorClass::malformed,
                                                "the text is not a URI reference, or lacks the part that is needed",
                                                "percent-encode what RFC 3986 does not allow at its place"};

}  // namespace aceward::reason
