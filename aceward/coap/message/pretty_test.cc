#include "aceward/coap/message/pretty.h"

#include <gtest/gtest.h>

namespace aceward::coap {
namespace {

TEST(CoapPretty, ShowsAMessageOnOneLine) {
  Message message{Type::confirmable, code::content, 0x1234, Token(Bytes{0x4a}), {}, Bytes{1}};
  message.options.set_content_format(content_format::ace_cbor);
  EXPECT_EQ(pretty(message), "CON [MID=0x1234] 2.05 Content  Token: 4a  Content-Format: 19 (application/ace+cbor)");
  EXPECT_EQ(pretty({Type::acknowledgement, code::empty, 7, {}, {}, {}}), "ACK [MID=0x0007] Empty");
}

TEST(CoapPretty, ValuesTakeTheFormOfTheirOption) {
  Message message{Type::non_confirmable, code::get, 1, {}, {}, {}};
  message.options.add_path("temp").add_uint(option::observe, 0).add_uint(option::block2, (5 << 4) | 8 | 2);
  message.options.add(option::etag, Bytes{0xab, 0x01}).add(OptionNumber(65001), Bytes{0xff}).add_empty(option::edhoc);
  EXPECT_EQ(pretty(message),
            "NON [MID=0x0001] GET  ETag: 0xab01  Observe: 0  Uri-Path: \"temp\"  EDHOC: (empty)  Block2: 5/1/64  "
            "Option 65001: 0xff");
}

TEST(CoapPretty, NoOctetOfAStrangerIsShownRaw) {
  Message message{Type::confirmable, code::get, 1, {}, {}, {}};
  message.options.add(option::uri_path, std::string_view("a\x1b[2J\"\\\x00\xff", 9));
  EXPECT_EQ(pretty_lines(message).at(1).value, "\"a\\x1b[2J\\\"\\\\\\x00\\xff\"");
}

}  // namespace
}  // namespace aceward::coap
