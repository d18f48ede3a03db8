#include "aceward/coap/message/message.h"

#include <gtest/gtest.h>

#include <string>

#include "aceward/base/random.h"
#include "aceward/coap/reasons.h"

namespace aceward::coap {
namespace {

Bytes unhex(std::string_view text) { return from_hex(text).value(); }

struct Figure {
  std::string_view name;
  std::string_view hex;
  Type type;
  Code code;
  std::uint16_t message_id;
  std::string_view token;
  std::string_view path;
  std::string_view payload;
};

// RFC 7252 appendix A, figures 16, 17, 18, 20 and 21.
const Figure appendix_a[] = {
    {"16 request", "40017d34bb74656d7065726174757265", Type::confirmable, code::get, 0x7d34, "", "temperature", ""},
    {"16 response", "60457d34ff32322e332043", Type::acknowledgement, code::content, 0x7d34, "", "", "22.3 C"},
    {"17 request", "41017d3520bb74656d7065726174757265", Type::confirmable, code::get, 0x7d35, "20", "temperature", ""},
    {"17 response", "61457d3520ff32322e332043", Type::acknowledgement, code::content, 0x7d35, "20", "", "22.3 C"},
    {"18 request", "41017d3631bb74656d7065726174757265", Type::confirmable, code::get, 0x7d36, "31", "temperature", ""},
    {"18 response", "61457d3631ff32322e332043", Type::acknowledgement, code::content, 0x7d36, "31", "", "22.3 C"},
    {"20 request", "41017d3853bb74656d7065726174757265", Type::confirmable, code::get, 0x7d38, "53", "temperature", ""},
    {"20 empty ACK", "60007d38", Type::acknowledgement, code::empty, 0x7d38, "", "", ""},
    {"20 separate response", "4145ad7b53ff32322e332043", Type::confirmable, code::content, 0xad7b, "53", "", "22.3 C"},
    {"20 ACK of response", "6000ad7b", Type::acknowledgement, code::empty, 0xad7b, "", "", ""},
    {"21 request", "41017d3964bb74656d7065726174757265", Type::confirmable, code::get, 0x7d39, "64", "temperature", ""},
    {"21 empty ACK", "60007d39", Type::acknowledgement, code::empty, 0x7d39, "", "", ""},
    {"21 separate response", "4145ad7c64ff32322e332043", Type::confirmable, code::content, 0xad7c, "64", "", "22.3 C"},
    {"21 reset", "7000ad7c", Type::reset, code::empty, 0xad7c, "", "", ""},
};

TEST(CoapToken, TheLengthTakesOneOfThreeForms) {  // RFC 8974 section 2.1
  constexpr std::pair<std::size_t, std::string_view> forms[] = {
      {0, "40011234"},    {8, "48011234"},     {9, "49011234"},       {12, "4c011234"},      {13, "4d01123400"},
      {14, "4d01123401"}, {268, "4d011234ff"}, {269, "4e0112340000"}, {270, "4e0112340001"}, {65804, "4e011234ffff"}};
  for (const auto& [size, head] : forms) {
    SCOPED_TRACE(size);
    Message message{Type::confirmable, code::get, 0x1234, Token(Bytes(size, 0xa5)), {}, to_bytes("p")};
    const auto datagram = serialize(message);
    EXPECT_EQ(to_hex(datagram), std::string(head) + to_hex(Bytes(size, 0xa5)) + "ff70");
    const auto parsed = parse(datagram, {.size = 100'000, .token = Token::max_size});
    ASSERT_TRUE(parsed);
    EXPECT_EQ(*parsed, message);
  }
}

TEST(CoapToken, OneBeyondTheLimitIsNoFormatError) {
  const Message message{Type::confirmable, code::get, 1, Token(Bytes(65, 1)), {}, {}};
  const auto parsed = parse(serialize(message));
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error(), reason::coap_token_too_long);
  EXPECT_FALSE(is_format_error(parsed.error())) << "a Reset would say that extended tokens are unknown here";
  EXPECT_TRUE(parse(serialize(Message{Type::confirmable, code::get, 1, Token(Bytes(64, 1)), {}, {}})));
}

TEST(CoapToken, ComparesByLengthAndOctets) {
  Bytes octets(40, 7);
  const Token long_one(octets);
  EXPECT_EQ(long_one, Token(octets));
  EXPECT_EQ(std::hash<Token>{}(long_one), std::hash<Token>{}(Token(octets)));
  octets.back() = 8;
  EXPECT_NE(long_one, Token(octets));
  EXPECT_LT(long_one, Token(octets));
  EXPECT_NE(Token(Bytes{0}), Token(Bytes{0, 0}));
  EXPECT_LT(Token(Bytes{1, 2, 3}), long_one);
}

TEST(CoapMessage, MemoryOfAnOldMessageIsUsedAgain) {
  auto message = parse(from_hex("41017d3964bb74656d7065726174757265ff01").value()).value();
  const auto* payload = message.payload.data();
  ASSERT_TRUE(parse_into(message, from_hex("40450001ff02").value()));
  EXPECT_EQ(message, (Message{Type::confirmable, code::content, 1, {}, {}, {2}}));
  EXPECT_EQ(message.payload.data(), payload);
}

TEST(CoapMessage, ParsesAndSerializesTheFiguresOfAppendixA) {
  for (const auto& figure : appendix_a) {
    SCOPED_TRACE(figure.name);
    const auto octets = unhex(figure.hex);
    const auto message = parse(octets);
    ASSERT_TRUE(message) << message.error().id();
    EXPECT_EQ(message->type, figure.type);
    EXPECT_EQ(message->code, figure.code);
    EXPECT_EQ(message->message_id, figure.message_id);
    EXPECT_EQ(to_hex(message->token.view()), figure.token);
    EXPECT_EQ(message->options.find_text(option::uri_path).value_or(""), figure.path);
    EXPECT_EQ(as_text(message->payload), figure.payload);
    EXPECT_EQ(to_hex(serialize(*message)), figure.hex);
  }
}

struct Refusal {
  std::string_view hex;
  const Reason& reason;
  bool format_error;
};

// RFC 7252 sections 3, 3.1 and 4.2, one violation each.
const Refusal refusals[] = {
    {"", reason::coap_truncated, false},
    {"400112", reason::coap_truncated, false},
    {"00011234", reason::coap_version_unknown, false},
    {"80011234", reason::coap_version_unknown, false},
    {"c0011234", reason::coap_version_unknown, false},
    {"490112340000000000000000", reason::coap_token_truncated, true},
    {"4d011234", reason::coap_token_truncated, true},
    {"4e01123400", reason::coap_token_truncated, true},
    {"4d01123400000000000000000000000000", reason::coap_token_truncated, true},
    {"4d00123400", reason::coap_empty_not_empty, true},
    {"4f011234000000000000000000000000000000", reason::coap_token_length, true},
    {"4201123401", reason::coap_token_truncated, true},
    {"40011234f0", reason::coap_option_malformed, true},             // delta 15 without being the marker
    {"400112340f", reason::coap_option_malformed, true},             // length 15
    {"40011234d0", reason::coap_option_malformed, true},             // extended delta missing
    {"40011234e000", reason::coap_option_malformed, true},           // half an extended delta
    {"400112340d", reason::coap_option_malformed, true},             // extended length missing
    {"400112340e00", reason::coap_option_malformed, true},           // half an extended length
    {"40011234b274", reason::coap_option_malformed, true},           // value cut off
    {"40011234e0fef3", reason::coap_option_number_too_large, true},  // 65536
    {"40011234e0ffff", reason::coap_option_number_too_large, true},
    {"40011234ff", reason::coap_payload_missing, true},
    {"40011234b161ff", reason::coap_payload_missing, true},
    {"4000123400", reason::coap_empty_not_empty, true},  // an option
    {"40001234ff00", reason::coap_empty_not_empty, true},
    {"4100123401", reason::coap_empty_not_empty, true},
    {"6000123400", reason::coap_empty_not_empty, true},
    {"70011234", reason::coap_reset_not_empty, true},
    {"70451234", reason::coap_reset_not_empty, true},
    {"7000123400", reason::coap_reset_not_empty, true},
    {"40201234", reason::coap_code_reserved, true},  // 1.00
    {"403f1234", reason::coap_code_reserved, true},  // 1.31
    {"40c01234", reason::coap_code_reserved, true},  // 6.00
    {"40e11234", reason::coap_code_reserved, true},  // 7.01, a signal of CoAP over TCP
    {"60011234", reason::coap_acknowledged_request, true},
};

TEST(CoapMessage, RefusesEachViolationOfTheFormatWithItsReason) {
  for (const auto& refusal : refusals) {
    SCOPED_TRACE(refusal.hex);
    const auto message = parse(unhex(refusal.hex));
    ASSERT_FALSE(message);
    EXPECT_EQ(message.error().id(), refusal.reason.id);
    EXPECT_EQ(is_format_error(message.error()), refusal.format_error);
  }
}

TEST(CoapMessage, TheHeaderOfAMalformedMessageCanStillBeRead) {
  const auto header = parse_header(unhex("40451234f0"));
  ASSERT_TRUE(header);
  EXPECT_EQ(header->type, Type::confirmable);
  EXPECT_EQ(header->code, code::content);
  EXPECT_EQ(header->message_id, 0x1234);
  EXPECT_FALSE(parse_header(unhex("80451234")));
  EXPECT_FALSE(parse_header(unhex("404512")));
}

TEST(CoapMessage, KeepsCodesAndOptionsThatItDoesNotKnow) {
  // 2.30, 0.31 and 3.07 lie in the ranges of responses and requests (section 12.1); option 65535 and 0.
  for (const auto* hex : {"405e1234", "401f1234", "40671234", "40011234e0fef2", "4001123400", "4001123401aa"}) {
    const auto message = parse(unhex(hex));
    ASSERT_TRUE(message) << hex;
    EXPECT_EQ(to_hex(serialize(*message)), hex);
  }
}

TEST(CoapMessage, DeltasAndLengthsAtTheBordersOfTheirExtensions) {
  const std::pair<std::uint16_t, std::string_view> deltas[] = {
      {12, "c0"}, {13, "d000"}, {14, "d001"}, {268, "d0ff"}, {269, "e00000"}, {270, "e00001"}, {65535, "e0fef2"}};
  for (const auto& [number, hex] : deltas) {
    Message message{Type::confirmable, code::get, 0, {}, {}, {}};
    message.options.add_empty(OptionNumber(number));
    const auto octets = serialize(message);
    EXPECT_EQ(to_hex(BytesView(octets).subspan(4)), hex);
    EXPECT_EQ(parse(octets), message);
  }
  const std::pair<std::size_t, std::string_view> lengths[] = {
      {12, "1c"}, {13, "1d00"}, {14, "1d01"}, {268, "1dff"}, {269, "1e0000"}, {270, "1e0001"}, {65000, "1efcdb"}};
  for (const auto& [length, hex] : lengths) {
    Message message{Type::confirmable, code::get, 0, {}, {}, {}};
    message.options.add(OptionNumber(1), Bytes(length, 0xaa));
    const auto octets = serialize(message);
    EXPECT_EQ(to_hex(BytesView(octets).subspan(4, hex.size() / 2)), hex);
    EXPECT_EQ(parse(octets), message);
  }
}

TEST(CoapMessage, LimitsAreExact) {
  Message message{Type::confirmable, code::get, 0, {}, {}, {}};
  for (int i = 0; i < 4; ++i) message.options.add(option::uri_path, "a");
  const auto octets = serialize(message);
  EXPECT_TRUE(parse(octets, {4, octets.size()}));
  EXPECT_EQ(parse(octets, {3, octets.size()}).error(), reason::coap_too_many_options);
  EXPECT_EQ(parse(octets, {4, octets.size() - 1}).error(), reason::coap_message_too_large);
}

TEST(CoapMessage, EveryPrefixOfAMessageParsesOrIsRefused) {
  const auto octets = unhex(
      "48451234010203040506070861aa"
      "62bbbb"
      "d10100"
      "e1010063"
      "ff0102");
  ASSERT_TRUE(parse(octets));
  for (std::size_t size = 0; size < octets.size(); ++size) {
    const auto prefix = parse(BytesView(octets).first(size));
    if (prefix) {
      EXPECT_EQ(serialize(*prefix), to_bytes(BytesView(octets).first(size)));
    }
  }
}

TEST(CoapMessage, SerializeAppendsToTheCallersBuffer) {
  Bytes out{1, 2};
  serialize(Message{Type::reset, code::empty, 0xabcd, {}, {}, {}}, out);
  EXPECT_EQ(to_hex(out), "01027000abcd");
}

TEST(CoapMessage, OptionsAndPayloadStandAlone) {
  Options options;
  options.add_path("tv1");
  Bytes out;
  serialize_options_and_payload(options, as_bytes("x"), out);
  EXPECT_EQ(to_hex(out), "b3747631ff78");
  const auto parsed = parse_options_and_payload(out);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->options, options);
  EXPECT_EQ(as_text(parsed->payload), "x");
  EXPECT_EQ(parse_options_and_payload(unhex("ff")).error(), reason::coap_payload_missing);
}

TEST(CoapMessage, RandomMessagesSurviveTheRoundTrip) {
  SeededRandom random(7252);
  for (int round = 0; round < 2000; ++round) {
    Message message;
    message.type = random.below(2) == 0 ? Type::confirmable : Type::non_confirmable;
    message.code = Code(2U + static_cast<unsigned>(random.below(4)), static_cast<unsigned>(random.below(32)));
    message.message_id = static_cast<std::uint16_t>(random.next_u64());
    message.token = Token(random.bytes(random.below(65)));
    for (auto count = random.below(8); count > 0; --count) {
      const auto number = random.below(2) == 0 ? random.below(30) : random.below(65536);
      message.options.add(OptionNumber(static_cast<std::uint16_t>(number)), random.bytes(random.below(300)));
    }
    message.payload = random.bytes(random.below(100));
    EXPECT_EQ(parse(serialize(message)), message);
  }
}

TEST(CoapCode, NamesAndNumbers) {
  EXPECT_EQ(code::content.to_string(), "2.05 Content");
  EXPECT_EQ(code::get.to_string(), "GET");
  EXPECT_EQ(code::ipatch.to_string(), "iPATCH");
  EXPECT_EQ(code::empty.to_string(), "Empty");
  EXPECT_EQ(Code(2, 30).to_string(), "2.30");
  EXPECT_EQ(code::request_entity_too_large.value, 0x8d);
  EXPECT_EQ(Code(0, 9).to_string(), "0.09");
  EXPECT_TRUE(Code(3, 0).is_response());
  EXPECT_TRUE(Code(1, 0).is_reserved());
  EXPECT_FALSE(code::empty.is_request());
}

TEST(CoapToken, ComparesByContentAndLength) {
  EXPECT_NE(Token(unhex("00")), Token(unhex("0000")));
  EXPECT_EQ(Token(unhex("0102")), Token(unhex("0102")));
  EXPECT_EQ(Token(unhex("0102030405060708")).size(), 8U);
  EXPECT_EQ(std::hash<Token>{}(Token(unhex("0102"))), std::hash<Token>{}(Token(unhex("0102"))));
}

}  // namespace
}  // namespace aceward::coap
