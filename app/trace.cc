#include "app/trace.h"

#include <cstdio>

#include "aceward/ace/params/names.h"
#include "aceward/ace/profile/dtls/psk_identity.h"
#include "aceward/coap/message/message.h"
#include "aceward/coap/message/pretty.h"
#include "app/payload_text.h"

namespace aceward::app {

namespace {

constexpr std::string_view blue = "\x1b[34m";
constexpr std::string_view green = "\x1b[32m";
constexpr std::string_view red = "\x1b[31m";
constexpr std::string_view dim = "\x1b[2m";
constexpr std::string_view reset = "\x1b[0m";

constexpr std::size_t most_exchanges = 1024;

std::string milliseconds(std::chrono::nanoseconds time) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f ms", std::chrono::duration<double, std::milli>(time).count());
  return text;
}

std::string indented(const std::string& text, std::string_view margin) {
  std::string lines;
  std::size_t begin = 0;
  while (begin <= text.size()) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    lines.append(margin).append(text, begin, end - begin).append("\n");
    begin = end + 1;
  }
  return lines;
}

/// The two forms of RFC 9202 section 3.3.2, and "" for any other identity.
std::string identity_text(BytesView identity) {
  const auto parsed = ace::dtls::parse_psk_identity(identity);
  if (!parsed) return "";
  const bool is_token = std::holds_alternative<ace::dtls::TokenIdentity>(*parsed);
  return ace::to_text(is_token ? ace::Message::token : ace::Message::claims, identity, true);
}

}  // namespace

Trace::Trace(std::string self, Write write, NameOf name_of, bool colour)
    : self_(std::move(self)), write_(std::move(write)), name_of_(std::move(name_of)), colour_(colour) {}

std::string Trace::painted(std::string_view text, std::string_view colour) const {
  if (!colour_) return std::string(text);
  return std::string(colour) + std::string(text) + std::string(reset);
}

std::string Trace::name_text(const Address& address) const {
  const std::string name = name_of_ ? name_of_(address) : "";
  return name.empty() ? address.to_string() : name;
}

std::string Trace::peer_text(const coap::Peer& peer) const {
  const std::string name = name_text(peer.remote);
  if (peer.transport == coap::Transport::udp) return name;
  return name + " (DTLS session " + std::to_string(peer.session) + ")";
}

void Trace::on_message(coaps::Direction direction, const coap::Peer& peer, BytesView octets, std::size_t wire_octets,
                       Instant now) {
  ++totals_.messages;
  totals_.wire_octets += wire_octets;
  const bool is_out = direction == coaps::Direction::out;
  const std::string arrow = is_out ? self_ + " ---> " + peer_text(peer) : self_ + " <--- " + peer_text(peer);
  const std::string size = std::to_string(octets.size()) + " bytes, " + std::to_string(wire_octets) + " on the wire";

  const auto message = coap::parse(octets);
  if (!message) {
    write_(painted(arrow, red) + "   " + size + ", not a CoAP message: " + std::string(message.error().id()) + "\n\n");
    return;
  }
  std::string time;
  if (!message->code.is_empty()) {
    auto& exchanges = started_;
    const auto key = std::pair(peer, message->token);
    if (message->code.is_request()) {
      ++totals_.requests;
      if (exchanges.size() >= most_exchanges) exchanges.clear();  // the times of old exchanges are lost, nothing else
      exchanges.try_emplace(key, now);
    } else if (const auto begun = exchanges.find(key); begun != exchanges.end()) {
      time = ", after " + milliseconds(now - begun->second);
      exchanges.erase(begun);
    }
  }

  const std::string_view colour = message->code.is_error() ? red : message->code.is_request() ? blue : green;
  std::string text = painted(arrow, colour) + "   " + painted(size + time, dim) + "\n";
  bool is_header = true;
  for (const coap::PrettyLine& line : coap::pretty_lines(*message)) {
    text += is_header ? "  " + line.label + " " + painted(line.value, colour) + "\n"
                      : "    " + line.label + ": " + line.value + "\n";
    is_header = false;
  }
  if (const std::string payload = payload_text(*message); !payload.empty()) {
    text += "    Payload:\n" + indented(payload, "      ");
  }
  write_(text + "\n");
}

void Trace::on_handshake(const coap::Peer& peer, const tls::PeerIdentity& identity, const tls::SessionInfo& info,
                         Instant /*now*/) {
  ++totals_.handshakes;
  totals_.handshake_octets += info.octets_in + info.octets_out;
  totals_.flights += info.flights;
  std::string text = painted(self_ + " <==> " + peer_text(peer), green) + "   " +
                     painted(std::to_string(info.octets_out) + " bytes out, " + std::to_string(info.octets_in) +
                                 " in, " + std::to_string(info.flights) + " flights, " + milliseconds(info.duration),
                             dim) +
                     "\n";
  text += "  DTLS 1.2 handshake complete: " + info.cipher_suite;
  if (!info.group.empty()) text += ", " + info.group;
  text += "\n    Peer: " + tls::describe(identity) + "\n";
  if (const auto* psk = std::get_if<tls::PskIdentity>(&identity)) {
    if (const std::string named = identity_text(psk->identity()); !named.empty()) {
      text += "    PSK identity:\n" + indented(named, "      ");
    }
  }
  write_(text + "\n");
}

void Trace::on_handshake_failed(const tls::HandshakeFailed& failure, Instant /*now*/) {
  std::string text = painted(self_ + " <=X=> " + name_text(failure.remote), red) +
                     "\n  DTLS handshake failed: " + std::string(failure.why.id());
  if (failure.alert_received) {
    text += ", alert received " + std::to_string(static_cast<unsigned>(*failure.alert_received));
  }
  if (failure.alert_sent) text += ", alert sent " + std::to_string(static_cast<unsigned>(*failure.alert_sent));
  write_(text + "\n\n");
}

void Trace::on_session_closed(const coap::Peer& peer, const Error& why, Instant /*now*/) {
  write_(painted(self_ + " <=/=> " + peer_text(peer), dim) + "\n  DTLS session closed: " + std::string(why.id()) +
         "\n\n");
}

}  // namespace aceward::app
