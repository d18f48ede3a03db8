#include "app/capture/pcapng.h"

#include <gtest/gtest.h>

#include <vector>

namespace aceward::app {
namespace {

using Blocks = std::vector<Bytes>;

std::uint32_t u32_at(BytesView octets, std::size_t at) {
  return octets[at] | octets[at + 1] << 8 | octets[at + 2] << 16 | static_cast<std::uint32_t>(octets[at + 3]) << 24;
}

PcapngWriter writer_into(Blocks& blocks) {
  return {"a", [&blocks](BytesView block) { blocks.push_back(to_bytes(block)); }};
}

/// The packet within an Enhanced Packet Block.
BytesView packet_in(const Bytes& block) { return BytesView(block).subspan(28, u32_at(block, 20)); }

std::uint16_t folded_sum(BytesView octets, std::uint32_t sum = 0) {
  for (std::size_t i = 0; i < octets.size(); i += 2) {
    sum += static_cast<std::uint32_t>(octets[i] << 8) + (i + 1 < octets.size() ? octets[i + 1] : 0U);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(sum);
}

TEST(Pcapng, BeginsWithASectionAndOneInterfaceOfRawPackets) {
  Blocks blocks;
  writer_into(blocks);
  ASSERT_EQ(blocks.size(), 2U);
  EXPECT_EQ(to_hex(blocks[0]),
            "0a0d0d0a"
            "28000000"
            "4d3c2b1a"
            "01000000"
            "ffffffffffffffff"
            "0400010061000000"
            "00000000"
            "28000000");
  EXPECT_EQ(to_hex(blocks[1]),
            "01000000"
            "20000000"
            "65000000"
            "00000000"
            "0900010009000000"
            "00000000"
            "20000000");
}

TEST(Pcapng, EveryBlockSaysItsLengthTwiceAndFillsFourOctets) {
  Blocks blocks;
  PcapngWriter writer = writer_into(blocks);
  for (std::size_t size = 0; size < 9; ++size) {
    writer.datagram(CaptureHeading::in, Address::v4(192, 0, 2, 1, 1), Address::v4(192, 0, 2, 2, 2), Bytes(size, 0x55),
                    CaptureTime{});
    writer.secrets(std::string(size, 'x'));
  }
  for (const Bytes& block : blocks) {
    ASSERT_EQ(block.size() % 4, 0U);
    EXPECT_EQ(u32_at(block, 4), block.size());
    EXPECT_EQ(u32_at(block, block.size() - 4), block.size());
  }
}

TEST(Pcapng, AnIpv4DatagramHasTheChecksumsOfTheStandards) {
  Blocks blocks;
  PcapngWriter writer = writer_into(blocks);
  const CaptureTime time{std::chrono::nanoseconds(0x0123456789abcdef)};
  writer.datagram(CaptureHeading::out, Address::v4(192, 0, 2, 1, 40000), Address::v4(198, 51, 100, 7, 5683),
                  from_hex("40010001ff").value(), time);
  const Bytes& block = blocks.back();
  EXPECT_EQ(u32_at(block, 0), 6U);
  EXPECT_EQ(u32_at(block, 12), 0x01234567U);
  EXPECT_EQ(u32_at(block, 16), 0x89abcdefU);
  EXPECT_EQ(u32_at(block, 20), u32_at(block, 24));
  EXPECT_EQ(to_hex(BytesView(block).subspan(block.size() - 16)),
            "02000400"
            "02000000"
            "00000000"
            "50000000");
  const BytesView packet = packet_in(block);
  ASSERT_EQ(packet.size(), 33U);
  EXPECT_EQ(to_hex(packet.first(10)), "45000021000040004011");
  EXPECT_EQ(to_hex(packet.subspan(12, 14)),
            "c0000201c6336407"
            "9c401633000d");
  // Summed up together with their checksums, header and datagram give all ones.
  EXPECT_EQ(folded_sum(packet.first(20)), 0xffff);
  EXPECT_EQ(folded_sum(packet.subspan(20), 0xc000 + 0x0201 + 0xc633 + 0x6407 + 17 + 13), 0xffff);
  EXPECT_EQ(to_hex(packet.subspan(28)), "40010001ff");
}

TEST(Pcapng, AnIpv6DatagramHasNoHeaderChecksumButOneOverThePseudoHeader) {
  Blocks blocks;
  PcapngWriter writer = writer_into(blocks);
  writer.datagram(CaptureHeading::in, Address::parse("[2001:db8::1]:5684").value(),
                  Address::parse("[2001:db8::2]:61616").value(), as_bytes("odd"), CaptureTime{});
  const BytesView packet = packet_in(blocks.back());
  ASSERT_EQ(packet.size(), 51U);
  EXPECT_EQ(to_hex(packet.first(8)), "60000000000b1140");
  EXPECT_EQ(to_hex(packet.subspan(8, 16)), "20010db8000000000000000000000001");
  EXPECT_EQ(to_hex(packet.subspan(40, 6)), "1634f0b0000b");
  EXPECT_EQ(folded_sum(packet.subspan(40), folded_sum(packet.subspan(8, 32)) + 17U + 11U), 0xffff);
}

TEST(Pcapng, OneAddressOfIpv4AloneIsWrittenAsIpv6) {
  Blocks blocks;
  PcapngWriter writer = writer_into(blocks);
  writer.datagram(CaptureHeading::out, Address{}, Address::v4(192, 0, 2, 1, 5683), {}, CaptureTime{});
  EXPECT_EQ(to_hex(packet_in(blocks.back()).subspan(24, 16)), "00000000000000000000ffffc0000201");
}

TEST(Pcapng, APayloadThatUdpCannotCarryIsLeftOut) {
  Blocks blocks;
  PcapngWriter writer = writer_into(blocks);
  writer.datagram(CaptureHeading::out, Address{}, Address{}, Bytes(65'507), CaptureTime{});
  EXPECT_EQ(blocks.size(), 3U);
  writer.datagram(CaptureHeading::out, Address{}, Address{}, Bytes(65'508), CaptureTime{});
  EXPECT_EQ(blocks.size(), 3U);
}

TEST(Pcapng, SecretsAreATlsKeyLog) {
  Blocks blocks;
  writer_into(blocks).secrets("CLIENT_RANDOM 00 11\n");
  EXPECT_EQ(to_hex(BytesView(blocks.back()).first(20)),
            "0a000000"
            "28000000"
            "4b534c54"
            "14000000"
            "434c4945");
}

}  // namespace
}  // namespace aceward::app
