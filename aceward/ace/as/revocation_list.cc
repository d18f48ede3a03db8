#include "aceward/ace/as/revocation_list.h"

#include <algorithm>
#include <iterator>

#include "aceward/ace/as/reasons.h"
#include "aceward/coap/resource/answers.h"

namespace aceward::ace::as {

namespace {

constexpr std::chrono::seconds try_again_after{5};
/// Indices that a second of a life of the list may use up.
constexpr unsigned indices_per_second_bits = 20;
constexpr std::uint64_t random_part_of_first_index = std::uint64_t{1} << 19;

/// The items of a collection that an answer has, the eldest first.
struct Range {
  std::size_t first = 0;
  std::size_t count = 0;
  bool more = false;
};

/// Of the last `wanted` of `size` items the eldest that fit into one answer (sections 9.2.2 and 9.2.3 of the draft).
Range eldest_of_last(std::size_t size, std::size_t wanted, std::size_t batch) {
  return {size - wanted, std::min(wanted, batch), wanted > batch};
}

}  // namespace

bool RevocationList::Changes::concerns(const RevocationAsker& asker) const {
  if (asker.administrator) return !empty();
  return clients_.contains(asker.client_id) || servers_.contains(asker.server_id);
}

RevocationList::RevocationList(RevocationListConfig config, Random& random, Ledger& ledger)
    : config_(std::move(config)), random_(random), ledger_(ledger) {
  config_.updates_kept = std::max<std::size_t>(config_.updates_kept, 1);
  config_.updates_in_answer = std::clamp<std::size_t>(config_.updates_in_answer, 1, config_.updates_kept);
  config_.last_possible_index = std::max<std::uint64_t>(config_.last_possible_index, config_.updates_kept - 1);
  if (config_.first_index) config_.first_index = std::min(*config_.first_index, config_.last_possible_index);
}

RevocationList::~RevocationList() = default;

void RevocationList::set_registry(RegistrySnapshot registry) {
  registry_ = std::move(registry);
  registered_clients_.clear();
  if (registry_ != nullptr)
    for (const ClientRecord& client : registry_->clients()) registered_clients_.insert(client.id);
  std::erase_if(collections_, [&](const auto& entry) { return !is_registered(entry.first); });
}

bool RevocationList::is_registered(const RevocationAsker& asker) const {
  if (asker.administrator) return true;
  if (asker.client_id != 0 && !registered_clients_.contains(asker.client_id)) return false;
  return asker.server_id == 0 || (registry_ != nullptr && registry_->server_by_id(asker.server_id) != nullptr);
}

std::optional<RevocationAsker> RevocationList::asker_of(const std::optional<AuthenticatedClient>& client,
                                                        const std::optional<AuthenticatedServer>& server) const {
  if (registry_ == nullptr) return std::nullopt;
  const auto administers = [&](const std::string& name) {
    return std::ranges::find(config_.administrators, name) != config_.administrators.end();
  };
  RevocationAsker asker;
  if (client) {
    const ClientRecord* record = registry_->client_by_name(client->name());
    if (record != nullptr && record->id == client->id()) {
      asker.client_id = record->id;
      asker.administrator = asker.administrator || administers(record->name);
    }
  }
  if (server) {
    const ServerRecord* record = registry_->server_by_name(server->name());
    if (record != nullptr && record->id == server->id()) {
      asker.server_id = record->id;
      asker.administrator = asker.administrator || administers(record->name);
    }
  }
  if (asker.client_id == 0 && asker.server_id == 0) return std::nullopt;
  return asker;
}

/// All administrators see the same, and so share what is kept.
RevocationAsker RevocationList::normalized(RevocationAsker asker) {
  if (asker.administrator) return {0, 0, true};
  return asker;
}

std::vector<RevocationAsker> RevocationList::askers_of(const Listed& token) {
  std::vector<RevocationAsker> askers{{0, 0, true}, {token.client_id, 0, false}};
  for (const std::int64_t server : token.servers) askers.push_back({0, server, false});
  return askers;
}

void RevocationList::enter(std::int64_t number, Listed token) {
  of_client_[token.client_id].insert(number);
  for (const std::int64_t server : token.servers) of_server_[server].insert(number);
  listed_.emplace(number, std::move(token));
}

void RevocationList::leave(std::map<std::int64_t, Listed>::iterator token) {
  const auto remove_from = [&](Portions& portions, std::int64_t party) {
    const auto found = portions.find(party);
    if (found == portions.end()) return;
    found->second.erase(token->first);
    if (found->second.empty()) portions.erase(found);
  };
  remove_from(of_client_, token->second.client_id);
  for (const std::int64_t server : token->second.servers) remove_from(of_server_, server);
  listed_.erase(token);
}

std::vector<RevocationList::Hash> RevocationList::portion_of(const RevocationAsker& asker) const {
  std::vector<Hash> hashes;
  if (asker.administrator) {
    for (const auto& [number, token] : listed_) hashes.push_back(token.hash);
    return hashes;
  }
  std::set<std::int64_t> numbers;
  if (const auto found = of_client_.find(asker.client_id); asker.client_id != 0 && found != of_client_.end())
    numbers.insert(found->second.begin(), found->second.end());
  if (const auto found = of_server_.find(asker.server_id); asker.server_id != 0 && found != of_server_.end())
    numbers.insert(found->second.begin(), found->second.end());
  for (const std::int64_t number : numbers) hashes.push_back(listed_.at(number).hash);
  return hashes;
}

/// An asker that is both has one collection too: the updates of either side at this moment are one of it.
void RevocationList::add_parties_of_both_kinds(Pending& pending) const {
  for (const auto& [asker, collection] : collections_) {
    if (asker.client_id == 0 || asker.server_id == 0) continue;
    Update both;
    std::unordered_set<const Bytes*> seen;  // a token can be of both sides
    for (const RevocationAsker& side :
         {RevocationAsker{asker.client_id, 0, false}, RevocationAsker{0, asker.server_id, false}}) {
      const auto found = pending.find(side);
      if (found == pending.end()) continue;
      for (const auto patch : {&Update::removed, &Update::added})
        for (const Hash& hash : found->second.*patch)
          if (seen.insert(hash.get()).second) (both.*patch).push_back(hash);
    }
    if (!both.removed.empty() || !both.added.empty()) pending.insert_or_assign(asker, std::move(both));
  }
}

void RevocationList::append(const RevocationAsker& asker, Update update) {
  Collection& collection = collections_[asker];
  if (!collection.last_index) {
    update.index = *base_;
  } else if (*collection.last_index == config_.last_possible_index) {
    update.index = 0;
    collection.wrapped = true;
  } else {
    update.index = *collection.last_index + 1;
  }
  collection.last_index = update.index;
  if (collection.updates.size() == config_.updates_kept) collection.updates.pop_front();
  collection.updates.push_back(std::move(update));
}

Result<RevocationList::Changes> RevocationList::update(WallTime now) {
  usable_ = false;
  const auto rows = ACEWARD_TRY(ledger_.revoked(now, config_.most_listed + 1));
  if (rows.size() > config_.most_listed) return fail(reason::revocation_list_too_long);
  if (!base_) {
    const auto seconds = static_cast<std::uint64_t>(std::max<std::int64_t>(now.time_since_epoch().count(), 0));
    base_ =
        config_.first_index.value_or((seconds << indices_per_second_bits) + random_.below(random_part_of_first_index));
    base_ = std::min(*base_, config_.last_possible_index);
  }
  Pending pending;
  Changes changes;
  const auto note = [&](const Listed& token, std::vector<Hash> Update::* patch) {
    for (const RevocationAsker& asker : askers_of(token))
      if (is_registered(asker)) (pending[asker].*patch).push_back(token.hash);
    changes.clients_.insert(token.client_id);
    changes.servers_.insert(token.servers.begin(), token.servers.end());
  };
  // A server has an audience since that was another's, or a group's: it may be shown tokens that were revoked before.
  const auto note_more_servers = [&](std::int64_t number, Listed& token, const std::vector<std::int64_t>& servers) {
    for (const std::int64_t server : servers) {
      if (std::ranges::find(token.servers, server) != token.servers.end()) continue;
      const RevocationAsker asker{0, server, false};
      if (is_registered(asker)) pending[asker].added.push_back(token.hash);
      changes.servers_.insert(server);
      of_server_[server].insert(number);
      token.servers.push_back(server);
    }
  };
  std::unordered_set<std::int64_t> still;
  for (const RevokedToken& row : rows)
    if (row.expires_at > now) still.insert(row.number.value);
  for (auto token = listed_.begin(); token != listed_.end();) {
    const auto next = std::next(token);
    if (!still.contains(token->first)) {
      note(token->second, &Update::removed);
      leave(token);
      ++counters_.removed;
    }
    token = next;
  }
  next_expiry_.reset();
  for (const RevokedToken& row : rows) {
    // A token of a time in which no hash was kept cannot be told of; introspection knows it.
    if (row.expires_at <= now || row.token_hash.empty()) continue;
    if (!next_expiry_ || row.expires_at < *next_expiry_) next_expiry_ = row.expires_at;
    if (const auto known = listed_.find(row.number.value); known != listed_.end()) {
      note_more_servers(row.number.value, known->second, row.servers);
      continue;
    }
    Listed token{std::make_shared<const Bytes>(row.token_hash), row.client_id, row.servers, row.expires_at};
    note(token, &Update::added);
    enter(row.number.value, std::move(token));
    ++counters_.added;
  }
  add_parties_of_both_kinds(pending);
  for (auto& [asker, update] : pending) append(asker, std::move(update));
  if (!changes.empty()) ++counters_.updates;
  usable_ = true;
  return changes;
}

std::optional<WallTime> RevocationList::next_update() const { return next_expiry_; }

std::size_t RevocationList::collections() const { return collections_.size(); }

const RevocationList::Collection& RevocationList::collection_of(const RevocationAsker& asker) {
  static const Collection nothing;
  const auto found = collections_.find(asker);
  if (found != collections_.end()) return found->second;
  if (asker.client_id == 0 || asker.server_id == 0) return nothing;
  // Both a client and a server: kept from now on, beginning with what is listed, as if it had been one update.
  collections_[asker];
  Update portion;
  portion.added = portion_of(asker);
  if (!portion.added.empty()) append(asker, std::move(portion));
  return collections_[asker];
}

coap::Response RevocationList::refuse(TrlErrorId id, std::optional<TrlCursor> cursor, std::string_view detail) {
  ++counters_.refused;
  return make_trl_error({id, std::move(cursor)}, detail);
}

coap::Response RevocationList::answer(const RevocationAsker& who, const coap::Request& request) {
  if (!usable_) {
    coap::Response response = coap::make_response(coap::code::service_unavailable);
    coap::set_max_age(response.options, try_again_after);
    return response;
  }
  if (auto refused = coap::refuse_accept(request, {coap::content_format::ace_trl_cbor})) return std::move(*refused);
  const RevocationAsker asker = normalized(who);
  const Collection& collection = collection_of(asker);
  const TrlCursor last = collection.last_index ? TrlCursor(*collection.last_index) : TrlCursor();
  const auto query = parse_trl_query(request.options);
  if (!query) {
    return refuse(query.error().error_id, query.error().names_cursor ? std::optional(last) : std::nullopt,
                  query.error().error_id == TrlErrorId::invalid_parameter_set ? "'cursor' needs 'diff'"
                  : query.error().names_cursor                                ? "Invalid value for 'cursor'"
                                                                              : "Invalid value for 'diff'");
  }
  if (query->asks_full()) {
    ++counters_.full_queries;
    RevocationAnswer full;
    full.full_set.emplace();
    for (const Hash& hash : portion_of(asker)) full.full_set->push_back(*hash);
    full.cursor = last;
    return coap::make_response(coap::code::content, coap::content_format::ace_trl_cbor, cbor::serialize(full));
  }
  if (query->cursor && *query->cursor > config_.last_possible_index)
    return refuse(TrlErrorId::invalid_parameter_value, last, "Invalid value for 'cursor'");
  if (query->cursor && collection.last_index && !collection.wrapped && *query->cursor > *collection.last_index)
    return refuse(TrlErrorId::cursor_out_of_bound, std::nullopt, "No update has this index yet");
  return answer_diff(*query, collection);
}

/// Sections 9.2.1 to 9.2.3 of the draft.
coap::Response RevocationList::answer_diff(const TrlQuery& query, const Collection& collection) {
  ++counters_.diff_queries;
  RevocationAnswer answer;
  answer.diff_set.emplace();
  const auto& updates = collection.updates;
  const auto tell = [&](TrlCursor cursor, bool more) {
    answer.cursor = cursor;
    answer.more = more;
    return coap::make_response(coap::code::content, coap::content_format::ace_trl_cbor, cbor::serialize(answer));
  };
  if (updates.empty()) return tell({}, false);
  std::size_t available = updates.size();
  if (query.cursor) {
    const auto place_of = [&](std::uint64_t index) {
      return std::ranges::find(updates, index, &Update::index) - updates.begin();
    };
    const auto size = static_cast<std::ptrdiff_t>(updates.size());
    const std::uint64_t next = *query.cursor == config_.last_possible_index ? 0 : *query.cursor + 1;
    std::ptrdiff_t following = place_of(*query.cursor);
    following = following != size ? following + 1 : place_of(next);
    // Neither the update that is known nor the one after it is kept: something was missed.
    if (following == size && updates.back().index != *query.cursor) return tell({}, true);
    available = static_cast<std::size_t>(size - following);
  }
  std::size_t wanted = config_.updates_kept;
  if (*query.diff != 0 && *query.diff < wanted) wanted = static_cast<std::size_t>(*query.diff);
  wanted = std::min(wanted, available);
  if (wanted == 0) return tell(*collection.last_index, false);
  const Range range = eldest_of_last(updates.size(), wanted, config_.updates_in_answer);
  for (std::size_t i = range.first + range.count; i-- > range.first;) {
    DiffEntry& entry = answer.diff_set->emplace_back();
    for (const Hash& hash : updates[i].removed) entry.removed.push_back(*hash);
    for (const Hash& hash : updates[i].added) entry.added.push_back(*hash);
  }
  return tell(updates[range.first + range.count - 1].index, range.more);
}

}  // namespace aceward::ace::as
