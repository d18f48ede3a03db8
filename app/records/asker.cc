#include "app/records/asker.h"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <array>

namespace aceward::app {

std::string Asker::to_string() const { return "uid " + std::to_string(user) + (name.empty() ? "" : " (" + name + ")"); }

bool Asker::administers(const ace::as::ServerRecord& server) const {
  return is_administrator || (!name.empty() && server.owner == name);
}

Asker asker_of(std::uint32_t user) {
  Asker asker{.is_administrator = user == 0 || user == ::geteuid(), .user = user, .name = {}};
  std::array<char, 16384> memory{};
  passwd entry{};
  passwd* found = nullptr;
  if (::getpwuid_r(user, &entry, memory.data(), memory.size(), &found) == 0 && found != nullptr) {
    asker.name = found->pw_name;
  }
  return asker;
}

std::optional<std::uint32_t> group_number(const std::string& name) {
  std::array<char, 65536> memory{};
  group entry{};
  group* found = nullptr;
  if (::getgrnam_r(name.c_str(), &entry, memory.data(), memory.size(), &found) != 0 || found == nullptr) {
    return std::nullopt;
  }
  return found->gr_gid;
}

}  // namespace aceward::app
