#include "aceward/store/file/sequence_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "aceward/cbor/reader.h"
#include "aceward/cbor/writer.h"
#include "aceward/crypto/hash.h"
#include "aceward/store/reasons.h"

namespace aceward::store {
namespace {

constexpr std::string_view file_kind = "aceward exi sequences";
constexpr std::uint64_t file_version = 1;
constexpr std::size_t max_file_octets = 1 << 16;
constexpr mode_t owner_alone = 0600;

class OpenFile {
 public:
  explicit OpenFile(int number) : number_(number) {}
  ~OpenFile() { close(); }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  bool is_open() const { return number_ >= 0; }
  int number() const { return number_; }
  bool close() {
    const int number = std::exchange(number_, -1);
    return number < 0 || ::close(number) == 0;
  }

 private:
  int number_;
};

std::unexpected<Error> failed() {
  const bool is_full = errno == ENOSPC || errno == EDQUOT;
  return fail(is_full ? reason::store_full : reason::store_unavailable);
}

Result<> sync_folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
  const OpenFile file(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!file.is_open() || ::fsync(file.number()) != 0) return failed();
  return {};
}

Bytes encode_numbers(const std::map<std::string, std::uint64_t>& numbers) {
  cbor::SortedMap map;
  for (const auto& [issuer, sequence] : numbers) map.entry(issuer).unsigned_integer(sequence);
  cbor::Writer out;
  map.write_to(out);
  return out.take();
}

}  // namespace

Result<SequenceFile> SequenceFile::open(std::string path) {
  SequenceFile made(std::move(path));
  OpenFile file(::open(made.path_.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) {
    if (errno != ENOENT) return failed();
    ACEWARD_TRY(made.write({}));
    return made;
  }
  struct stat status{};
  if (::fstat(file.number(), &status) != 0) return failed();
  if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) return fail(reason::store_exposed);
  Bytes octets(max_file_octets + 1);
  std::size_t size = 0;
  while (size < octets.size()) {
    const ssize_t got = ::read(file.number(), octets.data() + size, octets.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed();
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (size > max_file_octets || !made.read(BytesView(octets).first(size))) return fail(reason::store_damaged);
  return made;
}

Result<> SequenceFile::read(BytesView octets) {
  cbor::Reader reader(octets);
  const auto members = ACEWARD_TRY(reader.array());
  const auto kind = ACEWARD_TRY(reader.text_string());
  const auto version = ACEWARD_TRY(reader.unsigned_integer());
  if (members != 4 || kind != file_kind || version != file_version) return fail(reason::store_damaged);
  const auto count = ACEWARD_TRY(reader.map());
  for (std::size_t i = 0; i < count; ++i) {
    std::string issuer(ACEWARD_TRY(reader.text_string()));
    const auto sequence = ACEWARD_TRY(reader.unsigned_integer());
    numbers_.emplace(std::move(issuer), sequence);
  }
  const BytesView digest = ACEWARD_TRY(reader.byte_string());
  ACEWARD_TRY(reader.finish());
  if (!equal(digest, crypto::sha256(encode_numbers(numbers_)))) return fail(reason::store_damaged);
  return {};
}

Result<> SequenceFile::write(const std::map<std::string, std::uint64_t>& numbers) const {
  const Bytes map = encode_numbers(numbers);
  cbor::Writer out;
  out.array(4).text_string(file_kind).unsigned_integer(file_version).raw(map).byte_string(crypto::sha256(map));
  BytesView rest = out.view();
  const std::string beside = path_ + ".new";
  OpenFile file(::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, owner_alone));
  if (!file.is_open()) return failed();
  while (!rest.empty()) {
    const ssize_t written = ::write(file.number(), rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return failed();
    rest = rest.subspan(static_cast<std::size_t>(written));
  }
  if (::fsync(file.number()) != 0 || !file.close() || std::rename(beside.c_str(), path_.c_str()) != 0) return failed();
  return sync_folder_of(path_);
}

std::optional<std::uint64_t> SequenceFile::highest(const std::string& issuer) const {
  const auto found = numbers_.find(issuer);
  if (found == numbers_.end()) return std::nullopt;
  return found->second;
}

Result<> SequenceFile::raise(const std::string& issuer, std::uint64_t sequence) {
  const auto known = highest(issuer);
  if (known && sequence <= *known) return {};
  auto numbers = numbers_;
  numbers[issuer] = sequence;
  ACEWARD_TRY(write(numbers));
  numbers_ = std::move(numbers);
  return {};
}

}  // namespace aceward::store
