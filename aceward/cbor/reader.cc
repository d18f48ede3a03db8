#include "aceward/cbor/reader.h"

#include <algorithm>

#include "aceward/cbor/floating.h"
#include "aceward/cbor/key_set.h"
#include "aceward/cbor/utf8.h"

namespace aceward::cbor {

namespace {

constexpr std::uint8_t break_octet = 0xff;

std::size_t depth_limit(const Limits& limits) { return std::min(limits.max_depth, Reader::depth_cap); }

/// Whether `info` is the shortest way to write `argument`; for major types 0 to 6.
bool is_shortest(std::uint8_t info, std::uint64_t argument) {
  switch (info) {
    case 24: return argument >= 24;
    case 25: return argument > 0xff;
    case 26: return argument > 0xffff;
    case 27: return argument > 0xffffffff;
    default: return true;
  }
}

}  // namespace

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::unsigned_integer: return "unsigned integer";
    case Kind::negative_integer: return "negative integer";
    case Kind::byte_string: return "byte string";
    case Kind::text_string: return "text string";
    case Kind::array: return "array";
    case Kind::map: return "map";
    case Kind::tag: return "tag";
    case Kind::boolean: return "boolean";
    case Kind::null: return "null";
    case Kind::undefined: return "undefined";
    case Kind::simple: return "simple value";
    case Kind::floating: return "floating-point number";
  }
  return "unknown";
}

Reader::Reader(BytesView octets, const Limits& limits, Strictness strictness)
    : octets_(octets), limits_(limits), strictness_(strictness) {
  // The counts of open containers are 32 bits wide, and no count exceeds the octets there are.
  limits_.max_size = std::min<std::size_t>(limits_.max_size, 0x7fffffff);
}

Result<Kind> Reader::peek() const {
  if (at_end()) return fail(reason::cbor_truncated);
  const std::uint8_t initial = octets_[position_];
  const std::uint8_t info = initial & 0x1f;
  if (initial == break_octet || (info > 27 && info < 31)) return fail(reason::cbor_not_well_formed);
  switch (initial >> 5) {
    case 0: return Kind::unsigned_integer;
    case 1: return Kind::negative_integer;
    case 2: return Kind::byte_string;
    case 3: return Kind::text_string;
    case 4: return Kind::array;
    case 5: return Kind::map;
    case 6: return Kind::tag;
    default: break;
  }
  if (info < 20 || info == 24) return Kind::simple;
  if (info < 22) return Kind::boolean;
  if (info == 22) return Kind::null;
  return info == 23 ? Kind::undefined : Kind::floating;
}

Result<Head> Reader::head() {
  if (octets_.size() > limits_.max_size) return fail(reason::cbor_too_large);
  if (at_end()) return fail(reason::cbor_truncated);
  if (items_ >= limits_.max_items) return fail(reason::cbor_too_many_items);
  const std::uint8_t initial = octets_[position_];
  Head head{static_cast<std::uint8_t>(initial >> 5), static_cast<std::uint8_t>(initial & 0x1f), 0};
  std::size_t size = 1;
  if (head.info < 24) {
    head.argument = head.info;
  } else if (head.info < 28) {
    const std::size_t width = std::size_t{1} << (head.info - 24);
    if (remaining() - 1 < width) return fail(reason::cbor_truncated);
    for (std::size_t i = 0; i < width; ++i) head.argument = head.argument << 8 | octets_[position_ + 1 + i];
    size += width;
  } else if (head.info < 31) {
    return fail(reason::cbor_not_well_formed);
  } else if (head.major < 2 || head.major == 6) {
    return fail(reason::cbor_not_well_formed);
  }

  if (head.major == 7 && head.info == 24 && head.argument < 32) return fail(reason::cbor_not_well_formed);
  if (strictness_ == Strictness::preferred) {
    if (head.is_indefinite()) return fail(reason::cbor_not_preferred);
    if (head.major != 7 && !is_shortest(head.info, head.argument)) return fail(reason::cbor_not_preferred);
    if (head.major == 7 && head.info > 25 && head.info < 28 &&
        detail::shortest(detail::widen(head.info, head.argument)).info != head.info) {
      return fail(reason::cbor_not_preferred);
    }
  }
  position_ += size;
  ++items_;
  return head;
}

Result<BytesView> Reader::octets(std::uint64_t count) {
  if (count > remaining()) return fail(reason::cbor_truncated);
  const BytesView content = octets_.subspan(position_, static_cast<std::size_t>(count));
  position_ += content.size();
  return content;
}

void Reader::leave_finished() {
  while (depth_ > 0 && open_[depth_ - 1] == 0) --depth_;
}

// The parent stays open even if this was its last item: else the last items of last items would nest without bound.
Result<void> Reader::enter(std::uint64_t items) {
  if (depth_ >= depth_limit(limits_)) return fail(reason::cbor_too_deep);
  open_[depth_++] = static_cast<std::uint32_t>(items);
  return {};
}

Result<Head> Reader::definite(std::uint8_t major) {
  if (at_end()) return fail(reason::cbor_truncated);
  if (octets_[position_] == break_octet) return fail(reason::cbor_not_well_formed);
  if (octets_[position_] >> 5 != major) return fail(reason::cbor_unexpected_kind);
  const Head head = ACEWARD_TRY(this->head());
  if (head.is_indefinite()) return fail(reason::cbor_not_preferred);
  leave_finished();
  if (depth_ > 0) --open_[depth_ - 1];
  return head;
}

Result<std::uint64_t> Reader::unsigned_integer() { return ACEWARD_TRY(definite(0)).argument; }

Result<std::int64_t> Reader::integer() {
  const Kind kind = ACEWARD_TRY(peek());
  if (kind != Kind::unsigned_integer && kind != Kind::negative_integer) return fail(reason::cbor_unexpected_kind);
  const Head head = ACEWARD_TRY(definite(kind == Kind::unsigned_integer ? 0 : 1));
  if (head.argument > 0x7fff'ffff'ffff'ffff) return fail(reason::cbor_out_of_range);
  const auto magnitude = static_cast<std::int64_t>(head.argument);
  return head.major == 0 ? magnitude : -1 - magnitude;
}

Result<BytesView> Reader::byte_string() { return octets(ACEWARD_TRY(definite(2)).argument); }

Result<std::string_view> Reader::text_string() {
  const Head head = ACEWARD_TRY(definite(3));
  const std::string_view text = as_text(ACEWARD_TRY(octets(head.argument)));
  if (!detail::is_utf8(text)) return fail(reason::cbor_not_utf8);
  return text;
}

Result<std::size_t> Reader::array() {
  const std::uint64_t count = ACEWARD_TRY(definite(4)).argument;
  if (count > remaining()) return fail(reason::cbor_truncated);
  ACEWARD_TRY(enter(count));
  return static_cast<std::size_t>(count);
}

Result<std::size_t> Reader::map() {
  const std::uint64_t pairs = ACEWARD_TRY(definite(5)).argument;
  if (pairs > remaining() / 2) return fail(reason::cbor_truncated);
  ACEWARD_TRY(enter(pairs * 2));
  return static_cast<std::size_t>(pairs);
}

Result<std::uint64_t> Reader::tag() {
  const std::uint64_t number = ACEWARD_TRY(definite(6)).argument;
  ACEWARD_TRY(enter(1));
  return number;
}

Result<bool> Reader::boolean() {
  if (ACEWARD_TRY(peek()) != Kind::boolean) return fail(reason::cbor_unexpected_kind);
  return ACEWARD_TRY(definite(7)).info == 21;
}

Result<void> Reader::null() {
  if (ACEWARD_TRY(peek()) != Kind::null) return fail(reason::cbor_unexpected_kind);
  ACEWARD_TRY(definite(7));
  return {};
}

Result<void> Reader::undefined() {
  if (ACEWARD_TRY(peek()) != Kind::undefined) return fail(reason::cbor_unexpected_kind);
  ACEWARD_TRY(definite(7));
  return {};
}

Result<std::uint8_t> Reader::simple() {
  if (ACEWARD_TRY(peek()) == Kind::floating) return fail(reason::cbor_unexpected_kind);
  return static_cast<std::uint8_t>(ACEWARD_TRY(definite(7)).argument);
}

Result<double> Reader::floating() {
  if (ACEWARD_TRY(peek()) != Kind::floating) return fail(reason::cbor_unexpected_kind);
  const Head head = ACEWARD_TRY(definite(7));
  return detail::widen(head.info, head.argument);
}

Result<BytesView> Reader::skip() {
  const std::size_t start = position_;
  leave_finished();
  ACEWARD_TRY(skip_item(depth_));
  if (depth_ > 0) --open_[depth_ - 1];
  return since(start);
}

Result<void> Reader::skip_item(std::size_t depth) {
  const Head head = ACEWARD_TRY(this->head());
  if (head.major < 2) return {};
  if (head.major > 3 && head.major < 7 && depth >= depth_limit(limits_)) return fail(reason::cbor_too_deep);
  if (head.is_indefinite()) return skip_indefinite(head.major, depth);
  switch (head.major) {
    case 2: ACEWARD_TRY(octets(head.argument)); return {};
    case 3: {
      const BytesView text = ACEWARD_TRY(octets(head.argument));
      if (strictness_ == Strictness::preferred && !detail::is_utf8(as_text(text))) return fail(reason::cbor_not_utf8);
      return {};
    }
    case 4:
      if (head.argument > remaining()) return fail(reason::cbor_truncated);
      for (std::uint64_t i = 0; i < head.argument; ++i) ACEWARD_TRY(skip_item(depth + 1));
      return {};
    case 5:
      if (head.argument > remaining() / 2) return fail(reason::cbor_truncated);
      return skip_map_pairs(head.argument, depth);
    case 6: return skip_item(depth + 1);
    default: break;
  }
  if (head.is_break()) return fail(reason::cbor_not_well_formed);
  return {};
}

Result<void> Reader::skip_map_pairs(std::uint64_t pairs, std::size_t depth) {
  KeySet keys;
  for (std::uint64_t i = 0; i < pairs; ++i) {
    const std::size_t start = position_;
    ACEWARD_TRY(skip_item(depth + 1));
    if (strictness_ == Strictness::preferred) ACEWARD_TRY(keys.add(since(start)));
    ACEWARD_TRY(skip_item(depth + 1));
  }
  return keys.finish();
}

// Reached with Strictness::well_formed only.
Result<void> Reader::skip_indefinite(std::uint8_t major, std::size_t depth) {
  for (bool is_value = false;; is_value = !is_value) {
    if (!at_end() && octets_[position_] == break_octet) {
      if (major == 5 && is_value) return fail(reason::cbor_not_well_formed);
      ++position_;
      return {};
    }
    if (major < 4) {
      const Head chunk = ACEWARD_TRY(head());
      if (chunk.major != major || chunk.is_indefinite()) return fail(reason::cbor_not_well_formed);
      ACEWARD_TRY(octets(chunk.argument));
    } else {
      ACEWARD_TRY(skip_item(depth + 1));
    }
  }
}

Result<void> Reader::finish() const {
  if (!at_end()) return fail(reason::cbor_trailing_bytes);
  return {};
}

}  // namespace aceward::cbor
