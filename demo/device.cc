#include "demo/device.h"

#include "aceward/ace/client/reasons.h"

namespace aceward::demo {

Result<std::unique_ptr<Device>> Device::make(net::EventLoop& loop, ace::dtls::AccessClientConfig config,
                                             coaps::MessageTap& tap, Random& random) {
  std::unique_ptr<Device> device(new Device(loop, random));
  device->stack_.set_tap(&tap);
  device->client_ = ACEWARD_TRY(ace::dtls::AccessClient::create(std::move(config), device->stack_, random));
  device->host_ = std::make_unique<net::ClientHost>(loop, device->stack_, *device);
  return device;
}

Device::~Device() {
  // The servers hear that the sessions end, but nobody tells the audience.
  stack_.set_tap(nullptr);
  stack_.close_all(loop_.now());
  host_->wake();
}

ace::dtls::Completed Device::ask(std::size_t server, coap::Request request, bool coap) {
  ace::dtls::Operation operation;
  operation.request = std::move(request);
  operation.plain_answer_allowed = coap;
  operation.timeout = std::chrono::seconds(20);
  completed_.reset();
  const ace::dtls::OperationId id = client_->submit(server, std::move(operation), loop_.now());
  host_->wake();
  loop_.run_until([this] { return completed_.has_value(); }, std::chrono::seconds(25));
  if (completed_) return std::move(*completed_);
  return {id, ace::dtls::Stage::access, fail(reason::operation_canceled), {}, {}};
}

bool Device::wait_for_end_of_sessions(std::size_t one, std::size_t other, std::chrono::nanoseconds at_most) {
  return loop_.run_until([&] { return session(one) == 0 && session(other) == 0; }, at_most);
}

void Device::pump(Instant now) {
  client_->pump(now);
  while (auto completed = client_->next_completed()) completed_ = std::move(*completed);
}

}  // namespace aceward::demo
