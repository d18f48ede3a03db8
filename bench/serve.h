// The servers that are measured, each the whole of a process.
#pragma once

#include <cstddef>
#include <string_view>

namespace aceward::bench {

/// What the servers' one resource, /temp, holds.
inline constexpr std::string_view served_payload = "22.3 C";
/// The pre-shared key of the DTLS servers, and who the clients say they are.
inline constexpr std::string_view served_psk = "0123456789abcdef";
inline constexpr std::string_view served_identity = "load";

/// `plain`: CoAP. `secure`: the same through DTLS with a pre-shared key. `echo`: no CoAP at all, see bare_echo. Each
/// takes a free port of 127.0.0.1, prints it on a line, and runs until SIGTERM. SIGHUP makes the first two print how
/// many requests they answered and how often they allocated so far.
int serve(std::string_view what);

/// Sends back each datagram with the first octets of an acknowledged answer: what the system calls alone cost. Reads
/// and writes as many datagrams at once as ours.
int bare_echo();

}  // namespace aceward::bench
