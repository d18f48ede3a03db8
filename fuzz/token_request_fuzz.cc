// A token request of any octets, from an authenticated client, over each kind of channel, at servers of every kind.
#include <cstdint>
#include <cstdlib>

#include "aceward/ace/as/memory_request_book.h"
#include "aceward/ace/as/token_number.h"
#include "aceward/ace/as/token_world.h"
#include "aceward/ace/params/names.h"
#include "aceward/ace/params/token_hash.h"

using namespace aceward;

namespace {

/// Beside the servers of the tests: one of each kind, a group audience, an owner who is asked, a recorded token.
struct FuzzedWorld : ace::as::TokenWorld {
  ace::as::MemoryRequestBook book;

  FuzzedWorld() {
    for (const char* name : {"lamp-1", "lamp-2"}) {
      add_server(name, ace::as::ScopeFormat::text).group_audiences = {"lamps"};
      server(name).allows_group_keys = true;
      add_rule("alice", name, "read on");
    }
    add_server("reference", ace::as::ScopeFormat::text).protection = ace::as::TokenProtection::reference;
    ace::as::ServerRecord& derived = add_server("derived", ace::as::ScopeFormat::text);
    derived.derivation_key = Secret(Bytes(32, 7));
    derived.uses_exi = true;
    server("secret-server").undecided = ace::as::Undecided::ask_owner;
    for (const char* name : {"reference", "derived"}) add_rule("alice", name, "read write");
    for (auto& record : servers) record.refresh_lifetime = std::chrono::hours(1);
    clients[1].secret_digest = ace::as::make_secret_digest(Bytes(16, 's'), random);
    publish();
    endpoint.set_request_book(&book);
  }

  /// The token of number 1, whose refresh token is that number and 16 zeros.
  void record_one() {
    ledger.tokens.clear();
    book.entries.clear();
    audited.clear();
    Bytes refresh_token = ace::as::octets_of(ace::as::TokenNumber(1));
    refresh_token.resize(ace::as::opaque_token_size);
    ace::as::IssuedToken token;
    token.number = ace::as::TokenNumber(1);
    token.client_id = clients[0].id;
    token.server_id = server("thermometer").id;
    token.audience = "thermometer.example";
    token.scope = {0x64, 'r', 'e', 'a', 'd'};
    token.key_id = {0x01, 0x02};
    cose::Key key = cose::Key::symmetric(Secret(Bytes(16, 9))).value();
    key.kid = token.key_id;
    token.pop_key = key.serialize();
    token.issued_at = now;
    token.expires_at = now + std::chrono::hours(1);
    token.refresh_digest = ace::token_digest(refresh_token);
    token.refresh_until = now + std::chrono::hours(1);
    ledger.tokens.push_back(std::move(token));
  }
};

void check(FuzzedWorld& world, const coap::Response& response) {
  if (response.code == coap::code::created) {
    const auto information = cbor::parse<ace::AccessInformation>(response.payload);
    if (!information) std::abort();
    if (information->access_token.size() == ace::as::opaque_token_size) return;
    const auto token = world.open(information->access_token);
    if (!token || !cwt::check_key_protected(*token)) std::abort();
    if (token->claims().exp.has_value() == token->claims().exi.has_value()) std::abort();
  } else if (response.code == coap::code::service_unavailable) {
    // Only the owner of a server makes a client wait here.
    if (world.book.entries.empty() || !response.payload.empty()) std::abort();
  } else if (response.code == coap::code::too_many_requests) {
    if (!response.payload.empty()) std::abort();
  } else if (response.code.code_class() != 4) {
    std::abort();  // nothing in a request makes it our fault
  } else if (!cbor::parse<ace::ErrorResponse>(response.payload)) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const BytesView octets(data, size);
  // What is read is written and read again as the same message.
  if (const auto request = cbor::parse<ace::TokenRequest>(octets)) {
    const Bytes written = cbor::serialize(*request);
    const auto again = cbor::parse<ace::TokenRequest>(written);
    if (!again || cbor::serialize(*again) != written) std::abort();
  }
  static_cast<void>(ace::to_text(ace::Message::token_request, octets));

  // One world for all inputs; what it has issued is forgotten in between.
  static FuzzedWorld world;
  world.record_one();
  for (const auto& client : {world.by_raw_key(), world.by_psk(1), world.by_psk()})
    check(world, world.ask(client, world.post(to_bytes(octets))));
  world.endpoint.process_with_secret(Address::v4(10, 0, 0, 1, 1), world.post(to_bytes(octets)), world.now,
                                     [](const coap::Response& response) { check(world, response); });
  return 0;
}
