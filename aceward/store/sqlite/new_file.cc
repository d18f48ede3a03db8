#include "aceward/store/sqlite/new_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "aceward/store/reasons.h"

namespace aceward::store {

namespace {

Result<> sync_descriptor(const char* name, int flags) {
  const int descriptor = ::open(name, flags | O_CLOEXEC);
  if (descriptor < 0) return fail(reason::store_unavailable, "cannot open what is to be synced");
  const bool synced = ::fsync(descriptor) == 0;
  ::close(descriptor);
  if (!synced) return fail(reason::store_unavailable, "cannot sync");
  return {};
}

}  // namespace

NewFile::NewFile(std::string name) : name_(std::move(name)) {
  const int descriptor = ::open(name_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  made_ = descriptor >= 0;
  // Before SQLite opens it: closing a descriptor drops the locks of all others on the file.
  if (made_) ::close(descriptor);
}

NewFile::~NewFile() {
  if (!made_) return;
  for (const char* suffix : {"", "-journal", "-wal", "-shm"}) ::unlink((name_ + suffix).c_str());
}

Result<> NewFile::link_to(const std::filesystem::path& path) const {
  ACEWARD_TRY(sync_file(name_));
  const bool linked = ::link(name_.c_str(), path.c_str()) == 0;
  if (!linked && errno != EEXIST) return fail(reason::store_unavailable, "cannot make the file");
  ACEWARD_TRY(sync_directory_of(path));
  if (!linked) return fail(reason::store_exists);
  return {};
}

Result<> NewFile::rename_to(const std::filesystem::path& path) const {
  ACEWARD_TRY(sync_file(name_));
  if (::rename(name_.c_str(), path.c_str()) != 0) return fail(reason::store_unavailable, "cannot make the file");
  return sync_directory_of(path);
}

Result<> sync_file(const std::filesystem::path& path) { return sync_descriptor(path.c_str(), O_RDONLY); }

Result<> sync_directory_of(const std::filesystem::path& path) {
  const std::filesystem::path parent = path.has_parent_path() ? path.parent_path() : ".";
  return sync_descriptor(parent.c_str(), O_RDONLY | O_DIRECTORY);
}

}  // namespace aceward::store
