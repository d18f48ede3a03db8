#include "aceward/store/sqlite/writer.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace aceward::store {

namespace {

/// A longer transaction would make the first in it wait for the last without saving anything.
constexpr std::size_t group_limit = 512;

}  // namespace

Writer::Writer(Database database, std::size_t queue_limit)
    : database_(std::move(database)), queue_limit_(queue_limit), thread_([this] { run(); }) {}

Writer::~Writer() { stop(); }

void Writer::submit(std::unique_ptr<Change> change) {
  {
    const std::lock_guard lock(mutex_);
    if (!stopping_ && waiting_.size() < queue_limit_) {
      waiting_.push_back(std::move(change));
      wake_.notify_one();
      return;
    }
  }
  change->finish(fail(reason::store_unavailable, "the queue is full or the store is closing"));
}

void Writer::submit_first(std::unique_ptr<Change> change) {
  {
    const std::lock_guard lock(mutex_);
    if (!stopping_) {
      waiting_.push_front(std::move(change));
      wake_.notify_one();
      return;
    }
  }
  change->finish(fail(reason::store_unavailable, "the store is closing"));
}

void Writer::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    wake_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

void Writer::run() {
  std::vector<std::unique_ptr<Change>> group;
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      const auto count = static_cast<std::ptrdiff_t>(std::min(waiting_.size(), group_limit));
      group.assign(std::move_iterator(waiting_.begin()), std::move_iterator(waiting_.begin() + count));
      waiting_.erase(waiting_.begin(), waiting_.begin() + count);
    }
    write(group);
    group.clear();
  }
}

void Writer::write(Group group) {
  std::vector<Result<>> outcomes;
  outcomes.reserve(group.size());
  std::size_t lost_at = group.size();
  {
    auto transaction = Transaction::begin(database_, Transaction::Kind::write);
    if (!transaction) {
      for (const auto& change : group) change->finish(std::unexpected(transaction.error()));
      return;
    }
    bool any = false;
    for (const auto& change : group) {
      changes_.fetch_add(1);
      outcomes.push_back(apply_one(*change, group.size() == 1));
      any = any || outcomes.back();
      if (!database_.in_transaction()) {
        lost_at = outcomes.size() - 1;
        break;
      }
    }
    if (any && lost_at == group.size()) {
      if (const Result<> committed = transaction->commit()) {
        commits_.fetch_add(1);
      } else {
        for (Result<>& outcome : outcomes)
          if (outcome) outcome = committed;
      }
    }
  }
  for (std::size_t i = 0; i < group.size(); ++i) {
    // A full disk takes the whole transaction down: the others are tried again, each by itself.
    if (lost_at == group.size() || i == lost_at)
      group[i]->finish(std::move(outcomes[i]));
    else
      write(group.subspan(i, 1));
  }
}

Result<> Writer::apply_one(Change& change, bool alone) {
  if (!alone) ACEWARD_TRY(database_.execute("SAVEPOINT change"));
  Result<> outcome = change.apply(database_);
  if (!database_.in_transaction())
    return outcome ? fail(reason::store_unavailable, "the transaction was lost") : outcome;
  if (alone) return outcome;
  if (!outcome && !database_.execute("ROLLBACK TO change")) {
    // Half a change must not be committed along with the others.
    static_cast<void>(database_.execute("ROLLBACK"));
    return outcome;
  }
  if (const auto released = database_.execute("RELEASE change"); !released) {
    static_cast<void>(database_.execute("ROLLBACK"));
    return released;
  }
  return outcome;
}

void Completions::push(std::move_only_function<void()> completion) {
  if (!post_) return completion();
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    ready_.push_back(std::move(completion));
    wake = !std::exchange(posted_, true);
  }
  if (wake) post_([self = shared_from_this()] { self->run_those_there(); });
}

void Completions::run_those_there() {
  std::size_t count = 0;
  {
    const std::lock_guard lock(mutex_);
    posted_ = false;
    count = ready_.size();
  }
  // What comes meanwhile has posted again, so that the loop gets to its other work in between.
  while (count-- > 0 && run_first()) {
  }
}

void Completions::drain() {
  while (run_first()) {
  }
}

bool Completions::run_first() {
  std::move_only_function<void()> completion;
  {
    const std::lock_guard lock(mutex_);
    if (ready_.empty()) return false;
    completion = std::move(ready_.front());
    ready_.pop_front();
  }
  completion();
  return true;
}

}  // namespace aceward::store
