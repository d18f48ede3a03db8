// The answers of the server: passed on whole, or cut into blocks of which the rest is held.
#include <algorithm>
#include <array>

#include "aceward/coap/blockwise/message_size.h"
#include "aceward/coap/blockwise/server_side.h"

namespace aceward::coap {
namespace {

// RFC 7252 section 5.10.5, for a response without the option.
constexpr std::uint64_t default_max_age = 60;

bool answers_observation(const Response& response) {
  return response.code.is_success() && response.options.has(option::observe);
}

}  // namespace

BlockServer::Note& BlockServer::take_note(const RequestArrived& arrived) {
  if (latest_open_) notes_.insert_or_assign(latest_.id.value, std::move(latest_));
  latest_open_ = true;
  const auto& request = arrived.request;
  latest_.id = arrived.id;
  latest_.peer = arrived.peer;
  latest_.method = request.method;
  latest_.options = request.options;
  latest_.block1.reset();
  latest_.block2.reset();
  latest_.answer_limit = arrived.answer_limit;
  latest_.last.reset();
  latest_.query = request.method == code::fetch && !request.payload.empty() ? hash_(request.payload) : 0;
  latest_.observes = request.options.find_uint(option::observe) == 0U;
  latest_.size_asked = request.options.has(option::size2);
  return latest_;
}

BlockServer::Note* BlockServer::find_note(ExchangeId id) {
  if (latest_open_ && latest_.id == id) return &latest_;
  const auto found = notes_.find(id.value);
  return found == notes_.end() ? nullptr : &found->second;
}

void BlockServer::drop_note(ExchangeId id) {
  if (latest_open_ && latest_.id == id) {
    latest_open_ = false;
  } else {
    notes_.erase(id.value);
  }
}

std::size_t BlockServer::limit_of(Code method, const std::optional<std::size_t>& answer_limit) const {
  // A safe request with too long an answer is asked by the layer below to come again with Echo; any other has acted,
  // and its answer has to do with what is allowed.
  if (!answer_limit || is_safe(method)) return parameters_.message_size;
  return std::min(*answer_limit, parameters_.message_size);
}

void BlockServer::respond(ExchangeId id, Response response, Delivery hint, Instant now) {
  auto* note = find_note(id);
  if (note == nullptr) return below_.respond(id, std::move(response), hint, now);
  const bool final = !(note->observes && answers_observation(response));
  if (note->block1) {
    set_block(response.options, option::block1, BlockOption{note->block1->num, false, note->block1->szx});
  }
  if (response.options.has(option::block2)) {
    // The resource cuts by itself.
    settle(*note, final);
    return below_.respond(id, std::move(response), hint, now);
  }

  Wanted wanted;
  wanted.szx = std::min(note->block2 ? note->block2->szx : parameters_.response_szx, parameters_.response_szx);
  wanted.offset = note->block2 ? note->block2->offset() : 0;
  wanted.block1 = note->block1;
  wanted.limit = limit_of(note->method, note->answer_limit);
  wanted.size_asked = note->size_asked;
  wanted.block_asked = note->block2.has_value();
  const auto size = response.payload.size();
  const bool whole = size <= wanted.szx.size() && message_size(response.options, size) + 4 <= wanted.limit;
  if (wanted.offset > 0 && (!response.code.is_success() || wanted.offset >= size)) {
    // The resource was asked again and has no such block any more.
    if (response.code.is_success()) response = Response{code::bad_request, {}, {}};
    settle(*note, final);
    return below_.respond(id, std::move(response), hint, now);
  }
  const bool repeatable = note->last.has_value();
  if (whole && wanted.offset == 0 && !repeatable) {
    if (note->block2 && size > 0) set_block(response.options, option::block2, BlockOption{0, false, wanted.szx});
    if (note->size_asked && size > 0) response.options.set_uint(option::size2, size);
    settle(*note, final);
    return below_.respond(id, std::move(response), hint, now);
  }

  Held held;
  held.method = note->method;
  held.query = note->query;
  held.last = note->last;
  held.made = now;
  held.reachable = !note->answer_limit;
  held.regenerable = is_safe(note->method) && !note->last;
  held.body = std::move(response.payload);
  held.head = std::move(response);
  Bytes observe;
  if (const auto value = held.head.options.find(option::observe)) {
    observe = to_bytes(*value);
    wanted.observe = BytesView(observe);
  }
  for (const auto number : {option::observe, option::block1, option::size2}) held.head.options.remove(number);
  if (!whole || wanted.offset > 0) {
    ++counters_.answers_cut;
    add_etag(held.head, held.body);
  }
  const auto limit = note->answer_limit;
  auto key = key_of(note->peer, note->method, note->options);
  settle(*note, final);
  const auto [sent, complete] = send_block(id, held, wanted, hint, now);
  // What the layer below replaces by a question for Echo will be asked again.
  const bool replaced = held.regenerable && limit && sent > *limit;
  if (!replaced && (!complete || repeatable)) hold(std::move(key), std::move(held), now);
}

void BlockServer::add_etag(Response& head, BytesView body) const {
  // Without a tag the client could not tell when the representation changed between two blocks (RFC 7959 section 2.4,
  // RFC 9175 section 3.8). It is made of the content, so that a block of the same representation that the resource gave
  // anew has the same tag; with a secret key, so that no two contents can be made that share one.
  if (head.options.has(option::etag)) return;
  Bytes identity;
  const auto add = [&identity](std::uint64_t value) {
    for (int shift = 56; shift >= 0; shift -= 8) identity.push_back(static_cast<std::uint8_t>(value >> shift));
  };
  add(hash_(body));
  add(head.code.value);
  const auto format = head.options.find_uint(option::content_format);
  add(format ? *format + 1 : 0);
  const auto tag = hash_(identity);
  std::array<std::uint8_t, 8> octets;
  for (std::size_t i = 0; i < octets.size(); ++i) octets[i] = static_cast<std::uint8_t>(tag >> (8 * i));
  head.options.add(option::etag, octets);
}

std::pair<std::size_t, bool> BlockServer::send_block(ExchangeId id, const Held& held, const Wanted& wanted,
                                                     Delivery hint, Instant now) {
  Response response{held.head.code, held.head.options, {}};
  if (wanted.observe) response.options.set(option::observe, *wanted.observe);
  if (wanted.block1) {
    set_block(response.options, option::block1, BlockOption{wanted.block1->num, false, wanted.block1->szx});
  }
  // The age that the representation has reached while it was held.
  const auto age = std::chrono::floor<std::chrono::seconds>(now - held.made).count();
  if (age > 0 && (is_safe(held.method) || response.options.has(option::max_age))) {
    const auto lives = response.options.find_uint(option::max_age).value_or(default_max_age);
    const auto aged = static_cast<std::uint64_t>(age);
    response.options.set_uint(option::max_age, lives > aged ? lives - aged : 0);
  }
  const auto body = BytesView(held.body);
  auto szx = std::min(wanted.szx, parameters_.response_szx);
  if (wanted.size_asked) response.options.set_uint(option::size2, body.size());
  const bool one_block = wanted.offset == 0 && body.size() <= szx.size() &&
                         message_size(response.options, body.size()) + 4 <= wanted.limit;
  // It has one already, unless it was held as it fitted one block and is now asked for in smaller ones.
  if (!one_block) add_etag(response, body);
  if (wanted.offset == 0 && !one_block) response.options.set_uint(option::size2, body.size());
  // Four octets for a Block2 option with all of its three.
  const auto overhead = message_size(response.options, 1) - 1 + 4;
  const auto room = wanted.limit > overhead ? wanted.limit - overhead : 0;
  // What fits as it is must not be cut to the next smaller block size: it would go without a Block2 option.
  if (!one_block) szx = std::min(szx, Szx::fitting(std::max(room, Szx::smallest().size())));
  const auto chunk = body.subspan(wanted.offset, std::min(szx.size(), body.size() - wanted.offset));
  const bool complete = wanted.offset + chunk.size() == body.size();
  response.payload = to_bytes(chunk);
  const auto block = BlockOption::at(wanted.offset, !complete, szx);
  // The last block that a number can name has nothing after it.
  if (!block || (!complete && !BlockOption::at(wanted.offset + chunk.size(), false, szx))) {
    below_.respond(id, Response{code::internal_server_error, {}, {}}, hint, now);
    return {0, true};
  }
  if (!one_block || (wanted.block_asked && !body.empty())) set_block(response.options, option::block2, *block);
  const auto size = message_size(response.options, chunk.size());
  below_.respond(id, std::move(response), hint, now);
  return {size, complete};
}

void BlockServer::hold(TransferKey key, Held held, Instant now) {
  const auto bytes = held.body.size();
  if (auto* old = held_.find(key)) held_.erase(*old);
  const auto evict = [this](auto matches) {
    auto* entry = held_.oldest(matches);
    if (entry == nullptr) return false;
    ++counters_.held_evicted;
    held_.erase(*entry);
    return true;
  };
  while (held_.count(key.peer) > 0 && held_.count(key.peer) >= limits_.held_per_peer) {
    auto* own = held_.oldest_of(key.peer, [](const Held& value) { return value.regenerable || value.fetched; });
    if (own == nullptr) own = held_.oldest_of(key.peer, [](const Held&) { return true; });
    ++counters_.held_evicted;
    held_.erase(*own);
  }
  const auto full = [&] { return held_.size() >= limits_.held || held_.bytes() + bytes > limits_.held_bytes; };
  const auto worth_less = [&held](const TransferKey&, const Held& other) {
    return other.fetched || (other.regenerable && !held.regenerable) || (!other.reachable && held.reachable);
  };
  while (full()) {
    if (bytes > limits_.held_bytes || !evict(worth_less)) {
      ++counters_.not_held;
      return;
    }
  }
  held_.add(std::move(key), std::move(held), bytes, now);
}

}  // namespace aceward::coap
