// What the client does with each answer: go on, begin anew, deliver, or give up.
#include <utility>

#include "aceward/coap/blockwise/client_side.h"
#include "aceward/coap/blockwise/reasons.h"
#include "aceward/coap/observe/sequence.h"

namespace aceward::coap {
namespace {

// By the Observe values of one resource, or by numbers that only grow.
bool is_later_notification(std::uint64_t last, std::uint64_t next) {
  if (last >= observe_modulus || next >= observe_modulus) return next > last;
  return is_later_observe(static_cast<std::uint32_t>(last), static_cast<std::uint32_t>(next));
}

}  // namespace

std::optional<Event> BlockClient::on_response(ResponseArrived arrived, Instant now) {
  auto* transfer = find(arrived.id);
  if (transfer == nullptr) return Event(std::move(arrived));
  transfer->from = arrived.peer;
  if (arrived.id == transfer->fetch) {
    exchanges_.erase(arrived.id.value);
    transfer->fetch = {};
    return on_fetched(*transfer, std::move(arrived.response), now);
  }
  if (arrived.id != transfer->base) return std::nullopt;
  transfer->observed = !arrived.final;
  if (arrived.final) {
    exchanges_.erase(arrived.id.value);
    transfer->base = {};
  }
  if (!last_block(*transfer)) return on_block_answer(*transfer, std::move(arrived), now);
  return on_answer(*transfer, std::move(arrived), now);
}

std::optional<Event> BlockClient::on_block_answer(Transfer& transfer, ResponseArrived arrived, Instant now) {
  auto& response = arrived.response;
  if (!response.code.is_success()) return on_answer(transfer, std::move(arrived), now);
  const auto block = find_block(response.options, option::block1);
  if (!block) return fail_transfer(transfer, block.error());
  const auto sent = BlockOption::at(transfer.offset, true, transfer.request_szx);
  // A server that wants smaller blocks acknowledges the number it got (RFC 7959 figure 9), or counts in the new size.
  if (!*block || ((*block)->num != sent->num && (*block)->offset() != transfer.offset)) {
    return fail_transfer(transfer, Error(reason::coap_block_unexpected, "acknowledged another"));
  }
  if (response.code != code::continue_) {
    // It acts on each block (figure 8). That it created something outweighs that it then changed it (section 2.10).
    transfer.enacted = true;
    response.options.remove(option::block1);
    if (response.code == code::created && !transfer.created) transfer.created = std::move(response);
  }
  transfer.offset += transfer.chunk;
  transfer.request_szx = std::min(transfer.request_szx, (*block)->szx);
  return resend(transfer, now);
}

bool BlockClient::try_smaller(Transfer& transfer, const Response& response) {
  if (response.code != code::request_entity_too_large || transfer.enacted) return false;
  const auto block = find_block(response.options, option::block1);
  if (transfer.in_blocks) {
    if (!block || !*block || (*block)->szx >= transfer.request_szx) return false;
    transfer.request_szx = (*block)->szx;
    transfer.offset = 0;
    transfer.chunk = 0;
    if (transfer.tag) take_tag(transfer);
    return true;
  }
  // RFC 7959 section 2.9.3: a hint to try blocks. Size1 may be what a message can carry, or what a body may have; in
  // the latter case the first block is refused as well.
  const auto size = transfer.request.payload.size();
  if (size <= Szx::smallest().size()) return false;
  const auto most = response.options.find_uint(option::size1).value_or(size - 1);
  const auto szx = Szx::fitting(std::min<std::uint64_t>(most, size - 1));
  use_blocks(transfer, std::min(block && *block ? std::min((*block)->szx, szx) : szx, transfer.request_szx));
  return true;
}

std::optional<Event> BlockClient::on_answer(Transfer& transfer, ResponseArrived arrived, Instant now) {
  auto& response = arrived.response;
  if (transfer.fetch.value != 0) {
    const bool late =
        !arrived.final && transfer.order && arrived.order && !is_later_notification(*transfer.order, *arrived.order);
    if (late) return std::nullopt;
    ++counters_.superseded;
    stop_fetch(transfer);
    answer_bytes_ -= std::exchange(transfer.held, 0);
  }
  if (response.code.is_error()) {
    if (try_smaller(transfer, response)) return resend(transfer, now);
    const bool forgotten = transfer.in_blocks && !transfer.enacted && response.code == code::request_entity_incomplete;
    if (forgotten && transfer.restarts < parameters_.restarts) return restart(transfer, now);
  }
  if (transfer.in_blocks) {
    if (response.code == code::continue_) {
      return fail_transfer(transfer, Error(reason::coap_block_unexpected, "2.31 for the last block"));
    }
    response.options.remove(option::block1);
    if (transfer.created && response.code == code::changed) {
      response.code = code::created;
      for (const auto number : {option::location_path, option::location_query}) {
        if (response.options.has(number)) continue;
        for (const auto value : transfer.created->options.all_text(number)) response.options.add(number, value);
      }
    }
  }
  transfer.order = arrived.order;
  transfer.observe = response.options.find_uint(option::observe);
  const auto step = transfer.body.begin(std::move(response), transfer.asked, limits_.response_body);
  if (!step) return fail_answer(transfer, step.error());
  return proceed(transfer, *step, now);
}

std::optional<Event> BlockClient::on_fetched(Transfer& transfer, Response response, Instant now) {
  // An error may have a body in blocks as well.
  if (response.code.is_error() && (transfer.anew || !transfer.body.is_continued_by(response))) {
    if (!is_safe(transfer.request.method)) {
      return fail_answer(transfer, Error(reason::coap_answer_incomplete, response.code.name()));
    }
    // The server no longer knows what the blocks are of, or there are no longer so many.
    const bool gone = response.code == code::request_entity_incomplete || response.code == code::bad_request;
    if (transfer.observed || (gone && transfer.restarts < parameters_.restarts)) return restart(transfer, now);
    transfer.order.reset();
    return deliver(transfer, std::move(response));
  }
  const auto step = std::exchange(transfer.anew, false)
                        ? transfer.body.begin(std::move(response), transfer.asked, limits_.response_body)
                        : transfer.body.add(response, limits_.response_body);
  if (!step) return fail_answer(transfer, step.error());
  return proceed(transfer, *step, now);
}

std::optional<Event> BlockClient::proceed(Transfer& transfer, ResponseBody::Step step, Instant now) {
  switch (step) {
    case ResponseBody::Step::complete: {
      if (transfer.held > 0) {
        ++counters_.bodies_received;
        const auto announced = transfer.body.announced();
        if (announced && *announced != transfer.body.size()) ++counters_.size_mismatches;
      }
      auto whole = transfer.body.take();
      return deliver(transfer, std::move(whole));
    }
    case ResponseBody::Step::changed:
      if (is_safe(transfer.request.method)) return restart(transfer, now);
      return fail_answer(transfer, Error(reason::coap_body_changed));
    case ResponseBody::Step::more: break;
  }
  if (!account(transfer)) return fail_answer(transfer, Error(reason::coap_bodies_full));
  if (const auto sent = send_fetch(transfer, now); !sent) return fail_answer(transfer, sent.error());
  return std::nullopt;
}

std::optional<Event> BlockClient::resend(Transfer& transfer, Instant now) {
  if (const auto sent = send_request(transfer, now); !sent) return fail_transfer(transfer, sent.error());
  return std::nullopt;
}

std::optional<Event> BlockClient::restart(Transfer& transfer, Instant now) {
  stop_fetch(transfer);
  answer_bytes_ -= std::exchange(transfer.held, 0);
  // The question of an observation that took several blocks is not sent once more beside it.
  if (transfer.restarts >= parameters_.restarts || (transfer.observed && transfer.in_blocks)) {
    return fail_answer(transfer, Error(reason::coap_body_changed));
  }
  ++transfer.restarts;
  ++counters_.restarts;
  if (transfer.observed) {
    transfer.anew = true;
    if (const auto sent = send_fetch(transfer, now); !sent) return fail_answer(transfer, sent.error());
    return std::nullopt;
  }
  transfer.offset = 0;
  transfer.chunk = 0;
  if (transfer.tag) take_tag(transfer);
  return resend(transfer, now);
}

std::optional<Event> BlockClient::deliver(Transfer& transfer, Response response) {
  ResponseArrived whole;
  whole.id = transfer.user;
  whole.peer = transfer.from;
  whole.order = transfer.order;
  whole.final = !transfer.observed;
  // What was fetched anew came without the option.
  if (transfer.observed && transfer.observe) response.options.set_uint(option::observe, *transfer.observe);
  whole.response = std::move(response);
  if (whole.final) {
    erase(transfer);
  } else {
    answer_bytes_ -= std::exchange(transfer.held, 0);
    transfer.restarts = 0;
  }
  return whole;
}

Event BlockClient::fail_answer(Transfer& transfer, Error error) {
  // Whoever only hears of a time-out would send the request again.
  if (!is_safe(transfer.request.method) && error != reason::coap_answer_incomplete) {
    error = Error(reason::coap_answer_incomplete, error.id());
  }
  return fail_transfer(transfer, error);
}

Event BlockClient::fail_transfer(Transfer& transfer, Error error) {
  ++counters_.failed;
  stop_fetch(transfer);
  stop_base(transfer);
  const auto id = transfer.user;
  erase(transfer);
  return ExchangeGone{id, error};
}

std::optional<Event> BlockClient::on_gone(ExchangeGone gone) {
  auto* transfer = find(gone.id);
  if (transfer == nullptr) return Event(gone);
  if (gone.id == transfer->fetch) {
    exchanges_.erase(gone.id.value);
    transfer->fetch = {};
    return fail_answer(*transfer, gone.reason);
  }
  if (gone.id != transfer->base) return std::nullopt;
  exchanges_.erase(gone.id.value);
  transfer->base = {};
  return fail_transfer(*transfer, gone.reason);
}

bool BlockClient::account(Transfer& transfer) {
  const auto size = transfer.body.size();
  if (answer_bytes_ - transfer.held + size > limits_.answer_bytes) return false;
  answer_bytes_ += size - std::exchange(transfer.held, size);
  return true;
}

}  // namespace aceward::coap
