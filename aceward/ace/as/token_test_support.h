// What the tests of tokens, audiences and refreshing share.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "aceward/ace/as/token_world.h"
#include "aceward/cbor/diagnostic.h"

namespace aceward::ace::as {

/// A token that was granted: what the client got, and what the ledger holds.
struct GotToken {
  AccessInformation information;
  IssuedToken record;

  const cose::Key& key() const { return *information.cnf->cose_key(); }
};

class TokenTest : public ::testing::Test, protected TokenWorld {
 protected:
  static TokenRequest request_for(std::string audience, std::optional<std::string> scope = {}) {
    TokenRequest request;
    request.audience = std::move(audience);
    if (scope) request.scope = Scope(*scope);
    return request;
  }
  TokenRequest raw_key_request(std::string audience) const {
    TokenRequest request = request_for(std::move(audience));
    request.req_cnf = cwt::Confirmation(alice_key.public_part().value());
    return request;
  }
  static TokenRequest refresh_of(const GotToken& got) {
    TokenRequest request;
    request.grant_type = GrantType::refresh_token;
    request.refresh_token = got.information.refresh_token;
    return request;
  }

  GotToken grant(const AuthenticatedClient& client, const TokenRequest& request, WallTime at = now) {
    const coap::Response response = ask(client, request, at);
    if (response.code != coap::code::created) {
      ADD_FAILURE() << cbor::to_diagnostic(response.payload) << " " << audited.back().reason << " "
                    << audited.back().detail;
      throw std::runtime_error("not granted");
    }
    return {cbor::parse<AccessInformation>(response.payload).value(), clone(ledger.tokens.back())};
  }

  cwt::Claims claims_of(const GotToken& got) { return open(got.information.access_token).value().claims().clone(); }

  /// Refused with that error code for that reason; nothing is recorded.
  void expect_error(const AuthenticatedClient& client, const TokenRequest& request, ErrorCode code,
                    std::string_view reason_id, WallTime at = now) {
    const std::size_t before = ledger.tokens.size();
    const coap::Response response = ask(client, request, at);
    EXPECT_EQ(response.code, code == ErrorCode::invalid_client ? coap::code::unauthorized : coap::code::bad_request);
    const auto error = cbor::parse<ErrorResponse>(response.payload);
    ASSERT_TRUE(error) << response.code.to_string() << " " << audited.back().reason;
    EXPECT_EQ(error->error, code) << name_of(error->error);
    EXPECT_EQ(audited.back().reason, reason_id) << audited.back().detail;
    EXPECT_EQ(ledger.tokens.size(), before);
  }
  void expect_bare(const coap::Response& response, coap::Code code, std::string_view reason_id) {
    EXPECT_EQ(response.code, code) << response.code.to_string();
    EXPECT_TRUE(response.payload.empty());
    EXPECT_EQ(audited.back().reason, reason_id);
  }
};

}  // namespace aceward::ace::as
