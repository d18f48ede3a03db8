#include "aceward/store/sqlite/number_blocks.h"

#include "aceward/store/reasons.h"

namespace aceward::store {

bool NumberBlocks::claim_reservation() {
  const std::lock_guard lock(mutex_);
  if (reserving_ || left_ > size_ / 2) return false;
  reserving_ = true;
  return true;
}

void NumberBlocks::add(std::int64_t first) {
  const std::lock_guard lock(mutex_);
  blocks_.push_back({first, first + size_});
  left_ += size_;
  reserving_ = false;
  failure_.reset();
  told_.notify_all();
}

void NumberBlocks::give_up(Error error) {
  const std::lock_guard lock(mutex_);
  reserving_ = false;
  failure_ = error;
  told_.notify_all();
}

Result<ace::as::TokenNumber> NumberBlocks::take() {
  std::unique_lock lock(mutex_);
  told_.wait(lock, [this] { return left_ > 0 || !reserving_; });
  if (left_ == 0) return std::unexpected(failure_.value_or(Error(reason::store_unavailable)));
  Block& block = blocks_.front();
  const std::int64_t number = block.next++;
  if (block.next == block.end) blocks_.pop_front();
  --left_;
  return ace::as::TokenNumber(number);
}

}  // namespace aceward::store
