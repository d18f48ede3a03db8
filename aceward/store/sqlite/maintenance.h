// What an administrator does to the file as a whole: look at it, bring an older one up to date, back it up, restore it.
// For the command line: each call works on the disk until it is done.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "aceward/base/bytes.h"
#include "aceward/base/random.h"
#include "aceward/base/result.h"
#include "aceward/base/time.h"
#include "aceward/store/reasons.h"

namespace aceward::store {

struct FileStatus {
  std::int64_t version = 0;          ///< of its schema
  std::int64_t current_version = 0;  ///< that this release works with; where it is higher, `migrate` is due
  Bytes instance;                    ///< 16 octets
  std::uint64_t octets = 0;          ///< of the file
  std::uint64_t log_octets = 0;      ///< of the write-ahead log beside it
  std::int64_t pages = 0;
  std::int64_t free_pages = 0;  ///< of these; new records use them, and expiry gives them back
  std::int64_t clients = 0;
  std::int64_t servers = 0;
  std::int64_t rules = 0;
  std::int64_t requests = 0;
  std::int64_t tokens = 0;          ///< kept
  std::int64_t live_tokens = 0;     ///< of these: neither revoked nor expired
  std::int64_t revoked_tokens = 0;  ///< of these: revoked
};

/// Reads the whole file and checks it: pages, indices, references and records. Works beside a running server, and
/// writes nothing. Errors: `store_foreign`, `store_newer`, `store_damaged`, `store_exposed`, `store_locked`,
/// `store_unavailable`.
Result<FileStatus> read_status(const std::filesystem::path& path, WallTime now);

struct Migration {
  std::int64_t from = 0;
  std::int64_t to = 0;         ///< the same: there was nothing to do
  std::filesystem::path kept;  ///< the file as it was, beside it: its name with ".schema" and the old version
};

/// Brings the file to the schema version of this release, in one transaction, after a copy was made. Refused while
/// another process has it open. Errors: as read_status, `store_exists` when there is a file of the copy's name,
/// `store_full`.
Result<Migration> migrate(const std::filesystem::path& path);

/// Makes a whole copy as of one moment, checked and synced, mode 0600, while a server may go on writing. The copy is as
/// secret as the file. Errors: as read_status, `store_exists`, `store_full`.
Result<> back_up(const std::filesystem::path& path, const std::filesystem::path& copy);

struct RestoreOptions {
  /// A file that is replaced and cannot be read, or is a newer release's, is refused unless this says otherwise.
  bool replace_unreadable = false;
  /// Where revocations made since the backup cannot be known, keep its tokens all the same instead of revoking them.
  bool keep_tokens = false;
};

struct Restoration {
  std::filesystem::path kept;        ///< where the replaced file is now; empty: there was none
  bool merged = false;               ///< tokens and revocations of the replaced file were taken over
  std::int64_t tokens = 0;           ///< in the restored file
  std::int64_t revoked = 0;          ///< of these: revoked by the restoration
  std::vector<std::string> revived;  ///< clients and servers that had been removed or had other keys
};

/// Puts the backup in the place of `path`, with a new instance id and with token numbers that go on far above those of
/// the backup, so that none is given out twice. Clients, servers, rules and requests are those of the backup. Tokens:
/// - where the file to be replaced is whole and of the same lineage, what it knows of tokens is united with what the
///   backup knows: none is lost, and none that either holds for revoked is live. Tokens whose client or server is not
///   in the backup, or has other keys there, are revoked.
/// - else every token of the backup is revoked (`keep_tokens`), for it may have been revoked since.
/// At every moment there is a whole file at `path`, unless the one there cannot be read.
/// Errors: of the backup `store_foreign`, `store_newer`, `store_older` (migrate it first), `store_damaged`; of the file
/// to be replaced also `store_locked` while somebody has it open; `store_full`, `store_unavailable`.
Result<Restoration> restore(const std::filesystem::path& backup, const std::filesystem::path& path,
                            const RestoreOptions& options, Random& random);

}  // namespace aceward::store
