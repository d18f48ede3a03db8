#include "app/records/hours_text.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace aceward::app {

namespace {

constexpr std::array<std::string_view, 7> day_names{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
constexpr unsigned minutes_of_a_day = 1440;

std::optional<unsigned> day_number(std::string_view name) {
  for (unsigned day = 0; day < day_names.size(); ++day) {
    if (day_names[day] == name) return day;
  }
  return std::nullopt;
}

std::optional<unsigned> digits(std::string_view text, std::size_t at, std::size_t count) {
  if (at + count > text.size()) return std::nullopt;
  unsigned number = 0;
  for (const char c : text.substr(at, count)) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + static_cast<unsigned>(c - '0');
  }
  return number;
}

/// `Mon-Fri`, `Sat,Sun`, `Fri-Mon,Wed`.
std::optional<std::uint8_t> days_in(std::string_view text) {
  unsigned days = 0;
  while (true) {
    const std::size_t comma = std::min(text.find(','), text.size());
    const std::string_view part = text.substr(0, comma);
    const auto first = day_number(part.substr(0, 3));
    const auto last = part.size() == 7 && part[3] == '-' ? day_number(part.substr(4)) : first;
    if (!first || !last || (part.size() != 3 && part.size() != 7)) return std::nullopt;
    for (unsigned day = *first;; day = (day + 1) % 7) {
      days |= 1U << day;
      if (day == *last) break;
    }
    if (comma == text.size()) return static_cast<std::uint8_t>(days);
    text.remove_prefix(comma + 1);
  }
}

/// `08:00`.
std::optional<std::uint16_t> minute_in(std::string_view text) {
  const auto hour = digits(text, 0, 2);
  const auto minute = digits(text, 3, 2);
  if (text.size() != 5 || text[2] != ':' || !hour || !minute || *minute > 59) return std::nullopt;
  const unsigned all = *hour * 60 + *minute;
  if (all > minutes_of_a_day) return std::nullopt;
  return static_cast<std::uint16_t>(all);
}

}  // namespace

std::optional<ace::as::Hours> parse_hours(std::string_view text) {
  ace::as::Hours hours;
  const std::size_t space = text.find(' ');
  const bool has_both = space != std::string_view::npos;
  const bool begins_with_day = !text.empty() && (text[0] < '0' || text[0] > '9');
  if (has_both && !begins_with_day) return std::nullopt;
  const std::string_view days = begins_with_day ? text.substr(0, space) : std::string_view();
  const std::string_view times = !begins_with_day ? text : has_both ? text.substr(space + 1) : std::string_view();
  if (begins_with_day) {
    const auto bits = days_in(days);
    if (!bits) return std::nullopt;
    hours.days = *bits;
  }
  if (!begins_with_day || has_both) {
    const auto from = minute_in(times.substr(0, 5));
    const auto to = times.size() == 11 && times[5] == '-' ? minute_in(times.substr(6)) : std::nullopt;
    if (!from || !to || *from == minutes_of_a_day || *to == 0) return std::nullopt;
    hours.from = *from;
    hours.to = *to;
  }
  return hours;
}

std::string hours_text(const ace::as::Hours& hours) {
  std::string days;
  for (unsigned day = 0; day < 7;) {
    if ((hours.days >> day & 1U) == 0) {
      ++day;
      continue;
    }
    unsigned last = day;
    while (last + 1 < 7 && (hours.days >> (last + 1) & 1U) != 0) ++last;
    days.append(days.empty() ? "" : ",").append(day_names[day]);
    if (last > day) days.append("-").append(day_names[last]);
    day = last + 1;
  }
  std::array<char, 32> times{};
  std::snprintf(times.data(), times.size(), " %02u:%02u-%02u:%02u", hours.from / 60U, hours.from % 60U, hours.to / 60U,
                hours.to % 60U);
  return days + times.data();
}

std::optional<WallTime> parse_time(std::string_view text) {
  const auto year = digits(text, 0, 4);
  const auto month = digits(text, 5, 2);
  const auto day = digits(text, 8, 2);
  if (!year || !month || !day || text[4] != '-' || text[7] != '-') return std::nullopt;
  const std::chrono::year_month_day date(std::chrono::year(static_cast<int>(*year)), std::chrono::month(*month),
                                         std::chrono::day(*day));
  if (!date.ok()) return std::nullopt;
  WallTime time = std::chrono::sys_days(date);
  if (text.size() == 10) return time;
  const auto minute = minute_in(text.substr(11, std::min<std::size_t>(5, text.size() - 11)));
  if (text[10] != 'T' || !minute || *minute == minutes_of_a_day) return std::nullopt;
  time += std::chrono::minutes(*minute);
  if (text.size() == 16) return time;
  const auto second = digits(text, 17, 2);
  if (text.size() != 20 || text[16] != ':' || text[19] != 'Z' || !second || *second > 59) return std::nullopt;
  return time + std::chrono::seconds(*second);
}

}  // namespace aceward::app
