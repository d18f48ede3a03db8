// Declared messages: which keys a CBOR map has, which elements an array, and what becomes of the rest.
//
//   // access-token-hints = { ? 1 => tstr, ? 2 => bstr }
//   struct Hints {
//     std::string as;
//     std::optional<Bytes> kid;
//   };
//   }  // namespace aceward::ace        (the specialisation stands outside, next to the struct)
//   template <>
//   struct aceward::cbor::Schema<aceward::ace::Hints> {
//     using T = aceward::ace::Hints;
//     static constexpr auto value = declare<T>("hints", Unknown::ignore,
//         required(1, "AS", &T::as),
//         optional(2, "kid", &T::kid));
//   };
//
//   Result<Hints> hints = cbor::parse<Hints>(octets);
//   Bytes octets = cbor::serialize(*hints);
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "aceward/cbor/codec.h"

namespace aceward::cbor {

/// Specialised for a struct with `static constexpr auto value = declare<T>(…)` or `declare_array<T>(…)`; the struct
/// has a Codec thereby. It must be default constructible.
template <class T>
struct Schema;

/// What becomes of a pair whose key is not declared. Its key and value are checked like all others in every case.
enum class Unknown : std::uint8_t {
  ignore,
  keep,    ///< goes into the member named by `unknown_into`, and is written again
  reject,  ///< `cbor_key_unknown`
};

/// A map's key: a number (also an enum or a Strong) or a text.
struct Key {
  std::int64_t number = 0;
  std::string_view text;
  bool is_text = false;

  template <std::integral I>
  constexpr Key(I n) : number(static_cast<std::int64_t>(n)) {}  // NOLINT: reads better implicit
  template <class E>
    requires std::is_enum_v<E>
  constexpr Key(E e) : number(static_cast<std::int64_t>(e)) {}  // NOLINT
  template <class Tag, std::integral I>
  constexpr Key(Strong<Tag, I> s) : number(static_cast<std::int64_t>(s.value)) {}  // NOLINT
  constexpr Key(const char* t) : text(t), is_text(true) {}                         // NOLINT
  constexpr Key(std::string_view t) : text(t), is_text(true) {}                    // NOLINT

  friend constexpr bool operator==(const Key&, const Key&) = default;
  /// The order of the encoded forms (RFC 8949 section 4.2.1).
  friend constexpr bool operator<(const Key& a, const Key& b) {
    if (a.is_text != b.is_text) return b.is_text;
    if (a.is_text) return a.text.size() != b.text.size() ? a.text.size() < b.text.size() : a.text < b.text;
    if ((a.number < 0) != (b.number < 0)) return b.number < 0;
    return a.number < 0 ? a.number > b.number : a.number < b.number;
  }
};

enum class Presence : std::uint8_t { required, optional, defaulted };

template <Presence presence_, class C, class M>
struct Member {
  static constexpr Presence presence = presence_;
  using Type = M;
  Key key;
  std::string_view name;
  M C::* pointer;
};

/// A pair that must be there: else `cbor_key_missing` with `name` as its detail.
template <class C, class M>
constexpr Member<Presence::required, C, M> required(Key key, std::string_view name, M C::* pointer) {
  return {key, name, pointer};
}
/// A pair that may be absent.
template <class C, class M>
constexpr Member<Presence::optional, C, std::optional<M>> optional(Key key, std::string_view name,
                                                                   std::optional<M> C::* pointer) {
  return {key, name, pointer};
}
/// A pair that stands for the value the struct is initialised with when absent, and is not written if it has it.
template <class C, class M>
constexpr Member<Presence::defaulted, C, M> defaulted(Key key, std::string_view name, M C::* pointer) {
  return {key, name, pointer};
}

using UnknownPairs = std::vector<std::pair<Raw, Raw>>;
template <class C>
struct UnknownInto {
  UnknownPairs C::* pointer;
};
/// The member that takes what Unknown::keep keeps. On writing, a declared key wins over a kept one.
template <class C>
constexpr UnknownInto<C> unknown_into(UnknownPairs C::* pointer) {
  return {pointer};
}

template <bool is_optional_, class C, class M>
struct ArrayElement {
  static constexpr bool is_optional = is_optional_;
  using Type = M;
  std::string_view name;
  M C::* pointer;
};
/// The next element of an array.
template <class C, class M>
constexpr ArrayElement<false, C, M> element(std::string_view name, M C::* pointer) {
  return {name, pointer};
}
/// The next element, which may be absent at the array's end; all after it must be optional too.
template <class C, class M>
constexpr ArrayElement<true, C, std::optional<M>> optional_element(std::string_view name,
                                                                   std::optional<M> C::* pointer) {
  return {name, pointer};
}

namespace detail {

/// A map's key as it was read.
struct ReadKey {
  Kind kind = Kind::null;
  bool in_range = false;
  std::int64_t number = 0;
  std::string_view text;
  BytesView raw;
  bool is(const Key& key) const {
    return key.is_text ? kind == Kind::text_string && text == key.text : in_range && number == key.number;
  }
};
Result<ReadKey> read_key(Reader& reader);
void write_key(Writer& writer, const Key& key);
Writer& enter_key(SortedMap& map, const Key& key);

/// The error of a member's codec, with the member's name unless a deeper one is named already.
inline std::unexpected<Error> in_member(const Error& error, std::string_view name) {
  return std::unexpected(error.detail().empty() ? Error(error.reason(), name) : error);
}

template <class M>
struct IsOptional : std::false_type {
  using Inner = M;
};
template <class M>
struct IsOptional<std::optional<M>> : std::true_type {
  using Inner = M;
};

template <class T>
struct IsUnknownInto : std::false_type {};
template <class C>
struct IsUnknownInto<UnknownInto<C>> : std::true_type {};

}  // namespace detail

template <class T, class... Ms>
struct MapSchema {
  static constexpr bool is_map = true;
  static constexpr std::size_t count = sizeof...(Ms);
  std::string_view name;
  Unknown unknown;
  UnknownPairs T::* kept;
  std::tuple<Ms...> members;
  std::array<std::size_t, sizeof...(Ms)> order;  // of the encoded keys

  template <class F>
  constexpr void each(F&& f) const {
    std::apply([&](const auto&... member) { (f(member), ...); }, members);
  }
};

template <class T, class... Es>
struct ArraySchema {
  static constexpr bool is_map = false;
  static constexpr std::size_t count = sizeof...(Es);
  std::string_view name;
  std::tuple<Es...> elements;
  std::size_t required_count;
};

/// A map. `name` is what diagnostics and errors call it. A key declared twice does not compile.
template <class T, class... Ms>
  requires(!(detail::IsUnknownInto<Ms>::value || ...))
consteval MapSchema<T, Ms...> declare(std::string_view name, Unknown unknown, Ms... members) {
  std::array<std::size_t, sizeof...(Ms)> order{};
  const std::array<Key, sizeof...(Ms)> keys{members.key...};
  for (std::size_t i = 0; i < order.size(); ++i) {
    order[i] = i;
    for (std::size_t j = i; j > 0 && keys[order[j]] < keys[order[j - 1]]; --j) std::swap(order[j], order[j - 1]);
  }
  for (std::size_t i = 1; i < order.size(); ++i) {
    if (keys[order[i]] == keys[order[i - 1]]) throw "a key is declared twice";
  }
  return {name, unknown, nullptr, std::tuple<Ms...>(members...), order};
}

/// A map that keeps what it does not know.
template <class T, class C, class... Ms>
consteval MapSchema<T, Ms...> declare(std::string_view name, UnknownInto<C> into, Ms... members) {
  auto schema = declare<T>(name, Unknown::keep, members...);
  schema.kept = into.pointer;
  return schema;
}

/// An array of fixed places. Fewer elements than required: `cbor_key_missing`; more than declared:
/// `cbor_key_unknown`.
template <class T, class... Es>
consteval ArraySchema<T, Es...> declare_array(std::string_view name, Es... elements) {
  const std::array<bool, sizeof...(Es)> is_optional{Es::is_optional...};
  std::size_t required_count = 0;
  for (std::size_t i = 0; i < is_optional.size(); ++i) {
    if (is_optional[i]) continue;
    if (required_count != i) throw "a required element follows an optional one";
    ++required_count;
  }
  return {name, std::tuple<Es...>(elements...), required_count};
}

template <class T>
concept Declared = requires { Schema<T>::value; };
template <class T>
concept DeclaredMap = Declared<T> && std::remove_cvref_t<decltype(Schema<T>::value)>::is_map;
template <class T>
concept DeclaredArray = Declared<T> && !std::remove_cvref_t<decltype(Schema<T>::value)>::is_map;

template <DeclaredMap T>
struct Codec<T> {
  static constexpr bool accepts(Kind kind) { return kind == Kind::map; }

  static Result<T> read(Reader& reader) {
    constexpr const auto& schema = Schema<T>::value;
    static_assert(schema.unknown != Unknown::keep || schema.kept != nullptr, "say where to keep it: unknown_into");
    T object{};
    const std::size_t pairs = ACEWARD_TRY(reader.map());
    std::array<bool, schema.count + 1> seen{};
    KeySet unknown;
    for (std::size_t i = 0; i < pairs; ++i) {
      const detail::ReadKey key = ACEWARD_TRY(detail::read_key(reader));
      const std::size_t index = find(key);
      if (index != schema.count) {
        ACEWARD_TRY(read_member(reader, object, index, seen[index]));
        seen[index] = true;
        continue;
      }
      if constexpr (schema.unknown == Unknown::reject) return fail(reason::cbor_key_unknown, schema.name);
      ACEWARD_TRY(unknown.add(key.raw));
      [[maybe_unused]] const BytesView value = ACEWARD_TRY(reader.skip());
      if constexpr (schema.unknown == Unknown::keep) {
        (object.*schema.kept).emplace_back(Raw{to_bytes(key.raw)}, Raw{to_bytes(value)});
      }
    }
    ACEWARD_TRY(unknown.finish());
    ACEWARD_TRY(all_there(seen));
    return object;
  }

  static void write(Writer& writer, const T& object) {
    constexpr const auto& schema = Schema<T>::value;
    if constexpr (schema.unknown == Unknown::keep) {
      if (!(object.*schema.kept).empty()) {
        SortedMap map;
        for (const auto& [key, value] : object.*schema.kept) map.entry_raw(key.octets).raw(value.octets);
        schema.each([&](const auto& member) {
          if (is_written(object, member)) write_value(detail::enter_key(map, member.key), object.*member.pointer);
        });
        map.write_to(writer);
        return;
      }
    }
    std::size_t pairs = 0;
    schema.each([&](const auto& member) { pairs += is_written(object, member) ? 1 : 0; });
    writer.map(pairs);
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (write_pair(writer, object, std::get<Schema<T>::value.order[I]>(Schema<T>::value.members)), ...);
    }(std::make_index_sequence<schema.count>());
  }

 private:
  static std::size_t find(const detail::ReadKey& key) {
    std::size_t index = 0;
    std::apply([&](const auto&... member) { (void)((key.is(member.key) ? true : (++index, false)) || ...); },
               Schema<T>::value.members);
    return index;
  }

  static Result<void> read_member(Reader& reader, T& object, std::size_t index, bool seen) {
    Result<void> result;
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      (void)((I == index ? (result = read_into(reader, object, std::get<I>(Schema<T>::value.members), seen), true)
                         : false) ||
             ...);
    }(std::make_index_sequence<Schema<T>::value.count>());
    return result;
  }

  template <class Mem>
  static Result<void> read_into(Reader& reader, T& object, const Mem& member, bool seen) {
    if (seen) return fail(reason::cbor_duplicate_key, member.name);
    using Inner = std::conditional_t<Mem::presence == Presence::optional,
                                     typename detail::IsOptional<typename Mem::Type>::Inner, typename Mem::Type>;
    auto value = Codec<Inner>::read(reader);
    if (!value) return detail::in_member(value.error(), member.name);
    object.*member.pointer = std::move(*value);
    return {};
  }

  template <std::size_t N>
  static Result<void> all_there(const std::array<bool, N>& seen) {
    std::size_t index = 0;
    std::string_view missing;
    bool is_missing = false;
    Schema<T>::value.each([&](const auto& member) {
      if (!seen[index++] && member.presence == Presence::required && !is_missing) {
        is_missing = true;
        missing = member.name;
      }
    });
    if (is_missing) return fail(reason::cbor_key_missing, missing);
    return {};
  }

  template <class Mem>
  static bool is_written(const T& object, const Mem& member) {
    if constexpr (Mem::presence == Presence::optional) {
      return (object.*member.pointer).has_value();
    } else if constexpr (Mem::presence == Presence::defaulted) {
      return !(object.*member.pointer == T{}.*member.pointer);
    } else {
      return true;
    }
  }

  template <class M>
  static void write_value(Writer& writer, const M& value) {
    if constexpr (detail::IsOptional<M>::value) {
      Codec<typename detail::IsOptional<M>::Inner>::write(writer, *value);
    } else {
      Codec<M>::write(writer, value);
    }
  }

  template <class Mem>
  static void write_pair(Writer& writer, const T& object, const Mem& member) {
    if (!is_written(object, member)) return;
    detail::write_key(writer, member.key);
    write_value(writer, object.*member.pointer);
  }
};

template <DeclaredArray T>
struct Codec<T> {
  static constexpr bool accepts(Kind kind) { return kind == Kind::array; }

  static Result<T> read(Reader& reader) {
    T object{};
    const std::size_t count = ACEWARD_TRY(reader.array());
    if (count > Schema<T>::value.count) return fail(reason::cbor_key_unknown, Schema<T>::value.name);
    Result<void> result;
    std::size_t index = 0;
    std::apply([&](const auto&... e) { (void)((result = read_into(reader, object, e, index++ < count)) && ...); },
               Schema<T>::value.elements);
    if (!result) return std::unexpected(result.error());
    return object;
  }

  static void write(Writer& writer, const T& object) {
    std::size_t count = 0;
    bool gap = false;
    const auto is_there = [&](const auto& e) {
      if constexpr (std::remove_cvref_t<decltype(e)>::is_optional) {
        if (!(object.*e.pointer).has_value()) gap = true;
      }
      return !gap;
    };
    std::apply([&](const auto&... e) { ((count += is_there(e) ? 1 : 0), ...); }, Schema<T>::value.elements);
    writer.array(count);
    std::size_t index = 0;
    std::apply([&](const auto&... e) { (write_element(writer, object, e, index++ < count), ...); },
               Schema<T>::value.elements);
  }

 private:
  template <class E>
  static Result<void> read_into(Reader& reader, T& object, const E& e, bool is_there) {
    if (!is_there) {
      if constexpr (E::is_optional) return {};
      return fail(reason::cbor_key_missing, e.name);
    }
    using Inner =
        std::conditional_t<E::is_optional, typename detail::IsOptional<typename E::Type>::Inner, typename E::Type>;
    auto value = Codec<Inner>::read(reader);
    if (!value) return detail::in_member(value.error(), e.name);
    object.*e.pointer = std::move(*value);
    return {};
  }

  template <class E>
  static void write_element(Writer& writer, const T& object, const E& e, bool is_there) {
    if (!is_there) return;
    if constexpr (E::is_optional) {
      Codec<typename detail::IsOptional<typename E::Type>::Inner>::write(writer, *(object.*e.pointer));
    } else {
      Codec<typename E::Type>::write(writer, object.*e.pointer);
    }
  }
};

}  // namespace aceward::cbor
