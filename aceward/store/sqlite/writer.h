// The one thread that writes. It takes all changes that wait into one transaction, so that a slow disk is asked once
// for many.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "aceward/base/result.h"
#include "aceward/store/sqlite/database.h"
#include "aceward/store/sqlite/store.h"

namespace aceward::store {

/// Something to be written.
class Change {
 public:
  virtual ~Change() = default;
  /// On the writer's thread, in a transaction. May be called again after that transaction was lost.
  virtual Result<> apply(Database& database) = 0;
  /// Once, after the commit or the failure: on the writer's thread, or on the caller's for a change that is refused at
  /// the door. Must not throw.
  virtual void finish(Result<> outcome) = 0;
};

class Writer {
 public:
  Writer(Database database, std::size_t queue_limit);
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  ~Writer();

  /// From any thread. Refused with `store_unavailable` when `queue_limit` changes wait, or after `stop`.
  void submit(std::unique_ptr<Change> change);
  /// Goes before all that wait, and does not count against the limit: for what the store needs itself.
  void submit_first(std::unique_ptr<Change> change);
  /// Ends when all that waits is committed and finished. From then on every change is refused.
  void stop();

  Statistics statistics() const { return {changes_.load(), commits_.load()}; }

 private:
  using Group = std::span<std::unique_ptr<Change>>;

  void run();
  void write(Group group);
  /// Behind a savepoint unless `alone`. The whole transaction may be gone afterwards: ask `in_transaction`.
  Result<> apply_one(Change& change, bool alone);

  Database database_;
  const std::size_t queue_limit_;
  std::atomic<std::uint64_t> changes_ = 0;
  std::atomic<std::uint64_t> commits_ = 0;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::unique_ptr<Change>> waiting_;  // guarded by mutex_
  bool stopping_ = false;                        // guarded by mutex_
  std::thread thread_;
};

/// Completions on their way to the loop: in order, each run once, and one wake-up for all that are there.
class Completions : public std::enable_shared_from_this<Completions> {
 public:
  explicit Completions(Poster post) : post_(std::move(post)) {}
  /// From any thread. Without a poster it runs at once.
  void push(std::move_only_function<void()> completion);
  /// On the loop: runs all, also those that come meanwhile.
  void drain();

 private:
  void run_those_there();
  bool run_first();

  const Poster post_;
  std::mutex mutex_;
  std::deque<std::move_only_function<void()>> ready_;  // guarded by mutex_
  bool posted_ = false;                                // guarded by mutex_
};

}  // namespace aceward::store
