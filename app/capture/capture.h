// What --trace and --keylog ask for: messages as text, datagrams in a file for Wireshark, the keys to read them with.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "aceward/tls/session.h"
#include "app/console.h"
#include "app/trace.h"

namespace aceward::app {

/// One for a process, whatever number of stacks it watches. Outlives those stacks, or is taken off them before.
/// Belongs to their thread.
class Capture {
 public:
  /// The address of the socket that a client uses for a channel towards `remote`; unspecified as long as there is none.
  using LocalOf = std::function<Address(std::uint64_t channel, const Address& remote)>;

  /// Makes the files that the options name, readable by their owner alone. With --keylog a warning is printed: the file
  /// holds secrets.
  static Outcome<std::unique_ptr<Capture>> open(const Console& console);
  ~Capture();

  /// For a stack's set_tap; null if nobody looks. `self` is what --trace calls this side, `name_of` what it calls
  /// peers. `local_of` is for clients, whose stack does not know its own addresses.
  coaps::MessageTap* tap(std::string self, Trace::NameOf name_of = {}, LocalOf local_of = {});
  /// For the configuration of DTLS; empty without --keylog. May be called after the capture is gone, to no effect.
  tls::KeyLog key_log() const;

 private:
  class File;
  class PacketTap;
  class TapList;
  struct State;

  explicit Capture(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

/// A Trace on standard error.
std::unique_ptr<Trace> trace_to_stderr(std::string self, bool colour, Trace::NameOf name_of = {});

}  // namespace aceward::app
