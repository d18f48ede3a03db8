#include "app/loadgen/sessions.h"

namespace aceward::app {

LoadSessions::LoadSessions(const Address& server, std::size_t count, std::size_t at_once, tls::ClientConfig config,
                           Credentials credentials, Ports ports)
    : server_(server),
      at_once_(at_once),
      config_(std::move(config)),
      credentials_(std::move(credentials)),
      ports_(std::move(ports)),
      clients_(count) {}

bool LoadSessions::usable(std::size_t index) const { return clients_[index] && clients_[index]->established(); }

void LoadSessions::on_failed(const Error& why) {
  ++failed_;
  if (!first_failure_) first_failure_ = why;
}

void LoadSessions::start_next(Instant now) {
  while (started_ < clients_.size() && under_way_ < at_once_) {
    const std::size_t index = started_++;
    auto client = tls::Client::create(tls::SessionId(index + 1), server_, credentials_(), config_);
    if (!client) {
      on_failed(client.error());
      continue;
    }
    clients_[index].emplace(std::move(*client));
    ++under_way_;
    clients_[index]->start(now);
    drain(index, now);
  }
}

void LoadSessions::on_timeout(Instant now) {
  start_next(now);
  for (std::size_t i = 0; i < started_; ++i) {
    if (!clients_[i]) continue;
    const auto due = clients_[i]->next_timeout();
    if (!due || *due > now) continue;
    clients_[i]->on_timeout(now);
    drain(i, now);
  }
}

void LoadSessions::receive(std::size_t index, BytesView datagram, Instant now) {
  if (!clients_[index]) return;
  clients_[index]->receive(datagram, now);
  drain(index, now);
  start_next(now);
}

void LoadSessions::send(std::size_t index, BytesView octets, Instant now) {
  // What does not go out is lost as on a network; the end of a session has its own event.
  if (!clients_[index] || !clients_[index]->send(octets, now)) return;
  while (const auto out = clients_[index]->next_datagram()) ports_.send(index, out->datagram);
}

void LoadSessions::close_all(Instant now) {
  for (std::size_t i = 0; i < started_; ++i) {
    if (!clients_[i]) continue;
    clients_[i]->close(now);
    while (const auto out = clients_[i]->next_datagram()) ports_.send(i, out->datagram);
    clients_[i].reset();
  }
}

void LoadSessions::drain(std::size_t index, Instant now) {
  bool ended = false;
  bool was_established = false;
  while (const auto event = clients_[index]->next_event()) {
    if (const auto* data = std::get_if<tls::Data>(&*event)) {
      ports_.on_data(index, data->octets, now);
    } else if (const auto* made = std::get_if<tls::Established>(&*event)) {
      --under_way_;
      ++established_;
      handshakes_.record(made->info.duration);
      cipher_suite_ = made->info.cipher_suite;
    } else if (const auto* failure = std::get_if<tls::HandshakeFailed>(&*event)) {
      --under_way_;
      on_failed(failure->why);
      ended = true;
    } else {
      ++lost_;
      ended = was_established = true;
    }
  }
  while (const auto out = clients_[index]->next_datagram()) ports_.send(index, out->datagram);
  if (!ended) return;
  clients_[index].reset();
  if (was_established) ports_.on_lost(index);
}

}  // namespace aceward::app
