// Block options, and the server side of block-wise transfer that is sent blocks in any order, by several peers, with
// several tags, while time passes.
//
// Every octet of every body says which transfer it belongs to and where, so that whatever is handed up or answered can
// be checked octet by octet.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <set>

#include "aceward/coap/blockwise/message_size.h"
#include "aceward/coap/blockwise/scripted_layer.h"

namespace {

using namespace aceward;
using namespace aceward::coap;

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "violated: %s\n", what);
  std::abort();
}

std::uint8_t octet_of(unsigned transfer, std::size_t place) {
  return static_cast<std::uint8_t>((place * 31 + (place >> 8) * 7) ^ (transfer * 73));
}
Bytes piece_of(unsigned transfer, std::size_t place, std::size_t size) {
  Bytes piece(size);
  for (std::size_t i = 0; i < size; ++i) piece[i] = octet_of(transfer, place + i);
  return piece;
}

void try_option(BytesView input) {
  const auto value = input.first(std::min<std::size_t>(input.size(), 4));
  const auto block = parse_block(value);
  if (!block) {
    require(value.size() == 4 || (value.back() & 7) == 7, "only long values and the reserved size are refused");
    return;
  }
  Options options;
  set_block(options, option::block2, *block);
  require(find_block(options, option::block2).value() == *block, "a block option survives the round trip");
}

BlockwiseLimits narrow() {
  BlockwiseLimits limits;
  limits.request_body = 600;
  limits.assemblies_per_peer = 3;
  limits.assemblies = 5;
  limits.assembly_bytes = 1500;
  limits.held_per_peer = 2;
  limits.held = 4;
  limits.held_bytes = 2000;
  return limits;
}

constexpr Code methods[] = {code::put, code::post, code::fetch, code::get};

class Server {
 public:
  Server() : limits_(narrow()), server_(limits_) {}

  void step(std::uint8_t control, std::uint8_t a, std::uint8_t b, BytesView raw) {
    Peer peer;
    peer.remote = Address::v4(192, 0, 2, control & 3, 5683);
    const unsigned tag = control >> 2 & 3;
    const auto method = methods[a >> 6];
    // The transfer: peer, tag and method make its key.
    const unsigned transfer = (control & 15U) | static_cast<unsigned>(a >> 6) << 4;
    Request request{method, {}, {}};
    request.options.add_path("r");
    if (tag == 1) request.options.add_empty(option::request_tag);
    if (tag == 2) request.options.add(option::request_tag, "a");
    if (tag == 3) request.options.add(option::request_tag, "a").add_empty(option::request_tag);
    const Szx szx(static_cast<unsigned>(b & 3));
    const std::uint32_t num = a & 63U;
    switch (control >> 4 & 7) {
      case 0:
      case 1:
      case 2: {
        // A block of the body, mostly of the right size.
        const bool more = (b & 4) != 0;
        auto size = szx.size();
        if (!more) size = b >> 3 & 15U;
        if ((b & 0xf8) == 0xf8) size += 1;
        const BlockOption block{num, more, szx};
        set_block(request.options, option::block1, block);
        request.payload = piece_of(transfer, block.offset(), size);
        if ((b & 0x80) != 0) request.options.add_uint(option::size1, std::size_t{b} * 8);
        break;
      }
      case 3:
      case 4:
        set_block(request.options, option::block2, {num, (b & 4) != 0, szx});
        if (method == code::fetch && (b & 8) != 0) request.payload = piece_of(transfer, 0, 4);
        break;
      case 5:
        // Options as they come.
        if (!raw.empty()) request.options.add(option::block1, raw.first(std::min<std::size_t>(raw.size(), 4)));
        if (raw.size() > 4)
          request.options.add(option::block2, raw.subspan(4, std::min<std::size_t>(raw.size() - 4, 3)));
        request.payload = piece_of(transfer, 0, raw.size());
        break;
      case 6:
        server_.now += std::chrono::seconds(a);
        server_.layer.on_timeout(server_.now);
        return check();
      default: server_.layer.forget(peer); return check();
    }

    const auto before = server_.below.answered.size();
    const auto sent = request;
    const auto limit = (control & 0x80) != 0 ? std::optional<std::size_t>(136) : std::nullopt;
    if (server_.send(std::move(request), peer, limit) == "up") {
      require(server_.below.answered.size() == before, "what is handed up is not answered");
      const auto& up = server_.up->request;
      require(up.payload.size() <= std::max(limits_.request_body, raw.size() + 200), "bodies are bounded");
      require(!up.options.has(option::block1) && !up.options.has(option::block2), "blocks are not handed up");
      // A body without a beginning of its own, by a first and only block with a number, does not exist.
      require(up.payload == piece_of(transfer, 0, up.payload.size()), "a body is of one transfer and in order");
      answer(transfer, b, limit);
    } else {
      require(server_.below.answered.size() == before + 1, "what is not handed up is answered once");
      check_answer(transfer, sent);
    }
    check();
  }

 private:
  void answer(unsigned transfer, std::uint8_t b, std::optional<std::size_t> limit) {
    if ((b & 0x70) == 0x70) return server_.layer.cancel(server_.up->id);
    const std::size_t size = std::size_t{b} * 5;
    const auto request = server_.up->request;
    sizes_[transfer].insert(size);
    server_.respond({code::content, {}, piece_of(transfer + 100, 0, size)});
    check_answer(transfer, request);
    if (limit && !is_safe(request.method)) {
      require(message_size(server_.answer().options, server_.answer().payload.size()) <= *limit,
              "an unverified address gets a short answer");
    }
  }
  void check_answer(unsigned transfer, const Request&) {
    const auto& response = server_.answer();
    const auto block = find_block(response.options, option::block2);
    require(block.has_value() && find_block(response.options, option::block1).has_value(), "block options are valid");
    if (!response.code.is_success() || response.code == code::continue_) {
      require(response.payload.empty(), "a refusal carries nothing");
      return;
    }
    const auto offset = *block ? (*block)->offset() : 0;
    require(response.payload == piece_of(transfer + 100, offset, response.payload.size()),
            "a block is of the transfer's answer and at its place");
    if (!*block || !(*block)->more) {
      require(sizes_[transfer].contains(offset + response.payload.size()), "what says it is the end is the end");
    } else {
      require(response.payload.size() == (*block)->szx.size(), "a block that is not the last is full");
      require(response.options.has(option::etag), "an answer in blocks has an entity-tag");
    }
  }
  void check() {
    const auto held = server_.layer.occupancy();
    require(held.assemblies <= limits_.assemblies, "assemblies are bounded");
    require(held.assembly_bytes <= limits_.assembly_bytes, "their octets are bounded");
    require(held.held <= limits_.held, "answers are bounded");
    require(held.held_bytes <= limits_.held_bytes, "their octets are bounded");
    require(held.requests == 0, "no request is left");
  }

  BlockwiseLimits limits_;
  std::map<unsigned, std::set<std::size_t>> sizes_;  // of the answers, by transfer
  block_test::ServerAlone server_;

 public:
  void end() {
    server_.now += std::chrono::seconds(300);
    server_.layer.on_timeout(server_.now);
    const auto held = server_.layer.occupancy();
    require(held.assemblies == 0 && held.held == 0 && held.assembly_bytes == 0 && held.held_bytes == 0,
            "everything expires");
    require(!server_.layer.next_timeout(), "and nothing is waited for");
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  BytesView input(data, size);
  try_option(input);
  Server server;
  for (; input.size() >= 3; input = input.subspan(3)) {
    server.step(input[0], input[1], input[2], input.subspan(3, std::min<std::size_t>(input.size() - 3, 7)));
  }
  server.end();
  return 0;
}
