// What strangers send to a DTLS server and client, and into a handshake or a session of the two.
//
// The first octet says how far client and server have got before: 0 the client has sent its first ClientHello, 1 the
// server has accepted its cookie, 2 the client has answered the server's flight, 3 the session is established. Then
// comes a list of datagrams: one octet (whom it goes to, from which address, how much time passes before it), two
// octets of length, the datagram.
#include <cstdlib>

#include "aceward/base/random.h"
#include "aceward/tls/client.h"
#include "aceward/tls/records.h"
#include "aceward/tls/server.h"

namespace {

using namespace aceward;

struct OneKey final : tls::ServerCredentials {
  Result<tls::PskCredential> psk(BytesView) override {
    return tls::PskCredential{Secret::copy_of(as_bytes("0123456789abcdef")), 0};
  }
  Result<void> raw_public_key(BytesView) override { return {}; }
};

void require(bool holds) {
  if (!holds) std::abort();
}

void drain(tls::Server& server, tls::Client& client) {
  while (server.next_datagram()) {
  }
  while (client.next_datagram()) {
  }
  // Nobody can complete a handshake by guessing.
  while (const auto event = server.next_event()) require(std::holds_alternative<tls::HandshakeFailed>(*event));
  while (const auto event = client.next_event()) require(std::holds_alternative<tls::HandshakeFailed>(*event));
}

void carry_to_server(tls::Server& server, tls::Client& client, const Address& from, const Address& local, Instant now) {
  while (const auto out = client.next_datagram()) server.receive(from, local, out->datagram, now);
}
void carry_to_client(tls::Server& server, tls::Client& client, Instant now) {
  while (const auto out = server.next_datagram()) client.receive(out->datagram, now);
}

/// Returns whether the session is established.
bool begin(unsigned progress, tls::Server& server, tls::Client& client, const Address& from, const Address& local,
           Instant now) {
  if (progress == 0) return false;
  carry_to_server(server, client, from, local, now);
  carry_to_client(server, client, now);
  carry_to_server(server, client, from, local, now);
  require(server.half_open_count() == 1);
  if (progress == 1) return false;
  carry_to_client(server, client, now);
  if (progress == 2) return false;
  carry_to_server(server, client, from, local, now);
  carry_to_client(server, client, now);
  require(std::holds_alternative<tls::Established>(server.next_event().value()));
  require(std::holds_alternative<tls::Established>(client.next_event().value()));
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  BytesView input(data, size);
  OneKey credentials;
  SeededRandom random(1);
  static const auto key = tls::RawKeyPair::generate().value();
  tls::ServerConfig config;
  config.raw_key = key;
  config.max_half_open = 2;
  auto server = tls::Server::create(std::move(config), credentials, random).value();
  const auto local = Address::v4(192, 0, 2, 1, 5684);
  auto client = tls::Client::create(tls::SessionId(1), local,
                                    tls::PskClient{to_bytes("alice"), Secret::copy_of(as_bytes("0123456789abcdef"))})
                    .value();
  Instant now(std::chrono::hours(1));
  client.start(now);
  if (input.empty()) return 0;
  const auto peer = Address::v4(198, 51, 100, 7, 0);
  const bool established = begin(input[0] & 3, server, client, peer, local, now);
  input = input.subspan(1);
  while (input.size() >= 3) {
    const std::uint8_t control = input[0];
    const std::size_t length =
        std::min<std::size_t>(static_cast<std::size_t>(input[1]) << 8 | input[2], input.size() - 3);
    const BytesView datagram = input.subspan(3, length);
    input = input.subspan(3 + length);
    now += std::chrono::milliseconds(control >> 4) * 250;
    if ((control & 8) != 0) {
      client.receive(datagram, now);
    } else {
      server.receive(Address::v4(198, 51, 100, 7, control & 7), local, datagram, now);
    }
    server.on_timeout(now);
    client.on_timeout(now);
    drain(server, client);
    require(server.half_open_count() <= 2 && server.session_count() == (established ? 1U : 0U));
    require(client.established() == established);
    // What was served lies ahead, or a loop would spin.
    require(server.next_timeout().value_or(Instant::max()) > now &&
            client.next_timeout().value_or(Instant::max()) > now);

    BytesView rest = datagram;
    std::size_t taken = 0;
    while (const auto record = tls::next_record(rest)) {
      taken += record->octets.size();
      if (const auto hello = tls::parse_client_hello(*record)) require(hello->cookie.size() <= 255);
    }
    require(taken + rest.size() == datagram.size());
  }
  return 0;
}
