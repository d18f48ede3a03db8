// Strong types: a number that means one thing and converts to nothing by itself.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>

namespace aceward {

/// `using SessionId = Strong<struct SessionIdTag, std::uint64_t>;` Also the shape of an IANA registry value: every
/// value of the underlying type is kept, known or not (architecture, contract 11).
template <class Tag, class T>
struct Strong {
  using Underlying = T;
  T value{};

  constexpr Strong() = default;
  constexpr explicit Strong(T v) : value(v) {}
  friend constexpr auto operator<=>(const Strong&, const Strong&) = default;
};

}  // namespace aceward

template <class Tag, class T>
struct std::hash<aceward::Strong<Tag, T>> {
  std::size_t operator()(const aceward::Strong<Tag, T>& id) const noexcept { return std::hash<T>{}(id.value); }
};
