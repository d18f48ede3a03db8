#include <algorithm>
#include <cstdlib>

#include "aceward/coap/message/uri.h"
#include "app/config/document.h"

namespace aceward::app {

namespace {

constexpr std::size_t longest_text = 4096;

std::expected<KeyReference, std::string> key_reference(const ConfigKey& key, std::string_view written,
                                                       const std::filesystem::path& folder) {
  KeyReference reference;
  reference.text = written;
  reference.key = "[" + std::string(key.section) + "] " + std::string(key.name);
  if (written.starts_with("file:") && written.size() > 5) {
    const std::filesystem::path path(written.substr(5));
    reference.path = path.is_absolute() ? path : folder / path;
    return reference;
  }
  if (written.starts_with("credential:") && written.size() > 11) {
    const std::string_view name = written.substr(11);
    if (name.contains('/') || name.starts_with('.')) return std::unexpected("a credential's name has no folder");
    const char* directory = std::getenv("CREDENTIALS_DIRECTORY");
    reference.is_credential = true;
    // Without the directory the name alone is kept; reading it says what is missing.
    reference.path = directory == nullptr ? std::filesystem::path() : std::filesystem::path(directory) / name;
    return reference;
  }
  return std::unexpected("write \"file:PATH\" or \"credential:NAME\"; a key itself never stands in this file");
}

}  // namespace

std::optional<std::chrono::seconds> parse_duration(std::string_view text) {
  if (text.size() < 2 || text.size() > 11) return std::nullopt;
  std::int64_t unit = 0;
  switch (text.back()) {
    case 's': unit = 1; break;
    case 'm': unit = 60; break;
    case 'h': unit = 3600; break;
    case 'd': unit = 86400; break;
    default: return std::nullopt;
  }
  std::int64_t number = 0;
  for (const char c : text.substr(0, text.size() - 1)) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + (c - '0');
  }
  const std::chrono::seconds duration(number * unit);
  if (duration > std::chrono::hours(24 * 36525)) return std::nullopt;
  return duration;
}

std::expected<ConfigValue, std::string> value_from_text(const ConfigKey& key, std::string_view written,
                                                        const std::filesystem::path& folder) {
  if (written.size() > longest_text) return std::unexpected("4096 octets are the limit");
  switch (key.kind) {
    case ValueKind::text: return ConfigValue{std::string(written), {}};
    case ValueKind::texts: return ConfigValue{std::vector<std::string>{std::string(written)}, {}};
    case ValueKind::uri: {
      if (!coap::parse_uri(written)) return std::unexpected("write \"coaps://host[:port]/path\" or \"coap://…\"");
      return ConfigValue{std::string(written), {}};
    }
    case ValueKind::address: {
      const auto address = Address::parse(written);
      if (!address || address->port == 0) return std::unexpected("write \"192.0.2.1:5684\" or \"[2001:db8::1]:5684\"");
      return ConfigValue{*address, {}};
    }
    case ValueKind::address0:
    case ValueKind::addresses: {
      // A port that is not written would be 0, which has a meaning of its own here: it must be written.
      const auto address = Address::parse(written, 1);
      const auto other = Address::parse(written, 2);
      if (!address || !other || address->port != other->port) {
        return std::unexpected("write \"[::1]:5684\", with the port");
      }
      if (key.kind == ValueKind::address0) return ConfigValue{*address, {}};
      return ConfigValue{std::vector<Address>{*address}, {}};
    }
    case ValueKind::path: {
      const std::filesystem::path path(written);
      if (path.empty()) return std::unexpected("write a path");
      return ConfigValue{path.is_absolute() ? path : folder / path, {}};
    }
    case ValueKind::keys:
    case ValueKind::key: {
      auto reference = key_reference(key, written, folder);
      if (!reference) return std::unexpected(reference.error());
      if (key.kind == ValueKind::keys) return ConfigValue{std::vector<KeyReference>{std::move(*reference)}, {}};
      return ConfigValue{std::move(*reference), {}};
    }
    case ValueKind::duration: {
      const auto duration = parse_duration(written);
      if (!duration || duration->count() == 0) {
        return std::unexpected("write a number with s, m, h or d: \"90s\", \"10m\", \"1h\", \"7d\"");
      }
      return ConfigValue{*duration, {}};
    }
    case ValueKind::interval: {
      const bool is_short = written.ends_with("ms") && written.size() <= 9;
      // The same parser, which takes the number of milliseconds for one of seconds.
      const auto parsed =
          parse_duration(is_short ? std::string(written.substr(0, written.size() - 2)) + "s" : std::string(written));
      if (!parsed || parsed->count() == 0) {
        return std::unexpected("write a number with ms, s, m or h: \"250ms\", \"2s\", \"10m\"");
      }
      return ConfigValue{is_short ? std::chrono::milliseconds(parsed->count()) : std::chrono::milliseconds(*parsed),
                         {}};
    }
    case ValueKind::factor: return ConfigValue{std::strtod(std::string(written).c_str(), nullptr), {}};
    case ValueKind::count0:
    case ValueKind::count: {
      std::uint64_t number = 0;
      for (const char c : written) number = number * 10 + static_cast<unsigned>(c - '0');
      return ConfigValue{number, {}};
    }
    case ValueKind::flag: return ConfigValue{written == "true", {}};
    case ValueKind::choice: {
      std::string_view rest = key.choices;
      while (!rest.empty()) {
        const std::size_t end = std::min(rest.find('|'), rest.size());
        if (rest.substr(0, end) == written) return ConfigValue{std::string(written), {}};
        rest.remove_prefix(std::min(end + 1, rest.size()));
      }
      std::string choices(key.choices);
      std::ranges::replace(choices, '|', ' ');
      return std::unexpected("choose one of: " + choices);
    }
    case ValueKind::octets: {
      auto octets = from_hex(written);
      if (!octets || octets->empty()) return std::unexpected("write hexadecimal, two digits an octet");
      return ConfigValue{std::move(*octets), {}};
    }
    case ValueKind::methods: return ConfigValue{std::vector<std::string>{std::string(written)}, {}};
  }
  return std::unexpected("");
}

}  // namespace aceward::app
