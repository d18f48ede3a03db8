#include "app/loadgen/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace aceward::app {

namespace {

constexpr unsigned fine_bits = 7;  ///< 128 buckets for each power of two
constexpr unsigned value_bits = 40;
constexpr std::uint64_t largest_value = (std::uint64_t{1} << value_bits) - 1;

/// Values below 2 << fine_bits are their own index; from there on the leading fine_bits + 1 bits and their place count.
constexpr std::size_t bucket_of(std::uint64_t value) {
  const unsigned width = static_cast<unsigned>(std::bit_width(value));
  const unsigned shift = width <= fine_bits + 1 ? 0 : width - fine_bits - 1;
  return (std::size_t{shift} << fine_bits) + static_cast<std::size_t>(value >> shift);
}

/// The largest value that falls into a bucket.
constexpr std::uint64_t top_of(std::size_t bucket) {
  if (bucket < (std::size_t{2} << fine_bits)) return bucket;
  const std::size_t shift = (bucket >> fine_bits) - 1;
  const std::uint64_t leading = bucket - (shift << fine_bits);
  return ((leading + 1) << shift) - 1;
}

static_assert(bucket_of(255) == 255 && bucket_of(256) == 256 && bucket_of(257) == 256 && top_of(256) == 257);
static_assert(top_of(bucket_of(largest_value)) == largest_value);

}  // namespace

LatencyHistogram::LatencyHistogram() : buckets_(bucket_of(largest_value) + 1) {}

void LatencyHistogram::record(Duration value) {
  const Duration held = std::clamp(value, Duration(0), Duration(largest_value));
  ++buckets_[bucket_of(static_cast<std::uint64_t>(held.count()))];
  min_ = count_ == 0 ? held : std::min(min_, held);
  max_ = std::max(max_, held);
  sum_ += held;
  ++count_;
}

void LatencyHistogram::clear() {
  std::ranges::fill(buckets_, 0);
  count_ = 0;
  sum_ = min_ = max_ = Duration(0);
}

LatencyHistogram::Duration LatencyHistogram::mean() const {
  return count_ == 0 ? Duration(0) : sum_ / static_cast<std::int64_t>(count_);
}

LatencyHistogram::Duration LatencyHistogram::quantile(double share) const {
  if (count_ == 0) return Duration(0);
  const double wanted = std::ceil(std::clamp(share, 0.0, 1.0) * static_cast<double>(count_));
  const auto rank = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(wanted));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    seen += buckets_[i];
    if (seen >= rank) return std::min(max_, Duration(top_of(i)));
  }
  return max_;
}

}  // namespace aceward::app
