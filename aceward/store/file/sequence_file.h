// The highest sequence numbers of tokens with exi, in a file.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "aceward/ace/rs/expired_sequences.h"
#include "aceward/base/bytes.h"

namespace aceward::store {

///   file = [ "aceward exi sequences", 1, { * tstr => uint }, bstr .size 32 ]   ; SHA-256 of the map as encoded
///
/// The file is replaced as a whole for each number: written beside under the name with `.new`, synced, renamed, the
/// folder synced. A crash at any moment leaves the state before or the one after. Mode 0600. It is small and rarely
/// written (once for each new token with exi), so this is done where it is called, which takes as long as the disk.
/// One process at a time. It belongs outside backups: an old copy would give expired tokens a second life.
/// Not thread-safe.
class SequenceFile final : public ace::rs::ExpiredSequences {
 public:
  /// Where there is none a file is made, synced, and holds no number. Errors: `store_unavailable`, `store_damaged` (the
  /// file is left as it is), `store_exposed` when others than its owner may write it.
  static Result<SequenceFile> open(std::string path);

  std::optional<std::uint64_t> highest(const std::string& issuer) const override;
  /// Errors: `store_unavailable`, `store_full`; then the file is as before.
  Result<> raise(const std::string& issuer, std::uint64_t sequence) override;

 private:
  explicit SequenceFile(std::string path) : path_(std::move(path)) {}
  Result<> read(BytesView octets);
  Result<> write(const std::map<std::string, std::uint64_t>& numbers) const;

  std::string path_;
  std::map<std::string, std::uint64_t> numbers_;
};

}  // namespace aceward::store
