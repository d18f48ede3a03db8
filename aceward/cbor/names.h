// What diagnostics call the numbers in a message: by hand, or from its schema.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aceward/cbor/schema.h"

namespace aceward::cbor {

/// The names that apply to one data item and, nested, to what is in it. Cheap to copy where nested.
struct Names {
  struct Pair {
    std::string name;                    ///< printed before an integer key; nothing if empty
    std::shared_ptr<const Names> value;  ///< for the value; may be null
  };

  std::map<std::int64_t, Pair> keys;                   ///< of a map, integer keys
  std::map<std::string, Pair, std::less<>> text_keys;  ///< of a map, text keys (only `value` matters)
  std::map<std::int64_t, std::string> values;          ///< of integers: what they mean
  std::vector<Pair> places;                            ///< of an array, by position
  std::shared_ptr<const Names> each;                   ///< of every element of an array beyond `places`
  std::map<std::uint64_t, std::shared_ptr<const Names>>
      tags;               ///< for the content of tags; the names of other tags' content are these
  bool embedded = false;  ///< a byte string whose content, named by these same names, is CBOR: shown as << >>
  bool secret = false;    ///< a byte or text string that is never shown, only its size

  Names& key(std::int64_t number, std::string name);
  Names& key(std::int64_t number, std::string name, Names value);
  Names& text_key(std::string key, Names value);
  Names& value(std::int64_t number, std::string name);
  Names& place(std::string name);
  Names& place(std::string name, Names value);
  Names& each_is(Names element);
};

/// Specialised for an enum or Strong that stands for an IANA registry, with
///   static constexpr std::array<std::pair<std::int64_t, std::string_view>, N> value{{…}};
template <class T>
struct ValueNames;

template <class T>
Names names_of();

namespace detail {

template <class T>
struct NamesOf {
  static void add(Names& names) {
    if constexpr (requires { ValueNames<T>::value; }) {
      for (const auto& [number, name] : ValueNames<T>::value) names.values.emplace(number, name);
    }
    if constexpr (DeclaredMap<T>) {
      Schema<T>::value.each([&]<class M>(const M& member) {
        Names value = names_of<typename IsOptional<typename M::Type>::Inner>();
        if (member.key.is_text) {
          names.text_key(std::string(member.key.text), std::move(value));
        } else {
          names.key(member.key.number, std::string(member.name), std::move(value));
        }
      });
    } else if constexpr (DeclaredArray<T>) {
      std::apply(
          [&]<class... E>(const E&... e) {
            (names.place(std::string(e.name), names_of<typename IsOptional<typename E::Type>::Inner>()), ...);
          },
          Schema<T>::value.elements);
    }
  }
};
template <>
struct NamesOf<Secret> {
  static void add(Names& names) { names.secret = true; }
};
template <class T>
struct NamesOf<Nullable<T>> : NamesOf<T> {};
template <std::uint64_t number, class T>
struct NamesOf<Tagged<number, T>> : NamesOf<T> {};
template <class T>
struct NamesOf<Embedded<T>> {
  static void add(Names& names) {
    NamesOf<T>::add(names);
    names.embedded = true;
  }
};
template <class T>
struct NamesOf<std::vector<T>> {
  static void add(Names& names) { names.each_is(names_of<T>()); }
};
template <>
struct NamesOf<Bytes> {
  static void add(Names&) {}
};
template <class... Ts>
struct NamesOf<std::variant<Ts...>> {
  static void add(Names& names) { (NamesOf<Ts>::add(names), ...); }
};

}  // namespace detail

/// The names that T's schema declares. Not for types that contain themselves.
template <class T>
Names names_of() {
  Names names;
  detail::NamesOf<T>::add(names);
  return names;
}

}  // namespace aceward::cbor
