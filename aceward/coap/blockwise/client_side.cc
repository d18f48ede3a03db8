#include "aceward/coap/blockwise/client_side.h"

#include <algorithm>
#include <array>

#include "aceward/coap/blockwise/message_size.h"
#include "aceward/coap/blockwise/reasons.h"
#include "aceward/coap/message/cache_key.h"
#include "aceward/coap/reasons.h"

namespace aceward::coap {
namespace {

// Octets that Block1, Size1, Block2, Size2 and a Request-Tag add to a request.
constexpr std::size_t options_of_a_block = 32;

std::size_t room_for_payload(const Options& options, std::size_t message_limit) {
  const auto overhead = message_size(options, 1) - 1 + options_of_a_block;
  return message_limit > overhead ? message_limit - overhead : 0;
}

}  // namespace

BlockClient::BlockClient(Layer& below, const BlockwiseParameters& parameters, const BlockwiseLimits& limits,
                         BlockwiseCounters& counters, Random& random)
    : below_(below),
      parameters_(parameters),
      limits_(limits),
      counters_(counters),
      hash_(random),
      // A client that restarts on the same port begins elsewhere, and the tags stay short.
      next_tag_(1 + random.below(0xffff)) {}

Result<ExchangeId> BlockClient::request(const Peer& to, Request request, Delivery delivery, Instant now) {
  // An observation whose token the request takes over ends with it.
  auto* const ended = delivery.token_of.value == 0 ? nullptr : find(delivery.token_of);
  if (ended != nullptr) delivery.token_of = ended->base;
  const auto finish = [&](Result<ExchangeId> id) {
    if (id && ended != nullptr) {
      stop_fetch(*ended);
      stop_base(*ended);
      erase(*ended);
    }
    return id;
  };

  const auto block1 = find_block(request.options, option::block1);
  const auto block2 = find_block(request.options, option::block2);
  const bool single_block =
      !block1 || !block2 || (*block1 && ((*block1)->num > 0 || (*block1)->more)) || (*block2 && (*block2)->num > 0);
  if (single_block) return finish(below_.request(to, std::move(request), delivery, now));

  Transfer transfer;
  transfer.to = to;
  transfer.from = to;
  transfer.delivery = delivery;
  if (delivery.timeout.count() > 0) transfer.deadline = now + delivery.timeout;
  transfer.request_szx = *block1 ? (*block1)->szx : parameters_.request_szx;
  transfer.preferred = *block2 ? (*block2)->szx : parameters_.preferred_szx;
  if (*block2 || parameters_.early_negotiation) transfer.asked = transfer.preferred;
  transfer.request = std::move(request);
  if (*block1) transfer.request.options.remove(option::block1);
  if (*block2) transfer.request.options.remove(option::block2);
  const auto size = transfer.request.payload.size();
  const bool large =
      size > transfer.request_szx.size() ||
      (size > Szx::smallest().size() && size > room_for_payload(transfer.request.options, parameters_.message_size));
  if (large) use_blocks(transfer, transfer.request_szx);
  if (size > (std::size_t{BlockOption::max_num} + 1) * transfer.request_szx.size()) {
    return fail(reason::coap_body_too_large);
  }
  // The blocks before the last one observe nothing: a late notification would be taken for the answer to one of them.
  if (large) transfer.delivery.token_of = {};
  register_operation(transfer);
  if (const auto sent = send_request(transfer, now); !sent) {
    release(transfer);
    return std::unexpected(sent.error());
  }
  const auto id = transfer.user;
  transfer.delivery.token_of = {};
  transfers_.emplace(id.value, std::move(transfer));
  return finish(id);
}

void BlockClient::use_blocks(Transfer& transfer, Szx szx) {
  ++counters_.bodies_sent;
  transfer.in_blocks = true;
  const auto room = room_for_payload(transfer.request.options, parameters_.message_size);
  transfer.request_szx = std::min(szx, Szx::fitting(room));
  transfer.offset = 0;
  transfer.chunk = 0;
  if (parameters_.always_tag) take_tag(transfer);
}

void BlockClient::take_tag(Transfer& transfer) {
  if (!transfer.request.options.has(option::request_tag)) transfer.tag = next_tag_++;
}

void BlockClient::register_operation(Transfer& transfer) {
  const auto& request = transfer.request;
  // Blocks of answers to equal requests are told apart by ETag; what has a payload is not equal for having equal
  // options.
  if (request.payload.empty() && is_safe(request.method)) return;
  auto key = cache_key(request.method, request.options,
                       {option::block1, option::block2, option::if_none_match, option::request_tag});
  const auto peer = std::hash<Peer>{}(transfer.to);
  for (unsigned shift = 0; shift < 64; shift += 8) key.push_back(static_cast<std::uint8_t>(peer >> shift));
  transfer.operation = hash_(key);
  if (operations_[*transfer.operation]++ > 0 && !transfer.tag) take_tag(transfer);
}

Options BlockClient::options_of(const Transfer& transfer) const {
  auto options = transfer.request.options;
  if (transfer.tag) options.set_uint(option::request_tag, *transfer.tag);
  return options;
}

Result<ExchangeId> BlockClient::send(const Transfer& transfer, Options options, BytesView payload, Instant now) {
  auto delivery = transfer.delivery;
  if (transfer.deadline && !transfer.observed) {
    if (*transfer.deadline <= now) return fail(reason::coap_not_answered, "in the middle of a transfer");
    delivery.timeout = *transfer.deadline - now;
  }
  return below_.request(transfer.to, Request{transfer.request.method, std::move(options), to_bytes(payload)}, delivery,
                        now);
}

Result<> BlockClient::send_request(Transfer& transfer, Instant now) {
  auto options = options_of(transfer);
  auto payload = BytesView(transfer.request.payload);
  bool last = true;
  if (transfer.in_blocks) {
    const auto size = transfer.request_szx.size();
    transfer.chunk = std::min(size, payload.size() - transfer.offset);
    last = last_block(transfer);
    const auto block = BlockOption::at(transfer.offset, !last, transfer.request_szx);
    if (!block) return fail(reason::coap_body_too_large);
    if (transfer.offset == 0) {
      options.set_uint(option::size1, payload.size());
    } else {
      // RFC 7959 section 2.10.
      options.remove(option::if_none_match);
    }
    // The answer comes with the last block, and what is said about it goes there.
    if (!last) options.remove(option::observe);
    set_block(options, option::block1, *block);
    payload = payload.subspan(transfer.offset, transfer.chunk);
  }
  if (last) {
    if (transfer.asked) set_block(options, option::block2, BlockOption{0, false, *transfer.asked});
    if (parameters_.ask_size) options.set_uint(option::size2, 0);
  }
  const auto id = ACEWARD_TRY(send(transfer, std::move(options), payload, now));
  transfer.base = id;
  if (transfer.user.value == 0) {
    transfer.user = id;
  } else {
    exchanges_.emplace(id.value, transfer.user.value);
  }
  return {};
}

Result<> BlockClient::send_fetch(Transfer& transfer, Instant now) {
  auto options = options_of(transfer);
  options.remove(option::observe);
  options.remove(option::size2);
  if (transfer.in_blocks) options.remove(option::if_none_match);
  if (!transfer.anew) {
    const auto next = transfer.body.next(transfer.preferred);
    if (!next) return fail(reason::coap_body_too_large);
    set_block(options, option::block2, *next);
  } else if (transfer.asked) {
    set_block(options, option::block2, BlockOption{0, false, *transfer.asked});
  }
  // The question of a FETCH goes along, so that a server which keeps nothing can answer. Any other request would act a
  // second time, and what came in blocks is known by its options.
  const bool question = transfer.request.method == code::fetch && !transfer.in_blocks;
  const auto payload = question ? BytesView(transfer.request.payload) : BytesView();
  transfer.fetch = ACEWARD_TRY(send(transfer, std::move(options), payload, now));
  exchanges_.emplace(transfer.fetch.value, transfer.user.value);
  return {};
}

bool BlockClient::cancel(ExchangeId id) {
  const auto found = transfers_.find(id.value);
  if (found == transfers_.end()) return false;
  stop_fetch(found->second);
  stop_base(found->second);
  erase(found->second);
  return true;
}

BlockClient::Transfer* BlockClient::find(ExchangeId id) {
  const auto user = exchanges_.find(id.value);
  const auto found = transfers_.find(user == exchanges_.end() ? id.value : user->second);
  return found == transfers_.end() ? nullptr : &found->second;
}

void BlockClient::stop_fetch(Transfer& transfer) {
  if (transfer.fetch.value == 0) return;
  below_.cancel(transfer.fetch);
  exchanges_.erase(transfer.fetch.value);
  transfer.fetch = {};
  transfer.anew = false;
}

void BlockClient::stop_base(Transfer& transfer) {
  if (transfer.base.value == 0) return;
  below_.cancel(transfer.base);
  exchanges_.erase(transfer.base.value);
  transfer.base = {};
}

void BlockClient::release(Transfer& transfer) {
  answer_bytes_ -= std::exchange(transfer.held, 0);
  if (!transfer.operation) return;
  const auto found = operations_.find(*transfer.operation);
  if (--found->second == 0) operations_.erase(found);
  transfer.operation.reset();
}

void BlockClient::erase(Transfer& transfer) {
  release(transfer);
  exchanges_.erase(transfer.base.value);
  exchanges_.erase(transfer.fetch.value);
  transfers_.erase(transfer.user.value);
}

void BlockClient::report(BlockwiseOccupancy& occupancy) const {
  occupancy.transfers = transfers_.size();
  occupancy.answer_bytes = answer_bytes_;
}

}  // namespace aceward::coap
