// A participant who keeps to no rule: it has an address, keys of its own, a place on the wire, and a free hand.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "aceward/ace/params/access_information.h"
#include "aceward/ace/params/token_request.h"
#include "aceward/coaps/client_stack.h"
#include "sim/network.h"
#include "sim/town.h"

namespace aceward::sim {

class Rogue final : public Node {
 public:
  /// Sees every datagram that is sent from now on, and keeps the access tokens that are uploaded in the clear.
  Rogue(Town& town, Address address);
  ~Rogue() override;

  /// A session of its own. Nothing when it cannot even be tried.
  std::optional<coap::Peer> connect(const Address& to, tls::ClientCredentials credentials);
  void ask(const coap::Peer& peer, coap::Request request);
  void ask_plain(const Address& to, coap::Request request);
  void ask_for_token(const coap::Peer& as, const ace::TokenRequest& wish);
  /// To /authz-info, over plain CoAP.
  void post_token(std::size_t server, BytesView token);
  /// Tries every method on every path of a server.
  void try_all(const coap::Peer& peer);

  /// Tokens that were seen or obtained, each once; at most 200.
  const std::vector<Bytes>& tokens() const { return tokens_; }
  void learn_token(Bytes token);
  /// One of them; some octets when there is none.
  Bytes any_token();
  /// With some octets changed, cut off or added.
  Bytes spoilt(Bytes octets);

  std::size_t answers(coap::Code code) const;
  std::size_t successes() const;  ///< answers to anything but uploads of tokens and requests for them
  std::size_t tokens_obtained() const { return tokens_obtained_; }

  void receive(const Datagram& datagram, Instant now) override;
  std::optional<Datagram> next_datagram(Instant now) override;
  void on_timeout(Instant now) override;
  std::optional<Instant> next_timeout() const override;

 private:
  enum class Purpose : std::uint8_t { access, upload, token };
  void see(const Datagram& datagram);
  void send(const coap::Peer& peer, coap::Request request, Purpose purpose);

  Town& town_;
  Address address_;
  SeededRandom random_;
  coaps::ClientStack stack_;
  std::vector<Bytes> tokens_;
  std::map<std::uint64_t, Purpose> purposes_;
  std::map<std::uint8_t, std::size_t> answers_;
  std::size_t successes_ = 0;
  std::size_t tokens_obtained_ = 0;
};

}  // namespace aceward::sim
