// The options of one CoAP message, sorted by number.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "aceward/base/bytes.h"
#include "aceward/coap/message/content_format.h"
#include "aceward/coap/message/option_number.h"

namespace aceward::coap {

/// One option, borrowed from the Options it belongs to: valid until those change.
struct OptionView {
  OptionNumber number;
  BytesView value;
};

/// The values of one option as text, borrowed from the Options. Up to eight are held in place, without allocation.
class TextValues {
 public:
  using value_type = std::string_view;
  using iterator = const std::string_view*;
  using const_iterator = iterator;

  void push_back(std::string_view text) {
    if (far_.empty() && size_ < near_.size()) {
      near_[size_++] = text;
      return;
    }
    if (far_.empty()) far_.assign(near_.begin(), near_.end());
    far_.push_back(text);
    size_ = far_.size();
  }
  const_iterator begin() const { return far_.empty() ? near_.data() : far_.data(); }
  const_iterator end() const { return begin() + size_; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  std::string_view operator[](std::size_t index) const { return begin()[index]; }
  std::string_view front() const { return begin()[0]; }
  std::string_view back() const { return begin()[size_ - 1]; }

  friend bool operator==(const TextValues& a, std::span<const std::string_view> b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
  }

 private:
  std::array<std::string_view, 8> near_;
  std::size_t size_ = 0;
  std::vector<std::string_view> far_;
};

/// A list of options in ascending order of number; those of one number keep the order in which they were added
/// (RFC 7252 section 3.1). All values share one buffer, and clear() keeps the memory. What may stand in a message is
/// not judged here: see option_check.h.
class Options {
  struct Entry {
    OptionNumber number;
    std::uint32_t offset;
    std::uint32_t length;
  };

 public:
  class Iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = OptionView;
    using difference_type = std::ptrdiff_t;
    using pointer = void;
    using reference = OptionView;

    OptionView operator*() const { return owner_->at(index_); }
    Iterator& operator++() {
      ++index_;
      return *this;
    }
    Iterator operator++(int) {
      auto before = *this;
      ++index_;
      return before;
    }
    friend bool operator==(const Iterator& a, const Iterator& b) { return a.index_ == b.index_; }

   private:
    friend class Options;
    Iterator(const Options* owner, std::size_t index) : owner_(owner), index_(index) {}
    const Options* owner_;
    std::size_t index_;
  };

  std::size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }
  OptionView at(std::size_t index) const {
    const auto& entry = entries_[index];
    return {entry.number, BytesView(values_).subspan(entry.offset, entry.length)};
  }
  Iterator begin() const { return {this, 0}; }
  Iterator end() const { return {this, entries_.size()}; }
  /// The octets of all values together.
  std::size_t value_size() const { return values_.size(); }
  /// Octets of memory that are held, used or not.
  std::size_t capacity() const { return values_.capacity() + entries_.capacity() * sizeof(Entry); }
  void clear() {
    entries_.clear();
    values_.clear();
  }

  /// Adds after the options of the same number. Values are at most 65804 octets (RFC 7252 section 3.1); longer ones
  /// are a bug of the caller. `value` may be borrowed from these Options.
  Options& add(OptionNumber number, BytesView value);
  Options& add(OptionNumber number, std::string_view text) { return add(number, as_bytes(text)); }
  Options& add(OptionNumber number, const char* text) { return add(number, std::string_view(text)); }
  Options& add_empty(OptionNumber number) { return add(number, BytesView{}); }
  /// In the shortest form: 0 is the empty value (RFC 7252 section 3.2).
  Options& add_uint(OptionNumber number, std::uint64_t value);

  /// Removes all options of that number and adds this one.
  Options& set(OptionNumber number, BytesView value);
  Options& set_uint(OptionNumber number, std::uint64_t value);

  /// Removes all options of that number; returns how many there were.
  std::size_t remove(OptionNumber number);
  /// Removes one option; the later ones move down.
  void remove_at(std::size_t index);

  bool has(OptionNumber number) const { return count(number) != 0; }
  std::size_t count(OptionNumber number) const;
  /// The first value of that number, borrowed; nullopt if there is none.
  std::optional<BytesView> find(OptionNumber number) const;
  std::optional<std::string_view> find_text(OptionNumber number) const;
  /// The first value of that number as an unsigned integer; leading zeros are allowed (RFC 7252 section 3.2). nullopt
  /// if there is none or if it has more than 8 octets.
  std::optional<std::uint64_t> find_uint(OptionNumber number) const;
  /// All values of that number, borrowed.
  TextValues all_text(OptionNumber number) const;

  // Uri-Path, one option a segment; a segment may itself hold a slash.
  TextValues path() const { return all_text(option::uri_path); }
  /// Adds one Uri-Path option for each segment between the slashes of `text`; a leading slash is skipped, no
  /// percent-decoding is done: `add_path("/.well-known/core")`. "" and "/" add nothing.
  Options& add_path(std::string_view text);
  TextValues queries() const { return all_text(option::uri_query); }

  std::optional<ContentFormat> content_format() const { return find_format(option::content_format); }
  std::optional<ContentFormat> accept() const { return find_format(option::accept); }
  Options& set_content_format(ContentFormat format) { return set_uint(option::content_format, format.value); }
  Options& set_accept(ContentFormat format) { return set_uint(option::accept, format.value); }

  friend bool operator==(const Options& a, const Options& b);

 private:
  std::optional<ContentFormat> find_format(OptionNumber number) const;

  std::vector<Entry> entries_;
  Bytes values_;
};

/// The value of an option of format uint (RFC 7252 section 3.2), 0 to 8 octets; nullopt if longer.
std::optional<std::uint64_t> parse_uint(BytesView value);

}  // namespace aceward::coap
