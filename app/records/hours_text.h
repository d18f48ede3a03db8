// Hours of the week and moments, as people write them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "aceward/ace/as/registry.h"
#include "aceward/base/time.h"

namespace aceward::app {

/// `Mon-Fri 08:00-18:00`, `Sat,Sun`, `22:00-06:00`: days (every day if left out), then from and to (the whole day if
/// left out), in UTC; 24:00 is the end of the day. A window that ends no later than it begins ends on the next day.
/// Nothing for any other text.
std::optional<ace::as::Hours> parse_hours(std::string_view text);
std::string hours_text(const ace::as::Hours& hours);

/// `2026-12-31` (its first moment), `2026-12-31T18:00`, `2026-12-31T18:00:00Z`, in UTC. Nothing for any other text.
std::optional<WallTime> parse_time(std::string_view text);

}  // namespace aceward::app
