#include "aceward/tls/records.h"

#include <gtest/gtest.h>

namespace aceward::tls {
namespace {

/// A ClientHello by hand: random of 0x11, cookie as given, one cipher suite (TLS_PSK_WITH_AES_128_CCM_8).
Bytes hello_record(BytesView cookie, std::uint8_t suite_low = 0xa8, BytesView extensions = {}) {
  Bytes body{0xfe, 0xfd};
  body.insert(body.end(), 32, 0x11);
  body.push_back(0);
  body.push_back(static_cast<std::uint8_t>(cookie.size()));
  body.insert(body.end(), cookie.begin(), cookie.end());
  for (const std::uint8_t octet :
       {std::uint8_t{0}, std::uint8_t{2}, std::uint8_t{0xc0}, suite_low, std::uint8_t{1}, std::uint8_t{0}}) {
    body.push_back(octet);
  }
  body.insert(body.end(), extensions.begin(), extensions.end());
  const auto length = static_cast<std::uint8_t>(body.size());
  Bytes out{22, 0xfe, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, static_cast<std::uint8_t>(length + 12)};
  out.insert(out.end(), {1, 0, 0, length, 0, 0, 0, 0, 0, 0, 0, length});
  out.insert(out.end(), body.begin(), body.end());
  return out;
}

std::optional<ClientHello> read_hello(BytesView datagram) {
  const auto record = next_record(datagram);
  return record ? parse_client_hello(*record) : std::nullopt;
}

TEST(DtlsRecords, SplitsADatagramIntoItsRecords) {
  const Bytes datagram =
      from_hex("16fefd0000000000000000 0001 aa 14fefd0000000000000001 0000 17fefd0001000000000000 0002 bbcc").value();
  BytesView rest = datagram;
  const auto first = next_record(rest);
  const auto second = next_record(rest);
  const auto third = next_record(rest);
  ASSERT_TRUE(first && second && third);
  EXPECT_EQ(first->content_type, 22);
  EXPECT_EQ(first->epoch, 0);
  EXPECT_EQ(first->octets.size(), 14U);
  EXPECT_EQ(second->octets.size(), 13U);
  EXPECT_EQ(third->epoch, 1);
  EXPECT_EQ(third->octets.size(), 15U);
  EXPECT_TRUE(rest.empty());
}

TEST(DtlsRecords, StopsAtWhatIsNotARecord) {
  for (const std::string_view hex :
       {"", "16", "16fefd00000000000000000002aa", "13fefd00000000000000000000", "18fefd00000000000000000000",
        "16030300000000000000000000", "16fefc00000000000000000000", "16fefd0000000000000000ffff"}) {
    const Bytes datagram = from_hex(hex).value();
    BytesView rest = datagram;
    EXPECT_FALSE(next_record(rest)) << hex;
  }
}

TEST(DtlsClientHello, YieldsRandomAndCookie) {
  const Bytes cookie{1, 2, 3};
  const Bytes datagram = hello_record(cookie);
  const auto hello = read_hello(datagram);
  ASSERT_TRUE(hello);
  EXPECT_EQ(hello->random[0], 0x11);
  EXPECT_TRUE(equal(hello->cookie, cookie));
}

TEST(DtlsClientHello, ParametersLeaveOutTheCookieAndNothingElse) {
  const Bytes without = hello_record({});
  const Bytes with = hello_record(Bytes{1, 2, 3});
  const Bytes other_suite = hello_record({}, 0xa4);
  EXPECT_EQ(read_hello(without)->parameters, read_hello(with)->parameters);
  EXPECT_NE(read_hello(without)->parameters, read_hello(other_suite)->parameters);
}

TEST(DtlsClientHello, FindsTheSessionTicketAmongTheExtensions) {
  const auto ticket_in = [](std::string_view extensions) {
    const Bytes datagram = hello_record({}, 0xa8, from_hex(extensions).value());
    const auto hello = read_hello(datagram);
    return hello ? to_hex(hello->session_ticket) : "refused";
  };
  EXPECT_EQ(ticket_in(""), "");
  EXPECT_EQ(ticket_in("0000"), "");
  EXPECT_EQ(ticket_in("0008 0017 0000 0023 0000"), "");
  EXPECT_EQ(ticket_in("000b 0017 0000 0023 0003 aabbcc"), "aabbcc");
  EXPECT_EQ(ticket_in("000b 0023 0003 aabbcc 0017 0000"), "aabbcc");
}

TEST(DtlsClientHello, RefusesExtensionsThatAreNotWhole) {
  for (const std::string_view extensions :
       {"00", "0001", "0004 0023 0001", "0003 002300", "0005 0023 0000 00", "0004 0023 0000 00"}) {
    const Bytes datagram = hello_record({}, 0xa8, from_hex(extensions).value());
    EXPECT_FALSE(read_hello(datagram)) << extensions;
  }
}

TEST(DtlsClientHello, RefusesFragmentsAndTruncation) {
  const Bytes sound = hello_record({});
  Bytes fragment = sound;
  fragment[24] = static_cast<std::uint8_t>(fragment[24] - 1);  // fragment_length
  EXPECT_FALSE(read_hello(fragment));
  Bytes second_fragment = sound;
  second_fragment[21] = 1;  // fragment_offset
  EXPECT_FALSE(read_hello(second_fragment));
  // Shorter by any number of octets, with lengths that agree.
  for (std::size_t cut = 1; cut < 40; ++cut) {
    Bytes shorter(sound.begin(), sound.end() - static_cast<std::ptrdiff_t>(cut));
    const auto length = static_cast<std::uint8_t>(shorter.size() - 25);
    shorter[12] = static_cast<std::uint8_t>(length + 12);
    shorter[16] = shorter[24] = length;
    EXPECT_FALSE(read_hello(shorter)) << cut;
  }
}

TEST(DtlsClientHello, IsNotSeenInOtherRecords) {
  Bytes encrypted = hello_record({});
  encrypted[4] = 1;  // epoch 1
  Bytes server_hello = hello_record({});
  server_hello[13] = 2;
  for (const Bytes& datagram : {encrypted, server_hello}) {
    BytesView rest = datagram;
    const auto record = next_record(rest);
    ASSERT_TRUE(record);
    EXPECT_FALSE(is_client_hello(*record));
  }
}

}  // namespace
}  // namespace aceward::tls
