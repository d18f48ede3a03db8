#include "aceward/coap/server.h"

#include <algorithm>
#include <map>
#include <vector>

namespace aceward::coap {
namespace {

/// One path's handlers, by method.
class HandledPath final : public Resource {
 public:
  void set(Code method, Server::Handler handler) {
    if (!handlers_.contains(method)) methods_.push_back(method);
    handlers_[method] = std::move(handler);
  }
  void handle(ExchangeId id, const Peer& peer, const Request& request, Responder& responder) override {
    responder.respond(id, handlers_.at(request.method)(RequestArrived{id, peer, request}));
  }
  std::span<const Code> methods() const override { return methods_; }

 private:
  std::map<Code, Server::Handler> handlers_;
  std::vector<Code> methods_;
};

}  // namespace

struct Server::Impl {
  Impl(Random& random, const ServerConfig& config)
      : endpoint(config.parameters, config.limits, random),
        blockwise(endpoint, fitting(config), config.blockwise_limits, random),
        observations(blockwise, random, config.observations),
        router(observations) {
    auto in_requests = Router::known_options();
    auto in_responses = KnownOptions::in_responses();
    Blockwise::add_known_options(in_requests);
    Blockwise::add_known_options(in_responses);
    endpoint.set_known_options(in_requests, in_responses);
    router.well_known_core(config.well_known_core);
  }

  static BlockwiseParameters fitting(const ServerConfig& config) {
    BlockwiseParameters parameters = config.blockwise;
    parameters.message_size = config.limits.datagram_size;
    return parameters;
  }

  void pump(Instant now) {
    while (router.next_event(now)) {
    }
  }

  Endpoint endpoint;
  Blockwise blockwise;
  Observations observations;
  Router router;
  std::map<Path, HandledPath> paths;
};

Server::Server(Random& random, const ServerConfig& config) : impl_(std::make_unique<Impl>(random, config)) {}
Server::~Server() = default;

void Server::on(Code method, std::string_view path, Handler handler) {
  Path segments = path_of(path);
  HandledPath& resource = impl_->paths[segments];
  resource.set(method, std::move(handler));
  impl_->router.add(std::move(segments), resource);
}

void Server::observable(std::string_view path, const ObservableSettings& settings) {
  impl_->observations.allow(path, settings);
}

void Server::changed(std::string_view path, Instant now) {
  impl_->observations.changed(path, now);
  impl_->pump(now);
}

Router& Server::router() { return impl_->router; }
Layer& Server::layer() { return impl_->observations; }
Observations& Server::observations() { return impl_->observations; }
const Blockwise& Server::blockwise() const { return impl_->blockwise; }
Endpoint& Server::endpoint() { return impl_->endpoint; }

void Server::receive(const Address& from, const Address& local, BytesView datagram, Instant now) {
  impl_->endpoint.receive({Transport::udp, from, local}, datagram, now);
  impl_->pump(now);
}

std::optional<Outgoing> Server::next_datagram() { return impl_->endpoint.next_datagram(); }

std::optional<Instant> Server::next_timeout() const { return impl_->observations.next_timeout(); }

void Server::on_timeout(Instant now) {
  impl_->observations.on_timeout(now);
  impl_->pump(now);
}

}  // namespace aceward::coap
