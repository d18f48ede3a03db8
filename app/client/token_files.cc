#include "app/client/token_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "aceward/crypto/hash.h"
#include "app/key_files.h"

namespace aceward::app {

namespace {

constexpr std::size_t most_files = 1024;
constexpr std::string_view ending = ".token";

/// Letters, digits, `-` and `_` of a name, for people; what makes the file's name unique is the digest behind it.
std::string speaking_part(std::string_view name) {
  std::string part;
  for (const char c : name.substr(0, 40)) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    part += is_plain ? c : '-';
  }
  return part;
}

bool is_own_folder(const std::filesystem::path& folder) {
  struct stat status{};
  return ::lstat(folder.c_str(), &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == ::geteuid() &&
         (status.st_mode & 077) == 0;
}

}  // namespace

std::optional<std::filesystem::path> token_folder(const std::string& configured) {
  if (configured == "none") return std::nullopt;
  if (!configured.empty()) return configured;
  if (const char* state = std::getenv("XDG_STATE_HOME"); state != nullptr && *state == '/') {
    return std::filesystem::path(state) / "aceward/tokens";
  }
  if (const char* home = std::getenv("HOME"); home != nullptr && *home == '/') {
    return std::filesystem::path(home) / ".local/state/aceward/tokens";
  }
  return std::nullopt;
}

std::filesystem::path TokenFiles::file_of(const ace::client::CacheBinding& binding) const {
  // Names of variable length, each with its own, so that no two bindings read alike.
  std::string all;
  for (const std::string* part : {&binding.server, &binding.audience, &binding.as_uri}) {
    all += std::to_string(part->size()) + ":" + *part;
  }
  all += as_text(binding.client);
  const auto digest = crypto::sha256(as_bytes(all));
  return folder_ / (speaking_part(binding.server) + "-" + to_hex(BytesView(digest).first(8)) + std::string(ending));
}

void TokenFiles::warn(const std::filesystem::path& file, std::string_view what) const {
  console_->note("aceward: the token in " + printable_line(file.string()) + " is not used: " + std::string(what));
}

std::optional<ace::client::StoredToken> TokenFiles::read(const std::filesystem::path& file) {
  std::error_code ignored;
  if (!std::filesystem::exists(std::filesystem::symlink_status(file, ignored))) return std::nullopt;
  if (!is_own_folder(folder_)) {
    warn(file, folder_.string() + " is not a folder of yours that is closed to others (chmod 700)");
    return std::nullopt;
  }
  const auto content = read_file(file, Exposure::owner_only);
  if (!content) {
    // Another process may have removed it since.
    if (std::filesystem::exists(file, ignored)) warn(file, content.error().what);
    return std::nullopt;
  }
  auto stored = ace::client::parse_stored_token(content->expose());
  if (!stored) {
    warn(file, stored.error().reason().what);
    return std::nullopt;
  }
  return std::move(*stored);
}

std::optional<ace::client::CachedToken> TokenFiles::load(const ace::client::CacheBinding& binding, Instant now,
                                                         WallTime wall) {
  const std::filesystem::path file = file_of(binding);
  const auto stored = read(file);
  if (!stored) return std::nullopt;
  auto cached = ace::client::restore_token(*stored, binding, now, wall);
  if (!cached) {
    warn(file, cached.error().reason().what);
    return std::nullopt;
  }
  return std::move(*cached);
}

void TokenFiles::save(const ace::client::CacheBinding& binding, BytesView octets) {
  std::error_code failed;
  if (folder_.has_parent_path()) std::filesystem::create_directories(folder_.parent_path(), failed);
  if (::mkdir(folder_.c_str(), 0700) != 0 && errno != EEXIST) {
    return console_->note("aceward: the token is not kept: cannot make " + printable_line(folder_.string()) + ": " +
                          std::strerror(errno));
  }
  if (!is_own_folder(folder_)) {
    return console_->note("aceward: the token is not kept: " + printable_line(folder_.string()) +
                          " is not a folder of yours that is closed to others (chmod 700)");
  }
  // A name that no other process uses. A rename shows others the old token or the new one. Without fsync: what a power
  // cut takes is asked for again.
  static std::atomic<unsigned> counter{0};
  const std::filesystem::path file = file_of(binding);
  const std::string temporary =
      file.string() + "." + std::to_string(::getpid()) + "." + std::to_string(counter++) + ".new";
  ::unlink(temporary.c_str());
  const int descriptor = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  bool is_written = descriptor >= 0;
  while (is_written && !octets.empty()) {
    const ssize_t written = ::write(descriptor, octets.data(), octets.size());
    if (written < 0 && errno == EINTR) continue;
    is_written = written > 0;
    if (is_written) octets = octets.subspan(static_cast<std::size_t>(written));
  }
  if (descriptor >= 0) is_written = ::close(descriptor) == 0 && is_written;
  if (is_written && ::rename(temporary.c_str(), file.c_str()) == 0) return;
  console_->note("aceward: the token is not kept: cannot write " + printable_line(file.string()) + ": " +
                 std::strerror(errno));
  ::unlink(temporary.c_str());
}

void TokenFiles::remove(const ace::client::CacheBinding& binding, BytesView access_token) {
  const std::filesystem::path file = file_of(binding);
  const auto stored = read(file);
  if (stored && equal(stored->access_token, access_token)) ::unlink(file.c_str());
}

std::vector<TokenFiles::Entry> TokenFiles::list() {
  std::vector<std::filesystem::path> files;
  std::error_code failed;
  for (auto entry = std::filesystem::directory_iterator(folder_, failed);
       !failed && entry != std::filesystem::directory_iterator() && files.size() < most_files;
       entry.increment(failed)) {
    if (entry->path().extension() == ending) files.push_back(entry->path());
  }
  std::ranges::sort(files);
  std::vector<Entry> entries;
  for (const auto& file : files) {
    if (auto stored = read(file)) entries.push_back({file, std::move(*stored)});
  }
  return entries;
}

}  // namespace aceward::app
