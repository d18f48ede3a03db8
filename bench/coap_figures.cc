// What a GET costs client and server together, through both stacks and the access control, without sockets.
#include <utility>

#include "aceward/ace/profile/dtls/rs/rs_service.h"
#include "aceward/ace/token/test_issuer.h"
#include "aceward/coaps/client_stack.h"
#include "aceward/crypto/encoding.h"
#include "aceward/crypto/openssl/random.h"
#include "bench/bare_gnutls.h"
#include "bench/harness.h"

namespace aceward::bench {

namespace {

const Address plain_address = Address::v4(192, 0, 2, 1, 5683);
const Address secure_address = Address::v4(192, 0, 2, 1, 5684);
Address address_of(coaps::Channel channel) {
  return Address::v4(198, 51, 100, 7, static_cast<std::uint16_t>(40'000 + channel));
}

class Temperature final : public ace::rs::GuardedResource, public coap::Resource {
 public:
  void handle(coap::ExchangeId id, const ace::rs::AuthorizedRequest&, coap::Responder& responder) override {
    responder.respond(id, answer());
  }
  void handle(coap::ExchangeId id, const coap::Peer&, const coap::Request&, coap::Responder& responder) override {
    responder.respond(id, answer());
  }
  std::span<const coap::Code> methods() const override {
    static constexpr coap::Code only[] = {coap::code::get};
    return only;
  }

 private:
  static coap::Response answer() {
    return coap::make_response(coap::code::content, coap::content_format::text_plain, to_bytes("22.3 C"));
  }
};

/// Notes how long the messages are, for the bare records beside them.
struct Sizes final : coaps::MessageTap {
  void on_message(coaps::Direction direction, const coap::Peer&, BytesView message, std::size_t, Instant) override {
    (direction == coaps::Direction::out ? out : in) = message.size();
  }
  std::size_t out = 0;
  std::size_t in = 0;
};

/// A resource server and a client whose token it has, with a wire between them that takes no time.
class AccessRig {
 public:
  AccessRig() : client_key_(ace::testing::p256_key(9)), client_(coaps::ClientStackConfig{}, random_) {
    const auto server_key = need(ace::testing::p256_key(8).private_key(), "key");
    ace::dtls::RsServiceConfig config;
    config.tokens = ace::testing::verifier_config(issuer_);
    config.stack.dtls =
        tls::ServerConfig{.raw_key = need(tls::RawKeyPair::from_pem(crypto::private_key_pem(server_key)), "raw key")};
    service_ = need(ace::dtls::RsService::create(std::move(config), clock_, random_), "service");
    service_->server().add("/temp", resource_);
    service_->server().add_public("/public", resource_);

    auto claims = issuer_.claims_for(need(client_key_.public_part(), "public part"), clock_.wall());
    claims.exp = clock_.wall() + std::chrono::hours(24 * 1000);
    coap::Request upload{.method = coap::code::post, .options = {}, .payload = issuer_.sign(claims)};
    upload.options.add_path("/authz-info");
    upload.options.set_content_format(coap::content_format::cwt);
    ask(client_.plain_peer(plain_address), upload, coap::code::created);

    const auto own = need(client_key_.private_key(), "private key");
    session_ =
        need(client_.connect(secure_address,
                             tls::RawKeyClient{need(tls::RawKeyPair::from_pem(crypto::private_key_pem(own)), "raw key"),
                                               crypto::spki_der(server_key.public_key())},
                             clock_.now()),
             "connect");
    get_.options.add_path("/temp");
    get_public_.options.add_path("/public");
    Sizes sizes;
    client_.set_tap(&sizes);
    get_protected();
    client_.set_tap(nullptr);
    request_octets = sizes.out;
    response_octets = sizes.in;
  }

  void get_protected() { ask(session_, get_, coap::code::content); }
  void get_plain() { ask(client_.plain_peer(plain_address), get_public_, coap::code::content); }

  std::size_t request_octets = 0;
  std::size_t response_octets = 0;

 private:
  void ask(const coap::Peer& peer, const coap::Request& request, coap::Code expected) {
    // Message IDs may come again after EXCHANGE_LIFETIME: at this pace a peer never runs out of them.
    clock_.advance(std::chrono::milliseconds(10));
    const Instant now = clock_.now();
    need(client_.layer().request(peer, request, {}, now), "request");
    std::optional<coap::Code> answer;
    for (bool moved = true; moved;) {
      moved = false;
      while (const auto out = client_.next_datagram(now)) {
        const auto kind = out->to == secure_address ? coaps::ListenerKind::secure : coaps::ListenerKind::plain;
        service_->receive(kind, address_of(out->channel), out->to, out->datagram, now);
        moved = true;
      }
      while (const auto out = service_->next_datagram(now)) {
        client_.receive(static_cast<coaps::Channel>(out->to.port - 40'000), out->local, out->datagram, now);
        moved = true;
      }
      while (client_.next_session_event()) continue;
      while (const auto event = client_.layer().next_event(now)) {
        if (const auto* arrived = std::get_if<coap::ResponseArrived>(&*event)) answer = arrived->response.code;
      }
    }
    if (answer != expected) give_up("expected " + expected.to_string());
    if (const auto due = client_.next_timeout(); due && *due <= now) client_.on_timeout(now);
    if (const auto due = service_->next_timeout(); due && *due <= now) service_->on_timeout(now);
  }

  ManualClock clock_;
  crypto::openssl::SystemRandom random_;
  ace::testing::TestIssuer issuer_;
  cose::Key client_key_;
  Temperature resource_;
  std::unique_ptr<ace::dtls::RsService> service_;
  coaps::ClientStack client_;
  coap::Peer session_;
  coap::Request get_;
  coap::Request get_public_;
};

}  // namespace

void measure_coap(Report& report) {
  AccessRig rig;
  auto bare = BareGnutls::with_psk(as_bytes("client"), Bytes(16, 0x5a));
  bare.handshake();
  const Bytes request(rig.request_octets, 1);
  const Bytes response(rig.response_octets, 2);
  report.measure({{"GnuTLS records, one each way", [&] { bare.round_trip(request, response); }},
                  {"plain CoAP GET, both sides", [&] { rig.get_plain(); }},
                  {"protected GET in a DTLS session, both sides", [&] { rig.get_protected(); }}},
                 {{2, 0}, {2, 1, 2.0}});
}

}  // namespace aceward::bench
