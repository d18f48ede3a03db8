// Packet captures that Wireshark reads: the pcapng file format (draft-ietf-opsawg-pcapng).
#pragma once

#include <chrono>
#include <functional>
#include <string_view>

#include "aceward/base/address.h"
#include "aceward/base/bytes.h"

namespace aceward::app {

/// Since 1970, UTC.
using CaptureTime = std::chrono::sys_time<std::chrono::nanoseconds>;

enum class CaptureHeading : std::uint8_t { in = 1, out = 2 };  ///< the direction bits of epb_flags

/// Makes the blocks of one section with one interface of raw IP packets (LINKTYPE_RAW). The IP and UDP headers are made
/// up around each datagram, with right lengths and checksums. Little-endian; not thread-safe.
class PcapngWriter {
 public:
  /// Gets one whole block at a time.
  using Write = std::function<void(BytesView block)>;

  /// Writes the Section Header and the Interface Description.
  PcapngWriter(std::string_view program, Write write);

  /// An Enhanced Packet Block. Of two addresses of different families both are written as IPv6. A payload beyond what
  /// UDP carries (65,507 octets) is left out.
  void datagram(CaptureHeading heading, const Address& from, const Address& to, BytesView payload, CaptureTime time);
  /// A Decryption Secrets Block with a TLS key log. It should stand before the packets that it opens.
  void secrets(std::string_view key_log);

 private:
  void block(std::uint32_t type, BytesView body);

  Write write_;
};

}  // namespace aceward::app
