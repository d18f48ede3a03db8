// A CoAP payload as text for people: diagnostic notation with names where it is CBOR.
#pragma once

#include <string>

#include "aceward/coap/message/message.h"

namespace aceward::app {

/// The lines of the payload, joined by line feeds, without one at the end; "" for an empty payload. Which ACE message
/// it is follows from Content-Format and code. Holds no secret; a stranger's octets never reach the terminal raw.
std::string payload_text(const coap::Message& message);

}  // namespace aceward::app
