// What waits between one call and the next. Internal to tls/.
#pragma once

#include <optional>
#include <utility>
#include <vector>

namespace aceward::tls::detail {

/// First in, first out. Once it has been as long as it gets, it allocates no more; an empty one holds no memory, which
/// counts where each session has some (an empty std::deque holds half a kilobyte).
template <class T>
class Queue {
 public:
  bool empty() const { return first_ == items_.size(); }
  std::size_t size() const { return items_.size() - first_; }
  T& operator[](std::size_t index) { return items_[first_ + index]; }
  T& back() { return items_.back(); }
  void push(T item) { items_.push_back(std::move(item)); }
  std::optional<T> pop() {
    if (empty()) return std::nullopt;
    std::optional<T> item(std::move(items_[first_]));
    if (++first_ == items_.size()) clear();
    return item;
  }
  void clear() {
    items_.clear();
    first_ = 0;
  }

 private:
  std::vector<T> items_;
  std::size_t first_ = 0;
};

}  // namespace aceward::tls::detail
