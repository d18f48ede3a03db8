// How C++ types stand in CBOR. `Codec` is specialised per type; declared messages (schema.h) have one by their schema.
#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "aceward/base/bytes.h"
#include "aceward/base/result.h"
#include "aceward/base/secret.h"
#include "aceward/base/strong.h"
#include "aceward/cbor/key_set.h"
#include "aceward/cbor/reader.h"
#include "aceward/cbor/writer.h"

namespace aceward::cbor {

/// To be specialised with
///   static constexpr bool accepts(Kind kind);        // can an item of this kind be a T?
///   static Result<T> read(Reader& reader);           // one item
///   static void write(Writer& writer, const T& value);
/// There are specialisations for bool, the integer types (range checked: `cbor_out_of_range`), double, std::string,
/// Bytes, Secret, std::array<std::uint8_t, N>, Strong, enums, std::vector, std::map, std::pair, std::tuple,
/// std::variant, and the types of this header. BytesView and std::string_view borrow from the input.
template <class T>
struct Codec;

/// Any one item, kept as the octets that were received.
struct Raw {
  Bytes octets;
  friend auto operator<=>(const Raw&, const Raw&) = default;
};

/// Any one item, borrowed from the input.
struct RawView {
  BytesView octets;
};

/// CDDL `T / null`. A member that may be absent too is std::optional<Nullable<T>>.
template <class T>
struct Nullable {
  std::optional<T> value;

  Nullable() = default;
  Nullable(T v) : value(std::move(v)) {}  // NOLINT: as implicit as std::optional
  explicit operator bool() const { return value.has_value(); }
  const T& operator*() const { return *value; }
  const T* operator->() const { return &*value; }
  friend bool operator==(const Nullable&, const Nullable&) = default;
};

/// CDDL `#6.number(T)`.
template <std::uint64_t number, class T>
struct Tagged {
  T value{};
  friend bool operator==(const Tagged&, const Tagged&) = default;
};

/// CDDL `bstr .cbor T`. Not for what is signed or MACed: that is kept as the received Bytes.
template <class T>
struct Embedded {
  T value{};
  friend bool operator==(const Embedded&, const Embedded&) = default;
};

/// The value null alone.
struct Null {
  friend bool operator==(const Null&, const Null&) = default;
};

/// Reads exactly one T: `cbor_trailing_bytes` if more follows. Errors name the member that failed in their detail.
template <class T>
Result<T> parse(BytesView octets, const Limits& limits = {}, Strictness strictness = Strictness::preferred) {
  Reader reader(octets, limits, strictness);
  auto value = Codec<T>::read(reader);
  if (!value) return value;
  if (auto end = reader.finish(); !end) return std::unexpected(end.error());
  return value;
}

/// Deterministic encoding.
template <class T>
Bytes serialize(const T& value) {
  Writer writer;
  Codec<T>::write(writer, value);
  return writer.take();
}

/// Appends to `out`.
template <class T>
void serialize_to(Bytes& out, const T& value) {
  Writer writer(out);
  Codec<T>::write(writer, value);
}

template <>
struct Codec<bool> {
  static constexpr bool accepts(Kind kind) { return kind == Kind::boolean; }
  static Result<bool> read(Reader& reader) { return reader.boolean(); }
  static void write(Writer& writer, bool value) { writer.boolean(value); }
};

template <std::unsigned_integral T>
  requires(!std::same_as<T, bool>)
struct Codec<T> {
  static constexpr bool accepts(Kind kind) { return kind == Kind::unsigned_integer; }
  static Result<T> read(Reader& reader) {
    const std::uint64_t value = ACEWARD_TRY(reader.unsigned_integer());
    if (value > std::numeric_limits<T>::max()) return fail(reason::cbor_out_of_range);
    return static_cast<T>(value);
  }
  static void write(Writer& writer, T value) { writer.unsigned_integer(value); }
};

template <std::signed_integral T>
struct Codec<T> {
  static constexpr bool accepts(Kind kind) { return kind == Kind::unsigned_integer || kind == Kind::negative_integer; }
  static Result<T> read(Reader& reader) {
    const std::int64_t value = ACEWARD_TRY(reader.integer());
    if (value > std::numeric_limits<T>::max() || value < std::numeric_limits<T>::min()) {
      return fail(reason::cbor_out_of_range);
    }
    return static_cast<T>(value);
  }
  static void write(Writer& writer, T value) { writer.integer(value); }
};

template <class T>
  requires std::is_enum_v<T>
struct Codec<T> {
  using Number = Codec<std::underlying_type_t<T>>;
  static constexpr bool accepts(Kind kind) { return Number::accepts(kind); }
  static Result<T> read(Reader& reader) { return static_cast<T>(ACEWARD_TRY(Number::read(reader))); }
  static void write(Writer& writer, T value) { Number::write(writer, std::to_underlying(value)); }
};

template <class Tag, class T>
struct Codec<Strong<Tag, T>> {
  static constexpr bool accepts(Kind kind) { return Codec<T>::accepts(kind); }
  static Result<Strong<Tag, T>> read(Reader& reader) { return Strong<Tag, T>(ACEWARD_TRY(Codec<T>::read(reader))); }
  static void write(Writer& writer, const Strong<Tag, T>& value) { Codec<T>::write(writer, value.value); }
};

template <>
struct Codec<double> {
  static constexpr bool accepts(Kind kind) { return kind == Kind::floating; }
  static Result<double> read(Reader& reader) { return reader.floating(); }
  static void write(Writer& writer, double value) { writer.floating(value); }
};

template <>
struct Codec<std::string_view> {
  static constexpr bool accepts(Kind kind) { return kind == Kind::text_string; }
  static Result<std::string_view> read(Reader& reader) { return reader.text_string(); }
  static void write(Writer& writer, std::string_view value) { writer.text_string(value); }
};

template <>
struct Codec<std::string> {
  static constexpr bool accepts(Kind kind) { return kind == Kind::text_string; }
  static Result<std::string> read(Reader& reader) { return std::string(ACEWARD_TRY(reader.text_string())); }
  static void write(Writer& writer, const std::string& value) { writer.text_string(value); }
};

template <>
struct Codec<BytesView> {
  static constexpr bool accepts(Kind kind) { return kind == Kind::byte_string; }
  static Result<BytesView> read(Reader& reader) { return reader.byte_string(); }
  static void write(Writer& writer, BytesView value) { writer.byte_string(value); }
};

template <>
struct Codec<Bytes> {
  static constexpr bool accepts(Kind kind) { return kind == Kind::byte_string; }
  static Result<Bytes> read(Reader& reader) { return to_bytes(ACEWARD_TRY(reader.byte_string())); }
  static void write(Writer& writer, const Bytes& value) { writer.byte_string(value); }
};

template <>
struct Codec<Secret> {
  static constexpr bool accepts(Kind kind) { return kind == Kind::byte_string; }
  static Result<Secret> read(Reader& reader) { return Secret::copy_of(ACEWARD_TRY(reader.byte_string())); }
  static void write(Writer& writer, const Secret& value) { writer.byte_string(value.expose()); }
};

/// A byte string of exactly N octets, else `cbor_out_of_range`.
template <std::size_t N>
struct Codec<std::array<std::uint8_t, N>> {
  static constexpr bool accepts(Kind kind) { return kind == Kind::byte_string; }
  static Result<std::array<std::uint8_t, N>> read(Reader& reader) {
    const BytesView octets = ACEWARD_TRY(reader.byte_string());
    if (octets.size() != N) return fail(reason::cbor_out_of_range);
    std::array<std::uint8_t, N> value{};
    std::copy(octets.begin(), octets.end(), value.begin());
    return value;
  }
  static void write(Writer& writer, const std::array<std::uint8_t, N>& value) { writer.byte_string(value); }
};

template <>
struct Codec<Raw> {
  static constexpr bool accepts(Kind) { return true; }
  static Result<Raw> read(Reader& reader) { return Raw{to_bytes(ACEWARD_TRY(reader.skip()))}; }
  static void write(Writer& writer, const Raw& value) { writer.raw(value.octets); }
};

template <>
struct Codec<RawView> {
  static constexpr bool accepts(Kind) { return true; }
  static Result<RawView> read(Reader& reader) { return RawView{ACEWARD_TRY(reader.skip())}; }
  static void write(Writer& writer, const RawView& value) { writer.raw(value.octets); }
};

template <>
struct Codec<Null> {
  static constexpr bool accepts(Kind kind) { return kind == Kind::null; }
  static Result<Null> read(Reader& reader) {
    ACEWARD_TRY(reader.null());
    return Null{};
  }
  static void write(Writer& writer, const Null&) { writer.null(); }
};

template <class T>
struct Codec<Nullable<T>> {
  static constexpr bool accepts(Kind kind) { return kind == Kind::null || Codec<T>::accepts(kind); }
  static Result<Nullable<T>> read(Reader& reader) {
    if (ACEWARD_TRY(reader.peek()) != Kind::null) return Nullable<T>(ACEWARD_TRY(Codec<T>::read(reader)));
    ACEWARD_TRY(reader.null());
    return Nullable<T>{};
  }
  static void write(Writer& writer, const Nullable<T>& value) {
    if (value.value) {
      Codec<T>::write(writer, *value.value);
    } else {
      writer.null();
    }
  }
};

template <std::uint64_t number, class T>
struct Codec<Tagged<number, T>> {
  static constexpr bool accepts(Kind kind) { return kind == Kind::tag; }
  static Result<Tagged<number, T>> read(Reader& reader) {
    if (ACEWARD_TRY(reader.tag()) != number) return fail(reason::cbor_unexpected_kind);
    return Tagged<number, T>{ACEWARD_TRY(Codec<T>::read(reader))};
  }
  static void write(Writer& writer, const Tagged<number, T>& value) {
    writer.tag(number);
    Codec<T>::write(writer, value.value);
  }
};

template <class T>
struct Codec<Embedded<T>> {
  static constexpr bool accepts(Kind kind) { return kind == Kind::byte_string; }
  static Result<Embedded<T>> read(Reader& reader) {
    const BytesView octets = ACEWARD_TRY(reader.byte_string());
    return Embedded<T>{ACEWARD_TRY(parse<T>(octets, reader.limits(), reader.strictness()))};
  }
  static void write(Writer& writer, const Embedded<T>& value) { writer.byte_string(serialize(value.value)); }
};

template <class T>
struct Codec<std::vector<T>> {
  static constexpr bool accepts(Kind kind) { return kind == Kind::array; }
  static Result<std::vector<T>> read(Reader& reader) {
    const std::size_t count = ACEWARD_TRY(reader.array());
    std::vector<T> values;
    values.reserve(std::min<std::size_t>(count, 64));  // one octet of input must not cost sizeof(T) in advance
    for (std::size_t i = 0; i < count; ++i) values.push_back(ACEWARD_TRY(Codec<T>::read(reader)));
    return values;
  }
  static void write(Writer& writer, const std::vector<T>& values) {
    writer.array(values.size());
    for (const auto& value : values) Codec<T>::write(writer, value);
  }
};

template <class K, class V, class Less>
struct Codec<std::map<K, V, Less>> {
  static constexpr bool accepts(Kind kind) { return kind == Kind::map; }
  static Result<std::map<K, V, Less>> read(Reader& reader) {
    const std::size_t count = ACEWARD_TRY(reader.map());
    std::map<K, V, Less> values;
    for (std::size_t i = 0; i < count; ++i) {
      K key = ACEWARD_TRY(Codec<K>::read(reader));
      V value = ACEWARD_TRY(Codec<V>::read(reader));
      if (!values.emplace(std::move(key), std::move(value)).second) return fail(reason::cbor_duplicate_key);
    }
    return values;
  }
  static void write(Writer& writer, const std::map<K, V, Less>& values) {
    SortedMap map;
    for (const auto& [key, value] : values) Codec<V>::write(map.entry_raw(serialize(key)), value);
    map.write_to(writer);
  }
};

/// An array of exactly as many elements; another number is `cbor_out_of_range`.
template <class... Ts>
struct Codec<std::tuple<Ts...>> {
  static constexpr bool accepts(Kind kind) { return kind == Kind::array; }
  static Result<std::tuple<Ts...>> read(Reader& reader) {
    if (ACEWARD_TRY(reader.array()) != sizeof...(Ts)) return fail(reason::cbor_out_of_range);
    return read_elements(reader, std::tuple<>{});
  }
  static void write(Writer& writer, const std::tuple<Ts...>& value) {
    writer.array(sizeof...(Ts));
    std::apply([&](const auto&... element) { (write_element(writer, element), ...); }, value);
  }

 private:
  template <class... Done>
  static Result<std::tuple<Ts...>> read_elements(Reader& reader, std::tuple<Done...>&& done) {
    if constexpr (sizeof...(Done) == sizeof...(Ts)) {
      return std::move(done);
    } else {
      using Next = std::tuple_element_t<sizeof...(Done), std::tuple<Ts...>>;
      return read_elements(reader,
                           std::tuple_cat(std::move(done), std::tuple<Next>(ACEWARD_TRY(Codec<Next>::read(reader)))));
    }
  }
  template <class E>
  static void write_element(Writer& writer, const E& element) {
    Codec<E>::write(writer, element);
  }
};

template <class A, class B>
struct Codec<std::pair<A, B>> {
  static constexpr bool accepts(Kind kind) { return kind == Kind::array; }
  static Result<std::pair<A, B>> read(Reader& reader) {
    if (ACEWARD_TRY(reader.array()) != 2) return fail(reason::cbor_out_of_range);
    A a = ACEWARD_TRY(Codec<A>::read(reader));
    B b = ACEWARD_TRY(Codec<B>::read(reader));
    return std::pair<A, B>(std::move(a), std::move(b));
  }
  static void write(Writer& writer, const std::pair<A, B>& value) {
    writer.array(2);
    Codec<A>::write(writer, value.first);
    Codec<B>::write(writer, value.second);
  }
};

/// CDDL choice, told apart by the kind of the item: the first alternative that accepts it is read.
template <class... Ts>
struct Codec<std::variant<Ts...>> {
  static constexpr bool accepts(Kind kind) { return (Codec<Ts>::accepts(kind) || ...); }
  static Result<std::variant<Ts...>> read(Reader& reader) {
    const Kind kind = ACEWARD_TRY(reader.peek());
    return read_alternative<0>(reader, kind);
  }
  static void write(Writer& writer, const std::variant<Ts...>& value) {
    std::visit([&]<class T>(const T& alternative) { Codec<T>::write(writer, alternative); }, value);
  }

 private:
  template <std::size_t I>
  static Result<std::variant<Ts...>> read_alternative(Reader& reader, Kind kind) {
    if constexpr (I == sizeof...(Ts)) {
      return fail(reason::cbor_unexpected_kind);
    } else {
      using T = std::variant_alternative_t<I, std::variant<Ts...>>;
      if (!Codec<T>::accepts(kind)) return read_alternative<I + 1>(reader, kind);
      return std::variant<Ts...>(std::in_place_index<I>, ACEWARD_TRY(Codec<T>::read(reader)));
    }
  }
};

}  // namespace aceward::cbor
