// The authorization server's database in one SQLite file: who is registered, what the policy says, which tokens were
// issued. See ../README.md for what a file holds and what protects it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aceward/ace/as/ledger.h"
#include "aceward/ace/as/registry.h"
#include "aceward/ace/as/request_book.h"
#include "aceward/base/random.h"
#include "aceward/base/result.h"
#include "aceward/base/time.h"
#include "aceward/store/reasons.h"

namespace aceward::store {

/// Runs a function soon on the event loop's thread, after the call that posts it has returned. Called from any thread;
/// must not throw and must not run the function at once.
using Poster = std::function<void(std::move_only_function<void()>)>;

/// What a finished change is told to.
template <class T = void>
using Done = std::move_only_function<void(Result<T>)>;

enum class Durability : std::uint8_t {
  full,     ///< synced at every commit: what has been completed survives a power cut
  relaxed,  ///< synced at checkpoints: a power cut loses the last commits, and token numbers can then repeat
};

struct Options {
  Durability durability = Durability::full;
  std::chrono::seconds token_retention{std::chrono::hours(24 * 7)};  ///< how long an expired token stays listed
  Poster post;                     ///< empty: completions run on the writer's thread, or in the call if refused
  std::size_t queue_limit = 4096;  ///< changes that may wait; more are refused at once
  std::chrono::milliseconds busy_timeout{5000};  ///< how long a change waits for another process
  std::uint32_t max_pages = 0;                   ///< size limit in pages of 4096 octets; 0: none
  std::int64_t number_block = 1000;              ///< token numbers reserved on disk at a time, 2 to 1 000 000
  bool check_at_open = true;                     ///< read the whole file once to find damage
  /// Name of a SQLite file system that was registered with it, for tests: then nothing but SQLite touches the file.
  /// Empty: the operating system's.
  std::string vfs;
};

struct Added {
  std::int64_t id = 0;
  std::string name;  ///< the given one; for a rule without one, the name that was made
};

/// What went along with a removed record.
struct Removal {
  std::int64_t rules = 0;   ///< policy rules removed
  std::int64_t tokens = 0;  ///< tokens revoked
};

/// What went along with a changed client or server.
struct Revision {
  std::int64_t tokens = 0;  ///< tokens revoked because a key is gone, or an audience gone or come
};

struct RequestFilter {
  std::string client{};                          ///< ClientRecord::name; empty: any
  std::string server{};                          ///< ServerRecord::name; empty: any
  std::string owner{};                           ///< ServerRecord::owner; empty: any
  std::optional<ace::as::RequestState> state{};  ///< absent: any
  std::optional<WallTime> live_at{};             ///< only those that have not expired at this time
  ace::as::RequestNumber after{};                ///< only those with a higher number
  std::size_t limit = 100;                       ///< 1 to 1000
};

struct TokenFilter {
  std::string client{};               ///< ClientRecord::name; empty: any
  std::string server{};               ///< ServerRecord::name; empty: any; those for its group audiences too
  std::optional<WallTime> live_at{};  ///< only those neither revoked nor expired at this time
  ace::as::TokenNumber after{};       ///< only those with a higher number: to go on where the last list ended
  std::size_t limit = 100;            ///< 1 to 1000
};

struct Statistics {
  std::uint64_t changes = 0;  ///< changes that were tried
  std::uint64_t commits = 0;  ///< transactions that were committed
};

/// Thread rules: one thread, the event loop's, makes, calls and destroys a Store. One thread inside owns the
/// connection that writes: it takes all changes that wait into one transaction, each behind a savepoint so that one
/// that fails leaves the others alone, commits, and only then has the completions run, on the loop and in the order in
/// which the changes were handed in. A change handed in never runs its completion inside that call. Reading uses a
/// second connection on the calling thread and waits for nobody's commit.
///
/// Several processes may have one file open; each sees the others' changes. Numbers of tokens are unique across them,
/// but they tell which token is the later one only within one process: one server issues, others may administer.
///
/// Errors of every change: `store_unavailable` (also: the queue is full), `store_full`, `store_locked`,
/// `store_damaged`; of every reader: the same without `store_full`. After an error nothing of the change has happened.
class Store final : public ace::as::Ledger, public ace::as::RequestBook {
 public:
  /// Opens the file, or makes it where none is: mode 0600, with an instance id drawn from `random`, and both the file
  /// and its directory entry synced. A file that is refused has not been written to.
  /// Errors: `store_foreign`, `store_newer`, `store_older` (maintenance.h: migrate), `store_damaged`, `store_exposed`,
  /// `store_locked`, `store_full`, `store_unavailable`.
  static Result<std::unique_ptr<Store>> open(const std::filesystem::path& path, Options options, Random& random);

  /// Commits all that was handed in and runs every completion, on the calling thread, before it ends.
  ~Store() override;

  /// 16 octets drawn when the file was made. State kept outside of the store (sequence numbers) names it, and is
  /// dropped when the two differ (contract 7).
  BytesView instance() const;

  /// The registered clients, servers and rules. Cached; rebuilt after a change by this or another process.
  Result<ace::as::RegistrySnapshot> registry();

  /// One record; it keeps the snapshot it belongs to alive. Errors: `record_missing`.
  Result<std::shared_ptr<const ace::as::ClientRecord>> client(std::string_view name);
  Result<std::shared_ptr<const ace::as::ServerRecord>> server(std::string_view name);
  Result<std::shared_ptr<const ace::as::PolicyRule>> rule(std::string_view name);

  /// Registers. Names and audiences are 1 to 255 octets of UTF-8 without control characters. `id` is not read.
  /// Clients and servers share one name space of pre-shared key identities; no server's audience is a group audience.
  /// Errors: `record_invalid`, `record_exists`, `record_psk_identity_taken`, `record_key_taken`,
  /// `record_certificate_name_taken`, `record_audience_taken`; for a rule `record_missing` where its client or server
  /// is not there.
  void add_client(ace::as::ClientRecord record, Done<Added> done);
  void add_server(ace::as::ServerRecord record, Done<Added> done);
  void add_rule(ace::as::PolicyRule record, Done<Added> done);

  /// Replaces all members of the record with this `id`, or with this name where `id` is 0; so a name changes where the
  /// id is given. Where that ends a credential that the record had (its key, pre-shared key or identity, certificate
  /// name, client_secret; of a server also its token_key, unless it stays as previous_token_key, and its
  /// derivation_key), its tokens are revoked in the same transaction; where a server gives up an audience, those for
  /// this audience are; where it joins a group audience, here or in add_server, those for that audience are, as they
  /// were decided upon without it. Who takes over an audience is told of its revoked tokens (RevokedToken::servers). A
  /// token that was decided upon before and is recorded after is refused.
  /// Errors: as for add, and `record_missing`.
  void set_client(ace::as::ClientRecord record, Done<Revision> done);
  void set_server(ace::as::ServerRecord record, Done<Revision> done);
  /// Tokens already issued stay as they are.
  void set_rule(ace::as::PolicyRule record, Done<> done);

  /// Removes, together with the rules that name it and the requests that wait for them, and revokes its tokens, in one
  /// transaction. Errors: `record_missing`.
  void remove_client(std::string name, Done<Removal> done);
  void remove_server(std::string name, Done<Removal> done);
  /// Removes one rule; tokens already issued under it stay. Errors: `record_missing`.
  void remove_rule(std::string name, Done<> done);

  /// The same, waiting for the commit: for the command line. Never on a loop that serves.
  Result<Added> add_client_now(ace::as::ClientRecord record);
  Result<Added> add_server_now(ace::as::ServerRecord record);
  Result<Added> add_rule_now(ace::as::PolicyRule record);
  Result<Revision> set_client_now(ace::as::ClientRecord record);
  Result<Revision> set_server_now(ace::as::ServerRecord record);
  Result<> set_rule_now(ace::as::PolicyRule record);
  Result<Removal> remove_client_now(std::string name);
  Result<Removal> remove_server_now(std::string name);
  Result<> remove_rule_now(std::string name);

  /// Waits for the disk only if a whole block of numbers was used up faster than the next could be reserved.
  Result<ace::as::TokenNumber> reserve_number() override;
  /// Errors besides those of every change: `record_missing` when the client or the server has been removed in the
  /// meantime, `record_exists` for a number already recorded, `record_invalid`. `store_unavailable` also where one of
  /// them was re-keyed since `registry` was last called: the client may ask again. `refresh_token_invalid` where the
  /// origin was revoked or its refresh token has ended.
  void record(ace::as::IssuedToken token, Recorded done) override;
  Result<std::optional<ace::as::IssuedToken>> find_by_key_id(std::int64_t client_id, std::int64_t server_id,
                                                             BytesView key_id, WallTime now) override;
  Result<std::optional<ace::as::IssuedToken>> find(ace::as::TokenNumber number) override;
  Result<std::vector<ace::as::RevokedToken>> revoked(WallTime now, std::size_t limit) override;
  Result<> record_now(ace::as::IssuedToken token);

  /// One token, with its key. Errors: `record_missing`.
  Result<ace::as::IssuedToken> token(ace::as::TokenNumber number);
  /// In the order of their numbers; `pop_key` is left empty. Errors: `record_missing` for a client or server that is
  /// not registered, `record_invalid` for a limit out of range.
  Result<std::vector<ace::as::IssuedToken>> tokens(const TokenFilter& filter);

  /// Revokes, ends the refresh tokens that ledger.h names, and tells how many tokens were revoked: those that were
  /// revoked before do not count. A server's are also those for its group audiences. `revoke_audience` takes a server's
  /// audience or a group audience. Errors: `record_missing`.
  void revoke_token(ace::as::TokenNumber number, Done<std::int64_t> done);
  void revoke_client(std::string name, Done<std::int64_t> done);
  void revoke_server(std::string name, Done<std::int64_t> done);
  void revoke_audience(std::string audience, Done<std::int64_t> done);
  Result<std::int64_t> revoke_token_now(ace::as::TokenNumber number);
  Result<std::int64_t> revoke_client_now(std::string name);
  Result<std::int64_t> revoke_server_now(std::string name);
  Result<std::int64_t> revoke_audience_now(std::string audience);

  /// Requests for access. `find` reads one row; a denial that is asked again is counted, and stays denied.
  Result<std::optional<ace::as::AccessRequest>> find(std::int64_t client_id, std::int64_t server_id, BytesView scope,
                                                     WallTime now) override;
  void keep(ace::as::AccessRequest request, ace::as::RequestBookLimits limits, Kept done) override;
  Result<ace::as::RequestNumber> keep_now(ace::as::AccessRequest request, ace::as::RequestBookLimits limits);
  /// Errors: `record_missing`.
  Result<ace::as::AccessRequest> request(ace::as::RequestNumber number);
  /// In the order of their numbers. Errors: `record_missing` for a client or server that is not registered,
  /// `record_invalid` for a limit out of range.
  Result<std::vector<ace::as::AccessRequest>> requests(const RequestFilter& filter);

  /// Turns the request into a policy rule, in one transaction; a denied one too. The rule's client and server are those
  /// of the request, whatever it says, and so is its scope where it has none. Errors: as for add_rule.
  void approve_request(ace::as::RequestNumber number, ace::as::PolicyRule rule, Done<Added> done);
  /// The client is told so until `until`. Errors: `record_missing`.
  void deny_request(ace::as::RequestNumber number, WallTime until, Done<> done);
  Result<Added> approve_request_now(ace::as::RequestNumber number, ace::as::PolicyRule rule);
  Result<> deny_request_now(ace::as::RequestNumber number, WallTime until);

  /// Removes at most `max_rows` (1 to 10 000) tokens that expired, with their refresh token, longer than the retention
  /// ago, and tells how many: fewer than `max_rows` means that none are left. Gives the space of some removed rows back
  /// to the file system. Small steps keep commits short.
  void remove_expired(WallTime now, std::size_t max_rows, Done<std::int64_t> done);
  Result<std::int64_t> remove_expired_now(WallTime now, std::size_t max_rows);

  Statistics statistics() const;

 private:
  struct State;
  explicit Store(std::unique_ptr<State> state);

  template <class T, class Work>
  void change(Work work, Done<T> done);
  template <class T, class Work>
  Result<T> change_now(Work work);
  void reserve_block();

  std::unique_ptr<State> state_;
};

}  // namespace aceward::store
