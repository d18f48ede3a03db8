#include "app/loadgen/exchanges.h"

#include <algorithm>
#include <cstring>

#include "app/loadgen/schedule.h"

namespace aceward::app {

namespace {

constexpr std::size_t header_size = 4;

}  // namespace

Exchanges::Exchanges(ExchangeSettings settings, std::size_t endpoints, Random& random)
    : settings_(std::move(settings)),
      spacing_(least_spacing(settings_.confirmable, settings_.parameters)),
      random_(random),
      endpoints_(endpoints),
      free_(endpoints) {
  coap::Message message;
  message.type = settings_.confirmable ? coap::Type::confirmable : coap::Type::non_confirmable;
  message.code = settings_.request.method;
  message.token = coap::Token(TokenOctets{});
  message.options = settings_.request.options;
  message.payload = settings_.request.payload;
  datagram_ = coap::serialize(message);
  for (std::size_t i = 0; i < endpoints; ++i) {
    endpoints_[i].message_id = static_cast<std::uint16_t>(random_.next_u64());
    endpoints_[i].next_free = Instant::min();
    push_free(i);
  }
}

void Exchanges::push_free(std::size_t endpoint) {
  free_[(first_free_ + free_count_) % free_.size()] = static_cast<std::uint32_t>(endpoint);
  ++free_count_;
}

std::optional<Instant> Exchanges::next_free() const {
  if (free_count_ == 0) return std::nullopt;
  return endpoints_[free_[first_free_]].next_free;
}

std::size_t Exchanges::start(Instant intended, Instant now, bool counted) {
  const std::size_t index = free_[first_free_];
  first_free_ = (first_free_ + 1) % free_.size();
  --free_count_;
  Endpoint& endpoint = endpoints_[index];
  endpoint.token_before = endpoint.token;
  const std::uint64_t token = random_.next_u64();
  std::memcpy(endpoint.token.data(), &token, token_size);
  ++endpoint.message_id;
  endpoint.busy = true;
  endpoint.acknowledged = !settings_.confirmable;
  endpoint.counted = counted;
  endpoint.retransmissions = 0;
  endpoint.intended = intended;
  endpoint.next_free = now + spacing_;
  // Uniform between ACK_TIMEOUT and ACK_TIMEOUT * ACK_RANDOM_FACTOR (RFC 7252 section 4.2).
  const auto least = settings_.parameters.ack_timeout;
  const double span = static_cast<double>(least.count()) * (settings_.parameters.ack_random_factor - 1);
  const double share = static_cast<double>(token >> 32) / 4294967296.0;
  endpoint.wait = least + std::chrono::nanoseconds(static_cast<std::int64_t>(span * share));
  endpoint.repeat_at = now + endpoint.wait;
  endpoint.give_up_at = now + settings_.timeout;
  ++in_flight_;
  ++counts_.sent;
  return index;
}

BytesView Exchanges::datagram(std::size_t index) {
  const Endpoint& endpoint = endpoints_[index];
  datagram_[2] = static_cast<std::uint8_t>(endpoint.message_id >> 8);
  datagram_[3] = static_cast<std::uint8_t>(endpoint.message_id);
  std::copy(endpoint.token.begin(), endpoint.token.end(), datagram_.begin() + header_size);
  return datagram_;
}

void Exchanges::finish(std::size_t index) {
  endpoints_[index].busy = false;
  --in_flight_;
  if (!endpoints_[index].retired) push_free(index);
}

void Exchanges::check(BytesView datagram, coap::Code code, std::size_t tail) {
  if (code == settings_.expected && !good_tail_.empty() && equal(datagram.subspan(tail), good_tail_)) {
    ++counts_.answered;
    return;
  }
  const auto message = coap::parse(datagram);
  if (!message) {
    ++counts_.malformed;
    return;
  }
  if (code != settings_.expected) {
    ++counts_.wrong_code;
    if (!unexpected_code_) unexpected_code_ = code;
    return;
  }
  if (!settings_.expected_payload) settings_.expected_payload = message->payload;
  if (message->payload != *settings_.expected_payload) {
    ++counts_.wrong_payload;
    return;
  }
  // An option may well change from response to response; then each of them is parsed.
  good_tail_ = to_bytes(datagram.subspan(tail));
  ++counts_.answered;
}

Exchanges::Received Exchanges::receive(std::size_t index, BytesView datagram, Instant now) {
  Received received{};
  Endpoint& endpoint = endpoints_[index];
  const auto header = coap::parse_header(datagram);
  if (!header) {
    ++counts_.malformed;
    return received;
  }
  const auto reply = [&](coap::Type type) {
    reply_ = {static_cast<std::uint8_t>(0x40U | (static_cast<unsigned>(type) << 4)), 0,
              static_cast<std::uint8_t>(header->message_id >> 8), static_cast<std::uint8_t>(header->message_id)};
    received.reply = reply_;
  };
  const bool about_request = endpoint.busy && header->message_id == endpoint.message_id;
  if (header->type == coap::Type::reset) {
    if (!about_request) return received;
    ++counts_.resets;
    finish(index);
    return received;
  }
  if (header->code.is_empty()) {
    if (header->type == coap::Type::acknowledgement && about_request) endpoint.acknowledged = true;
    if (header->type == coap::Type::confirmable) reply(coap::Type::reset);  // a ping
    return received;
  }
  if (!header->code.is_response()) {
    if (header->type == coap::Type::confirmable) reply(coap::Type::reset);
    return received;
  }
  const std::size_t length = datagram[0] & 0x0fU;
  const bool whole = datagram.size() >= header_size + length;
  const auto has_token = [&](const TokenOctets& token) {
    return whole && length == token_size && std::equal(token.begin(), token.end(), datagram.begin() + header_size);
  };
  if (!endpoint.busy || !has_token(endpoint.token)) {
    // The answer to what was given up, or sent twice, is not a mistake of the server's.
    const bool late = has_token(endpoint.token) || has_token(endpoint.token_before);
    ++(late ? counts_.duplicates : counts_.wrong_token);
    if (header->type == coap::Type::confirmable) reply(late ? coap::Type::acknowledgement : coap::Type::reset);
    return received;
  }
  if (header->type == coap::Type::acknowledgement && !about_request) {
    ++counts_.wrong_message_id;
    return received;
  }
  if (header->type == coap::Type::confirmable) reply(coap::Type::acknowledgement);
  check(datagram, header->code, header_size + length);
  received.finished = Finished{now - endpoint.intended, endpoint.counted};
  finish(index);
  return received;
}

void Exchanges::on_timeout(Instant now, const std::function<void(std::size_t)>& resend) {
  for (std::size_t i = 0; i < endpoints_.size(); ++i) {
    Endpoint& endpoint = endpoints_[i];
    if (!endpoint.busy) continue;
    const bool exhausted = !endpoint.acknowledged && now >= endpoint.repeat_at &&
                           endpoint.retransmissions >= settings_.parameters.max_retransmit;
    if (now >= endpoint.give_up_at || exhausted) {
      ++counts_.timeouts;
      finish(i);
      continue;
    }
    if (endpoint.acknowledged || now < endpoint.repeat_at) continue;
    ++endpoint.retransmissions;
    endpoint.wait *= 2;
    endpoint.repeat_at = now + endpoint.wait;
    ++counts_.retransmitted;
    resend(i);
  }
}

void Exchanges::retire(std::size_t index) {
  Endpoint& endpoint = endpoints_[index];
  if (endpoint.retired) return;
  endpoint.retired = true;
  ++retired_;
  if (endpoint.busy) {
    ++counts_.timeouts;
    finish(index);
    return;
  }
  // It waits for its turn somewhere in the ring.
  std::size_t kept = 0;
  for (std::size_t i = 0; i < free_count_; ++i) {
    const std::uint32_t one = free_[(first_free_ + i) % free_.size()];
    if (one != index) free_[(first_free_ + kept++) % free_.size()] = one;
  }
  free_count_ = kept;
}

}  // namespace aceward::app
