// Counts latencies in log-linear buckets.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

namespace aceward::app {

/// Each power of two is cut into 128 buckets, so that what comes out lies less than 0.8 % above what went in; below 256
/// ns it is exact. Values beyond 18 minutes count as that. Takes 33 KiB whatever it is fed.
class LatencyHistogram {
 public:
  using Duration = std::chrono::nanoseconds;

  LatencyHistogram();

  /// Negative values count as 0.
  void record(Duration value);
  void clear();

  std::uint64_t count() const { return count_; }
  /// As recorded; 0 without any.
  Duration min() const { return count_ == 0 ? Duration(0) : min_; }
  Duration max() const { return max_; }
  Duration mean() const;
  /// The smallest bucket's upper end below which (or in which) at least `share` of the values lie, never more than
  /// max(). `share` from 0 to 1; 0 without any value.
  Duration quantile(double share) const;

 private:
  std::vector<std::uint64_t> buckets_;
  std::uint64_t count_ = 0;
  Duration sum_{0};
  Duration min_{0};
  Duration max_{0};
};

}  // namespace aceward::app
