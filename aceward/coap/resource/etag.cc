#include "aceward/coap/resource/etag.h"

#include <algorithm>

namespace aceward::coap {

std::optional<ETag> ETag::of(BytesView octets) {
  if (octets.empty() || octets.size() > max_size) return std::nullopt;
  ETag tag;
  std::ranges::copy(octets, tag.octets_.begin());
  tag.size_ = static_cast<std::uint8_t>(octets.size());
  return tag;
}

std::optional<ETag> ETag::in(const Options& options) {
  const auto value = options.find(option::etag);
  return value ? of(*value) : std::nullopt;
}

ETag etag_of(BytesView content, ContentFormat format) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  const auto mix = [&hash](std::uint8_t octet) {
    hash ^= octet;
    hash *= 0x100000001b3U;
  };
  mix(static_cast<std::uint8_t>(format.value >> 8));
  mix(static_cast<std::uint8_t>(format.value));
  for (const auto octet : content) mix(octet);
  std::array<std::uint8_t, ETag::max_size> octets{};
  for (std::size_t i = 0; i < octets.size(); ++i) octets[i] = static_cast<std::uint8_t>(hash >> (56 - 8 * i));
  return *ETag::of(octets);
}

}  // namespace aceward::coap
