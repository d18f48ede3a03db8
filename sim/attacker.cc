#include "sim/attacker.h"

#include <algorithm>

namespace aceward::sim {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

Attacker::Attacker(Run& run, Network& network) : run_(run), network_(network), dice_(run.dice.next_u64()) {
  network_.on_sent = [this](const Datagram& datagram) { return on_sent(datagram); };
  network_.on_stray = [this](const Datagram& datagram) {
    Traffic& traffic = victims_[datagram.to];
    ++traffic.datagrams_received;
    traffic.octets_received += datagram.octets.size();
    traffic.largest_received = std::max(traffic.largest_received, datagram.octets.size());
  };
}

void Attacker::send(const Address& from, const Address& to, Bytes octets, nanoseconds delay) {
  Traffic& traffic = victims_[from];
  ++traffic.datagrams_forged;
  traffic.octets_forged += octets.size();
  network_.inject({from, to, std::move(octets)}, delay);
}

Address Attacker::anybody() {
  const auto number = dice_.next_u64();
  return Address::v4(203, static_cast<std::uint8_t>(number), static_cast<std::uint8_t>(number >> 8),
                     static_cast<std::uint8_t>(1 + (number >> 16) % 254),
                     static_cast<std::uint16_t>(1024 + (number >> 24) % 60'000));
}

void Attacker::replay_everything(nanoseconds span) {
  for (const auto& datagram : seen_) {
    network_.inject(datagram, std::min<nanoseconds>(
                                  nanoseconds(dice_.below(static_cast<std::uint64_t>(span.count()) + 1)), max_latency));
    run_.reach("attack: replayed");
  }
}

bool Attacker::on_sent(const Datagram& datagram) {
  seen_.push_back(datagram);
  if (seen_.size() > 2000) seen_.pop_front();
  const auto chance = [this](unsigned permille) { return permille != 0 && dice_.below(1000) < permille; };
  const auto soon = [this] { return nanoseconds(milliseconds(dice_.below(dice_.below(4) == 0 ? 90'000 : 300))); };
  if (chance(plan_.replay)) {
    run_.reach("attack: replayed");
    for (auto times = 1 + dice_.below(3); times > 0; --times) network_.inject(datagram, soon());
  }
  if (chance(plan_.replay_moved)) {
    run_.reach("attack: replayed from another port");
    Address moved = datagram.from;
    moved.port = static_cast<std::uint16_t>(moved.port + 1 + dice_.below(20));
    network_.inject({moved, datagram.to, datagram.octets}, soon());
  }
  if (chance(plan_.reflect)) {
    run_.reach("attack: reflected");
    network_.inject({datagram.to, datagram.from, datagram.octets}, soon());
  }
  if (chance(plan_.truncate)) {
    run_.reach("attack: truncated");
    const auto length = dice_.below(datagram.octets.size() + 1);
    network_.inject({datagram.from, datagram.to, Bytes(datagram.octets.begin(), datagram.octets.begin() + length)},
                    soon());
  }
  if (chance(plan_.corrupt)) {
    run_.reach("attack: corrupted");
    auto octets = datagram.octets;
    for (auto times = 1 + dice_.below(4); times > 0 && !octets.empty(); --times) {
      octets[dice_.below(octets.size())] ^= static_cast<std::uint8_t>(1U << dice_.below(8));
    }
    network_.inject({datagram.from, datagram.to, std::move(octets)}, soon());
  }
  forge_about(datagram);
  if (chance(plan_.swallow)) {
    run_.reach("attack: swallowed");
    return false;
  }
  return true;
}

void Attacker::forge_about(const Datagram& datagram) {
  const auto header = coap::parse_header(datagram.octets);
  if (!header) return;
  const auto chance = [this](unsigned permille) { return permille != 0 && dice_.below(1000) < permille; };
  const auto at_once = [this] { return nanoseconds(dice_.below(3'000'000)); };
  if (chance(plan_.forge_reset)) {
    run_.reach("attack: forged Reset");
    network_.inject({datagram.to, datagram.from, empty_message(coap::Type::reset, header->message_id)}, at_once());
  }
  if (chance(plan_.forge_ack)) {
    run_.reach("attack: forged acknowledgement");
    network_.inject({datagram.to, datagram.from, empty_message(coap::Type::acknowledgement, header->message_id)},
                    at_once());
  }
  if (chance(plan_.forge_answer)) {
    run_.reach("attack: forged answer");
    coap::Message message;
    message.type = static_cast<coap::Type>(dice_.below(3));
    message.code = coap::code::content;
    message.message_id = header->message_id;
    message.token = coap::Token(dice_.bytes(dice_.below(9)));
    message.payload = to_bytes("forged");
    network_.inject({datagram.to, datagram.from, coap::serialize(message)}, at_once());
  }
}

Bytes empty_message(coap::Type type, std::uint16_t message_id) {
  return coap::serialize(coap::Message{type, coap::code::empty, message_id, {}, {}, {}});
}

Bytes request_message(Random& random, coap::Type type, coap::Code method, std::string_view path, BytesView payload,
                      const std::function<void(coap::Options&)>& more) {
  coap::Message message;
  message.type = type;
  message.code = method;
  message.message_id = static_cast<std::uint16_t>(random.next_u64());
  message.token = coap::Token(random.bytes(4));
  message.options.add_path(path);
  if (more) more(message.options);
  message.payload = to_bytes(payload);
  return coap::serialize(message);
}

}  // namespace aceward::sim
