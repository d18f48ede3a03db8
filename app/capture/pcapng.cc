#include "app/capture/pcapng.h"

#include <algorithm>

namespace aceward::app {

namespace {

constexpr std::uint32_t section_header = 0x0a0d0d0a;
constexpr std::uint32_t interface_description = 1;
constexpr std::uint32_t enhanced_packet = 6;
constexpr std::uint32_t decryption_secrets = 10;
constexpr std::uint32_t byte_order_magic = 0x1a2b3c4d;
constexpr std::uint32_t tls_key_log = 0x544c534b;
constexpr std::uint16_t linktype_raw = 101;

constexpr std::uint16_t end_of_options = 0;
constexpr std::uint16_t shb_userappl = 4;
constexpr std::uint16_t if_tsresol = 9;
constexpr std::uint16_t epb_flags = 2;

constexpr std::uint8_t protocol_udp = 17;
constexpr std::uint8_t hop_limit = 64;
constexpr std::size_t largest_payload = 65'507;
constexpr std::size_t udp_header = 8;

class LittleEndian {
 public:
  LittleEndian& u16(std::uint16_t value) { return number(value, 2); }
  LittleEndian& u32(std::uint32_t value) { return number(value, 4); }
  LittleEndian& u64(std::uint64_t value) { return number(value, 8); }
  /// Filled up to four octets.
  LittleEndian& padded(BytesView octets) {
    bytes.insert(bytes.end(), octets.begin(), octets.end());
    bytes.resize((bytes.size() + 3) / 4 * 4);
    return *this;
  }
  LittleEndian& option(std::uint16_t code, BytesView value) {
    return u16(code).u16(static_cast<std::uint16_t>(value.size())).padded(value);
  }

  Bytes bytes;

 private:
  LittleEndian& number(std::uint64_t value, int octets) {
    for (int i = 0; i < octets; ++i) bytes.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
    return *this;
  }
};

void put_u16(Bytes& out, std::size_t value) {
  out.push_back(static_cast<std::uint8_t>(value >> 8));
  out.push_back(static_cast<std::uint8_t>(value));
}

void put_address(Bytes& out, const Address& address, bool is_v4) {
  out.insert(out.end(), address.ip.begin() + (is_v4 ? 12 : 0), address.ip.end());
}

/// The ones' complement sum of RFC 1071, not yet complemented.
std::uint32_t sum_of(BytesView octets, std::uint32_t sum = 0) {
  for (std::size_t i = 0; i < octets.size(); i += 2) {
    sum += static_cast<std::uint32_t>(octets[i]) << 8 | (i + 1 < octets.size() ? octets[i + 1] : 0U);
    sum = (sum & 0xffff) + (sum >> 16);
  }
  return sum;
}

std::uint16_t complement(std::uint32_t sum) { return static_cast<std::uint16_t>(~sum); }

/// Over the pseudo-header of RFC 768 or RFC 8200 section 8.1; 0 would mean that there is none.
std::uint16_t udp_checksum(const Address& from, const Address& to, bool is_v4, BytesView datagram) {
  Bytes pseudo;
  put_address(pseudo, from, is_v4);
  put_address(pseudo, to, is_v4);
  if (is_v4) {
    put_u16(pseudo, protocol_udp);
    put_u16(pseudo, datagram.size());
  } else {
    put_u16(pseudo, 0);
    put_u16(pseudo, datagram.size());
    put_u16(pseudo, 0);
    put_u16(pseudo, protocol_udp);
  }
  const std::uint16_t checksum = complement(sum_of(datagram, sum_of(pseudo)));
  return checksum == 0 ? 0xffff : checksum;
}

Bytes udp_datagram(const Address& from, const Address& to, bool is_v4, BytesView payload) {
  Bytes datagram;
  put_u16(datagram, from.port);
  put_u16(datagram, to.port);
  put_u16(datagram, udp_header + payload.size());
  put_u16(datagram, 0);
  datagram.insert(datagram.end(), payload.begin(), payload.end());
  const std::uint16_t checksum = udp_checksum(from, to, is_v4, datagram);
  datagram[6] = static_cast<std::uint8_t>(checksum >> 8);
  datagram[7] = static_cast<std::uint8_t>(checksum);
  return datagram;
}

Bytes ip_packet(const Address& from, const Address& to, BytesView payload) {
  const bool is_v4 = from.is_v4() && to.is_v4();
  const Bytes datagram = udp_datagram(from, to, is_v4, payload);
  Bytes packet;
  if (is_v4) {
    constexpr std::size_t header = 20;
    packet = {0x45, 0};
    put_u16(packet, header + datagram.size());
    packet.insert(packet.end(), {0, 0, 0x40, 0, hop_limit, protocol_udp, 0, 0});  // don't fragment
    put_address(packet, from, true);
    put_address(packet, to, true);
    const std::uint16_t checksum = complement(sum_of(packet));
    packet[10] = static_cast<std::uint8_t>(checksum >> 8);
    packet[11] = static_cast<std::uint8_t>(checksum);
  } else {
    packet = {0x60, 0, 0, 0};
    put_u16(packet, datagram.size());
    packet.insert(packet.end(), {protocol_udp, hop_limit});
    put_address(packet, from, false);
    put_address(packet, to, false);
  }
  packet.insert(packet.end(), datagram.begin(), datagram.end());
  return packet;
}

}  // namespace

PcapngWriter::PcapngWriter(std::string_view program, Write write) : write_(std::move(write)) {
  LittleEndian section;
  section.u32(byte_order_magic).u16(1).u16(0).u64(~std::uint64_t{0});  // version 1.0, of unknown length
  section.option(shb_userappl, as_bytes(program)).option(end_of_options, {});
  block(section_header, section.bytes);
  constexpr std::array<std::uint8_t, 1> nanoseconds{9};  // 10^-9 s
  LittleEndian interface;
  interface.u16(linktype_raw).u16(0).u32(0);  // no limit to the length
  interface.option(if_tsresol, nanoseconds).option(end_of_options, {});
  block(interface_description, interface.bytes);
}

void PcapngWriter::block(std::uint32_t type, BytesView body) {
  const auto length = static_cast<std::uint32_t>(body.size() + 12);
  LittleEndian whole;
  whole.u32(type).u32(length).padded(body).u32(length);
  write_(whole.bytes);
}

void PcapngWriter::datagram(CaptureHeading heading, const Address& from, const Address& to, BytesView payload,
                            CaptureTime time) {
  if (payload.size() > largest_payload) return;
  const Bytes packet = ip_packet(from, to, payload);
  const auto length = static_cast<std::uint32_t>(packet.size());
  const auto stamp = static_cast<std::uint64_t>(time.time_since_epoch().count());
  LittleEndian body;
  body.u32(0).u32(static_cast<std::uint32_t>(stamp >> 32)).u32(static_cast<std::uint32_t>(stamp));
  body.u32(length).u32(length).padded(packet);
  LittleEndian flags;
  flags.u32(static_cast<std::uint32_t>(heading));
  body.option(epb_flags, flags.bytes).option(end_of_options, {});
  block(enhanced_packet, body.bytes);
}

void PcapngWriter::secrets(std::string_view key_log) {
  LittleEndian body;
  body.u32(tls_key_log).u32(static_cast<std::uint32_t>(key_log.size())).padded(as_bytes(key_log));
  block(decryption_secrets, body.bytes);
}

}  // namespace aceward::app
