// Errors are values: Result<T>, the Error that it may hold, and the one TRY macro.
#pragma once

#include <cstdint>
#include <expected>
#include <string_view>
#include <utility>

namespace aceward {

/// Whose fault a failure is, and so what the other side may be told (architecture, contract 5).
enum class ErrorClass : std::uint8_t {
  malformed,        ///< the input does not parse
  unsupported,      ///< well-formed, but asks for what we do not do
  peer_misbehaved,  ///< well-formed and supported, but breaks the protocol or fails verification
  denied,           ///< verified, and policy says no
  internal,         ///< our own fault or our environment's; the wire says nothing of it
};

std::string_view name_of(ErrorClass error_class);

/// A refusal with a stable name. The id is logged and counted at the server and printed by the client; it never
/// changes once released. Reasons are constants with static storage, declared in the `reasons.h` of the module that
/// uses them and listed in docs/reasons.md.
struct Reason {
  std::string_view id;  ///< lower-case words joined by underscores: `token_expired`
  ErrorClass error_class;
  std::string_view what;   ///< one sentence: what happened
  std::string_view check;  ///< one sentence: what the reader can check or do
};

/// Why an operation failed. Trivially copyable; holds no heap memory. Two errors are equal when their reason is.
class Error {
 public:
  constexpr explicit Error(const Reason& reason) : reason_(&reason) {}
  /// `detail` must have static storage: a literal that says which of several places failed ("claim exp").
  constexpr Error(const Reason& reason, std::string_view detail) : reason_(&reason), detail_(detail) {}

  constexpr const Reason& reason() const { return *reason_; }
  constexpr std::string_view id() const { return reason_->id; }
  constexpr ErrorClass error_class() const { return reason_->error_class; }
  constexpr std::string_view detail() const { return detail_; }

  friend constexpr bool operator==(const Error& a, const Error& b) { return a.reason_->id == b.reason_->id; }
  friend constexpr bool operator==(const Error& a, const Reason& b) { return a.reason_->id == b.id; }

 private:
  const Reason* reason_;
  std::string_view detail_;
};

template <class T = void>
using Result = std::expected<T, Error>;

/// `return fail(reason::token_expired);`
constexpr std::unexpected<Error> fail(const Reason& reason, std::string_view detail = {}) {
  return std::unexpected<Error>(Error(reason, detail));
}

namespace detail {
template <class T>
T take(std::expected<T, Error>&& result) {
  return std::move(*result);
}
inline void take(std::expected<void, Error>&&) {}
}  // namespace detail

}  // namespace aceward

/// Yields the value of a Result, or returns its error from the enclosing function (which returns a Result too):
///   const auto length = ACEWARD_TRY(reader.array());
/// A statement expression, which both compilers we support know; not usable inside a coroutine.
#define ACEWARD_TRY(expression)                                                  \
  __extension__({                                                                \
    auto aceward_try_result = (expression);                                      \
    if (!aceward_try_result) return std::unexpected(aceward_try_result.error()); \
    ::aceward::detail::take(std::move(aceward_try_result));                      \
  })
