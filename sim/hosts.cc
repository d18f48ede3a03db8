#include "sim/hosts.h"

#include <algorithm>

#include "aceward/coap/message/pretty.h"
#include "aceward/crypto/key.h"

namespace aceward::sim {
namespace {

constexpr Reason psk_unlisted{"sim_psk_unlisted", ErrorClass::denied, "", ""};
constexpr Reason raw_key_unlisted{"sim_raw_key_unlisted", ErrorClass::denied, "", ""};

std::string_view kind_of(const coap::Header& header) {
  using coap::Type;
  if (header.type == Type::reset) return "reset";
  if (header.code.is_empty()) return header.type == Type::acknowledgement ? "acknowledged" : "ping";
  if (header.code.is_request()) return header.type == Type::confirmable ? "request CON" : "request NON";
  switch (header.type) {
    case Type::acknowledgement: return "piggybacked";
    case Type::confirmable: return "separate CON";
    default: return "separate NON";
  }
}

}  // namespace

void Probe::on_message(coaps::Direction direction, const coap::Peer& peer, BytesView message, std::size_t /*wire*/,
                       Instant /*now*/) {
  const auto header = coap::parse_header(message);
  if (direction == coaps::Direction::out && header) {
    run_.reach(kind_of(*header));
    run_.reach_code(header->code);
  }
  if (!run_.prints()) return;
  const auto parsed = coap::parse(message);
  run_.print("          " + name_ + (direction == coaps::Direction::out ? " says to " : " hears from ") +
             peer.remote.to_string() + (peer.session != 0 ? " #" + std::to_string(peer.session) : "") + "  " +
             (parsed ? coap::pretty(*parsed) : std::string(parsed.error().id())));
}

void Probe::on_handshake(const coap::Peer& peer, const tls::PeerIdentity& identity, const tls::SessionInfo& info,
                         Instant /*now*/) {
  run_.reach("session established");
  if (run_.prints()) {
    run_.print("          " + name_ + " #" + std::to_string(peer.session) + " established with " +
               tls::describe(identity) + " " + info.cipher_suite);
  }
}

void Probe::on_handshake_failed(const tls::HandshakeFailed& failure, Instant /*now*/) {
  run_.reach("handshake failed");
  if (run_.prints()) run_.print("          " + name_ + " handshake failed: " + std::string(failure.why.id()));
}

void Probe::on_session_closed(const coap::Peer& peer, const Error& why, Instant /*now*/) {
  run_.reach("session closed");
  if (run_.prints()) {
    run_.print("          " + name_ + " #" + std::to_string(peer.session) + " closed: " + std::string(why.id()));
  }
}

void note_counters(Run& run, const coap::Counters& counters) {
  run.reach("retransmitted", counters.retransmitted);
  run.reach("ignored", counters.ignored);
  run.reach("rejected", counters.rejected);
  run.reach("duplicate suppressed", counters.duplicates);
  run.reach("unmatched", counters.unmatched);
  run.reach("bad option", counters.bad_options);
  run.reach("too large", counters.too_large);
  run.reach("timed out", counters.timed_out);
  run.reach("late answer", counters.late_answers);
  run.reach("forgotten early", counters.forgotten_early);
  run.reach("challenged with Echo", counters.challenged);
  run.reach("address verified", counters.verified);
  run.reach("bad Echo", counters.bad_echo);
  run.reach("answer shortened", counters.shortened);
  run.reach("notification held back", counters.held_back);
  run.reach("refused: busy", counters.refused_busy);
  run.reach("refused: peers", counters.refused_peers);
  run.reach("refused: remembering", counters.refused_remembering);
  run.reach("refused: requests", counters.refused_requests);
  run.reach("refused: answers", counters.refused_answers);
  run.reach("refused: events", counters.refused_events);
  run.reach("refused: datagrams", counters.refused_datagrams);
}

void note_counters(Run& run, const coap::BlockwiseCounters& counters) {
  run.reach("assembled", counters.assembled);
  run.reach("assembly restarted", counters.assemblies_restarted);
  run.reach("assembly expired", counters.assemblies_expired);
  run.reach("assembly evicted", counters.assemblies_evicted);
  run.reach("block repeated", counters.repeated_blocks);
  run.reach("refused: gap", counters.refused_gaps);
  run.reach("refused: overlap", counters.refused_overlaps);
  run.reach("refused: full", counters.refused_full);
  run.reach("refused: body too large", counters.refused_too_large);
  run.reach("answer cut", counters.answers_cut);
  run.reach("answer expired", counters.held_expired);
  run.reach("answer evicted", counters.held_evicted);
  run.reach("asked again", counters.asked_again);
  run.reach("unanswerable", counters.unanswerable);
  run.reach("body sent", counters.bodies_sent);
  run.reach("body received", counters.bodies_received);
  run.reach("transfer restarted", counters.restarts);
  run.reach("superseded", counters.superseded);
  run.reach("transfer failed", counters.failed);
  run.reach("size mismatch", counters.size_mismatches);
}

// The server

ServerHost::ServerHost(Run& run, ServerSetup setup)
    : run_(run), setup_(std::move(setup)), random_(run.dice.next_u64()), probe_(run, setup_.name) {
  start();
}

ServerHost::~ServerHost() { stop(); }

void ServerHost::stop() {
  note_counters(run_, stack_->endpoint().counters());
  note_counters(run_, stack_->blockwise().counters());
  while (!layers_.empty()) layers_.pop_back();
  stack_.reset();
}

void ServerHost::start() {
  stack_ = coaps::ServerStack::create(setup_.stack, setup_.credentials, random_).value();
  stack_->set_tap(&probe_);
  if (setup_.make_layers) layers_ = setup_.make_layers(stack_->layer(), random_);
}

void ServerHost::restart() {
  run_.print("          " + setup_.name + " restarts");
  stop();
  ++life_;
  start();
}

void ServerHost::receive(const Datagram& datagram, Instant now) {
  if (datagram.to == setup_.plain) {
    stack_->receive(coaps::ListenerKind::plain, datagram.from, datagram.to, datagram.octets, now);
  } else if (datagram.to == setup_.secure) {
    stack_->receive(coaps::ListenerKind::secure, datagram.from, datagram.to, datagram.octets, now);
  }
}

std::optional<Datagram> ServerHost::next_datagram(Instant now) {
  while (const auto event = stack_->next_session_event()) {
    if (on_session) on_session(*event);
  }
  while (auto event = top().next_event(now)) {
    if (on_event) on_event(std::move(*event));
  }
  auto out = stack_->next_datagram(now);
  if (!out) return std::nullopt;
  run_.require(out->local == (out->kind == coaps::ListenerKind::plain ? setup_.plain : setup_.secure),
               "an answer leaves from the address that was asked");
  return Datagram{out->local, out->to, std::move(out->datagram)};
}

void ServerHost::on_timeout(Instant now) {
  stack_->on_timeout(now);
  if (!layers_.empty()) layers_.back()->on_timeout(now);
}

std::optional<Instant> ServerHost::next_timeout() const {
  return earlier(stack_->next_timeout(), layers_.empty() ? std::nullopt : layers_.back()->next_timeout());
}

// The client

ClientHost::ClientHost(Run& run, ClientSetup setup)
    : run_(run), setup_(std::move(setup)), random_(run.dice.next_u64()), probe_(run, setup_.name) {
  start();
}

ClientHost::~ClientHost() { stop(); }

void ClientHost::stop() {
  note_counters(run_, stack_->endpoint().counters());
  note_counters(run_, stack_->blockwise().counters());
  while (!layers_.empty()) layers_.pop_back();
  stack_.reset();
}

void ClientHost::start() {
  stack_ = std::make_unique<coaps::ClientStack>(setup_.stack, random_);
  stack_->set_tap(&probe_);
  if (setup_.make_layers) layers_ = setup_.make_layers(stack_->layer(), random_);
}

void ClientHost::restart() {
  run_.print("          " + setup_.name + " restarts");
  stop();
  ++life_;
  start();
}

void ClientHost::receive(const Datagram& datagram, Instant now) {
  if (datagram.to.port < setup_.address.port) return;
  stack_->receive(datagram.to.port - setup_.address.port, datagram.from, datagram.octets, now);
}

std::optional<Datagram> ClientHost::next_datagram(Instant now) {
  while (const auto event = stack_->next_session_event()) {
    if (on_session) on_session(*event);
  }
  while (auto event = top().next_event(now)) {
    if (on_event) on_event(std::move(*event));
  }
  auto out = stack_->next_datagram(now);
  if (!out) return std::nullopt;
  Address from = setup_.address;
  from.port = static_cast<std::uint16_t>(from.port + out->channel);
  return Datagram{from, out->to, std::move(out->datagram)};
}

void ClientHost::on_timeout(Instant now) {
  stack_->on_timeout(now);
  if (!layers_.empty()) layers_.back()->on_timeout(now);
}

std::optional<Instant> ClientHost::next_timeout() const {
  return earlier(stack_->next_timeout(), layers_.empty() ? std::nullopt : layers_.back()->next_timeout());
}

// Keys

Result<tls::PskCredential> ListedClients::psk(BytesView identity) {
  const auto found = keys.find(to_bytes(identity));
  if (found == keys.end()) return fail(psk_unlisted);
  return tls::PskCredential{Secret::copy_of(found->second), 0};
}

Result<void> ListedClients::raw_public_key(BytesView spki) {
  if (std::ranges::find(raw_keys, to_bytes(spki)) == raw_keys.end()) return fail(raw_key_unlisted);
  return {};
}

tls::RawKeyPair raw_key(Random& random) {
  return tls::RawKeyPair::from_key(crypto::PrivateKey::generate(crypto::Curve::p256, random).value()).value();
}

}  // namespace aceward::sim
