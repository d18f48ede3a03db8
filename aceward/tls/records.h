// The outside of DTLS: records of a datagram, and the ClientHello that a server sees before it keeps any state.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "aceward/base/bytes.h"

namespace aceward::tls {

/// RFC 6347 section 4.1. `octets` is the whole record with its header of 13 octets, borrowed from the datagram.
struct Record {
  std::uint8_t content_type = 0;
  std::uint16_t epoch = 0;
  BytesView octets;
};

/// The next record of `rest`, which is shortened by it; nullopt when nothing whole and sound is left, and what is left
/// is to be dropped (RFC 6347 section 4.1.2.7). Content types other than 20 to 23 and versions other than DTLS 1.x are
/// not sound.
std::optional<Record> next_record(BytesView& rest);

/// What of a ClientHello (RFC 6347 section 4.2.1, RFC 5246 section 7.4.1.2) matters before the cookie came back.
struct ClientHello {
  std::array<std::uint8_t, 32> random{};
  BytesView cookie;
  BytesView session_ticket;  ///< of the extension (RFC 5077 section 3.2); empty: none
  /// Version, random, session id and cipher suites: the parameters that a cookie is bound to besides the address.
  Bytes parameters;
};

/// Whether a record of epoch 0 begins with the handshake message ClientHello.
bool is_client_hello(const Record& record);

/// A ClientHello that is alone and whole in its record; one that is fragmented is not taken (a client's first flight
/// fits any path, and keeping fragments would be state before the cookie).
std::optional<ClientHello> parse_client_hello(const Record& record);

}  // namespace aceward::tls
