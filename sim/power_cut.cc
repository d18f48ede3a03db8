#include "sim/power_cut.h"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <map>
#include <mutex>
#include <new>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "aceward/base/bytes.h"
#include "aceward/base/random.h"

namespace aceward::sim {

namespace {

constexpr std::size_t sector = 512;                      // what a disk writes whole
constexpr std::size_t shared_region = 32768;             // SQLite's unit of the log's index
constexpr std::int64_t julian_ms = 212'000'000'000'000;  // some time in 2005

/// A write or a truncation that was not synced.
struct Unsynced {
  std::size_t offset = 0;
  Bytes octets;
  std::optional<std::size_t> size;  ///< a truncation to this size
};

void apply(Bytes& contents, std::size_t offset, BytesView octets) {
  if (contents.size() < offset + octets.size()) contents.resize(offset + octets.size());
  std::copy(octets.begin(), octets.end(), contents.begin() + static_cast<std::ptrdiff_t>(offset));
}

struct Node {
  Bytes synced;
  Bytes current;
  std::vector<Unsynced> since;
  // Locks on the file, and on its log's index with the memory that connections share.
  int shared = 0;
  const void* reserved = nullptr;
  const void* exclusive = nullptr;
  std::vector<std::unique_ptr<std::array<std::uint8_t, shared_region>>> regions;
  std::array<int, SQLITE_SHM_NLOCK> shm_shared{};
  std::array<const void*, SQLITE_SHM_NLOCK> shm_exclusive{};

  void survive(Loss loss, Random& random) {
    if (loss == Loss::everything) current = synced;
    if (loss == Loss::some) current = some(random);
    synced = current;
    since.clear();
    shared = 0;
    reserved = exclusive = nullptr;
    regions.clear();
    shm_shared.fill(0);
    shm_exclusive.fill(nullptr);
  }

 private:
  Bytes some(Random& random) const {
    Bytes contents = synced;
    for (const Unsynced& change : since) {
      if (change.size) {
        if (random.below(2) == 0 && contents.size() > *change.size) contents.resize(*change.size);
        continue;
      }
      for (std::size_t from = 0; from < change.octets.size();) {
        const std::size_t count = std::min(change.octets.size() - from, sector - (change.offset + from) % sector);
        if (random.below(2) == 0) apply(contents, change.offset + from, BytesView(change.octets).subspan(from, count));
        from += count;
      }
    }
    return contents;
  }
};
using NodePointer = std::shared_ptr<Node>;

}  // namespace

struct PowerCutDisk::State {
  sqlite3_vfs vfs{};
  std::mutex mutex;
  std::map<std::string, NodePointer> files;    // as the system sees them
  std::map<std::string, NodePointer> durable;  // names that a cut leaves
  std::uint64_t steps = 0;
  std::uint64_t cut = 0;
  bool off = false;
  SeededRandom random{1};

  /// Under the lock, before anything that changes the disk: false when that is where the power goes, or it is gone.
  bool step() {
    if (off) return false;
    ++steps;
    off = cut != 0 && steps >= cut;
    return !off;
  }
};

namespace {

using State = PowerCutDisk::State;

/// What SQLite sees as an open file; it gives the memory, and never runs constructors.
struct File {
  sqlite3_file base;
  State* state;
  NodePointer* node;
  std::string* name;  ///< empty: a temporary file without one
  int lock;
};

File& file_of(sqlite3_file* file) { return *reinterpret_cast<File*>(file); }
State& state_of(sqlite3_vfs* vfs) { return *static_cast<State*>(vfs->pAppData); }

int close_file(sqlite3_file* base);

int read_file(sqlite3_file* base, void* out, int count, sqlite3_int64 offset) {
  const File& file = file_of(base);
  const std::lock_guard guard(file.state->mutex);
  if (file.state->off) return SQLITE_IOERR_READ;
  const Bytes& contents = (*file.node)->current;
  const auto from = std::min(contents.size(), static_cast<std::size_t>(offset));
  const auto there = std::min(contents.size() - from, static_cast<std::size_t>(count));
  std::memset(out, 0, static_cast<std::size_t>(count));
  if (there > 0) std::memcpy(out, contents.data() + from, there);
  return there == static_cast<std::size_t>(count) ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

int write_file(sqlite3_file* base, const void* data, int count, sqlite3_int64 offset) {
  const File& file = file_of(base);
  const std::lock_guard guard(file.state->mutex);
  if (!file.state->step()) return SQLITE_IOERR_WRITE;
  const auto* octets = static_cast<const std::uint8_t*>(data);
  Unsynced change{.offset = static_cast<std::size_t>(offset), .octets = Bytes(octets, octets + count), .size = {}};
  apply((*file.node)->current, change.offset, change.octets);
  (*file.node)->since.push_back(std::move(change));
  return SQLITE_OK;
}

int truncate_file(sqlite3_file* base, sqlite3_int64 size) {
  const File& file = file_of(base);
  const std::lock_guard guard(file.state->mutex);
  if (!file.state->step()) return SQLITE_IOERR_TRUNCATE;
  (*file.node)->current.resize(static_cast<std::size_t>(size));
  (*file.node)->since.push_back({.offset = 0, .octets = {}, .size = static_cast<std::size_t>(size)});
  return SQLITE_OK;
}

int sync_file(sqlite3_file* base, int) {
  const File& file = file_of(base);
  const std::lock_guard guard(file.state->mutex);
  if (!file.state->step()) return SQLITE_IOERR_FSYNC;
  (*file.node)->synced = (*file.node)->current;
  (*file.node)->since.clear();
  // SQLite's own file system syncs the directory along with a new file.
  if (!file.name->empty()) file.state->durable[*file.name] = *file.node;
  return SQLITE_OK;
}

int file_size(sqlite3_file* base, sqlite3_int64* size) {
  const File& file = file_of(base);
  const std::lock_guard guard(file.state->mutex);
  if (file.state->off) return SQLITE_IOERR_FSTAT;
  *size = static_cast<sqlite3_int64>((*file.node)->current.size());
  return SQLITE_OK;
}

int lock_file(sqlite3_file* base, int level) {
  File& file = file_of(base);
  const std::lock_guard guard(file.state->mutex);
  Node& node = **file.node;
  if (file.lock >= level) return SQLITE_OK;
  const bool held_by_other = node.exclusive != nullptr && node.exclusive != base;
  if (held_by_other) return SQLITE_BUSY;
  if (level >= SQLITE_LOCK_RESERVED) {
    if (node.reserved != nullptr && node.reserved != base) return SQLITE_BUSY;
    node.reserved = base;
  }
  if (level == SQLITE_LOCK_EXCLUSIVE) {
    if (node.shared > (file.lock >= SQLITE_LOCK_SHARED ? 1 : 0)) return SQLITE_BUSY;
    node.exclusive = base;
  }
  if (file.lock == SQLITE_LOCK_NONE) ++node.shared;
  file.lock = level;
  return SQLITE_OK;
}

int unlock_file(sqlite3_file* base, int level) {
  File& file = file_of(base);
  const std::lock_guard guard(file.state->mutex);
  Node& node = **file.node;
  if (node.reserved == base) node.reserved = nullptr;
  if (node.exclusive == base) node.exclusive = nullptr;
  if (level == SQLITE_LOCK_NONE && file.lock > SQLITE_LOCK_NONE) --node.shared;
  file.lock = std::min(file.lock, level);
  return SQLITE_OK;
}

int check_reserved_lock(sqlite3_file* base, int* held) {
  const File& file = file_of(base);
  const std::lock_guard guard(file.state->mutex);
  *held = (*file.node)->reserved != nullptr ? 1 : 0;
  return SQLITE_OK;
}

int file_control(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
int sector_size(sqlite3_file*) { return 4096; }
int characteristics(sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }

int map_shared(sqlite3_file* base, int region, int size, int extend, void volatile** memory) {
  const File& file = file_of(base);
  const std::lock_guard guard(file.state->mutex);
  auto& regions = (*file.node)->regions;
  *memory = nullptr;
  if (static_cast<std::size_t>(size) != shared_region) return SQLITE_IOERR_SHMMAP;
  const auto at = static_cast<std::size_t>(region);
  if (extend == 0 && at >= regions.size()) return SQLITE_OK;
  while (regions.size() <= at) regions.push_back(std::make_unique<std::array<std::uint8_t, shared_region>>());
  *memory = regions[at]->data();
  return SQLITE_OK;
}

int lock_shared(sqlite3_file* base, int first, int count, int flags) {
  const File& file = file_of(base);
  const std::lock_guard guard(file.state->mutex);
  Node& node = **file.node;
  const auto slots =
      std::span(node.shm_exclusive).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count));
  const auto shared =
      std::span(node.shm_shared).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count));
  if ((flags & SQLITE_SHM_UNLOCK) != 0) {
    for (std::size_t i = 0; i < slots.size(); ++i) {
      if ((flags & SQLITE_SHM_EXCLUSIVE) != 0 && slots[i] == base) slots[i] = nullptr;
      if ((flags & SQLITE_SHM_SHARED) != 0) --shared[i];
    }
    return SQLITE_OK;
  }
  // SQLite does not ask for a lock that the connection has.
  for (std::size_t i = 0; i < slots.size(); ++i)
    if (slots[i] != nullptr || ((flags & SQLITE_SHM_EXCLUSIVE) != 0 && shared[i] > 0)) return SQLITE_BUSY;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    if ((flags & SQLITE_SHM_EXCLUSIVE) != 0) {
      slots[i] = base;
    } else {
      ++shared[i];
    }
  }
  return SQLITE_OK;
}

void barrier(sqlite3_file*) { std::atomic_thread_fence(std::memory_order_seq_cst); }

int unmap_shared(sqlite3_file* base, int delete_it) {
  const File& file = file_of(base);
  const std::lock_guard guard(file.state->mutex);
  if (delete_it != 0) (*file.node)->regions.clear();
  return SQLITE_OK;
}

constexpr sqlite3_io_methods methods{
    .iVersion = 2,
    .xClose = close_file,
    .xRead = read_file,
    .xWrite = write_file,
    .xTruncate = truncate_file,
    .xSync = sync_file,
    .xFileSize = file_size,
    .xLock = lock_file,
    .xUnlock = unlock_file,
    .xCheckReservedLock = check_reserved_lock,
    .xFileControl = file_control,
    .xSectorSize = sector_size,
    .xDeviceCharacteristics = characteristics,
    .xShmMap = map_shared,
    .xShmLock = lock_shared,
    .xShmBarrier = barrier,
    .xShmUnmap = unmap_shared,
    .xFetch = nullptr,
    .xUnfetch = nullptr,
};

int close_file(sqlite3_file* base) {
  unlock_file(base, SQLITE_LOCK_NONE);
  const File& file = file_of(base);
  delete file.node;
  delete file.name;
  return SQLITE_OK;
}

int open_file(sqlite3_vfs* vfs, const char* name, sqlite3_file* base, int flags, int* opened) {
  base->pMethods = nullptr;
  State& state = state_of(vfs);
  const std::lock_guard guard(state.mutex);
  if (state.off) return SQLITE_CANTOPEN;
  const std::string key = name == nullptr ? "" : name;
  auto found = key.empty() ? state.files.end() : state.files.find(key);
  if (found == state.files.end() && (flags & SQLITE_OPEN_CREATE) == 0) return SQLITE_CANTOPEN;
  NodePointer node = found == state.files.end() ? std::make_shared<Node>() : found->second;
  if (!key.empty()) state.files.emplace(key, node);
  File& file = file_of(base);
  file.state = &state;
  file.node = new NodePointer(std::move(node));
  file.name = new std::string(key);
  file.lock = SQLITE_LOCK_NONE;
  file.base.pMethods = &methods;
  if (opened != nullptr) *opened = flags;
  return SQLITE_OK;
}

int delete_file(sqlite3_vfs* vfs, const char* name, int sync_directory) {
  State& state = state_of(vfs);
  const std::lock_guard guard(state.mutex);
  if (!state.files.contains(name)) return SQLITE_IOERR_DELETE_NOENT;
  if (!state.step()) return SQLITE_IOERR_DELETE;
  state.files.erase(name);
  if (sync_directory != 0)
    std::erase_if(state.durable, [&](const auto& entry) { return !state.files.contains(entry.first); });
  return SQLITE_OK;
}

int access_file(sqlite3_vfs* vfs, const char* name, int, int* there) {
  State& state = state_of(vfs);
  const std::lock_guard guard(state.mutex);
  if (state.off) return SQLITE_IOERR_ACCESS;
  const auto found = state.files.find(name);
  // As SQLite's own: an empty file counts as none.
  *there = found != state.files.end() && !found->second->current.empty() ? 1 : 0;
  return SQLITE_OK;
}

int full_name(sqlite3_vfs*, const char* name, int size, char* out) {
  sqlite3_snprintf(size, out, "%s", name);
  return SQLITE_OK;
}

int randomness(sqlite3_vfs* vfs, int count, char* out) {
  State& state = state_of(vfs);
  const std::lock_guard guard(state.mutex);
  state.random.fill({reinterpret_cast<std::uint8_t*>(out), static_cast<std::size_t>(count)});
  return count;
}

int sleep_not(sqlite3_vfs*, int microseconds) { return microseconds; }

int current_time(sqlite3_vfs*, sqlite3_int64* milliseconds) {
  *milliseconds = julian_ms;
  return SQLITE_OK;
}

int current_day(sqlite3_vfs*, double* day) {
  *day = static_cast<double>(julian_ms) / 86'400'000.0;
  return SQLITE_OK;
}

int last_error(sqlite3_vfs*, int, char*) { return 0; }

}  // namespace

PowerCutDisk::PowerCutDisk(std::string name) : name_(std::move(name)), state_(std::make_unique<State>()) {
  sqlite3_initialize();
  sqlite3_vfs& vfs = state_->vfs;
  vfs.iVersion = 2;
  vfs.szOsFile = sizeof(File);
  vfs.mxPathname = 1024;
  vfs.zName = name_.c_str();
  vfs.pAppData = state_.get();
  vfs.xOpen = open_file;
  vfs.xDelete = delete_file;
  vfs.xAccess = access_file;
  vfs.xFullPathname = full_name;
  vfs.xRandomness = randomness;
  vfs.xSleep = sleep_not;
  vfs.xCurrentTime = current_day;
  vfs.xGetLastError = last_error;
  vfs.xCurrentTimeInt64 = current_time;
  sqlite3_vfs_register(&vfs, 0);
}

PowerCutDisk::~PowerCutDisk() { sqlite3_vfs_unregister(&state_->vfs); }

void PowerCutDisk::cut_at(std::uint64_t step) {
  const std::lock_guard guard(state_->mutex);
  state_->steps = 0;
  state_->cut = step;
}

bool PowerCutDisk::is_cut() const {
  const std::lock_guard guard(state_->mutex);
  return state_->off;
}

std::uint64_t PowerCutDisk::steps() const {
  const std::lock_guard guard(state_->mutex);
  return state_->steps;
}

void PowerCutDisk::power_on(Loss loss, std::uint64_t seed) {
  const std::lock_guard guard(state_->mutex);
  SeededRandom random(seed);
  if (loss != Loss::nothing) state_->files = state_->durable;
  for (const auto& [name, node] : state_->files) node->survive(loss, random);
  state_->durable = state_->files;
  state_->off = false;
  state_->steps = 0;
  state_->cut = 0;
}

}  // namespace aceward::sim
