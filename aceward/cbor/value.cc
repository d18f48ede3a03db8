#include "aceward/cbor/value.h"

#include <utility>

#include "aceward/cbor/floating.h"
#include "aceward/cbor/utf8.h"

namespace aceward::cbor {

namespace {

bool next_is_break(const Reader& reader, BytesView octets) {
  return !reader.at_end() && octets[reader.position()] == 0xff;
}

// Builds from one item that `skip` has passed already, so that depth and form are known to be good.
class ValueBuilder {
 public:
  explicit ValueBuilder(BytesView item)
      : octets_(item), reader_(item, {.max_items = item.size(), .max_size = item.size()}, Strictness::well_formed) {}

  Result<Value> build() {
    const Head head = ACEWARD_TRY(reader_.head());
    switch (head.major) {
      case 0: return Value{head.argument};
      case 1: return Value{Value::Negative{head.argument}};
      case 2: return Value{ACEWARD_TRY(string(head))};
      case 3: {
        const Bytes text = ACEWARD_TRY(string(head));
        if (!detail::is_utf8(as_text(text))) return fail(reason::cbor_not_utf8);
        return Value{std::string(as_text(text))};
      }
      case 4: {
        Value::Array array;
        for (std::uint64_t i = 0; !done(head, i); ++i) array.push_back(ACEWARD_TRY(build()));
        return Value{std::move(array)};
      }
      case 5: {
        Value::Map map;
        for (std::uint64_t i = 0; !done(head, i); ++i) {
          Value key = ACEWARD_TRY(build());
          Value value = ACEWARD_TRY(build());
          map.push_back({std::move(key), std::move(value)});
        }
        return Value{std::move(map)};
      }
      case 6: return Value::tagged(head.argument, ACEWARD_TRY(build()));
      default: break;
    }
    if (head.info > 24) return Value{detail::widen(head.info, head.argument)};
    switch (head.argument) {
      case 20: return Value{false};
      case 21: return Value{true};
      case 22: return Value{Value::Null{}};
      case 23: return Value{Value::Undefined{}};
      default: return Value{Value::Simple{static_cast<std::uint8_t>(head.argument)}};
    }
  }

 private:
  bool done(const Head& head, std::uint64_t count) {
    if (!head.is_indefinite()) return count == head.argument;
    if (!next_is_break(reader_, octets_)) return false;
    (void)reader_.octets(1);
    return true;
  }

  Result<Bytes> string(const Head& head) {
    if (!head.is_indefinite()) return to_bytes(ACEWARD_TRY(reader_.octets(head.argument)));
    Bytes whole;
    while (!done(head, 0)) {
      const Head chunk = ACEWARD_TRY(reader_.head());
      const BytesView content = ACEWARD_TRY(reader_.octets(chunk.argument));
      // Each chunk is a text string by itself (section 3.2.3): a character may not be split.
      if (chunk.major == 3 && !detail::is_utf8(as_text(content))) return fail(reason::cbor_not_utf8);
      whole.insert(whole.end(), content.begin(), content.end());
    }
    return whole;
  }

  BytesView octets_;
  Reader reader_;
};

}  // namespace

bool operator==(const Value::Tag& a, const Value::Tag& b) { return a.number == b.number && a.content == b.content; }

Value Value::integer(std::int64_t number) {
  if (number < 0) return {Negative{static_cast<std::uint64_t>(-1 - number)}};
  return {static_cast<std::uint64_t>(number)};
}

Value Value::tagged(std::uint64_t number, Value content) {
  Tag tag{number, {}};
  tag.content.push_back(std::move(content));
  return {std::move(tag)};
}

Result<Value> Value::read(Reader& reader) { return ValueBuilder(ACEWARD_TRY(reader.skip())).build(); }

Result<Value> Value::parse(BytesView octets, const Limits& limits, Strictness strictness) {
  Reader reader(octets, limits, strictness);
  auto value = ACEWARD_TRY(read(reader));
  ACEWARD_TRY(reader.finish());
  return value;
}

Bytes Value::serialize() const {
  Writer writer;
  write(writer);
  return writer.take();
}

void Value::write(Writer& writer) const {
  std::visit(
      [&]<class T>(const T& v) {
        if constexpr (std::same_as<T, Null>) {
          writer.null();
        } else if constexpr (std::same_as<T, std::uint64_t>) {
          writer.unsigned_integer(v);
        } else if constexpr (std::same_as<T, Negative>) {
          writer.negative_integer(v.argument);
        } else if constexpr (std::same_as<T, Bytes>) {
          writer.byte_string(v);
        } else if constexpr (std::same_as<T, std::string>) {
          writer.text_string(v);
        } else if constexpr (std::same_as<T, Array>) {
          writer.array(v.size());
          for (const auto& element : v) element.write(writer);
        } else if constexpr (std::same_as<T, Map>) {
          SortedMap map;
          for (const auto& [key, value] : v) value.write(map.entry_raw(key.serialize()));
          map.write_to(writer);
        } else if constexpr (std::same_as<T, Tag>) {
          writer.tag(v.number);
          v.content.front().write(writer);
        } else if constexpr (std::same_as<T, bool>) {
          writer.boolean(v);
        } else if constexpr (std::same_as<T, Undefined>) {
          writer.undefined();
        } else if constexpr (std::same_as<T, Simple>) {
          writer.simple(v.number);
        } else {
          writer.floating(v);
        }
      },
      item);
}

bool operator==(const Value& a, const Value& b) { return a.serialize() == b.serialize(); }

}  // namespace aceward::cbor
