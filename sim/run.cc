#include "sim/run.h"

#include <cstdio>
#include <cstring>

namespace aceward::sim {

Run::Run(std::uint64_t seed, Print print)
    : dice(seed * 0x9e3779b97f4a7c15U + 0x1d8af), seed_(seed), start_(clock.now()), print_(std::move(print)) {}

std::chrono::nanoseconds Run::between(std::chrono::nanoseconds least, std::chrono::nanoseconds most) {
  return least + std::chrono::nanoseconds(dice.below(static_cast<std::uint64_t>((most - least).count()) + 1));
}

void Run::require(bool holds, std::string_view what, std::source_location where) {
  if (holds) return;
  std::string_view file = where.file_name();
  if (const auto slash = file.rfind('/'); slash != std::string_view::npos) file.remove_prefix(slash + 1);
  const auto text = std::string(what) + " (" + std::string(file) + ":" + std::to_string(where.line()) + ")";
  print("VIOLATION " + text);
  throw Violation(text);
}

void Run::reach(std::string_view branch, std::uint64_t times) {
  if (times != 0) branches_[branch] += times;
}

Branches Run::branches() const {
  Branches all;
  for (const auto& [name, times] : branches_) all.emplace(name, times);
  for (std::size_t value = 0; value < codes_.size(); ++value) {
    if (codes_[value] != 0) all["code " + coap::Code(static_cast<std::uint8_t>(value)).number()] = codes_[value];
  }
  return all;
}

void Run::mix(BytesView octets) {
  // FNV-1a over 64 bits, eight octets at a time: this only has to tell runs apart.
  std::size_t at = 0;
  for (; at + 8 <= octets.size(); at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, octets.data() + at, 8);
    hash_ = (hash_ ^ word) * 0x100000001b3U;
    hash_ ^= hash_ >> 29;
  }
  for (; at < octets.size(); ++at) hash_ = (hash_ ^ octets[at]) * 0x100000001b3U;
}

void Run::note_datagram(std::string_view what, const Address& from, const Address& to, BytesView octets) {
  const auto time = clock.now().time_since_epoch().count();
  mix({reinterpret_cast<const std::uint8_t*>(&time), sizeof time});
  mix(as_bytes(what));
  mix(from.ip);
  mix({reinterpret_cast<const std::uint8_t*>(&from.port), sizeof from.port});
  mix(to.ip);
  mix({reinterpret_cast<const std::uint8_t*>(&to.port), sizeof to.port});
  mix(octets);
}

void Run::print(std::string_view line) const {
  if (!print_) return;
  char time[32];
  const double seconds = std::chrono::duration<double>(clock.now() - start_).count();
  std::snprintf(time, sizeof time, "%12.6f  ", seconds);
  print_(std::string(time).append(line));
}

}  // namespace aceward::sim
