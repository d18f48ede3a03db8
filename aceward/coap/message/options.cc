#include "aceward/coap/message/options.h"

#include <algorithm>
#include <array>

namespace aceward::coap {

Options& Options::add(OptionNumber number, BytesView value) {
  const auto offset = static_cast<std::uint32_t>(values_.size());
  const auto length = static_cast<std::uint32_t>(value.size());
  // The value may lie in values_, which growing moves: keep where it was.
  const bool own = !value.empty() && !values_.empty() && value.data() >= values_.data() &&
                   value.data() < values_.data() + values_.size();
  if (own) {
    const auto from = static_cast<std::size_t>(value.data() - values_.data());
    values_.resize(values_.size() + value.size());
    std::copy_n(values_.data() + from, value.size(), values_.data() + offset);
  } else {
    values_.insert(values_.end(), value.begin(), value.end());
  }
  const Entry entry{number, offset, length};
  if (entries_.empty() || entries_.back().number <= number) {  // as when a message is parsed
    entries_.push_back(entry);
  } else {
    entries_.insert(std::ranges::upper_bound(entries_, number, {}, &Entry::number), entry);
  }
  return *this;
}

Options& Options::add_uint(OptionNumber number, std::uint64_t value) {
  std::array<std::uint8_t, 8> octets;
  std::size_t start = octets.size();
  for (; value != 0; value >>= 8) octets[--start] = static_cast<std::uint8_t>(value);
  return add(number, BytesView(octets).subspan(start));
}

Options& Options::set(OptionNumber number, BytesView value) {
  // Added first, since the value may be borrowed from one that is removed.
  const auto before = count(number);
  add(number, value);
  for (std::size_t i = 0; i < before; ++i) {
    const auto first = std::ranges::lower_bound(entries_, number, {}, &Entry::number);
    remove_at(static_cast<std::size_t>(first - entries_.begin()));
  }
  return *this;
}

Options& Options::set_uint(OptionNumber number, std::uint64_t value) {
  remove(number);
  return add_uint(number, value);
}

std::size_t Options::remove(OptionNumber number) {
  std::size_t removed = 0;
  for (std::size_t i = entries_.size(); i-- > 0;) {
    if (entries_[i].number != number) continue;
    remove_at(i);
    ++removed;
  }
  return removed;
}

void Options::remove_at(std::size_t index) {
  const Entry gone = entries_[index];
  entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(index));
  const auto first = values_.begin() + gone.offset;
  values_.erase(first, first + gone.length);
  for (auto& entry : entries_) {
    if (entry.offset > gone.offset) entry.offset -= gone.length;
  }
}

std::size_t Options::count(OptionNumber number) const {
  return std::ranges::equal_range(entries_, number, {}, &Entry::number).size();
}

std::optional<BytesView> Options::find(OptionNumber number) const {
  const auto found = std::ranges::lower_bound(entries_, number, {}, &Entry::number);
  if (found == entries_.end() || found->number != number) return std::nullopt;
  return BytesView(values_).subspan(found->offset, found->length);
}

std::optional<std::string_view> Options::find_text(OptionNumber number) const {
  const auto value = find(number);
  if (!value) return std::nullopt;
  return as_text(*value);
}

std::optional<std::uint64_t> Options::find_uint(OptionNumber number) const {
  const auto value = find(number);
  if (!value) return std::nullopt;
  return parse_uint(*value);
}

TextValues Options::all_text(OptionNumber number) const {
  TextValues all;
  for (const auto& entry : std::ranges::equal_range(entries_, number, {}, &Entry::number)) {
    all.push_back(as_text(BytesView(values_).subspan(entry.offset, entry.length)));
  }
  return all;
}

Options& Options::add_path(std::string_view text) {
  if (text.starts_with('/')) text.remove_prefix(1);
  if (text.empty()) return *this;
  while (true) {
    const auto slash = text.find('/');
    add(option::uri_path, text.substr(0, slash));
    if (slash == std::string_view::npos) return *this;
    text.remove_prefix(slash + 1);
  }
}

std::optional<ContentFormat> Options::find_format(OptionNumber number) const {
  const auto value = find_uint(number);
  if (!value || *value > UINT16_MAX) return std::nullopt;
  return ContentFormat(static_cast<std::uint16_t>(*value));
}

bool operator==(const Options& a, const Options& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a.at(i).number != b.at(i).number || !equal(a.at(i).value, b.at(i).value)) return false;
  }
  return true;
}

std::optional<std::uint64_t> parse_uint(BytesView value) {
  if (value.size() > 8) return std::nullopt;
  std::uint64_t number = 0;
  for (const auto octet : value) number = number << 8 | octet;
  return number;
}

}  // namespace aceward::coap
