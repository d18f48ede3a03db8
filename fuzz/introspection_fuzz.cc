// Introspection: a request of any octets, a token of any octets, and an answer of any octets.
#include <cstdint>
#include <cstdlib>

#include "aceward/ace/as/authentication_mint.h"
#include "aceward/ace/as/introspection_endpoint.h"
#include "aceward/ace/as/introspection_token.h"
#include "aceward/ace/as/memory_ledger.h"
#include "aceward/ace/as/token_number.h"
#include "aceward/ace/params/access_information.h"
#include "aceward/ace/params/introspection.h"
#include "aceward/ace/params/token_hash.h"

using namespace aceward;

namespace {

const WallTime asked_at{std::chrono::seconds(1'700'000'000)};

/// A server with a token key, and one reference token of it: number 1 and 16 times 2a.
struct AskedWorld {
  ace::as::MemoryLedger ledger;
  ace::as::IntrospectionEndpoint endpoint{{.issuer = "as", .asks_per_second = 0}, ledger};
  ace::as::ServerRecord lock;
  Bytes token = ace::as::octets_of(ace::as::TokenNumber(1));

  AskedWorld() {
    token.resize(ace::as::opaque_token_size, 0x2a);
    std::vector<ace::as::ClientRecord> clients(1);
    clients[0].id = 1;
    clients[0].name = "fob";
    std::vector<ace::as::ServerRecord> servers(1);
    lock.id = servers[0].id = 11;
    lock.name = servers[0].name = "lock";
    servers[0].token_key = Secret(Bytes(16, 1));
    ace::as::IssuedToken row;
    row.number = ace::as::TokenNumber(1);
    row.client_id = 1;
    row.server_id = 11;
    row.client = "fob";
    row.scope = cbor::serialize(ace::Scope("open"));
    row.token_digest = ace::token_digest(token);
    row.expires_at = asked_at + std::chrono::hours(1);
    ledger.tokens.push_back(std::move(row));
    endpoint.set_registry(std::make_shared<const ace::as::Registry>(1, std::move(clients), std::move(servers),
                                                                    std::vector<ace::as::PolicyRule>()));
  }

  /// Whether the answer says active.
  bool ask(Bytes payload) {
    coap::Request request;
    request.method = coap::code::post;
    request.options.set_content_format(coap::content_format::ace_cbor);
    request.payload = std::move(payload);
    const auto response =
        endpoint.process({std::nullopt, ace::as::AuthenticationMint::server(lock)}, request, asked_at);
    if (response.code == coap::code::bad_request) {
      if (!cbor::parse<ace::ErrorResponse>(response.payload)) std::abort();
      return false;
    }
    if (response.code != coap::code::created) std::abort();  // nothing in a request makes it our fault
    const auto told = ace::parse_introspection_response(response.payload);
    if (!told) std::abort();
    return told->active;
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const BytesView octets(data, size);
  static AskedWorld world;
  const auto request = ace::parse_introspection_request(octets);
  // Active is one token alone, whoever it is asked about.
  if (world.ask(to_bytes(octets)) && !(request && equal(request->token, world.token))) std::abort();
  if (!octets.empty() && size <= ace::max_introspected_token) {
    ace::IntrospectionRequest about;
    about.token = to_bytes(octets);
    if (world.ask(cbor::serialize(about)) != equal(octets, world.token)) std::abort();
  }
  if (const auto response = ace::parse_introspection_response(octets)) {
    const Bytes written = cbor::serialize(*response);
    const auto again = ace::parse_introspection_response(written);
    if (!again || cbor::serialize(*again) != written) std::abort();
  }
  return 0;
}
