// Where a client keeps its tokens between two runs: one file a server, readable by its owner alone.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "aceward/ace/client/token_cache.h"
#include "app/console.h"

namespace aceward::app {

/// `configured`: `none`, a folder, or nothing: $XDG_STATE_HOME/aceward/tokens, by default
/// ~/.local/state/aceward/tokens. Empty: nothing is kept, also where there is no home.
std::optional<std::filesystem::path> token_folder(const std::string& configured);

/// Blocks; each call opens, reads or replaces one file. Several processes may use one folder: a file is replaced as a
/// whole, and what one reads is what one of them wrote. A file or a folder that others than its owner could have read
/// or written is refused, with a warning; so is a file that does not parse, which the next token replaces. No octet of
/// a token or key is ever said.
class TokenFiles {
 public:
  TokenFiles(std::filesystem::path folder, const Console& console) : folder_(std::move(folder)), console_(&console) {}

  const std::filesystem::path& folder() const { return folder_; }
  /// Nothing: there is none, or it is not for `binding`, or it is refused.
  std::optional<ace::client::CachedToken> load(const ace::client::CacheBinding& binding, Instant now, WallTime wall);
  /// Makes the folder (0700) if need be. A failure is a warning: the token can be had again.
  void save(const ace::client::CacheBinding& binding, BytesView octets);
  /// Removes the file if it holds this token: another process may have stored a better one in the meantime.
  void remove(const ace::client::CacheBinding& binding, BytesView access_token);

  struct Entry {
    std::filesystem::path file;
    ace::client::StoredToken token;
  };
  /// Of all servers, at most 1024, by file name.
  std::vector<Entry> list();

 private:
  std::filesystem::path file_of(const ace::client::CacheBinding& binding) const;
  std::optional<ace::client::StoredToken> read(const std::filesystem::path& file);
  void warn(const std::filesystem::path& file, std::string_view what) const;

  std::filesystem::path folder_;
  const Console* console_;
};

}  // namespace aceward::app
