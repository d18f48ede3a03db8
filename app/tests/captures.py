"""Reads captures as Wireshark would, by the pcapng format alone."""

import socket
import struct


def pcapng_blocks(path):
    """[(type, body)] of a little-endian file; checks what every block must hold."""
    octets, blocks = path.read_bytes(), []
    while octets:
        kind, length = struct.unpack_from("<II", octets)
        assert length % 4 == 0 and length >= 12 and len(octets) >= length
        assert struct.unpack_from("<I", octets, length - 4)[0] == length
        blocks.append((kind, octets[8:length - 4]))
        octets = octets[length:]
    return blocks


def ones_complement_sum(octets):
    octets += b"\0" * (len(octets) % 2)
    total = sum(struct.unpack(f">{len(octets) // 2}H", octets))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def udp_packets(blocks):
    """[(seconds, (source, port), (destination, port), payload, direction)] of the Enhanced Packet Blocks, all of IPv6."""
    packets = []
    for kind, body in blocks:
        if kind != 6:
            continue
        interface, high, low, captured, original = struct.unpack_from("<IIIII", body)
        assert interface == 0 and captured == original
        packet = body[20:20 + captured]
        options = body[20 + (captured + 3) // 4 * 4:]
        assert options[:4] == b"\x02\0\x04\0"
        assert packet[0] >> 4 == 6 and packet[6] == 17 and len(packet) == 40 + int.from_bytes(packet[4:6], "big")
        udp = packet[40:]
        assert ones_complement_sum(packet[8:40] + len(udp).to_bytes(4, "big") + b"\0\0\0\x11" + udp) == 0xFFFF
        source, destination, length = struct.unpack_from(">HHH", udp)
        assert length == len(udp)
        packets.append(((high << 32 | low) / 1e9, (socket.inet_ntop(socket.AF_INET6, packet[8:24]), source),
                        (socket.inet_ntop(socket.AF_INET6, packet[24:40]), destination), udp[8:], options[4]))
    return packets
