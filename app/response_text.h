// A CoAP response as the commands print it.
#pragma once

#include <string>

#include "aceward/coap/layer.h"
#include "app/console.h"

namespace aceward::app {

/// Code and options, a line each.
std::string headers_of(const coap::Response& response);

/// Text and numbers of other formats, of CBOR formats diagnostic notation, with names where it is an ACE message;
/// control characters are escaped. One line feed at the end unless it is empty.
std::string shown_payload(const coap::Response& response);

/// To standard output: shown_payload to a terminal and of CBOR formats, else octet by octet.
void print_payload(const coap::Response& response, const Console& console);

/// `"code":…,"name":…,` and so on, without the braces, as docs/command-line.md lists the members.
std::string response_members(const coap::Response& response);

/// What an error response says about why, indented, for standard error: problem details (RFC 9290), a diagnostic, or
/// the payload in its format; "" if it says nothing.
std::string why_text(const coap::Response& response);

}  // namespace aceward::app
