#include "app/capture/capture.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>
#include <vector>

#include "aceward/base/secret.h"
#include "app/capture/pcapng.h"

namespace aceward::app {

/// Written without a buffer: what was captured is there whatever becomes of the process.
class Capture::File {
 public:
  enum class Existing : std::uint8_t { emptied, kept };

  /// The mode is 0600 before the first octet, also of a file that was there.
  static Outcome<std::unique_ptr<File>> open(const std::filesystem::path& path, Existing existing) {
    const int number = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, S_IRUSR | S_IWUSR);
    if (number < 0) return problem(path);
    std::unique_ptr<File> file(new File(number));
    struct stat status{};
    if (::fstat(number, &status) != 0) return problem(path);
    const bool is_file = S_ISREG(status.st_mode);  // a pipe or a device is taken as it is
    if (is_file && ::fchmod(number, S_IRUSR | S_IWUSR) != 0) return problem(path);
    if (is_file && existing == Existing::emptied && ::ftruncate(number, 0) != 0) return problem(path);
    return file;
  }
  ~File() { ::close(number_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  void write(BytesView octets) {
    while (!octets.empty()) {
      const ssize_t written = ::write(number_, octets.data(), octets.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return;  // a full disk must not end a server
      octets = octets.subspan(static_cast<std::size_t>(written));
    }
  }

 private:
  explicit File(int number) : number_(number) {}
  static std::unexpected<Failure> problem(const std::filesystem::path& path) {
    return std::unexpected(Failure::usage("cannot write " + path.string() + ": " + std::strerror(errno)));
  }

  int number_;
};

/// Hands everything to several.
class Capture::TapList final : public coaps::MessageTap {
 public:
  explicit TapList(std::vector<std::unique_ptr<coaps::MessageTap>> taps) : taps_(std::move(taps)) {}

  void on_message(coaps::Direction direction, const coap::Peer& peer, BytesView message, std::size_t wire_octets,
                  Instant now) override {
    for (const auto& tap : taps_) tap->on_message(direction, peer, message, wire_octets, now);
  }
  void on_datagram(coaps::Direction direction, const coap::Peer& ends, BytesView datagram, Instant now) override {
    for (const auto& tap : taps_) tap->on_datagram(direction, ends, datagram, now);
  }
  void on_handshake(const coap::Peer& peer, const tls::PeerIdentity& identity, const tls::SessionInfo& info,
                    Instant now) override {
    for (const auto& tap : taps_) tap->on_handshake(peer, identity, info, now);
  }
  void on_handshake_failed(const tls::HandshakeFailed& failure, Instant now) override {
    for (const auto& tap : taps_) tap->on_handshake_failed(failure, now);
  }
  void on_session_closed(const coap::Peer& peer, const Error& why, Instant now) override {
    for (const auto& tap : taps_) tap->on_session_closed(peer, why, now);
  }

 private:
  std::vector<std::unique_ptr<coaps::MessageTap>> taps_;
};

struct Capture::State {
  bool trace = false;
  bool colour = false;
  std::unique_ptr<File> packets;
  std::unique_ptr<File> keys;
  std::optional<PcapngWriter> writer;
  /// Between the clock that datagrams are stamped by and civil time, as it was at the start.
  std::chrono::nanoseconds to_civil{0};
  std::vector<std::unique_ptr<coaps::MessageTap>> taps;
};

/// Writes datagrams, each of them when the next thing happens: by then the keys that it carries into force are logged,
/// which must stand before it, and a client's socket has its address.
class Capture::PacketTap final : public coaps::MessageTap {
 public:
  PacketTap(State& state, LocalOf local_of) : state_(state), local_of_(std::move(local_of)) {}
  ~PacketTap() override { write(); }

  void on_datagram(coaps::Direction direction, const coap::Peer& ends, BytesView datagram, Instant now) override {
    write();
    held_ = Held{direction, ends, to_bytes(datagram), CaptureTime(now.time_since_epoch() + state_.to_civil)};
    if (ends.transport == coap::Transport::udp && !local_of_) write();
  }
  void on_message(coaps::Direction direction, const coap::Peer& peer, BytesView, std::size_t, Instant) override {
    if (direction == coaps::Direction::in && peer.transport == coap::Transport::dtls) write();
  }

 private:
  struct Held {
    coaps::Direction direction;
    coap::Peer ends;
    Bytes datagram;
    CaptureTime time;
  };

  void write() {
    if (!held_) return;
    const Held held = std::move(*held_);
    held_.reset();
    const Address& remote = held.ends.remote;
    const Address local = local_of_ ? local_of_(held.ends.session, remote) : held.ends.local;
    if (held.direction == coaps::Direction::in) {
      state_.writer->datagram(CaptureHeading::in, remote, local, held.datagram, held.time);
    } else {
      state_.writer->datagram(CaptureHeading::out, local, remote, held.datagram, held.time);
    }
  }

  State& state_;
  LocalOf local_of_;
  std::optional<Held> held_;
};

Capture::Capture(std::shared_ptr<State> state) : state_(std::move(state)) {}
// The taps write what they hold.
Capture::~Capture() { state_->taps.clear(); }

Outcome<std::unique_ptr<Capture>> Capture::open(const Console& console) {
  const GlobalOptions& options = console.options();
  auto state = std::make_shared<State>();
  state->trace = options.trace;
  state->colour = console.colour();
  if (options.pcapng) {
    auto file = File::open(*options.pcapng, File::Existing::emptied);
    if (!file) return std::unexpected(file.error());
    state->packets = std::move(*file);
    state->writer.emplace("aceward", [packets = state->packets.get()](BytesView block) { packets->write(block); });
    const SystemClock clock;
    state->to_civil = clock.precise_wall().time_since_epoch() - clock.now().time_since_epoch();
  }
  if (options.keylog) {
    // Kept, as other programs that write such files do: a capture goes on over several runs.
    auto file = File::open(*options.keylog, File::Existing::kept);
    if (!file) return std::unexpected(file.error());
    state->keys = std::move(*file);
    std::string where = options.keylog->string();
    if (options.pcapng) where += " and " + options.pcapng->string();
    console.note("aceward: warning: whoever has " + where + " can decrypt the sessions of this run");
  }
  return std::unique_ptr<Capture>(new Capture(std::move(state)));
}

coaps::MessageTap* Capture::tap(std::string self, Trace::NameOf name_of, LocalOf local_of) {
  std::vector<std::unique_ptr<coaps::MessageTap>> taps;
  if (state_->trace) taps.push_back(trace_to_stderr(std::move(self), state_->colour, std::move(name_of)));
  if (state_->writer) taps.push_back(std::make_unique<PacketTap>(*state_, std::move(local_of)));
  if (taps.empty()) return nullptr;
  state_->taps.push_back(std::make_unique<TapList>(std::move(taps)));
  return state_->taps.back().get();
}

tls::KeyLog Capture::key_log() const {
  if (!state_->keys) return {};
  return [weak = std::weak_ptr(state_)](std::string_view line) {
    const auto state = weak.lock();
    if (!state) return;
    Bytes whole(line.size() + 1, '\n');
    std::ranges::copy(line, whole.begin());
    state->keys->write(whole);
    if (state->writer) state->writer->secrets(as_text(whole));
    wipe(whole);
  };
}

std::unique_ptr<Trace> trace_to_stderr(std::string self, bool colour, Trace::NameOf name_of) {
  return std::make_unique<Trace>(
      std::move(self),
      [](const std::string& text) {
        std::fwrite(text.data(), 1, text.size(), stderr);
        std::fflush(stderr);
      },
      std::move(name_of), colour);
}

}  // namespace aceward::app
