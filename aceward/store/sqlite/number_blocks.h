// Token numbers that are reserved on disk and not yet given out.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>

#include "aceward/ace/as/ledger.h"
#include "aceward/base/result.h"

namespace aceward::store {

/// The loop takes from it, the writer fills it. All functions are thread-safe.
class NumberBlocks {
 public:
  /// Reserves blocks of `size`; the next one is due when half a block is left.
  explicit NumberBlocks(std::int64_t size) : size_(size) {}

  std::int64_t size() const { return size_; }
  /// True once each time that a block is due: the caller then reserves one, and tells `add` or `give_up`.
  bool claim_reservation();
  void add(std::int64_t first);
  void give_up(Error error);
  /// The next number. Waits while there is none and a reservation is under way; its error when that failed.
  Result<ace::as::TokenNumber> take();

 private:
  struct Block {
    std::int64_t next;
    std::int64_t end;
  };

  const std::int64_t size_;
  std::mutex mutex_;
  std::condition_variable told_;
  std::deque<Block> blocks_;      // guarded by mutex_; none is empty
  std::int64_t left_ = 0;         // guarded by mutex_; numbers in all blocks
  bool reserving_ = false;        // guarded by mutex_
  std::optional<Error> failure_;  // guarded by mutex_; of the last reservation
};

}  // namespace aceward::store
