#include "app/client/client_run.h"

#include <cmath>
#include <map>

#include "aceward/ace/client/reasons.h"
#include "aceward/ace/profile/dtls/client/access_layer.h"
#include "aceward/coap/observe/observation_client.h"
#include "aceward/coap/reasons.h"
#include "aceward/crypto/openssl/random.h"
#include "aceward/net/coaps/client_host.h"
#include "aceward/net/resolve.h"
#include "aceward/tls/reasons.h"
#include "app/client/server_choice.h"
#include "app/client/token_files.h"

namespace aceward::app {

namespace {

/// Beyond an operation's own time-out: for the loop to notice it.
constexpr std::chrono::seconds grace{2};
/// How long a server may take to answer that an observation is cancelled, before the client goes all the same.
constexpr std::chrono::seconds farewell{3};

constexpr std::chrono::hours without_end{24 * 365};

std::optional<TokenFiles> files_of(const std::optional<std::filesystem::path>& folder, const Console& console) {
  return folder ? std::optional(TokenFiles(*folder, console)) : std::nullopt;
}

}  // namespace

class ClientRun::Host final : public net::Application {
 public:
  Host(std::unique_ptr<Capture> capture, const MessageSettings& messages)
      : capture_(std::move(capture)), stack_(config_with(*capture_, messages), random_) {}

  /// With permission where it takes one.
  Result<> start(ace::dtls::AccessClientConfig config, bool is_secure, std::optional<TokenFiles> tokens) {
    std::map<Address, std::string> names;
    for (const auto& server : config.servers) {
      if (server.entry.plain) names[*server.entry.plain] = "RS";
      names[server.entry.secure] = "RS";
    }
    for (const auto& as : config.authorization_servers) names[as.entry.address] = "AS";
    const auto& entry = config.servers.front().entry;
    start_watching(std::move(names));
    peer_ = stack_.plain_peer(is_secure || !entry.plain ? entry.secure : *entry.plain);
    if (is_secure) peer_.transport = coap::Transport::dtls;
    access_ = ACEWARD_TRY(ace::dtls::AccessClient::create(std::move(config), stack_, random_));
    sockets_.emplace(loop_, stack_, *this);
    if (tokens) {
      tokens_ = std::move(tokens);
      const Instant now = loop_.now();
      if (auto cached = tokens_->load(access_->cache_binding(0), now, SystemClock().wall())) {
        access_->restore(0, std::move(*cached), now);
      }
      note_kept();
    }
    return {};
  }

  /// Without any permission.
  void start(const Address& server) {
    start_watching({});
    peer_ = stack_.plain_peer(server);
    sockets_.emplace(loop_, stack_, *this);
  }

  ~Host() override {
    keep_token();
    if (access_) access_->close_session(0, loop_.now());
    stack_.close_all(loop_.now());
    if (sockets_) sockets_->wake();
    stack_.set_tap(nullptr);
    capture_.reset();  // asks for the sockets' addresses a last time
    sockets_.reset();
  }

  ace::dtls::Completed request(ace::dtls::Operation operation) {
    const auto timeout = operation.timeout;
    if (access_) {
      return complete([&](Instant now) { access_->submit(0, std::move(operation), now); }, timeout);
    }
    std::optional<Result<coap::Response>> answer;
    on_event_ = [&](coap::Event& event) {
      if (auto* arrived = std::get_if<coap::ResponseArrived>(&event)) answer = std::move(arrived->response);
      if (const auto* gone = std::get_if<coap::ExchangeGone>(&event)) answer = std::unexpected(gone->reason);
    };
    const auto sent =
        stack_.layer().request(peer_, std::move(operation.request), {operation.reliability, timeout, {}}, loop_.now());
    if (!sent) return without_permission(std::unexpected(sent.error()));
    sockets_->wake();
    loop_.run_until([&] { return answer.has_value(); }, timeout + grace);
    on_event_ = nullptr;
    return without_permission(answer ? std::move(*answer) : fail(reason::operation_canceled));
  }

  ace::dtls::Completed obtain_token(std::chrono::nanoseconds timeout) {
    return complete([&](Instant now) { access_->obtain_token(0, timeout, now); }, timeout);
  }

  Observed observe(ace::dtls::Operation operation, std::chrono::nanoseconds at_most,
                   const OnNotification& on_notification);
  Outcome<> ping(const PingWish& wish, const OnPing& on_ping);

  bool pause(std::chrono::nanoseconds how_long) {
    wait([] { return false; }, how_long);
    return !signalled_;
  }
  const ace::client::HeldToken* token() const { return access_ ? access_->token(0) : nullptr; }
  const Address& server() const { return peer_.remote; }

  void pump(Instant now) override {
    pump_layers(now);
    keep_token();
  }
  void pump_layers(Instant now) {
    if (access_ && on_event_ == nullptr) return access_->pump(now);
    if (!access_) {
      while (stack_.next_session_event()) {
        // There are no sessions but those of an AccessClient.
      }
    }
    while (auto event = next_event(now)) {
      if (const auto* request = std::get_if<coap::RequestArrived>(&*event)) {
        // A client serves nothing.
        coap::Response response;
        response.code = coap::code::not_found;
        stack_.layer().respond(request->id, std::move(response), {}, now);
      } else if (on_event_) {
        latest_ = now;
        on_event_(*event);
      }
    }
  }
  std::optional<Instant> next_timeout() const override {
    if (observations_) return observations_->next_timeout();
    return access_ ? access_->next_timeout() : std::nullopt;
  }
  void on_timeout(Instant now) override {
    if (observations_) return observations_->on_timeout(now);
    if (access_) access_->on_timeout(now);
  }

 private:
  static coaps::ClientStackConfig config_with(const Capture& capture, const MessageSettings& messages) {
    coaps::ClientStackConfig config;
    config.dtls.key_log = capture.key_log();
    config.dtls.wants_ticket = true;
    config.parameters = messages.parameters;
    config.limits = messages.limits;
    config.blockwise = messages.blockwise;
    config.blockwise_limits = messages.blockwise_limits;
    return config;
  }

  void start_watching(std::map<Address, std::string> names) {
    stack_.set_tap(capture_->tap(
        "C",
        [names = std::move(names)](const Address& address) {
          const auto found = names.find(address);
          return found == names.end() ? std::string() : found->second + " " + address.to_string();
        },
        [this](std::uint64_t channel, const Address& remote) {
          // A session's last datagram is written when its socket is closed already.
          Address& known = own_addresses_[{channel, remote}];
          const Address local = sockets_ ? sockets_->local_address(channel, remote) : Address{};
          if (local.port != 0) known = local;
          return known;
        }));
  }

  /// What the folder holds already.
  void note_kept() {
    kept_revision_ = access_->revision(0);
    const auto kept = access_->kept(0);
    kept_token_ = kept ? kept->token->access_token : Bytes();
  }

  /// A token is stored as soon as it is there: the program may be killed while it waits.
  void keep_token() {
    if (!tokens_ || access_->revision(0) == kept_revision_) return;
    const auto binding = access_->cache_binding(0);
    if (const auto kept = access_->kept(0)) {
      const Secret octets = ace::client::serialize_token(binding, *kept->token, *kept->asked, kept->uploaded,
                                                         loop_.now(), SystemClock().wall());
      if (octets.size() <= ace::client::max_cached_token_size) tokens_->save(binding, octets.expose());
    } else {
      tokens_->remove(binding, kept_token_);
    }
    note_kept();
  }

  template <class Submit>
  ace::dtls::Completed complete(Submit submit, std::chrono::nanoseconds timeout) {
    submit(loop_.now());
    sockets_->wake();
    std::optional<ace::dtls::Completed> completed;
    loop_.run_until([&] { return completed || (completed = access_->next_completed()); }, timeout + grace);
    if (completed) return std::move(*completed);
    return {{}, ace::dtls::Stage::access, fail(reason::operation_canceled), {}, {}};
  }

  static ace::dtls::Completed without_permission(Result<coap::Response> result) {
    return {{}, ace::dtls::Stage::probe, std::move(result), {}, {}};
  }

  std::optional<coap::Event> next_event(Instant now) {
    if (pinging_) return stack_.endpoint().next_event(now);
    if (observations_) return observations_->next_event(now);
    return stack_.layer().next_event(now);
  }

  /// Until `done` holds, `at_most` is over, or a signal came.
  void wait(const std::function<bool()>& done, std::chrono::nanoseconds at_most) {
    loop_.handle_signals([this](int) { signalled_ = true; });
    loop_.run_until([&] { return signalled_ || done(); }, at_most);
  }

  std::unique_ptr<Capture> capture_;
  crypto::openssl::SystemRandom random_;
  net::EventLoop loop_;
  coaps::ClientStack stack_;
  coap::Peer peer_;
  std::map<std::pair<std::uint64_t, Address>, Address> own_addresses_;
  std::unique_ptr<ace::dtls::AccessClient> access_;
  std::optional<TokenFiles> tokens_;
  std::uint64_t kept_revision_ = 0;
  Bytes kept_token_;  ///< its octets, which are no secret of a bound token; empty: none
  std::optional<ace::dtls::AccessLayer> access_layer_;
  std::optional<coap::ObservationClient> observations_;
  std::optional<net::ClientHost> sockets_;
  std::function<void(coap::Event&)> on_event_;
  Instant latest_;
  bool pinging_ = false;
  bool signalled_ = false;
};

ClientRun::Observed ClientRun::Host::observe(ace::dtls::Operation operation, std::chrono::nanoseconds at_most,
                                             const OnNotification& on_notification) {
  if (access_) access_layer_.emplace(*access_);
  observations_.emplace(access_ ? static_cast<coap::Layer&>(*access_layer_) : stack_.layer(), random_);
  operation.request.options.set_uint(coap::option::observe, 0);
  std::optional<Observed> observed;
  coap::ExchangeId id;
  on_event_ = [&](coap::Event& event) {
    if (observed) return;
    if (const auto* arrived = std::get_if<coap::ResponseArrived>(&event)) {
      const bool goes_on = on_notification(arrived->response, arrived->order, arrived->final);
      if (arrived->final) {
        observed = Observed{ObservationEnd::by_server, {}};
      } else if (!goes_on) {
        observed = Observed{ObservationEnd::by_caller, {}};
      }
    } else if (const auto* gone = std::get_if<coap::ExchangeGone>(&event)) {
      const bool is_of_access = access_layer_ && access_layer_->last_completed();
      Failure failure = is_of_access && !access_layer_->last_completed()->result
                            ? failure_of(*access_layer_->last_completed())
                            : Failure::of(exit_code_of(gone->reason), gone->reason, "observing");
      observed = Observed{ObservationEnd::by_error, std::move(failure)};
    }
  };
  const auto sent = observations_->request(peer_, std::move(operation.request),
                                           {operation.reliability, operation.timeout, {}}, loop_.now());
  if (!sent) {
    return {ObservationEnd::by_error, Failure::of(exit_code_of(sent.error()), sent.error(), "observing")};
  }
  id = *sent;
  sockets_->wake();
  // The layer of observations would begin anew, as after any loss.
  const auto is_revoked = [&] {
    const auto* last = access_layer_ && access_layer_->last_completed() ? &*access_layer_->last_completed() : nullptr;
    return last != nullptr && !last->result && last->result.error() == reason::held_token_revoked;
  };
  wait([&] { return observed.has_value() || is_revoked(); }, at_most.count() > 0 ? at_most : without_end);
  if (is_revoked()) {
    observations_->cancel(id);
    observed = Observed{ObservationEnd::by_error, failure_of(*access_layer_->last_completed())};
  }
  if (!observed) observed = Observed{signalled_ ? ObservationEnd::by_signal : ObservationEnd::by_time, {}};
  if (observed->end != ObservationEnd::by_server && observed->end != ObservationEnd::by_error) {
    if (access_) {
      observations_->cancel(id);  // closing the session, which follows, ends it at the server
    } else {
      signalled_ = false;  // a second signal ends the wait
      observations_->deregister(id, loop_.now());
      sockets_->wake();
      wait([&] { return stack_.endpoint().occupancy().requests == 0; }, farewell);
    }
  }
  on_event_ = nullptr;
  return std::move(*observed);
}

Outcome<> ClientRun::Host::ping(const PingWish& wish, const OnPing& on_ping) {
  coap::Peer peer = peer_;
  if (peer.transport == coap::Transport::dtls) {
    // Any request brings the session about, whatever the answer; this one everybody understands.
    ace::dtls::Operation operation;
    operation.request.options.add_path("/.well-known/core");
    operation.timeout = std::max<std::chrono::nanoseconds>(wish.timeout, std::chrono::seconds(30));
    const auto completed = request(std::move(operation));
    peer.session = access_->session(0);
    if (peer.session == 0) {
      if (!completed.result) return std::unexpected(failure_of(completed));
      return std::unexpected(
          Failure::of(ExitCode::no_answer, Error(reason::session_closed_by_peer), "asking the server"));
    }
  }
  pinging_ = true;
  coap::ExchangeId awaited;
  bool is_open = false;
  std::optional<Instant> answered;
  on_event_ = [&](coap::Event& event) {
    const auto* gone = std::get_if<coap::ExchangeGone>(&event);
    if (gone == nullptr || gone->id != awaited) return;
    is_open = false;
    if (gone->reason == reason::coap_reset_by_peer) answered = latest_;
  };
  for (std::size_t number = 1; (wish.count == 0 || number <= wish.count) && !signalled_; ++number) {
    const Instant sent = loop_.now();
    answered.reset();
    if (const auto id = stack_.endpoint().ping(peer, wish.timeout, sent)) {
      awaited = *id;
      is_open = true;
      sockets_->wake();
      wait([&] { return !is_open; }, wish.timeout + grace);
    }
    if (is_open && signalled_) break;
    on_ping(number, answered ? std::optional(*answered - sent) : std::nullopt);
    if (number == wish.count) break;
    const auto rest = sent + wish.interval - loop_.now();
    if (rest.count() > 0) wait([] { return false; }, rest);
  }
  on_event_ = nullptr;
  return {};
}

ClientRun::ClientRun(std::unique_ptr<Host> host) : host_(std::move(host)) {}
ClientRun::~ClientRun() = default;

Outcome<ClientTarget> parse_target(const std::string& uri, const std::string& scope) {
  const auto parsed = coap::parse_uri(uri);
  if (!parsed) return std::unexpected(Failure::of(ExitCode::usage, parsed.error(), uri));
  ClientTarget target{uri, *parsed, {}, true};
  if (!scope.empty()) {
    auto wanted = parse_scope(scope);
    if (!wanted) return std::unexpected(wanted.error());
    target.scope = std::move(*wanted);
  }
  return target;
}

Outcome<std::chrono::nanoseconds> parse_seconds(double seconds, std::string_view flag) {
  if (!(seconds > 0 && seconds <= 86400)) {
    return std::unexpected(Failure::usage(std::string(flag) + " takes seconds, more than 0 and at most 86400"));
  }
  return std::chrono::milliseconds(std::llround(std::ceil(seconds * 1000)));
}

Outcome<std::unique_ptr<ClientRun>> ClientRun::start(ClientTarget target, const Console& console,
                                                     const std::optional<coap::Parameters>& parameters) {
  // Without any configuration a plain server can still be asked, as with any CoAP client.
  const auto file = find_config(console.options());
  std::optional<std::size_t> server;
  std::optional<Config> config;
  if (file) {
    auto loaded = load_config(console.options());
    if (!loaded) return std::unexpected(loaded.error());
    config = std::move(*loaded);
    server = server_for(*config, target.uri);
  } else if (target.uri.secure || console.options().config) {
    return std::unexpected(file.error());
  }
  std::optional<ClientSettings> settings;
  std::optional<Address> address;
  if (server) {
    auto read = client_settings(*config, *server);
    if (!read) return std::unexpected(read.error());
    settings = std::move(*read);
    settings->access.extend_rights = target.extend_rights;
    if (target.scope) settings->access.servers.front().scope = std::move(target.scope);
  } else if (target.uri.secure) {
    return std::unexpected(Failure::of(ExitCode::configuration, Error(reason::server_unknown), target.uri_text));
  } else {
    const auto addresses = net::resolve(target.uri.host, target.uri.port);
    if (!addresses) return std::unexpected(Failure::of(ExitCode::no_answer, addresses.error(), target.uri.host));
    address = addresses->front();
  }
  auto capture = Capture::open(console);
  if (!capture) return std::unexpected(capture.error());
  MessageSettings messages = config ? message_settings(*config) : MessageSettings{};
  if (parameters) messages.parameters = *parameters;
  auto host = std::make_unique<Host>(std::move(*capture), messages);
  if (address) {
    host->start(*address);
  } else if (auto started =
                 host->start(std::move(settings->access), target.uri.secure, files_of(settings->tokens, console));
             !started) {
    return std::unexpected(Failure::of(ExitCode::configuration, started.error(), "[client]"));
  }
  return std::unique_ptr<ClientRun>(new ClientRun(std::move(host)));
}

Outcome<std::unique_ptr<ClientRun>> ClientRun::start(ClientSettings settings, const Console& console) {
  auto capture = Capture::open(console);
  if (!capture) return std::unexpected(capture.error());
  auto host = std::make_unique<Host>(std::move(*capture), MessageSettings{});
  if (auto started = host->start(std::move(settings.access), true, files_of(settings.tokens, console)); !started) {
    return std::unexpected(Failure::of(ExitCode::configuration, started.error(), "[client]"));
  }
  return std::unique_ptr<ClientRun>(new ClientRun(std::move(host)));
}

ace::dtls::Completed ClientRun::request(ace::dtls::Operation operation) { return host_->request(std::move(operation)); }
ace::dtls::Completed ClientRun::obtain_token(std::chrono::nanoseconds timeout) { return host_->obtain_token(timeout); }
const ace::client::HeldToken* ClientRun::token() const { return host_->token(); }
bool ClientRun::pause(std::chrono::nanoseconds how_long) { return host_->pause(how_long); }
ClientRun::Observed ClientRun::observe(ace::dtls::Operation operation, std::chrono::nanoseconds at_most,
                                       const OnNotification& on_notification) {
  return host_->observe(std::move(operation), at_most, on_notification);
}
Outcome<> ClientRun::ping(const PingWish& wish, const OnPing& on_ping) { return host_->ping(wish, on_ping); }
const Address& ClientRun::server() const { return host_->server(); }

Failure failure_of(const ace::dtls::Completed& completed) {
  const Error& error = completed.result.error();
  const std::string where = completed.stage == ace::dtls::Stage::probe   ? "asking what the server wants"
                            : completed.stage == ace::dtls::Stage::token ? "asking the authorization server for a token"
                            : completed.stage == ace::dtls::Stage::upload ? "uploading the token"
                                                                          : "asking the server";
  ExitCode code = exit_code_of(error);
  // An authorization server in trouble has refused nothing.
  const bool is_token_answer = completed.stage == ace::dtls::Stage::token;
  const bool is_pending = error == reason::approval_pending;
  if (completed.refused_with && !is_pending && (!is_token_answer || completed.refused_with->code_class() == 5)) {
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
  if (completed.retry_after) {
    failure.what += "; ask again in " + std::to_string(completed.retry_after->count()) + " s";
  }
  if (error == reason::approval_pending) return failure;
  if (completed.refused_with) {
    failure.what += ": " + completed.refused_with->to_string();
    const bool is_passing =
        *completed.refused_with == coap::code::too_many_requests || completed.refused_with->code_class() == 5;
    if (is_passing) failure.check = "nothing is wrong with the request: try again later";
  }
  return failure;
}

}  // namespace aceward::app
