#include "app/client/access_run.h"

#include <cstdio>

#include "aceward/ace/client/reasons.h"

namespace aceward::app {

namespace {

/// Beyond an operation's own time-out: for the loop to notice it.
constexpr std::chrono::seconds grace{2};

}  // namespace

class AccessRun::Host final : public net::Application {
 public:
  Host() : stack_({}, random_) {}

  Result<> start(ace::dtls::AccessClientConfig config, bool trace, bool colour) {
    if (trace) {
      std::map<Address, std::string> names;
      for (const auto& server : config.servers) {
        if (server.entry.plain) names[*server.entry.plain] = "RS";
        names[server.entry.secure] = "RS";
      }
      for (const auto& as : config.authorization_servers) names[as.entry.address] = "AS";
      trace_ = trace_to_stderr("C", colour, [names = std::move(names)](const Address& address) {
        const auto found = names.find(address);
        return found == names.end() ? std::string() : found->second + " " + address.to_string();
      });
      stack_.set_tap(trace_.get());
    }
    access_ = ACEWARD_TRY(ace::dtls::AccessClient::create(std::move(config), stack_, random_));
    sockets_.emplace(loop_, stack_, *this);
    return {};
  }

  ~Host() override {
    if (!access_) return;
    access_->close_session(0, loop_.now());
    sockets_->wake();
    sockets_.reset();
    stack_.set_tap(nullptr);
  }

  template <class Submit>
  ace::dtls::Completed complete(Submit submit, std::chrono::nanoseconds timeout) {
    submit(*access_, loop_.now());
    sockets_->wake();
    std::optional<ace::dtls::Completed> completed;
    loop_.run_until([&] { return completed || (completed = access_->next_completed()); }, timeout + grace);
    if (completed) return std::move(*completed);
    return {{}, ace::dtls::Stage::access, fail(reason::operation_canceled), {}, {}};
  }

  const ace::dtls::AccessClient& access() const { return *access_; }

  void pump(Instant now) override { access_->pump(now); }
  std::optional<Instant> next_timeout() const override { return access_->next_timeout(); }
  void on_timeout(Instant now) override { access_->on_timeout(now); }

 private:
  crypto::openssl::SystemRandom random_;
  net::EventLoop loop_;
  std::unique_ptr<Trace> trace_;
  coaps::ClientStack stack_;
  std::unique_ptr<ace::dtls::AccessClient> access_;
  std::optional<net::ClientHost> sockets_;
};

AccessRun::AccessRun(std::unique_ptr<Host> host) : host_(std::move(host)) {}
AccessRun::~AccessRun() = default;

Outcome<std::unique_ptr<AccessRun>> AccessRun::start(ClientSettings settings, bool trace, bool colour) {
  auto host = std::make_unique<Host>();
  if (auto started = host->start(std::move(settings.access), trace, colour); !started) {
    return std::unexpected(Failure::of(ExitCode::configuration, started.error(), "[client]"));
  }
  return std::unique_ptr<AccessRun>(new AccessRun(std::move(host)));
}

ace::dtls::Completed AccessRun::request(ace::dtls::Operation operation) {
  const auto timeout = operation.timeout;
  return host_->complete(
      [&](ace::dtls::AccessClient& access, Instant now) { access.submit(0, std::move(operation), now); }, timeout);
}

ace::dtls::Completed AccessRun::obtain_token(std::chrono::nanoseconds timeout) {
  return host_->complete([&](ace::dtls::AccessClient& access, Instant now) { access.obtain_token(0, timeout, now); },
                         timeout);
}

const ace::client::HeldToken* AccessRun::token() const { return host_->access().token(0); }

namespace {

/// The message layer alone: the first answer to the one request that is made.
class PlainAsker final : public net::Application {
 public:
  explicit PlainAsker(coaps::ClientStack& stack) : stack_(stack) {}
  std::optional<Result<coap::Response>> answer;

  void pump(Instant now) override {
    while (auto event = stack_.layer().next_event(now)) {
      if (auto* arrived = std::get_if<coap::ResponseArrived>(&*event)) answer = std::move(arrived->response);
      if (const auto* gone = std::get_if<coap::ExchangeGone>(&*event)) answer = std::unexpected(gone->reason);
      if (const auto* request = std::get_if<coap::RequestArrived>(&*event)) {
        coap::Response response;
        response.code = coap::code::not_found;
        stack_.layer().respond(request->id, std::move(response), {}, now);
      }
    }
  }

 private:
  coaps::ClientStack& stack_;
};

}  // namespace

Result<coap::Response> request_plainly(const Address& server, ace::dtls::Operation operation, bool trace, bool colour) {
  crypto::openssl::SystemRandom random;
  net::EventLoop loop;
  const auto tap = trace ? trace_to_stderr("C", colour) : nullptr;
  coaps::ClientStack stack({}, random);
  stack.set_tap(tap.get());
  PlainAsker asker(stack);
  net::ClientHost sockets(loop, stack, asker);
  ACEWARD_TRY(stack.layer().request(stack.plain_peer(server), std::move(operation.request),
                                    {operation.reliability, operation.timeout}, loop.now()));
  sockets.wake();
  loop.run_until([&] { return asker.answer.has_value(); }, operation.timeout + grace);
  if (!asker.answer) return fail(reason::operation_canceled);
  return std::move(*asker.answer);
}

std::unique_ptr<Trace> trace_to_stderr(std::string self, bool colour, Trace::NameOf name_of) {
  return std::make_unique<Trace>(
      std::move(self),
      [](const std::string& text) {
        std::fwrite(text.data(), 1, text.size(), stderr);
        std::fflush(stderr);
      },
      std::move(name_of), colour);
}

Failure failure_of(const ace::dtls::Completed& completed) {
  const Error& error = completed.result.error();
  const std::string where = completed.stage == ace::dtls::Stage::probe   ? "asking what the server wants"
                            : completed.stage == ace::dtls::Stage::token ? "asking the authorization server for a token"
                            : completed.stage == ace::dtls::Stage::upload ? "uploading the token"
                                                                          : "asking the server";
  ExitCode code = exit_code_of(error);
  // An authorization server in trouble has refused nothing.
  const bool is_token_answer = completed.stage == ace::dtls::Stage::token;
  if (completed.refused_with && (!is_token_answer || completed.refused_with->code_class() == 5)) {
    code = exit_code_of(*completed.refused_with);
  }
  if (completed.refusal) {
    // The error's code and description say more than its place.
    Failure failure = Failure::of(code, Error(error.reason()), where);
    const std::string_view name = name_of(completed.refusal->error);
    const std::string number = std::to_string(static_cast<std::int64_t>(completed.refusal->error));
    failure.what += ": " + (name.empty() ? number : std::string(name));
    if (completed.refusal->error_description) failure.what += " (" + *completed.refusal->error_description + ")";
    return failure;
  }
  Failure failure = Failure::of(code, error, where);
  if (completed.refused_with) failure.what += ": " + completed.refused_with->to_string();
  return failure;
}

}  // namespace aceward::app
