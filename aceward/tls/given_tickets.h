// The session tickets that a server gave. Internal to tls/.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>

#include "aceward/base/bytes.h"
#include "aceward/base/time.h"

namespace aceward::tls::detail {

/// A ticket brings back the identity of its session, but another key may have come to have it since; and its age is
/// told by the system's clock. So the server remembers both, of the newest tickets up to a number.
struct GivenTicket {
  std::uint64_t handle = 0;  ///< of the PskCredential that the session was made with
  Instant since;             ///< the full handshake
};

class GivenTickets {
 public:
  explicit GivenTickets(std::size_t most) : most_(most) {}

  void remember(BytesView ticket, const GivenTicket& given);
  std::optional<GivenTicket> find(BytesView ticket) const;
  std::size_t size() const { return given_.size(); }

 private:
  std::size_t most_;
  std::unordered_map<std::string, GivenTicket> given_;  ///< by a digest of the ticket
  std::deque<std::string> order_;                       ///< the oldest in front
};

}  // namespace aceward::tls::detail
