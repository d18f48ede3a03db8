#include "sim/rogue.h"

#include <algorithm>

#include "aceward/cbor/codec.h"
#include "aceward/coap/message/content_format.h"
#include "aceward/coap/message/message.h"

namespace aceward::sim {

namespace {

constexpr std::size_t most_tokens = 200;

coap::Request post_of(std::string_view path, coap::ContentFormat format, Bytes payload) {
  coap::Request request;
  request.method = coap::code::post;
  request.options.add_path(path);
  request.options.set_content_format(format);
  request.payload = std::move(payload);
  return request;
}

}  // namespace

Rogue::Rogue(Town& town, Address address)
    : town_(town), address_(address), random_(town.run.dice.next_u64()), stack_(coaps::ClientStackConfig{}, random_) {
  town_.network.attach(address_, *this);
  town_.network.on_sent = [this, before = town_.network.on_sent](const Datagram& datagram) {
    see(datagram);
    return !before || before(datagram);
  };
}

Rogue::~Rogue() { town_.network.detach(address_); }

void Rogue::see(const Datagram& datagram) {
  const bool is_plain = std::ranges::any_of(
      town_.servers, [&datagram](const Town::Server& server) { return datagram.to == server.plain; });
  if (!is_plain) return;
  const auto message = coap::parse(datagram.octets);
  if (message && message->code == coap::code::post && !message->payload.empty()) learn_token(message->payload);
}

void Rogue::learn_token(Bytes token) {
  if (tokens_.size() < most_tokens && std::ranges::find(tokens_, token) == tokens_.end())
    tokens_.push_back(std::move(token));
}

Bytes Rogue::any_token() {
  if (tokens_.empty()) return random_.bytes(60);
  return tokens_[random_.below(tokens_.size())];
}

Bytes Rogue::spoilt(Bytes octets) {
  if (octets.empty()) return octets;
  switch (random_.below(3)) {
    case 0: octets.resize(random_.below(octets.size())); break;
    case 1: octets.push_back(static_cast<std::uint8_t>(random_.below(256))); break;
    default: octets[random_.below(octets.size())] ^= static_cast<std::uint8_t>(1 + random_.below(255)); break;
  }
  return octets;
}

std::optional<coap::Peer> Rogue::connect(const Address& to, tls::ClientCredentials credentials) {
  auto peer = stack_.connect(to, std::move(credentials), town_.run.now());
  if (!peer) return std::nullopt;
  return *peer;
}

void Rogue::send(const coap::Peer& peer, coap::Request request, Purpose purpose) {
  const auto id = stack_.layer().request(peer, std::move(request), {}, town_.run.now());
  if (id) purposes_[id->value] = purpose;
}

void Rogue::ask(const coap::Peer& peer, coap::Request request) { send(peer, std::move(request), Purpose::access); }

void Rogue::ask_plain(const Address& to, coap::Request request) { ask(stack_.plain_peer(to), std::move(request)); }

void Rogue::ask_for_token(const coap::Peer& as, const ace::TokenRequest& wish) {
  send(as, post_of("token", coap::content_format::ace_cbor, cbor::serialize(wish)), Purpose::token);
}

void Rogue::post_token(std::size_t server, BytesView token) {
  send(stack_.plain_peer(town_.servers[server].plain),
       post_of("authz-info", coap::content_format::cwt, to_bytes(token)), Purpose::upload);
}

void Rogue::try_all(const coap::Peer& peer) {
  for (const char* path : {"temp", "led", "door", "config"}) {
    for (const coap::Code method : {coap::code::get, coap::code::put, coap::code::post}) {
      coap::Request request;
      request.method = method;
      request.options.add_path(path);
      if (method != coap::code::get) request.payload = to_bytes("mallory");
      ask(peer, std::move(request));
    }
  }
}

std::size_t Rogue::answers(coap::Code code) const {
  const auto found = answers_.find(code.value);
  return found == answers_.end() ? 0 : found->second;
}

std::size_t Rogue::successes() const { return successes_; }

void Rogue::receive(const Datagram& datagram, Instant now) {
  if (datagram.to.port < address_.port) return;
  stack_.receive(datagram.to.port - address_.port, datagram.from, datagram.octets, now);
}

std::optional<Datagram> Rogue::next_datagram(Instant now) {
  while (stack_.next_session_event()) {
    // It takes what it gets, and does not mind what it loses.
  }
  while (auto event = stack_.layer().next_event(now)) {
    auto* arrived = std::get_if<coap::ResponseArrived>(&*event);
    if (arrived == nullptr) continue;
    ++answers_[arrived->response.code.value];
    const auto purpose = purposes_.find(arrived->id.value);
    if (purpose == purposes_.end() || !arrived->response.code.is_success()) continue;
    if (purpose->second == Purpose::access) ++successes_;
    if (purpose->second != Purpose::token) continue;
    ++tokens_obtained_;
    if (auto information = cbor::parse<ace::AccessInformation>(arrived->response.payload))
      learn_token(std::move(information->access_token));
  }
  auto out = stack_.next_datagram(now);
  if (!out) return std::nullopt;
  Address from = address_;
  from.port = static_cast<std::uint16_t>(from.port + out->channel);
  return Datagram{from, out->to, std::move(out->datagram)};
}

void Rogue::on_timeout(Instant now) { stack_.on_timeout(now); }
std::optional<Instant> Rogue::next_timeout() const { return stack_.next_timeout(); }

}  // namespace aceward::sim
