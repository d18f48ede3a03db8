#include "aceward/coap/blockwise/server_side.h"

#include <algorithm>

#include "aceward/coap/message/cache_key.h"
#include "aceward/coap/reliability/parameters.h"

namespace aceward::coap {
namespace {

// How long a peer that found no room is told to wait: most transfers end long before they would expire.
constexpr std::uint64_t longest_wait = 30;

std::uint64_t seconds_until(std::optional<Instant> at, Instant now) {
  const auto left = at ? std::chrono::ceil<std::chrono::seconds>(*at - now).count() : 1;
  return std::clamp<std::uint64_t>(left < 1 ? 1 : static_cast<std::uint64_t>(left), 1, longest_wait);
}

Instant::duration lifetime_or_default(std::chrono::nanoseconds lifetime) {
  return lifetime.count() > 0 ? lifetime : Parameters{}.exchange_lifetime();
}

// What the layers above are not to see of a body that was put together.
void strip(Options& options) {
  for (const auto number : {option::block1, option::block2, option::size1, option::size2, option::request_tag}) {
    options.remove(number);
  }
}

}  // namespace

BlockServer::BlockServer(Layer& below, const BlockwiseParameters& parameters, const BlockwiseLimits& limits,
                         BlockwiseCounters& counters, Random& random)
    : below_(below),
      parameters_(parameters),
      limits_(limits),
      counters_(counters),
      hash_(random),
      assemblies_(lifetime_or_default(limits.assembly_lifetime)),
      held_(lifetime_or_default(limits.held_lifetime)) {}

TransferKey BlockServer::key_of(const Peer& peer, Code method, const Options& options) {
  // If-None-Match is only in the first block (RFC 7959 section 2.10).
  return {peer, cache_key(method, options, {option::block1, option::block2, option::if_none_match})};
}

bool BlockServer::on_request(RequestArrived& arrived, Instant now) {
  expire(now);
  auto& options = arrived.request.options;
  // Options are sorted: most requests have none of those that matter here.
  if (options.empty() || options.at(options.size() - 1).number < option::block2) {
    take_note(arrived);
    return true;
  }
  const auto block1 = find_block(options, option::block1);
  const auto block2 = find_block(options, option::block2);
  if (!block1 || !block2) return refuse(arrived, code::bad_request, std::nullopt, now);
  if (*block1) return on_block1(arrived, **block1, *block2, now);
  if (*block2 && (*block2)->num > 0) return on_continuation(arrived, **block2, now);
  auto& note = take_note(arrived);
  if (*block2) {
    note.block2 = *block2;
    options.remove(option::block2);
  }
  if (note.size_asked) options.remove(option::size2);
  if (options.has(option::request_tag)) options.remove(option::request_tag);
  return true;
}

bool BlockServer::on_block1(RequestArrived& arrived, const BlockOption& block1,
                            const std::optional<BlockOption>& block2, Instant now) {
  const bool answer_due = block2 && block2->num > 0;
  if (answer_due || (block1.more && arrived.request.payload.size() != block1.szx.size())) {
    ++counters_.refused_malformed;
    return refuse(arrived, code::bad_request, block1, now);
  }
  auto key = key_of(arrived.peer, arrived.request.method, arrived.request.options);
  if (block1.num > 0) return continue_assembly(arrived, block1, block2, std::move(key), now);
  // A first block begins anew whatever went before (section 2.5).
  if (auto* held = held_.find(key)) held_.erase(*held);
  if (block1.more) return begin_assembly(arrived, block1, std::move(key), now);
  if (auto* old = assemblies_.find(key)) assemblies_.erase(*old);
  auto& note = take_note(arrived);
  note.block1 = block1;
  note.block2 = block2;
  strip(arrived.request.options);
  return true;
}

bool BlockServer::begin_assembly(RequestArrived& arrived, const BlockOption& block, TransferKey key, Instant now) {
  auto& request = arrived.request;
  const auto announced = request.options.find_uint(option::size1);
  if (request.payload.size() > limits_.request_body || announced.value_or(0) > limits_.request_body) {
    return refuse_size(arrived, block, now);
  }
  if (auto* old = assemblies_.find(key)) {
    ++counters_.assemblies_restarted;
    assemblies_.erase(*old);
  }
  if (assemblies_.count(arrived.peer) >= limits_.assemblies_per_peer) return refuse_full(arrived, block, now);
  const bool reachable = !arrived.answer_limit;
  if (!make_room(request.payload.size(), reachable, nullptr)) return refuse_full(arrived, block, now);
  ++counters_.assemblies_started;
  const auto size = request.payload.size();
  Assembly assembly;
  assembly.options = std::move(request.options);
  assembly.body = std::move(request.payload);
  assembly.announced = announced;
  assembly.reachable = reachable;
  assemblies_.add(std::move(key), std::move(assembly), size, now);
  proceed(arrived, block, now);
  return false;
}

bool BlockServer::make_room(std::size_t bytes, bool reachable, const TransferTable<Assembly>::Entry* own) {
  const auto full = [&] {
    return (own == nullptr && assemblies_.size() >= limits_.assemblies) ||
           assemblies_.bytes() + bytes > limits_.assembly_bytes;
  };
  while (full()) {
    auto* oldest = assemblies_.oldest([own](const TransferKey&, const Assembly& other) {
      return !other.proven && !other.last && (own == nullptr || &other != &own->value);
    });
    // Two blocks cost who invents addresses no more than one: they keep nobody out who receives at his.
    if (oldest == nullptr && reachable) {
      oldest = assemblies_.oldest([own](const TransferKey&, const Assembly& other) {
        return !other.reachable && !other.last && (own == nullptr || &other != &own->value);
      });
    }
    if (oldest == nullptr) return false;
    ++counters_.assemblies_evicted;
    assemblies_.erase(*oldest);
  }
  return true;
}

bool BlockServer::continue_assembly(RequestArrived& arrived, const BlockOption& block,
                                    const std::optional<BlockOption>& block2, TransferKey key, Instant now) {
  auto& request = arrived.request;
  auto* entry = assemblies_.find(key);
  if (entry == nullptr || entry->value.last) return on_repeated_last(arrived, block, key, now);
  auto& assembly = entry->value;
  const auto offset = block.offset();
  const auto end = offset + request.payload.size();
  if (offset > assembly.body.size()) {
    ++counters_.refused_gaps;
    return refuse(arrived, code::request_entity_incomplete, block, now);
  }
  // If-None-Match is no part of the key, since it may only be in the first block; here it contradicts that one.
  const bool contradicts = request.options.has(option::if_none_match) && !assembly.options.has(option::if_none_match);
  if (offset < assembly.body.size() || contradicts) {
    // What came first stays: whoever repeats a block with other content does not get it in.
    const bool same = block.more && !contradicts && end <= assembly.body.size() &&
                      equal(BytesView(assembly.body).subspan(offset, request.payload.size()), request.payload);
    if (!same) {
      ++counters_.refused_overlaps;
      return refuse(arrived, code::request_entity_incomplete, block, now);
    }
    ++counters_.repeated_blocks;
    assemblies_.touch(*entry, now);
    proceed(arrived, block, now);
    return false;
  }
  if (end > limits_.request_body) {
    assemblies_.erase(*entry);
    return refuse_size(arrived, block, now);
  }
  assembly.reachable = assembly.reachable || !arrived.answer_limit;
  if (!make_room(request.payload.size(), assembly.reachable, entry)) {
    ++counters_.refused_full;
    assemblies_.erase(*entry);
    return refuse(arrived, code::request_entity_too_large, block, now);
  }
  assembly.body.insert(assembly.body.end(), request.payload.begin(), request.payload.end());
  assembly.proven = true;
  assemblies_.touch(*entry, now);
  if (block.more) {
    assemblies_.resize(*entry, assembly.body.size());
    proceed(arrived, block, now);
    return false;
  }

  ++counters_.assembled;
  if (assembly.announced && *assembly.announced != assembly.body.size()) ++counters_.size_mismatches;
  auto& note = take_note(arrived);
  note.block1 = block;
  note.block2 = block2;
  note.last = LastBlock{block, hash_(request.payload)};
  note.size_asked = note.size_asked || assembly.options.has(option::size2);
  // The answer, and the notifications after it, belong to this exchange.
  const auto observe = request.options.find_uint(option::observe);
  request.options = std::move(assembly.options);
  request.payload = std::move(assembly.body);
  strip(request.options);
  request.options.remove(option::observe);
  if (observe) request.options.set_uint(option::observe, *observe);
  assembly.options.clear();
  assembly.body.clear();
  assembly.last = note.last;
  assembly.at_work = arrived.id;
  assemblies_.resize(*entry, 0);
  return true;
}

bool BlockServer::on_repeated_last(const RequestArrived& arrived, const BlockOption& block, const TransferKey& key,
                                   Instant now) {
  const auto repeats = [&](const std::optional<LastBlock>& last) {
    return last && !block.more && last->block == block && last->payload == hash_(arrived.request.payload);
  };
  if (const auto* entry = assemblies_.find(key); entry != nullptr && repeats(entry->value.last)) {
    // The request is at work: its answer goes to the first who asked, and is held for this one to come again.
    ++counters_.repeated_blocks;
    Options options;
    options.add_uint(option::max_age, 1);
    return refuse(arrived, code::service_unavailable, block, now, std::move(options));
  }
  auto* held = held_.find(key);
  if (held != nullptr && repeats(held->value.last) && guard_ && !guard_(arrived.peer, arrived.request)) {
    held_.erase(*held);
    return refuse(arrived, code::unauthorized, block, now);
  }
  if (held != nullptr && repeats(held->value.last)) {
    ++counters_.repeated_blocks;
    held_.touch(*held, now);
    const auto wanted = find_block(arrived.request.options, option::block2);
    Wanted first;
    first.szx = wanted && *wanted ? (*wanted)->szx : parameters_.response_szx;
    first.block1 = block;
    first.limit = limit_of(arrived.request.method, arrived.answer_limit);
    send_block(arrived.id, held->value, first, {}, now);
    return false;
  }
  ++counters_.refused_gaps;
  return refuse(arrived, code::request_entity_incomplete, block, now);
}

bool BlockServer::on_continuation(RequestArrived& arrived, const BlockOption& block2, Instant now) {
  auto& request = arrived.request;
  auto* entry = held_.find(key_of(arrived.peer, request.method, request.options));
  const auto query = request.payload.empty() ? 0 : hash_(request.payload);
  // Access was decided when the answer was made. If that has ended, those who decide it answer, where they can be asked
  // without anything acting again.
  if (entry != nullptr && guard_ && !guard_(arrived.peer, request)) {
    held_.erase(*entry);
    entry = nullptr;
    if (!is_safe(request.method)) return refuse(arrived, code::unauthorized, std::nullopt, now);
  }
  if (entry != nullptr && (request.payload.empty() || entry->value.query == query)) {
    held_.touch(*entry, now);
    Wanted next;
    next.offset = block2.offset();
    next.szx = block2.szx;
    next.limit = limit_of(request.method, arrived.answer_limit);
    next.size_asked = request.options.has(option::size2);
    if (next.offset >= entry->value.body.size()) return refuse(arrived, code::bad_request, std::nullopt, now);
    if (!send_block(arrived.id, entry->value, next, {}, now).second) return false;
    // Whoever wants it once more can ask the resource; this makes room for others.
    entry->value.fetched = true;
    if (entry->value.regenerable) held_.erase(*entry);
    return false;
  }
  // A FETCH without its payload is a different question: it cannot be asked again.
  const bool complete = request.method != code::fetch || !request.payload.empty();
  if (!is_safe(request.method) || !complete) {
    ++counters_.unanswerable;
    return refuse(arrived, code::request_entity_incomplete, std::nullopt, now);
  }
  ++counters_.asked_again;
  auto& note = take_note(arrived);
  note.block2 = block2;
  note.observes = false;
  strip(request.options);
  // A single block cannot be observed (section 2.6).
  request.options.remove(option::observe);
  return true;
}

void BlockServer::proceed(const RequestArrived& arrived, const BlockOption& block, Instant now) {
  Response response{code::continue_, {}, {}};
  set_block(response.options, option::block1,
            BlockOption{block.num, true, std::min(block.szx, parameters_.request_szx)});
  below_.respond(arrived.id, std::move(response), {}, now);
}

bool BlockServer::refuse(const RequestArrived& arrived, Code code, const std::optional<BlockOption>& block1,
                         Instant now, Options options) {
  Response response{code, std::move(options), {}};
  // The size asked for, never a smaller one: in a 4.13 that would be a hint to try again (section 2.9.3).
  if (block1) set_block(response.options, option::block1, BlockOption{block1->num, false, block1->szx});
  below_.respond(arrived.id, std::move(response), {}, now);
  return false;
}

bool BlockServer::refuse_full(const RequestArrived& arrived, const BlockOption& block, Instant now) {
  ++counters_.refused_full;
  Options options;
  options.add_uint(option::max_age, seconds_until(assemblies_.next_expiry(), now));
  return refuse(arrived, code::service_unavailable, block, now, std::move(options));
}

bool BlockServer::refuse_size(const RequestArrived& arrived, const BlockOption& block, Instant now) {
  ++counters_.refused_too_large;
  Options options;
  options.add_uint(option::size1, limits_.request_body);
  return refuse(arrived, code::request_entity_too_large, block, now, std::move(options));
}

void BlockServer::closed(ExchangeId id) {
  const auto* note = find_note(id);
  if (note == nullptr) return;
  end_assembly(*note);
  drop_note(id);
}

void BlockServer::end_assembly(const Note& note) {
  if (!note.last) return;
  auto* entry = assemblies_.find(key_of(note.peer, note.method, note.options));
  if (entry != nullptr && entry->value.last && entry->value.at_work == note.id) assemblies_.erase(*entry);
}

void BlockServer::settle(Note& note, bool final) {
  end_assembly(note);
  if (final) return drop_note(note.id);
  // A notification acknowledges no block.
  note.last.reset();
  note.block1.reset();
}

void BlockServer::forget(const Peer& peer) {
  assemblies_.erase_peer(peer);
  held_.erase_peer(peer);
}

std::optional<Instant> BlockServer::next_expiry() const {
  const auto a = assemblies_.next_expiry();
  const auto b = held_.next_expiry();
  return a && b ? std::min(*a, *b) : a ? a : b;
}

void BlockServer::expire(Instant now) {
  counters_.assemblies_expired += assemblies_.expire(now);
  counters_.held_expired += held_.expire(now);
}

void BlockServer::report(BlockwiseOccupancy& occupancy) const {
  occupancy.assemblies = assemblies_.size();
  occupancy.assembly_bytes = assemblies_.bytes();
  occupancy.held = held_.size();
  occupancy.held_bytes = held_.bytes();
  occupancy.requests = notes_.size() + (latest_open_ ? 1 : 0);
}

}  // namespace aceward::coap
