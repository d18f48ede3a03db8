// A disk in memory for SQLite, whose power can be cut: at a chosen write or sync everything stops, and what had not
// been synced is lost, whole or in part. So a test shows what a store keeps of what it told.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace aceward::sim {

/// What a cut leaves of writes that were not synced.
enum class Loss : std::uint8_t {
  everything,  ///< none of them: the disk kept them in its cache
  some,        ///< of each 512 octets, either state: the cache was written back in any order, and writes were torn
  nothing,     ///< all of them: the process was killed, and the system went on
};

/// Registers a SQLite file system under `name`; store::Options::vfs takes that name. Files are opened by one process:
/// this one, from any thread. No file may be open when the disk ends or its power comes back.
class PowerCutDisk {
 public:
  explicit PowerCutDisk(std::string name);
  PowerCutDisk(const PowerCutDisk&) = delete;
  PowerCutDisk& operator=(const PowerCutDisk&) = delete;
  ~PowerCutDisk();

  const std::string& name() const { return name_; }

  /// The write, truncation, sync or deletion number `step` from now (1: the next) does not happen, nor anything after:
  /// all access fails until `power_on`. 0: never.
  void cut_at(std::uint64_t step);
  bool is_cut() const;
  /// Such steps since `cut_at` was last called.
  std::uint64_t steps() const;

  /// Turns it on again, with what `loss` leaves; `seed` decides what `Loss::some` keeps.
  void power_on(Loss loss, std::uint64_t seed = 0);

  struct State;

 private:
  std::string name_;
  std::unique_ptr<State> state_;
};

}  // namespace aceward::sim
