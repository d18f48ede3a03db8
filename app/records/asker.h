// Who asks the authorization server for records, and what that one may touch.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "aceward/ace/as/registry.h"

namespace aceward::app {

/// An administrator may do everything. Anybody else is the owner of the servers that bear the user's name.
struct Asker {
  bool is_administrator = true;
  std::uint32_t user = 0;
  std::string name;  ///< of the system's user; empty: it has none

  /// `uid 1000 (maria)`.
  std::string to_string() const;
  /// May this one see the server, and change its rules and tokens?
  bool administers(const ace::as::ServerRecord& server) const;
};

/// The superuser and the user that this process runs as are administrators. Looks the user's name up, which may block
/// where names come from the network.
Asker asker_of(std::uint32_t user);

/// The gid of a group of the system.
std::optional<std::uint32_t> group_number(const std::string& name);

}  // namespace aceward::app
