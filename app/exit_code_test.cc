#include "app/exit_code.h"

#include <gtest/gtest.h>

#include "aceward/ace/client/reasons.h"
#include "aceward/coap/freshness/reasons.h"
#include "aceward/coap/reasons.h"
#include "aceward/net/reasons.h"
#include "aceward/store/reasons.h"
#include "aceward/tls/reasons.h"
#include "app/console.h"

namespace aceward::app {
namespace {

TEST(ExitCodes, OfAnswers) {
  EXPECT_EQ(exit_code_of(coap::code::content), ExitCode::done);
  EXPECT_EQ(exit_code_of(coap::code::forbidden), ExitCode::client_error);
  EXPECT_EQ(exit_code_of(coap::code::service_unavailable), ExitCode::server_error);
}

TEST(ExitCodes, OfFailures) {
  EXPECT_EQ(exit_code_of(Error(reason::as_refused)), ExitCode::refused_by_as);
  EXPECT_EQ(exit_code_of(Error(reason::handshake_timed_out)), ExitCode::no_answer);
  EXPECT_EQ(exit_code_of(Error(reason::coap_not_acknowledged)), ExitCode::no_answer);
  EXPECT_EQ(exit_code_of(Error(reason::coap_backing_off)), ExitCode::no_answer);
  EXPECT_EQ(exit_code_of(Error(reason::operation_canceled)), ExitCode::no_answer);
  EXPECT_EQ(exit_code_of(Error(reason::handshake_alert_received)), ExitCode::security);
  EXPECT_EQ(exit_code_of(Error(reason::hint_as_not_allowed)), ExitCode::security);
  EXPECT_EQ(exit_code_of(Error(reason::access_still_denied)), ExitCode::client_error);
  EXPECT_EQ(exit_code_of(Error(reason::server_unknown)), ExitCode::configuration);
  EXPECT_EQ(exit_code_of(Error(reason::uri_malformed)), ExitCode::usage);
}

TEST(ExitCodes, OfTheStore) {
  EXPECT_EQ(exit_code_of_store(Error(reason::record_missing)), ExitCode::client_error);
  EXPECT_EQ(exit_code_of_store(Error(reason::record_invalid)), ExitCode::client_error);
  EXPECT_EQ(exit_code_of_store(Error(reason::store_full)), ExitCode::server_error);
}

TEST(Printable, LetsNoStrangerCommandTheTerminal) {
  EXPECT_EQ(printable("a\tb\nü"), "a\tb\nü");
  EXPECT_EQ(printable("\x1b[2J"), "\\x1b[2J");
  EXPECT_EQ(printable("\xc2\x9b"), "\\xc2\\x9b");  // CSI in one character
  EXPECT_EQ(printable("\xff\xc0\x80"), "\\xff\\xc0\\x80");
  EXPECT_EQ(printable("\xe2\x80\xaehtaed\xe2\x81\xa9\xe2\x80\x93"), "\\xe2\\x80\\xaehtaed\\xe2\\x81\\xa9\xe2\x80\x93");
  EXPECT_EQ(printable_line("a\tb\nforged ü"), "a\\x09b\\x0aforged ü");
}

TEST(JsonQuoted, EscapesWhatJsonWants) {
  EXPECT_EQ(json_quoted("a\"\\\n"), "\"a\\\"\\\\\\u000a\"");
  EXPECT_EQ(json_quoted("\xff"), "\"\xef\xbf\xbd\"");
}

}  // namespace
}  // namespace aceward::app
