#include "aceward/cbor/writer.h"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

#include "aceward/cbor/floating.h"
#include "aceward/cbor/key_set.h"

namespace aceward::cbor {

Writer& Writer::octets(BytesView octets) {
  if (out_ != nullptr) {
    out_->insert(out_->end(), octets.begin(), octets.end());
  } else if (!overflowed_ && octets.size() <= buffer_.size() - size_) {
    std::copy(octets.begin(), octets.end(), buffer_.begin() + static_cast<std::ptrdiff_t>(size_));
  } else {
    overflowed_ = true;
  }
  size_ += octets.size();
  return *this;
}

void Writer::head(std::uint8_t major, std::uint64_t argument) {
  const std::size_t width = argument < 24            ? 0
                            : argument <= 0xff       ? 1
                            : argument <= 0xffff     ? 2
                            : argument <= 0xffffffff ? 4
                                                     : 8;
  static constexpr std::array<std::uint8_t, 9> infos{0, 24, 25, 0, 26, 0, 0, 0, 27};
  std::array<std::uint8_t, 9> out{};
  out[0] = static_cast<std::uint8_t>(major << 5 | (width == 0 ? argument : infos[width]));
  for (std::size_t i = 0; i < width; ++i) out[1 + i] = static_cast<std::uint8_t>(argument >> (8 * (width - 1 - i)));
  octets({out.data(), 1 + width});
}

Writer& Writer::unsigned_integer(std::uint64_t value) {
  head(0, value);
  return *this;
}

Writer& Writer::integer(std::int64_t value) {
  if (value < 0) return negative_integer(static_cast<std::uint64_t>(-1 - value));
  return unsigned_integer(static_cast<std::uint64_t>(value));
}

Writer& Writer::negative_integer(std::uint64_t argument) {
  head(1, argument);
  return *this;
}

Writer& Writer::byte_string(BytesView value) {
  head(2, value.size());
  return octets(value);
}

Writer& Writer::text_string(std::string_view value) {
  head(3, value.size());
  return octets(as_bytes(value));
}

Writer& Writer::byte_string_head(std::size_t size) {
  head(2, size);
  return *this;
}

Writer& Writer::array(std::size_t count) {
  head(4, count);
  return *this;
}

Writer& Writer::map(std::size_t pairs) {
  head(5, pairs);
  return *this;
}

Writer& Writer::tag(std::uint64_t number) {
  head(6, number);
  return *this;
}

Writer& Writer::boolean(bool value) { return simple(value ? 21 : 20); }
Writer& Writer::null() { return simple(22); }
Writer& Writer::undefined() { return simple(23); }

Writer& Writer::simple(std::uint8_t value) {
  if (value >= 24 && value < 32) throw std::invalid_argument("CBOR has no simple values 24 to 31");
  head(7, value);
  return *this;
}

Writer& Writer::floating(double value) {
  const auto [info, bits] = detail::shortest(value);
  const std::size_t width = std::size_t{1} << (info - 24);
  std::array<std::uint8_t, 9> out{};
  out[0] = static_cast<std::uint8_t>(0xe0 | info);
  for (std::size_t i = 0; i < width; ++i) out[1 + i] = static_cast<std::uint8_t>(bits >> (8 * (width - 1 - i)));
  return octets({out.data(), 1 + width});
}

BytesView Writer::view() const {
  if (out_ == &own_) return own_;
  if (out_ != nullptr || overflowed_) return {};
  return buffer_.first(size_);
}

Bytes Writer::take() {
  size_ = 0;
  return std::exchange(own_, {});
}

Writer& SortedMap::entry(std::string_view key) {
  begin();
  writer_.text_string(key);
  return end_key();
}

Writer& SortedMap::entry_raw(BytesView key) {
  begin();
  writer_.raw(key);
  return end_key();
}

Writer& SortedMap::end_key() {
  extents_.back().value = octets_.size();
  return writer_;
}

void SortedMap::write_to(Writer& out) {
  struct Pair {
    BytesView key;
    BytesView whole;
  };
  std::vector<Pair> pairs;
  pairs.reserve(extents_.size());
  const BytesView all = octets_;
  for (std::size_t i = 0; i < extents_.size(); ++i) {
    const std::size_t end = i + 1 < extents_.size() ? extents_[i + 1].key : all.size();
    const auto [key, value] = extents_[i];
    pairs.push_back({all.subspan(key, value - key), all.subspan(key, end - key)});
  }
  std::sort(pairs.begin(), pairs.end(), [](const Pair& a, const Pair& b) {
    return equal(a.key, b.key) ? a.key.data() < b.key.data()
                               : key_less(a.key, b.key);  // the later of equals comes last
  });
  const auto is_replaced = [&](std::size_t i) { return i + 1 < pairs.size() && equal(pairs[i].key, pairs[i + 1].key); };
  std::size_t count = 0;
  for (std::size_t i = 0; i < pairs.size(); ++i) count += is_replaced(i) ? 0 : 1;
  out.map(count);
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (!is_replaced(i)) out.raw(pairs[i].whole);
  }
}

}  // namespace aceward::cbor
