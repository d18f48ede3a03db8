#include "app/key_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cctype>
#include <cerrno>
#include <cstring>
#include <variant>

#include "aceward/crypto/encoding.h"

namespace aceward::app {

namespace {

constexpr std::size_t largest_file = 65536;

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }

 private:
  int number_;
};

std::unexpected<Problem> system_problem(const std::filesystem::path& path, std::string_view what) {
  return std::unexpected(
      Problem{std::string(what) + " " + path.string() + ": " + std::strerror(errno), "look at the path and its mode"});
}

}  // namespace

Checked<Secret> read_file(const std::filesystem::path& path, Exposure exposure) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.number() < 0) return system_problem(path, "cannot read");
  struct stat status{};
  if (::fstat(file.number(), &status) != 0) return system_problem(path, "cannot read");
  if (exposure == Exposure::owner_only && S_ISREG(status.st_mode) && (status.st_mode & 077) != 0) {
    return std::unexpected(Problem{path.string() + " may be read or written by others than its owner",
                                   "chmod 600 " + path.string() + ", and ask who may have read it"});
  }
  Bytes content(largest_file + 1);
  std::size_t size = 0;
  while (size < content.size()) {
    const ssize_t got = ::read(file.number(), content.data() + size, content.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_problem(path, "cannot read");
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  Secret read = Secret::copy_of(BytesView(content).first(std::min(size, largest_file)));
  wipe(content);
  if (size > largest_file) {
    return std::unexpected(Problem{path.string() + " is larger than 64 KiB", "look whether it is the right file"});
  }
  return read;
}

Checked<std::monostate> write_file(const std::filesystem::path& path, BytesView content, Exposure exposure,
                                   bool overwrite) {
  // A new file beside the old one: its mode is right from the start, and a crash leaves one or the other.
  const std::filesystem::path temporary = path.string() + ".new";
  if (!overwrite && std::filesystem::exists(path)) {
    return std::unexpected(Problem{path.string() + " exists", "remove it, or choose another name"});
  }
  ::unlink(temporary.c_str());
  const mode_t mode = exposure == Exposure::owner_only ? 0600 : 0644;
  const Descriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (file.number() < 0) return system_problem(path, "cannot write");
  while (!content.empty()) {
    const ssize_t written = ::write(file.number(), content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return system_problem(path, "cannot write");
    content = content.subspan(static_cast<std::size_t>(written));
  }
  if (::fsync(file.number()) != 0 || ::rename(temporary.c_str(), path.c_str()) != 0) {
    return system_problem(path, "cannot write");
  }
  return std::monostate{};
}

Checked<cose::Key> parse_private_key(const Secret& content, std::string_view name) {
  auto key = crypto::private_key_from_pem(as_text(content.expose()));
  if (!key) {
    return std::unexpected(
        Problem{std::string(name) + " holds no private key in PEM (" + std::string(key.error().id()) + ")",
                "make one with: aceward keygen -o FILE"});
  }
  return cose::Key::from_private(*key);
}

Checked<cose::Key> parse_public_key(std::string_view content, std::string_view name) {
  if (content.contains("PRIVATE KEY")) {
    return std::unexpected(
        Problem{std::string(name) + " holds a private key where the public one belongs",
                "keygen writes the public one with --public FILE; the private one stays where it is"});
  }
  auto key = crypto::public_key_from_pem(content);
  if (!key) {
    return std::unexpected(
        Problem{std::string(name) + " holds no public key in PEM (" + std::string(key.error().id()) + ")",
                "it begins with -----BEGIN PUBLIC KEY-----"});
  }
  return cose::Key::from_public(*key);
}

Checked<Secret> parse_symmetric_key(const Secret& content, std::string_view name) {
  std::string_view text = as_text(content.expose());
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) text.remove_suffix(1);
  auto octets = from_hex(text);
  if (!octets || octets->empty() || octets->size() > 512) {
    return std::unexpected(Problem{std::string(name) + " holds no symmetric key: hexadecimal text of 1 to 512 octets",
                                   "make one with: aceward keygen --symmetric 16 -o FILE"});
  }
  return Secret(std::move(*octets));
}

Secret symmetric_key_text(BytesView key) {
  static constexpr char digits[] = "0123456789abcdef";
  Bytes text;
  text.reserve(2 * key.size() + 1);  // no copy is left behind by growing
  for (const std::uint8_t octet : key) {
    text.push_back(static_cast<std::uint8_t>(digits[octet >> 4]));
    text.push_back(static_cast<std::uint8_t>(digits[octet & 15]));
  }
  text.push_back('\n');
  return Secret(std::move(text));
}

Bytes short_name_of(const cose::Key& key) {
  const auto thumbprint = key.thumbprint();
  return {thumbprint.begin(), thumbprint.begin() + 8};
}

}  // namespace aceward::app
