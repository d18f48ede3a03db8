#include "bench/serve.h"

#include <csignal>
#include <cstdio>
#include <optional>

#include "aceward/coap/resource/router.h"
#include "aceward/coaps/server_stack.h"
#include "aceward/crypto/openssl/random.h"
#include "aceward/net/coaps/server_host.h"
#include "aceward/tls/reasons.h"
#include "bench/allocations.h"
#include "bench/harness.h"

namespace aceward::bench {

namespace {

class ServedTemperature final : public coap::Resource {
 public:
  explicit ServedTemperature(coap::Layer& layer) : layer_(layer) {}
  void handle(coap::ExchangeId id, const coap::Peer&, const coap::Request&, coap::Responder& responder) override {
    ++answered;
    coap::Response response = layer_.spare_response();
    response.code = coap::code::content;
    const BytesView content = as_bytes(served_payload);
    response.payload.assign(content.begin(), content.end());
    responder.respond(id, std::move(response));
  }
  std::span<const coap::Code> methods() const override {
    static constexpr coap::Code only[] = {coap::code::get};
    return only;
  }
  std::uint64_t answered = 0;

 private:
  coap::Layer& layer_;
};

class OneKey final : public tls::ServerCredentials {
 public:
  Result<tls::PskCredential> psk(BytesView) override {
    return tls::PskCredential{Secret::copy_of(as_bytes(served_psk)), 1};
  }
  Result<void> raw_public_key(BytesView) override { return fail(reason::psk_identity_refused); }
};

/// The server as the product's roles run it: a stack, its host on sockets, a router.
class BenchServer final : public net::Application {
 public:
  explicit BenchServer(bool secure) {
    coaps::ServerStackConfig config;
    if (secure) config.dtls = tls::ServerConfig{};
    stack_ = need(coaps::ServerStack::create(std::move(config), &credentials_, random_), "stack");
    resource_.emplace(stack_->layer());
    router_.emplace(stack_->layer());
    router_->add("/temp", *resource_);
    host_.emplace(loop_, *stack_, *this);
    const auto kind = secure ? coaps::ListenerKind::secure : coaps::ListenerKind::plain;
    port_ = need(host_->listen(kind, Address::v4(127, 0, 0, 1, 0)), "listen").port;
  }

  int run() {
    loop_.handle_signals([this](int signal) {
      if (signal != SIGHUP) return loop_.stop();
      std::printf("%llu %llu\n", static_cast<unsigned long long>(resource_->answered),
                  static_cast<unsigned long long>(allocations()));
      std::fflush(stdout);
    });
    std::printf("%u\n", port_);
    std::fflush(stdout);
    loop_.run();
    return 0;
  }

  void pump(Instant now) override {
    while (stack_->next_session_event()) continue;
    while (router_->next_event(now)) continue;
  }

 private:
  crypto::openssl::SystemRandom random_;
  OneKey credentials_;
  net::EventLoop loop_;
  std::unique_ptr<coaps::ServerStack> stack_;
  std::optional<ServedTemperature> resource_;
  std::optional<coap::Router> router_;
  std::optional<net::ServerHost> host_;
  std::uint16_t port_ = 0;
};

}  // namespace

int serve(std::string_view what) {
  if (what == "plain") return BenchServer(false).run();
  if (what == "secure") return BenchServer(true).run();
  if (what == "echo") return bare_echo();
  give_up("serve takes plain, secure or echo");
}

}  // namespace aceward::bench
