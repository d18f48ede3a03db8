// The tables, and the ways to a connection: make a file, or check one that is there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>

#include "aceward/base/bytes.h"
#include "aceward/base/result.h"
#include "aceward/store/sqlite/database.h"
#include "aceward/store/sqlite/store.h"

namespace aceward::store {

/// SQLite keeps both in the file's header, at octets 68 and 60.
inline constexpr std::int64_t application_id = 0x41636577;  // "Acew"
inline constexpr std::int64_t schema_version = 2;
inline constexpr std::int64_t oldest_version = 1;  ///< that can be migrated

inline constexpr std::size_t instance_octets = 16;

/// Makes a file with empty tables where none is. At every moment there is no file or a whole one: it is made under
/// another name, synced, and linked to its own. Where another process was faster, its file stays. Mode 0600.
/// Errors: `store_unavailable`, `store_full`.
Result<> create_file(const std::filesystem::path& path, BytesView instance);

/// `create_file` where no file is. In the file system `options.vfs` it is made in place, under its own name.
Result<> create_if_absent(const std::filesystem::path& path, const Options& options, Random& random);

/// Opens a connection after checks that write nothing into the file, whose schema version is `oldest` or later.
/// Errors: as open_writing.
Result<Database> open_checked(const std::filesystem::path& path, const Options& options, std::int64_t oldest);

/// Opens the connection that writes, after checks that write nothing into the file.
/// Errors: `store_foreign`, `store_newer`, `store_older`, `store_damaged`, `store_exposed`, `store_locked`,
/// `store_unavailable`.
Result<Database> open_writing(const std::filesystem::path& path, const Options& options);

/// Opens a connection that only reads a file that `open_writing` has accepted.
Result<Database> open_reading(const std::filesystem::path& path, const Options& options);

/// The 16 octets given to `create_file`.
Result<Bytes> read_instance(Database& database);

}  // namespace aceward::store
