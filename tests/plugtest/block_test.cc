// TD_COAP_BLOCK_01 to 06: each test is one description.
#include "aceward/coap/blockwise/block_option.h"
#include "tests/plugtest/wire.h"

namespace aceward::plugtest {
namespace {

namespace code = coap::code;
namespace option = coap::option;
using coap::BlockOption;
using coap::Reliability;
using coap::Szx;
using coap::Type;

struct PlugtestBlock : Wire {
  static std::optional<BlockOption> block(const Seen& one, coap::OptionNumber number) {
    return coap::find_block(one.options(), number).value();
  }
  /// Requests for the blocks `first` to the last with Block2, each answered by its block, the last by the rest of
  /// `body`: seen from `index` on.
  void expect_blocks(std::size_t index, const std::string& body, coap::Code method, coap::Code answer, unsigned first,
                     Szx szx) {
    const auto last = static_cast<unsigned>((body.size() - 1) / szx.size());
    ASSERT_EQ(seen.size(), index + 2 * (last - first + 1)) << story();
    for (unsigned num = first; num <= last; ++num, index += 2) {
      const Seen& request = seen[index];
      const Seen& response = seen[index + 1];
      EXPECT_EQ(request.message.code, method);
      EXPECT_EQ(request.message.type, Type::confirmable);
      EXPECT_EQ(block(request, option::block2), (BlockOption{num, false, szx})) << num;
      EXPECT_FALSE(block(request, option::block1));
      EXPECT_TRUE(request.message.payload.empty());
      expect_answer(response, request, Type::acknowledgement, answer);
      EXPECT_EQ(block(response, option::block2), (BlockOption{num, num != last, szx})) << num;
      EXPECT_EQ(response.text(), body.substr(num * szx.size(), szx.size()));
    }
  }
  /// A body in blocks of Block1, each but the last answered with 2.31; returns the index of the last request.
  std::size_t expect_upload(const std::string& body, coap::Code method, coap::Code answer, Szx szx) {
    const auto last = static_cast<unsigned>((body.size() - 1) / szx.size());
    std::size_t index = 0;
    for (unsigned num = 0; num <= last; ++num, index += 2) {
      if (seen.size() < index + 2) {
        ADD_FAILURE() << story();
        return 0;
      }
      const Seen& request = seen[index];
      EXPECT_EQ(request.message.code, method);
      EXPECT_EQ(block(request, option::block1), (BlockOption{num, num != last, szx}));
      EXPECT_EQ(request.text(), body.substr(num * szx.size(), szx.size()));
      expect_answer(seen[index + 1], request, Type::acknowledgement, num == last ? answer : code::continue_);
      EXPECT_EQ(block(seen[index + 1], option::block1), (BlockOption{num, num != last, szx}));
    }
    return index - 2;
  }
  static auto desired(coap::OptionNumber number, Szx szx) {
    return [number, szx](coap::Request& request) { coap::set_block(request.options, number, {0, false, szx}); };
  }
};

TEST_F(PlugtestBlock, TdCoapBlock01) {
  ask(code::get, "/large", {}, Reliability::automatic, desired(option::block2, Szx(4)));
  expect_request(seen[0], Type::confirmable, code::get, {"large"});
  expect_blocks(0, Resources::large_text(), code::get, code::content, 0, Szx(4));
  EXPECT_EQ(as_text(last_response().payload), Resources::large_text());
}

TEST_F(PlugtestBlock, TdCoapBlock02) {
  ask(code::get, "/large");
  ASSERT_GE(seen.size(), 2U);
  EXPECT_FALSE(block(seen[0], option::block2));
  expect_answer(seen[1], seen[0], Type::acknowledgement, code::content);
  EXPECT_EQ(block(seen[1], option::block2), (BlockOption{0, true, Szx::largest()}));
  EXPECT_EQ(seen[1].message.payload.size(), 1024U);
  expect_blocks(2, Resources::large_text(), code::get, code::content, 1, Szx::largest());
  EXPECT_EQ(as_text(last_response().payload), Resources::large_text());
}

TEST_F(PlugtestBlock, TdCoapBlock02WithAClientThatWantsSmallerBlocks) {
  // Step 4 with another size: after a first block of 1024 octets, the block of 64 that begins at 1024 is number 16.
  coap::Message request;
  request.code = code::get;
  request.token = coap::Token(Bytes{1});
  request.message_id = 1;
  request.options.add_path("/large");
  from_foreign_client(request);
  EXPECT_EQ(block(seen.back(), option::block2), (BlockOption{0, true, Szx::largest()}));
  for (unsigned num = 16; num < 18; ++num) {
    request.message_id = static_cast<std::uint16_t>(num);
    coap::set_block(request.options, option::block2, {num, false, Szx(2)});
    from_foreign_client(request);
    EXPECT_EQ(block(seen.back(), option::block2), (BlockOption{num, true, Szx(2)}));
    EXPECT_EQ(seen.back().text(), Resources::large_text().substr(num * 64, 64));
  }
}

TEST_F(PlugtestBlock, TdCoapBlock03) {
  const std::string body = Resources::large_text();
  ask(code::put, "/large-update", body, Reliability::automatic, desired(option::block1, Szx(5)));
  expect_request(seen[0], Type::confirmable, code::put, {"large-update"});
  const std::size_t last = expect_upload(body, code::put, code::changed, Szx(5));
  EXPECT_EQ(seen.size(), last + 2);
  EXPECT_EQ(last_response().code, code::changed);
  EXPECT_EQ(as_text(resources->held("/large-update")->content), body);
}

TEST_F(PlugtestBlock, TdCoapBlock03WithAServerThatWantsSmallerBlocks) {
  // Steps 3 and 4 with another size: the server takes the first block and asks for blocks of 64.
  foreign_server = true;
  const std::string body(1000, 'b');
  ask(code::put, "/large-update", body, Reliability::automatic, desired(option::block1, Szx(4)));
  std::string received;
  for (int turn = 0; turn < 40 && outcomes.empty(); ++turn) {
    const Seen request = seen.back();
    ASSERT_TRUE(request.of_client) << story();
    const auto sent = block(request, option::block1);
    ASSERT_TRUE(sent) << story();
    ASSERT_EQ(sent->offset(), received.size()) << story();
    EXPECT_EQ(sent->szx, Szx(turn == 0 ? 4 : 2));
    received += request.text();
    coap::Message answer;
    answer.type = Type::acknowledgement;
    answer.code = sent->more ? code::continue_ : code::changed;
    answer.message_id = request.message.message_id;
    answer.token = request.message.token;
    coap::set_block(answer.options, option::block1, {sent->num, sent->more, Szx(2)});
    from_foreign_server(answer);
  }
  EXPECT_EQ(received, body);
  EXPECT_EQ(last_response().code, code::changed);
}

TEST_F(PlugtestBlock, TdCoapBlock04) {
  const std::string body = Resources::large_text();
  ask(code::post, "/large-create", body);
  const std::size_t last = expect_upload(body, code::post, code::created, Szx::largest());
  const auto location = seen[last + 1].options().all_text(option::location_path);
  ASSERT_EQ(location.size(), 2U);
  EXPECT_EQ(location[0], "large-create");
  for (const auto segment : location) EXPECT_EQ(segment.find('/'), std::string_view::npos);
  const std::string path = "/large-create/" + std::string(location[1]);
  ASSERT_NE(resources->held(path), nullptr);
  EXPECT_EQ(as_text(resources->held(path)->content), body);
  ask(code::get, path);
  EXPECT_EQ(last_response().code, code::content);
  EXPECT_EQ(as_text(last_response().payload), body);
}

TEST_F(PlugtestBlock, TdCoapBlock05) {
  const std::string body = Resources::large_text();
  const std::string answer = Resources::answer_to(body);
  ask(code::post, "/large-post", body, Reliability::automatic, desired(option::block1, Szx(5)));
  const std::size_t last = expect_upload(body, code::post, code::changed, Szx(5));
  ASSERT_GT(seen.size(), last + 2) << story();
  const auto first = block(seen[last + 1], option::block2);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->num, 0U);
  EXPECT_TRUE(first->more);
  EXPECT_EQ(seen[last + 1].message.payload.size(), first->szx.size());
  expect_blocks(last + 2, answer, code::post, code::changed, 1, first->szx);
  EXPECT_EQ(as_text(last_response().payload), answer);
}

TEST_F(PlugtestBlock, TdCoapBlock06) {
  ask(code::get, "/large", {}, Reliability::automatic, desired(option::block2, Szx::smallest()));
  expect_blocks(0, Resources::large_text(), code::get, code::content, 0, Szx::smallest());
  EXPECT_EQ(as_text(last_response().payload), Resources::large_text());
}

TEST_F(PlugtestBlock, TdCoapBlock01And03OnALossyNetwork) {
  std::size_t count = 0;
  lose = [&](const Seen&) { return ++count % 4 == 0; };
  const std::string body = Resources::large_text();
  ask(code::put, "/large-update", body, Reliability::automatic, desired(option::block1, Szx(3)));
  wait(std::chrono::minutes(5));
  EXPECT_EQ(last_response().code, code::changed);
  EXPECT_EQ(as_text(resources->held("/large-update")->content), body);
  ask(code::get, "/large", {}, Reliability::automatic, desired(option::block2, Szx(3)));
  wait(std::chrono::minutes(5));
  EXPECT_EQ(as_text(last_response().payload), body);
  EXPECT_EQ(outcomes.size(), 2U);
}

}  // namespace
}  // namespace aceward::plugtest
