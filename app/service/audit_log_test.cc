#include "app/service/audit_log.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "app/service/metrics_text.h"

namespace aceward::app {
namespace {

TEST(AuditLine, IsOneLineOfJsonWhateverOthersChose) {
  AuditEvent event{.role = "as", .what = "token"};
  event.client = "a\nb\"\\\x1b[31m\x7f\xc2\x9b\xe2\x80\xae\xff";
  event.scope = std::string(100'000, '\x01');
  event.rules.assign(1000, std::string(1000, '\n'));
  for (std::string* text : {&event.detail, &event.by, &event.server, &event.audience, &event.name, &event.method,
                            &event.code, &event.authentication}) {
    *text = std::string(100'000, '\x02');
  }
  const std::string line = audit_line(event, WallTime(std::chrono::seconds(0)));
  EXPECT_LT(line.size(), longest_audit_line);
  for (const char c : line) {
    EXPECT_GE(static_cast<unsigned char>(c), 0x20);
    EXPECT_NE(c, '\x7f');
  }
  EXPECT_EQ(line.find("\xc2\x9b"), std::string::npos) << "a control character of two octets";
  EXPECT_EQ(line.find("\xe2\x80\xae"), std::string::npos) << "a mark that reverses what is shown";
  const auto parsed = nlohmann::json::parse(line);
  EXPECT_EQ(parsed["time"], "1970-01-01T00:00:00Z");
  EXPECT_EQ(parsed["cut"], true);
  EXPECT_TRUE(parsed["client"].get<std::string>().starts_with("a\nb\"\\\x1b[31m"));
}

TEST(AuditLine, LeavesOutWhatIsNotThere) {
  AuditEvent event{.role = "rs", .what = "access", .granted = true};
  EXPECT_EQ(audit_line(event, WallTime(std::chrono::seconds(0))),
            R"({"time":"1970-01-01T00:00:00Z","role":"rs","what":"access","decision":"granted"})");
}

TEST(AuditLog, CountsStrangersBeyondTheLimitAndSaysHowMany) {
  const auto path = std::filesystem::path(testing::TempDir()) / "audit_strangers.log";
  std::filesystem::remove(path);
  ManualClock clock;
  auto log = AuditLog::open(path, 3, clock, [](const std::string&) {});
  ASSERT_TRUE(log) << log.error().what;
  AuditEvent stranger{.role = "rs", .what = "access"};
  stranger.is_stranger = true;
  for (int i = 0; i < 10; ++i) (*log)->write(stranger);
  (*log)->write({.role = "as", .what = "token", .granted = true});
  EXPECT_EQ((*log)->counters().lines, 4U);
  EXPECT_EQ((*log)->counters().suppressed, 7U);
  clock.advance(std::chrono::seconds(1));
  (*log)->write(stranger);
  std::ostringstream written;
  written << std::ifstream(path).rdbuf();
  EXPECT_NE(written.str().find(R"("what":"suppressed","lines":7)"), std::string::npos) << written.str();
  std::filesystem::remove(path);
}

TEST(AuditLog, WhatCannotBeWrittenIsCountedAndSaidOnce) {
  ManualClock clock;
  std::vector<std::string> said;
  auto log = AuditLog::open("/dev/full", 3, clock, [&](const std::string& text) { said.push_back(text); });
  ASSERT_TRUE(log) << log.error().what;
  for (int i = 0; i < 5; ++i) (*log)->write({.role = "as", .what = "token"});
  EXPECT_EQ((*log)->counters().lost, 5U);
  EXPECT_EQ((*log)->counters().lines, 0U);
  EXPECT_EQ(said, std::vector<std::string>{"lines are lost: /dev/full: No space left on device"});
  EXPECT_FALSE(AuditLog::open("/nowhere/audit.log", 3, clock, [](const std::string&) {}));
}

TEST(MetricsText, EscapesLabelsAndEndsCountersInTotal) {
  MetricsText page;
  page.counter("aceward_x", "Help.", 3);
  page.gauge("aceward_y_bytes", "Help.", 0.5);
  page.counters("aceward_z", "Help.", "reason", {{"a\"b\\c\nd", 1}, {"plain", 18446744073709551615U}});
  page.counters("aceward_none", "Help.", "reason", {});
  EXPECT_EQ(std::move(page).finish(),
            "# HELP aceward_x_total Help.\n# TYPE aceward_x_total counter\naceward_x_total 3\n"
            "# HELP aceward_y_bytes Help.\n# TYPE aceward_y_bytes gauge\naceward_y_bytes 0.5\n"
            "# HELP aceward_z_total Help.\n# TYPE aceward_z_total counter\n"
            "aceward_z_total{reason=\"a\\\"b\\\\c\\nd\"} 1\n"
            "aceward_z_total{reason=\"plain\"} 18446744073709551616\n");
}

}  // namespace
}  // namespace aceward::app
