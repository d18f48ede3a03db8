// Octets that must not leak: keys, pre-shared secrets, passwords.
#pragma once

#include <cstddef>

#include "aceward/base/bytes.h"

namespace aceward {

/// Compares without a branch or an index that depends on the contents; the lengths are not secret.
bool equal_constant_time(BytesView a, BytesView b);

/// Overwrites memory in a way the compiler may not remove.
void wipe(std::span<std::uint8_t> memory);

/// An owned secret. Wipes its memory when destroyed, moved from or assigned over; cannot be printed; is compared in
/// constant time. Copying is explicit (`clone`), reading is `expose()`, so that every place that does either is found
/// by a search. Not thread-safe to modify; safe to read from several threads.
class Secret {
 public:
  Secret() = default;
  /// Takes the octets over; the vector that is moved in is left empty.
  explicit Secret(Bytes&& octets) noexcept : octets_(std::move(octets)) { octets.clear(); }
  /// Copies; the caller keeps the duty to wipe the original.
  static Secret copy_of(BytesView octets) { return Secret(Bytes(octets.begin(), octets.end())); }

  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  Secret(Secret&& other) noexcept : octets_(std::move(other.octets_)) { other.octets_.clear(); }
  Secret& operator=(Secret&& other) noexcept;
  ~Secret();

  Secret clone() const { return copy_of(octets_); }
  BytesView expose() const { return octets_; }
  std::size_t size() const { return octets_.size(); }
  bool empty() const { return octets_.empty(); }

  bool equals(const Secret& other) const { return equal_constant_time(octets_, other.octets_); }
  bool equals(BytesView other) const { return equal_constant_time(octets_, other); }

 private:
  Bytes octets_;
};

}  // namespace aceward
