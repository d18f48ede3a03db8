#include "interop/plugtest_server.h"

#include <algorithm>

#include "aceward/coap/observe/observations.h"
#include "aceward/coap/resource/router.h"
#include "aceward/coaps/server_stack.h"
#include "aceward/net/coaps/server_host.h"
#include "aceward/tls/reasons.h"
#include "tests/plugtest/resources.h"

namespace aceward::interop {

namespace {

constexpr std::chrono::milliseconds tick_time{500};

class Doors final : public tls::ServerCredentials {
 public:
  Result<tls::PskCredential> psk(BytesView identity) override {
    if (as_text(identity) != "interop") return fail(reason::psk_identity_refused);
    tls::PskCredential credential;
    credential.key = Secret::copy_of(as_bytes("0123456789abcdef"));
    return credential;
  }
  Result<void> raw_public_key(BytesView) override { return {}; }
  Result<void> certificate(const tls::Certificate&) override { return {}; }
  Result<void> resume(const tls::PeerIdentity&) override { return {}; }
};

}  // namespace

struct PlugtestServer::Impl final : net::Application {
  Impl(std::unique_ptr<coaps::ServerStack> stack_in, net::EventLoop& loop, Random& random)
      : stack(std::move(stack_in)),
        observations(stack->layer(), random),
        router(observations),
        resources(router, observations),
        next_tick(loop.now() + tick_time),
        host(loop, *stack, *this) {
    router.well_known_core(true);
  }

  void pump(Instant now) override {
    while (stack->next_session_event()) continue;
    while (router.next_event(now)) continue;
  }
  std::optional<Instant> next_timeout() const override {
    Instant next = next_tick;
    for (const auto one : {resources.next_timeout(), observations.next_timeout()})
      next = std::min(next, one.value_or(next));
    return next;
  }
  void on_timeout(Instant now) override {
    observations.on_timeout(now);
    resources.on_timeout(now);
    if (now < next_tick) return;
    next_tick = now + tick_time;
    resources.tick(now);
  }

  std::unique_ptr<coaps::ServerStack> stack;
  coap::Observations observations;
  coap::Router router;
  plugtest::Resources resources;
  Instant next_tick;
  net::ServerHost host;
  Address plain;
  Address secure;
};

PlugtestServer::PlugtestServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
PlugtestServer::~PlugtestServer() = default;

Result<std::unique_ptr<PlugtestServer>> PlugtestServer::start(net::EventLoop& loop, tls::RawKeyPair key,
                                                              Strangers strangers, Random& random) {
  return start(loop, tls::ServerConfig{.raw_key = std::move(key)}, strangers, random);
}

Result<std::unique_ptr<PlugtestServer>> PlugtestServer::start(net::EventLoop& loop, tls::ServerConfig dtls,
                                                              Strangers strangers, Random& random) {
  static Doors doors;
  coaps::ServerStackConfig config;
  config.dtls = std::move(dtls);
  if (strangers == Strangers::are_believed) config.limits.unverified_answer = 0;
  auto stack = ACEWARD_TRY(coaps::ServerStack::create(std::move(config), &doors, random));
  auto impl = std::make_unique<Impl>(std::move(stack), loop, random);
  const Address loopback = Address::v4(127, 0, 0, 1, 0);
  impl->plain = ACEWARD_TRY(impl->host.listen(coaps::ListenerKind::plain, loopback));
  impl->secure = ACEWARD_TRY(impl->host.listen(coaps::ListenerKind::secure, loopback));
  impl->host.wake();  // sets the timer
  return std::unique_ptr<PlugtestServer>(new PlugtestServer(std::move(impl)));
}

const Address& PlugtestServer::plain_address() const { return impl_->plain; }
const Address& PlugtestServer::secure_address() const { return impl_->secure; }

}  // namespace aceward::interop
