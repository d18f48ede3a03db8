// Keys in files: PEM for key pairs, hexadecimal text for symmetric keys.
#pragma once

#include <expected>
#include <filesystem>
#include <string>
#include <string_view>
#include <variant>

#include "aceward/base/secret.h"
#include "aceward/cose/key.h"

namespace aceward::app {

/// What is wrong with a file or a value, and what would do.
struct Problem {
  std::string what;
  std::string check;
};
template <class T>
using Checked = std::expected<T, Problem>;

enum class Exposure : std::uint8_t { owner_only, anybody };

/// At most 64 KiB. With Exposure::owner_only a file that group or others may touch is refused.
Checked<Secret> read_file(const std::filesystem::path& path, Exposure exposure);
/// Mode 0600 or 0644 from the first octet on, synced. An existing file is replaced only with `overwrite`.
Checked<std::monostate> write_file(const std::filesystem::path& path, BytesView content, Exposure exposure,
                                   bool overwrite);

// `content` is that of a file; `name` is what messages call it.
Checked<cose::Key> parse_private_key(const Secret& content, std::string_view name);
/// A private key is refused: registrations and configurations of others need no more than the public one.
Checked<cose::Key> parse_public_key(std::string_view content, std::string_view name);
Checked<Secret> parse_symmetric_key(const Secret& content, std::string_view name);
/// Hexadecimal digits and a line feed.
Secret symmetric_key_text(BytesView key);

/// The first 8 octets of the key's thumbprint (RFC 9679): what a key is called that was given no kid.
Bytes short_name_of(const cose::Key& key);

}  // namespace aceward::app
