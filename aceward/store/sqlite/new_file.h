// A file that gets its name only when it is whole.
#pragma once

#include <filesystem>
#include <string>

#include "aceward/base/result.h"

namespace aceward::store {

/// Makes an empty file of mode 0600 under a name that nobody else uses; at its end that name is gone, with what SQLite
/// puts beside it.
class NewFile {
 public:
  explicit NewFile(std::string name);
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  ~NewFile();

  bool made() const { return made_; }  ///< false: the name was taken, or the directory cannot be written
  const std::string& name() const { return name_; }
  /// Syncs it, gives it this name too, and syncs the directory. Errors: `store_exists`, `store_unavailable`.
  Result<> link_to(const std::filesystem::path& path) const;
  /// The same, in place of what has this name.
  Result<> rename_to(const std::filesystem::path& path) const;

 private:
  std::string name_;
  bool made_;
};

Result<> sync_file(const std::filesystem::path& path);
Result<> sync_directory_of(const std::filesystem::path& path);

}  // namespace aceward::store
