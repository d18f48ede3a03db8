#include "aceward/store/sqlite/store.h"

#include <condition_variable>
#include <mutex>
#include <type_traits>
#include <utility>

#include "aceward/store/sqlite/database.h"
#include "aceward/store/sqlite/number_blocks.h"
#include "aceward/store/sqlite/registry_table.h"
#include "aceward/store/sqlite/request_table.h"
#include "aceward/store/sqlite/schema.h"
#include "aceward/store/sqlite/token_table.h"
#include "aceward/store/sqlite/writer.h"

namespace aceward::store {

using ace::as::AccessRequest;
using ace::as::ClientRecord;
using ace::as::IssuedToken;
using ace::as::PolicyRule;
using ace::as::RequestBookLimits;
using ace::as::RequestNumber;
using ace::as::ServerRecord;
using ace::as::TokenNumber;

namespace {

/// A change that yields a T; `Work` is called as Result<T>(Database&), perhaps more than once.
template <class T, class Work>
class ChangeOf final : public Change {
 public:
  ChangeOf(Work work, Done<T> tell) : work_(std::move(work)), tell_(std::move(tell)) {}

  Result<> apply(Database& database) override {
    result_ = work_(database);
    if (!result_) return std::unexpected(result_.error());
    return {};
  }

  void finish(Result<> outcome) override {
    if (!outcome) result_ = std::unexpected(outcome.error());
    tell_(std::move(result_));
  }

 private:
  Work work_;
  Result<T> result_ = fail(reason::store_unavailable);
  Done<T> tell_;
};

/// Where a thread waits for what another one tells.
template <class T>
class Answer {
 public:
  void tell(Result<T> result) {
    // Notified under the lock: the one that waits destroys this as soon as it can take it.
    const std::lock_guard lock(mutex_);
    result_ = std::move(result);
    told_.notify_one();
  }
  Result<T> wait() {
    std::unique_lock lock(mutex_);
    told_.wait(lock, [this] { return result_.has_value(); });
    return std::move(*result_);
  }

 private:
  std::mutex mutex_;
  std::condition_variable told_;
  std::optional<Result<T>> result_;
};

}  // namespace

struct Store::State {
  State(Database reading, Database writing, Bytes own_instance, Options own_options)
      : options(std::move(own_options)),
        instance(std::move(own_instance)),
        numbers(options.number_block),
        completions(std::make_shared<Completions>(options.post)),
        writer(std::move(writing), options.queue_limit),
        reader(std::move(reading)) {}

  const Options options;
  const Bytes instance;
  NumberBlocks numbers;
  std::shared_ptr<Completions> completions;
  Writer writer;
  Database reader;  // closed before the writer's connection, which then can fold the log into the file
  ace::as::RegistrySnapshot registry;
  std::int64_t data_version = 0;  // what SQLite called the database when `registry` was last compared with it
};

Result<std::unique_ptr<Store>> Store::open(const std::filesystem::path& path, Options options, Random& random) {
  if (options.number_block < 2 || options.number_block > 1'000'000) return fail(reason::record_invalid, "number_block");
  ACEWARD_TRY(create_if_absent(path, options, random));
  Database writing = ACEWARD_TRY(open_writing(path, options));
  Database reading = ACEWARD_TRY(open_reading(path, options));
  Bytes instance = ACEWARD_TRY(read_instance(writing));
  std::unique_ptr<Store> store(new Store(
      std::make_unique<State>(std::move(reading), std::move(writing), std::move(instance), std::move(options))));
  ACEWARD_TRY(store->registry());
  if (store->state_->numbers.claim_reservation()) store->reserve_block();
  return store;
}

Store::Store(std::unique_ptr<State> state) : state_(std::move(state)) {}

Store::~Store() {
  state_->writer.stop();
  state_->completions->drain();
}

BytesView Store::instance() const { return state_->instance; }
Statistics Store::statistics() const { return state_->writer.statistics(); }

template <class T, class Work>
void Store::change(Work work, Done<T> done) {
  auto tell = [completions = state_->completions, done = std::move(done)](Result<T> result) mutable {
    completions->push([done = std::move(done), result = std::move(result)]() mutable { done(std::move(result)); });
  };
  state_->writer.submit(std::make_unique<ChangeOf<T, Work>>(std::move(work), std::move(tell)));
}

template <class T, class Work>
Result<T> Store::change_now(Work work) {
  Answer<T> answer;
  state_->writer.submit(std::make_unique<ChangeOf<T, Work>>(
      std::move(work), [&answer](Result<T> result) { answer.tell(std::move(result)); }));
  return answer.wait();
}

Result<ace::as::RegistrySnapshot> Store::registry() {
  // Asked of a table only when SQLite says that someone has committed anything at all.
  const std::int64_t data_version = ACEWARD_TRY(state_->reader.integer("PRAGMA data_version"));
  if (state_->registry && data_version == state_->data_version) return state_->registry;
  Transaction one_moment = ACEWARD_TRY(Transaction::begin(state_->reader, Transaction::Kind::read));
  const std::int64_t version = ACEWARD_TRY(read_registry_version(state_->reader));
  if (!state_->registry || static_cast<std::uint64_t>(version) != state_->registry->version())
    state_->registry = ACEWARD_TRY(read_registry(state_->reader));
  state_->data_version = data_version;
  return state_->registry;
}

Result<std::shared_ptr<const ClientRecord>> Store::client(std::string_view name) {
  const auto all = ACEWARD_TRY(registry());
  const ClientRecord* found = all->client_by_name(name);
  if (found == nullptr) return fail(reason::record_missing, "client");
  return std::shared_ptr<const ClientRecord>(all, found);
}

Result<std::shared_ptr<const ServerRecord>> Store::server(std::string_view name) {
  const auto all = ACEWARD_TRY(registry());
  const ServerRecord* found = all->server_by_name(name);
  if (found == nullptr) return fail(reason::record_missing, "server");
  return std::shared_ptr<const ServerRecord>(all, found);
}

Result<std::shared_ptr<const PolicyRule>> Store::rule(std::string_view name) {
  const auto all = ACEWARD_TRY(registry());
  for (const PolicyRule& rule : all->rules())
    if (rule.name == name) return std::shared_ptr<const PolicyRule>(all, &rule);
  return fail(reason::record_missing, "rule");
}

namespace {

// The work of each change, as a function of the database that owns what it needs.
template <class Record>
auto insertion(Record record) {
  return [record = std::move(record)](Database& database) { return insert_record(database, record); };
}
template <class Record>
auto update(Record record) {
  return [record = std::move(record)](Database& database) { return update_record(database, record); };
}
auto client_removal(std::string name) {
  return [name = std::move(name)](Database& database) { return delete_client(database, name); };
}
auto server_removal(std::string name) {
  return [name = std::move(name)](Database& database) { return delete_server(database, name); };
}
auto rule_removal(std::string name) {
  return [name = std::move(name)](Database& database) { return delete_rule(database, name); };
}
auto recording(IssuedToken token, std::uint64_t decided_on) {
  return
      [token = std::move(token), decided_on](Database& database) { return insert_token(database, token, decided_on); };
}
auto token_revocation(TokenNumber number) {
  return [number](Database& database) { return revoke_one_token(database, number); };
}
auto client_revocation(std::string name) {
  return [name = std::move(name)](Database& database) -> Result<std::int64_t> {
    return revoke_tokens_of_client(database, ACEWARD_TRY(client_id_of(database, name)));
  };
}
auto server_revocation(std::string name) {
  return [name = std::move(name)](Database& database) -> Result<std::int64_t> {
    return revoke_tokens_of_server(database, ACEWARD_TRY(server_id_of(database, name)));
  };
}
auto audience_revocation(std::string audience) {
  return [audience = std::move(audience)](Database& database) { return revoke_tokens_of_audience(database, audience); };
}
auto keeping(AccessRequest request, RequestBookLimits limits) {
  return [request = std::move(request), limits](Database& database) { return keep_request(database, request, limits); };
}
auto approval(RequestNumber number, PolicyRule rule) {
  return [number, rule = std::move(rule)](Database& database) { return approve_request(database, number, rule); };
}
auto denial(RequestNumber number, WallTime until) {
  return [number, until](Database& database) { return deny_request(database, number, until); };
}
auto expiry(WallTime before, std::size_t max_rows) {
  return [before, max_rows](Database& database) { return delete_tokens_expired(database, before, max_rows); };
}

}  // namespace

void Store::add_client(ClientRecord record, Done<Added> done) { change(insertion(std::move(record)), std::move(done)); }
void Store::add_server(ServerRecord record, Done<Added> done) { change(insertion(std::move(record)), std::move(done)); }
void Store::add_rule(PolicyRule record, Done<Added> done) { change(insertion(std::move(record)), std::move(done)); }
void Store::set_client(ClientRecord record, Done<Revision> done) { change(update(std::move(record)), std::move(done)); }
void Store::set_server(ServerRecord record, Done<Revision> done) { change(update(std::move(record)), std::move(done)); }
void Store::set_rule(PolicyRule record, Done<> done) { change(update(std::move(record)), std::move(done)); }
void Store::remove_client(std::string name, Done<Removal> done) {
  change(client_removal(std::move(name)), std::move(done));
}
void Store::remove_server(std::string name, Done<Removal> done) {
  change(server_removal(std::move(name)), std::move(done));
}
void Store::remove_rule(std::string name, Done<> done) { change(rule_removal(std::move(name)), std::move(done)); }

Result<Added> Store::add_client_now(ClientRecord record) { return change_now<Added>(insertion(std::move(record))); }
Result<Added> Store::add_server_now(ServerRecord record) { return change_now<Added>(insertion(std::move(record))); }
Result<Added> Store::add_rule_now(PolicyRule record) { return change_now<Added>(insertion(std::move(record))); }
Result<Revision> Store::set_client_now(ClientRecord record) { return change_now<Revision>(update(std::move(record))); }
Result<Revision> Store::set_server_now(ServerRecord record) { return change_now<Revision>(update(std::move(record))); }
Result<> Store::set_rule_now(PolicyRule record) { return change_now<void>(update(std::move(record))); }
Result<Removal> Store::remove_client_now(std::string name) {
  return change_now<Removal>(client_removal(std::move(name)));
}
Result<Removal> Store::remove_server_now(std::string name) {
  return change_now<Removal>(server_removal(std::move(name)));
}
Result<> Store::remove_rule_now(std::string name) { return change_now<void>(rule_removal(std::move(name))); }

void Store::reserve_block() {
  NumberBlocks& numbers = state_->numbers;
  auto work = [size = numbers.size()](Database& database) { return reserve_numbers(database, size); };
  // Told on the writer's thread, not through the loop: the loop may be the one that waits for it.
  auto tell = [&numbers](Result<std::int64_t> first) {
    if (first)
      numbers.add(*first);
    else
      numbers.give_up(first.error());
  };
  state_->writer.submit_first(std::make_unique<ChangeOf<std::int64_t, decltype(work)>>(std::move(work), tell));
}

Result<TokenNumber> Store::reserve_number() {
  if (state_->numbers.claim_reservation()) reserve_block();
  return state_->numbers.take();
}

void Store::record(IssuedToken token, Recorded done) {
  change<void>(recording(std::move(token), state_->registry->version()), std::move(done));
}
Result<> Store::record_now(IssuedToken token) {
  return change_now<void>(recording(std::move(token), state_->registry->version()));
}

Result<std::optional<IssuedToken>> Store::find_by_key_id(std::int64_t client_id, std::int64_t server_id,
                                                         BytesView key_id, WallTime now) {
  return find_token_by_key_id(state_->reader, client_id, server_id, key_id, now);
}

Result<std::optional<IssuedToken>> Store::find(TokenNumber number) {
  auto token = read_token(state_->reader, number);
  if (!token && token.error() == reason::record_missing) return std::nullopt;
  return token;
}

Result<std::vector<ace::as::RevokedToken>> Store::revoked(WallTime now, std::size_t limit) {
  return read_revoked(state_->reader, now, limit);
}

Result<IssuedToken> Store::token(TokenNumber number) { return read_token(state_->reader, number); }
Result<std::vector<IssuedToken>> Store::tokens(const TokenFilter& filter) {
  return read_tokens(state_->reader, filter);
}

void Store::revoke_token(TokenNumber number, Done<std::int64_t> done) {
  change(token_revocation(number), std::move(done));
}
void Store::revoke_client(std::string name, Done<std::int64_t> done) {
  change(client_revocation(std::move(name)), std::move(done));
}
void Store::revoke_server(std::string name, Done<std::int64_t> done) {
  change(server_revocation(std::move(name)), std::move(done));
}
void Store::revoke_audience(std::string audience, Done<std::int64_t> done) {
  change(audience_revocation(std::move(audience)), std::move(done));
}
Result<std::int64_t> Store::revoke_token_now(TokenNumber number) {
  return change_now<std::int64_t>(token_revocation(number));
}
Result<std::int64_t> Store::revoke_client_now(std::string name) {
  return change_now<std::int64_t>(client_revocation(std::move(name)));
}
Result<std::int64_t> Store::revoke_server_now(std::string name) {
  return change_now<std::int64_t>(server_revocation(std::move(name)));
}

Result<std::int64_t> Store::revoke_audience_now(std::string audience) {
  return change_now<std::int64_t>(audience_revocation(std::move(audience)));
}

Result<std::optional<AccessRequest>> Store::find(std::int64_t client_id, std::int64_t server_id, BytesView scope,
                                                 WallTime now) {
  return find_request(state_->reader, client_id, server_id, scope, now);
}
void Store::keep(AccessRequest request, RequestBookLimits limits, Kept done) {
  change<RequestNumber>(keeping(std::move(request), limits), std::move(done));
}
Result<RequestNumber> Store::keep_now(AccessRequest request, RequestBookLimits limits) {
  return change_now<RequestNumber>(keeping(std::move(request), limits));
}
Result<AccessRequest> Store::request(RequestNumber number) { return read_request(state_->reader, number); }
Result<std::vector<AccessRequest>> Store::requests(const RequestFilter& filter) {
  return read_requests(state_->reader, filter);
}
void Store::approve_request(RequestNumber number, PolicyRule rule, Done<Added> done) {
  change(approval(number, std::move(rule)), std::move(done));
}
void Store::deny_request(RequestNumber number, WallTime until, Done<> done) {
  change(denial(number, until), std::move(done));
}
Result<Added> Store::approve_request_now(RequestNumber number, PolicyRule rule) {
  return change_now<Added>(approval(number, std::move(rule)));
}
Result<> Store::deny_request_now(RequestNumber number, WallTime until) {
  return change_now<void>(denial(number, until));
}

void Store::remove_expired(WallTime now, std::size_t max_rows, Done<std::int64_t> done) {
  change(expiry(now - state_->options.token_retention, max_rows), std::move(done));
}
Result<std::int64_t> Store::remove_expired_now(WallTime now, std::size_t max_rows) {
  return change_now<std::int64_t>(expiry(now - state_->options.token_retention, max_rows));
}

}  // namespace aceward::store
