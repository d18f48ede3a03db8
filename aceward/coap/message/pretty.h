// One message as text, in the manner of the figures of RFC 7252.
#pragma once

#include <string>
#include <vector>

#include "aceward/coap/message/message.h"

namespace aceward::coap {

/// One line: what it says, and its value.
struct PrettyLine {
  std::string label;  ///< `CON [MID=0x7d34]`, `Token`, `Content-Format`
  std::string value;  ///< `2.05 Content`, `4a`, `19 (application/ace+cbor)`
};

/// The header line first (its label `CON [MID=0x7d34]`, its value the code), then the token unless it is empty, then
/// one line an option. Text values are quoted and escaped, so that no octet of a stranger reaches a terminal raw. The
/// payload is left to the caller.
std::vector<PrettyLine> pretty_lines(const Message& message);

/// The lines joined on one: `CON [MID=0x1234] 2.05 Content  Token: 4a  Content-Format: 19 (application/ace+cbor)`.
std::string pretty(const Message& message);

/// In double quotes, with everything that is not printable ASCII escaped: what a stranger wrote, safe for a terminal.
std::string quoted(BytesView octets);

/// The value of one option as pretty_lines shows it.
std::string pretty_value(const OptionView& option);

}  // namespace aceward::coap
