// The message flows of RFC 7959 section 3, as they go over the wire between our two ends. Lines are those of the
// figures: `>` from the client, the Message ID in brackets, a block as it is written there, the payload's length.
#include <gtest/gtest.h>

#include "aceward/coap/blockwise/two_ends.h"

namespace aceward::coap {
namespace {

using block_test::body_of;
using block_test::Setup;
using block_test::TwoEnds;
using Lines = std::vector<std::string>;

// A representation of that size, and an answer of that size to everything else.
TwoEnds::Handler figure_resource(std::size_t size) {
  return [size](const RequestArrived& arrived) {
    const bool get = arrived.request.method == code::get;
    return Response{get ? code::content : code::changed, {}, body_of(size)};
  };
}

Setup figure_setup(unsigned server_size) {
  Setup setup;
  setup.server.response_szx = Szx::fitting(server_size);
  setup.client.always_tag = false;
  return setup;
}

Options asking_for(unsigned size) {
  Options options;
  set_block(options, option::block2, BlockOption{0, false, Szx::fitting(size)});
  return options;
}

TEST(BlockwiseFigures, Figure2SimpleGet) {
  TwoEnds ends(figure_setup(128));
  ends.handler = figure_resource(300);
  const auto outcome = ends.ask(code::get, "/status");
  EXPECT_EQ(ends.trace, (Lines{"> CON [1234] GET /status", "< ACK [1234] 2.05 2:0/1/128 [128]",
                               "> CON [1235] GET /status 2:1/0/128", "< ACK [1235] 2.05 2:1/1/128 [128]",
                               "> CON [1236] GET /status 2:2/0/128", "< ACK [1236] 2.05 2:2/0/128 [44]"}));
  EXPECT_EQ(outcome.response().payload, body_of(300));
}

TEST(BlockwiseFigures, Figure3GetWithEarlyNegotiation) {
  TwoEnds ends(figure_setup(1024));
  ends.handler = figure_resource(350);
  const auto outcome = ends.ask(code::get, "/status", {}, asking_for(64));
  EXPECT_EQ(ends.trace, (Lines{"> CON [1234] GET /status 2:0/0/64", "< ACK [1234] 2.05 2:0/1/64 [64]",
                               "> CON [1235] GET /status 2:1/0/64", "< ACK [1235] 2.05 2:1/1/64 [64]",
                               "> CON [1236] GET /status 2:2/0/64", "< ACK [1236] 2.05 2:2/1/64 [64]",
                               "> CON [1237] GET /status 2:3/0/64", "< ACK [1237] 2.05 2:3/1/64 [64]",
                               "> CON [1238] GET /status 2:4/0/64", "< ACK [1238] 2.05 2:4/1/64 [64]",
                               "> CON [1239] GET /status 2:5/0/64", "< ACK [1239] 2.05 2:5/0/64 [30]"}));
  EXPECT_EQ(outcome.response().payload, body_of(350));
}

Setup late_negotiation() {
  auto setup = figure_setup(128);
  setup.client.preferred_szx = Szx::fitting(64);
  setup.client.early_negotiation = false;
  return setup;
}

TEST(BlockwiseFigures, Figure4GetWithLateNegotiation) {
  TwoEnds ends(late_negotiation());
  ends.handler = figure_resource(350);
  const auto outcome = ends.ask(code::get, "/status");
  EXPECT_EQ(ends.trace, (Lines{"> CON [1234] GET /status", "< ACK [1234] 2.05 2:0/1/128 [128]",
                               "> CON [1235] GET /status 2:2/0/64", "< ACK [1235] 2.05 2:2/1/64 [64]",
                               "> CON [1236] GET /status 2:3/0/64", "< ACK [1236] 2.05 2:3/1/64 [64]",
                               "> CON [1237] GET /status 2:4/0/64", "< ACK [1237] 2.05 2:4/1/64 [64]",
                               "> CON [1238] GET /status 2:5/0/64", "< ACK [1238] 2.05 2:5/0/64 [30]"}));
  EXPECT_EQ(outcome.response().payload, body_of(350));
}

TEST(BlockwiseFigures, Figure5LostRequest) {
  TwoEnds ends(late_negotiation());
  ends.handler = figure_resource(350);
  ends.lost = {2};
  const auto outcome = ends.ask(code::get, "/status");
  EXPECT_EQ(ends.trace,
            (Lines{"> CON [1234] GET /status", "< ACK [1234] 2.05 2:0/1/128 [128]", "> CON [1235] GET /status 2:2/0/64",
                   "> CON [1235] GET /status 2:2/0/64", "< ACK [1235] 2.05 2:2/1/64 [64]",
                   "> CON [1236] GET /status 2:3/0/64", "< ACK [1236] 2.05 2:3/1/64 [64]",
                   "> CON [1237] GET /status 2:4/0/64", "< ACK [1237] 2.05 2:4/1/64 [64]",
                   "> CON [1238] GET /status 2:5/0/64", "< ACK [1238] 2.05 2:5/0/64 [30]"}));
  EXPECT_EQ(outcome.response().payload, body_of(350));
}

TEST(BlockwiseFigures, Figure6LostAcknowledgement) {
  TwoEnds ends(late_negotiation());
  ends.handler = figure_resource(350);
  ends.lost = {3};
  const auto outcome = ends.ask(code::get, "/status");
  EXPECT_EQ(ends.trace, (Lines{"> CON [1234] GET /status", "< ACK [1234] 2.05 2:0/1/128 [128]",
                               "> CON [1235] GET /status 2:2/0/64", "< ACK [1235] 2.05 2:2/1/64 [64]",
                               "> CON [1235] GET /status 2:2/0/64", "< ACK [1235] 2.05 2:2/1/64 [64]",
                               "> CON [1236] GET /status 2:3/0/64", "< ACK [1236] 2.05 2:3/1/64 [64]",
                               "> CON [1237] GET /status 2:4/0/64", "< ACK [1237] 2.05 2:4/1/64 [64]",
                               "> CON [1238] GET /status 2:5/0/64", "< ACK [1238] 2.05 2:5/0/64 [30]"}));
  EXPECT_EQ(outcome.response().payload, body_of(350));
}

Setup sending_blocks_of(unsigned size) {
  auto setup = figure_setup(128);
  setup.client.request_szx = Szx::fitting(size);
  return setup;
}

TEST(BlockwiseFigures, Figure7AtomicPut) {
  TwoEnds ends(sending_blocks_of(128));
  ends.handler = [](const RequestArrived& arrived) {
    EXPECT_EQ(arrived.request.payload, body_of(300));
    return Response{code::changed, {}, {}};
  };
  const auto outcome = ends.ask(code::put, "/options", body_of(300));
  EXPECT_EQ(ends.trace, (Lines{"> CON [1234] PUT /options 1:0/1/128 [128]", "< ACK [1234] 2.31 1:0/1/128",
                               "> CON [1235] PUT /options 1:1/1/128 [128]", "< ACK [1235] 2.31 1:1/1/128",
                               "> CON [1236] PUT /options 1:2/0/128 [44]", "< ACK [1236] 2.04 1:2/0/128"}));
  EXPECT_EQ(outcome.response().code, code::changed);
}

// The server asks for smaller blocks; the figure's last two Message IDs of the server are misprints. Its last block
// is number 6, which at 32 octets makes a body of 192 to 224.
TEST(BlockwiseFigures, Figure9AtomicPutWithNegotiation) {
  auto setup = sending_blocks_of(128);
  setup.server.request_szx = Szx::fitting(32);
  TwoEnds ends(setup);
  ends.handler = [](const RequestArrived& arrived) {
    EXPECT_EQ(arrived.request.payload, body_of(210));
    return Response{code::changed, {}, {}};
  };
  const auto outcome = ends.ask(code::put, "/options", body_of(210));
  EXPECT_EQ(ends.trace, (Lines{"> CON [1234] PUT /options 1:0/1/128 [128]", "< ACK [1234] 2.31 1:0/1/32",
                               "> CON [1235] PUT /options 1:4/1/32 [32]", "< ACK [1235] 2.31 1:4/1/32",
                               "> CON [1236] PUT /options 1:5/1/32 [32]", "< ACK [1236] 2.31 1:5/1/32",
                               "> CON [1237] PUT /options 1:6/0/32 [18]", "< ACK [1237] 2.04 1:6/0/32"}));
  EXPECT_EQ(outcome.response().code, code::changed);
}

TEST(BlockwiseFigures, Figure10PostWithResponseInBlocks) {
  TwoEnds ends(sending_blocks_of(128));
  ends.handler = figure_resource(500);
  const auto outcome = ends.ask(code::post, "/soap", body_of(300));
  EXPECT_EQ(ends.trace, (Lines{"> CON [1234] POST /soap 1:0/1/128 [128]", "< ACK [1234] 2.31 1:0/1/128",
                               "> CON [1235] POST /soap 1:1/1/128 [128]", "< ACK [1235] 2.31 1:1/1/128",
                               "> CON [1236] POST /soap 1:2/0/128 [44]", "< ACK [1236] 2.04 1:2/0/128 2:0/1/128 [128]",
                               "> CON [1237] POST /soap 2:1/0/128", "< ACK [1237] 2.04 2:1/1/128 [128]",
                               "> CON [1238] POST /soap 2:2/0/128", "< ACK [1238] 2.04 2:2/1/128 [128]",
                               "> CON [1239] POST /soap 2:3/0/128", "< ACK [1239] 2.04 2:3/0/128 [116]"}));
  EXPECT_EQ(outcome.response().payload, body_of(500));
}

TEST(BlockwiseFigures, Figure11PostWithResponseInBlocksAndEarlyNegotiation) {
  TwoEnds ends(sending_blocks_of(128));
  ends.handler = figure_resource(250);
  const auto outcome = ends.ask(code::post, "/soap", body_of(300), asking_for(64));
  EXPECT_EQ(ends.trace,
            (Lines{"> CON [1234] POST /soap 1:0/1/128 [128]", "< ACK [1234] 2.31 1:0/1/128",
                   "> CON [1235] POST /soap 1:1/1/128 [128]", "< ACK [1235] 2.31 1:1/1/128",
                   "> CON [1236] POST /soap 1:2/0/128 2:0/0/64 [44]", "< ACK [1236] 2.04 1:2/0/128 2:0/1/64 [64]",
                   "> CON [1237] POST /soap 2:1/0/64", "< ACK [1237] 2.04 2:1/1/64 [64]",
                   "> CON [1238] POST /soap 2:2/0/64", "< ACK [1238] 2.04 2:2/1/64 [64]",
                   "> CON [1239] POST /soap 2:3/0/64", "< ACK [1239] 2.04 2:3/0/64 [58]"}));
  EXPECT_EQ(outcome.response().payload, body_of(250));
}

// A representation of 309 octets that changes once; the observer's number of it is that of the figure.
struct FigureIcon {
  explicit FigureIcon(TwoEnds& the_ends) : ends(the_ends) {
    ends.handler = [this](const RequestArrived& arrived) {
      auto response = state();
      if (arrived.request.options.find_uint(option::observe) == 0U) {
        observer = arrived.id;
        response.options.set_uint(option::observe, number);
      }
      return response;
    };
  }
  Response state() const {
    Response response{code::content, {}, body_of(309, number)};
    response.options.add(option::etag, Bytes{0x6f, 0x00, 0xf3, static_cast<std::uint8_t>(number)});
    return response;
  }
  void change() {
    number = 62354;
    ends.trace.clear();
    auto response = state();
    response.options.set_uint(option::observe, number);
    ends.server().respond(*observer, std::move(response), {Reliability::confirmable, {}}, ends.now());
    ends.run();
  }

  TwoEnds& ends;
  unsigned number = 62350;
  std::optional<ExchangeId> observer;
};

TEST(BlockwiseFigures, Figure12ObserveInBlocks) {
  TwoEnds ends(figure_setup(128));
  FigureIcon icon(ends);
  Options options;
  options.add_uint(option::observe, 0);
  const auto id = ends.request(code::get, "/status-icon", {}, options).value();
  ends.run();
  EXPECT_EQ(ends.trace,
            (Lines{"> CON [1234] GET /status-icon observe:0", "< ACK [1234] 2.05 observe:62350 2:0/1/128 [128]",
                   "> CON [1235] GET /status-icon 2:1/0/128", "< ACK [1235] 2.05 2:1/1/128 [128]",
                   "> CON [1236] GET /status-icon 2:2/0/128", "< ACK [1236] 2.05 2:2/0/128 [53]"}));
  icon.change();
  std::erase_if(ends.trace, [](const std::string& line) { return line.ends_with("]") && line.starts_with("> ACK"); });
  EXPECT_EQ(ends.trace, (Lines{"< CON [own] 2.05 observe:62354 2:0/1/128 [128]",
                               "> CON [1237] GET /status-icon 2:1/0/128", "< ACK [1237] 2.05 2:1/1/128 [128]",
                               "> CON [1238] GET /status-icon 2:2/0/128", "< ACK [1238] 2.05 2:2/0/128 [53]"}));
  const auto& heard = ends.outcomes[id.value].responses;
  ASSERT_EQ(heard.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    const unsigned number = i == 0 ? 62350 : 62354;
    EXPECT_EQ(heard[i].response.payload, body_of(309, number));
    EXPECT_EQ(heard[i].order, number);
    EXPECT_EQ(heard[i].response.options.find_uint(option::observe), number);
    EXPECT_FALSE(heard[i].final);
    EXPECT_EQ(heard[i].id, id);
  }
}

TEST(BlockwiseFigures, Figure13ObserveInBlocksWithEarlyNegotiation) {
  TwoEnds ends(figure_setup(1024));
  FigureIcon icon(ends);
  auto options = asking_for(64);
  options.add_uint(option::observe, 0);
  const auto id = ends.request(code::get, "/status-icon", {}, options).value();
  ends.run();
  icon.change();
  std::erase_if(ends.trace, [](const std::string& line) { return line.starts_with("> ACK"); });
  ASSERT_EQ(ends.trace.size(), 9U);
  EXPECT_EQ(ends.trace[0], "< CON [own] 2.05 observe:62354 2:0/1/64 [64]");
  EXPECT_EQ(ends.trace[1], "> CON [1239] GET /status-icon 2:1/0/64");
  EXPECT_EQ(ends.trace[7], "> CON [1242] GET /status-icon 2:4/0/64");
  EXPECT_EQ(ends.trace[8], "< ACK [1242] 2.05 2:4/0/64 [53]");
  ASSERT_EQ(ends.outcomes[id.value].responses.size(), 2U);
  EXPECT_EQ(ends.outcomes[id.value].responses[1].response.payload, body_of(309, 62354));
}

}  // namespace
}  // namespace aceward::coap
