#include "app/loadgen/run.h"

#include <sys/resource.h>

#include <algorithm>
#include <cmath>

#include "app/loadgen/schedule.h"

namespace aceward::app {

namespace {

using std::chrono::nanoseconds;

constexpr std::chrono::milliseconds tick{20};
constexpr std::chrono::milliseconds progress_interval{100};
/// Then what has arrived is looked at.
constexpr int starts_in_a_row = 64;

nanoseconds own_processor_time() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto of = [](const timeval& time) {
    return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
  };
  return of(usage.ru_utime) + of(usage.ru_stime);
}

class LoadRun {
 public:
  LoadRun(const LoadPlan& plan, net::LoadSockets& sockets, Random& random, const LoadWatch& watch)
      : plan_(plan), sockets_(sockets), watch_(watch), exchanges_(plan.exchange, plan.endpoints, random) {
    if (!plan_.credentials) return;
    sessions_.emplace(plan_.server, plan_.endpoints, plan_.handshakes_at_once, plan_.dtls, plan_.credentials,
                      LoadSessions::Ports{
                          [this](std::size_t i, BytesView datagram) { sockets_.send(i, datagram); },
                          [this](std::size_t i, BytesView octets, Instant now) { on_message(i, octets, now); },
                          [this](std::size_t i) { exchanges_.retire(i); },
                      });
  }

  LoadReport run() {
    if (sessions_) connect();
    measure();
    if (sessions_) {
      report_.sessions = sessions_->established();
      report_.sessions_failed = sessions_->failed();
      report_.sessions_lost = sessions_->lost();
      report_.session_failure = sessions_->first_failure();
      report_.cipher_suite = sessions_->cipher_suite();
      report_.handshakes = sessions_->handshakes();
      sessions_->close_all(clock_.now());
    }
    report_.counts = exchanges_.counts();
    report_.unexpected_code = exchanges_.unexpected_code();
    report_.datagrams = sockets_.counters();
    return std::move(report_);
  }

 private:
  void connect() {
    while (true) {
      const Instant now = clock_.now();
      if (now >= next_tick_) on_tick(now);
      if (sessions_->settled()) break;
      wait(next_tick_ - now);
    }
    for (std::size_t i = 0; i < plan_.endpoints; ++i) {
      if (!sessions_->usable(i)) exchanges_.retire(i);
    }
    if (watch_.sessions_made) watch_.sessions_made();
  }

  void measure() {
    const Instant start = clock_.now();
    window_start_ = start + plan_.warm_up;
    if (plan_.rate) schedule_.emplace(start, *plan_.rate, plan_.burst);
    phase_ = LoadPhase::warming_up;
    while (exchanges_.usable() > 0) {
      const Instant now = clock_.now();
      if (phase_ == LoadPhase::warming_up && now >= window_start_) begin_window(now);
      if (phase_ == LoadPhase::measuring && window_is_over(now)) end_window(now);
      const Instant wake = start_what_is_due(now);
      if (now >= next_tick_) on_tick(now);
      if (phase_ == LoadPhase::draining) {
        if (exchanges_.in_flight() == 0 && nothing_is_left()) break;
        if (now >= drain_end_) break;
      }
      wait(std::min(wake, next_tick_) - now);
    }
    if (phase_ != LoadPhase::draining) end_window(clock_.now());
    if (schedule_) report_.unsent = due_in_window() - std::min(due_in_window(), next_);
  }

  void begin_window(Instant now) {
    phase_ = LoadPhase::measuring;
    if (schedule_) {
      // What is meant to leave from here on counts, even if this is noticed a little late.
      while (schedule_->intended(first_counted_) < window_start_) ++first_counted_;
    }
    window_start_ = now;
    answered_before_ = exchanges_.counts().answered;
    processor_time_before_ = own_processor_time();
    if (watch_.window_begins) watch_.window_begins();
  }

  bool window_is_over(Instant now) const {
    if (plan_.duration) return now >= window_start_ + *plan_.duration;
    return counted_started_ >= *plan_.requests && exchanges_.in_flight() == 0;
  }

  void end_window(Instant now) {
    if (watch_.window_ends) watch_.window_ends();
    report_.window = now - window_start_;
    report_.answered_in_window = exchanges_.counts().answered - answered_before_;
    report_.own_processor_time = own_processor_time() - processor_time_before_;
    window_end_ = now;
    drain_end_ = now + plan_.exchange.timeout;
    phase_ = LoadPhase::draining;
  }

  /// Open loop: how many requests were meant to leave before the end.
  std::uint64_t due_in_window() const {
    if (plan_.requests) return first_counted_ + *plan_.requests;
    auto number = static_cast<std::uint64_t>(
        std::max(0.0, std::chrono::duration<double>(window_end_ - window_start_).count() * *plan_.rate));
    number += first_counted_;
    while (schedule_->intended(number) < window_end_) ++number;
    while (number > first_counted_ && schedule_->intended(number - 1) >= window_end_) --number;
    return number;
  }

  bool nothing_is_left() const { return !schedule_ || next_ >= due_in_window(); }

  bool may_start() const {
    if (phase_ == LoadPhase::draining) return schedule_ && next_ < due_in_window();
    return !(phase_ == LoadPhase::measuring && plan_.requests && counted_started_ >= *plan_.requests);
  }

  /// Returns when there may be more to start, as far as that is known now.
  Instant start_what_is_due(Instant now) {
    for (int i = 0; i < starts_in_a_row; ++i) {
      if (!may_start()) return Instant::max();
      Instant intended = now;
      if (schedule_) {
        intended = schedule_->intended(next_);
        if (now < intended) return intended;
      } else if (exchanges_.in_flight() >= *plan_.outstanding) {
        return Instant::max();
      }
      const auto free = exchanges_.next_free();
      if (!free) return Instant::max();
      if (*free > now) {
        report_.held_back = report_.held_back || !schedule_;
        return *free;
      }
      const bool counted = phase_ != LoadPhase::warming_up && (!schedule_ || next_ >= first_counted_);
      const std::size_t endpoint = exchanges_.start(intended, now, counted);
      ++next_;
      if (counted) ++counted_started_;
      send(endpoint, exchanges_.datagram(endpoint), now);
    }
    return now;
  }

  void send(std::size_t endpoint, BytesView message, Instant now) {
    if (sessions_) {
      sessions_->send(endpoint, message, now);
    } else {
      sockets_.send(endpoint, message);
    }
  }

  void on_message(std::size_t endpoint, BytesView message, Instant now) {
    const auto received = exchanges_.receive(endpoint, message, now);
    if (!received.reply.empty()) send(endpoint, received.reply, now);
    if (received.finished && received.finished->counted) report_.latency.record(received.finished->latency);
  }

  void wait(nanoseconds at_most) {
    sockets_.wait(at_most, [this](std::size_t i, BytesView datagram) {
      const Instant now = clock_.now();
      if (sessions_) {
        sessions_->receive(i, datagram, now);
      } else {
        on_message(i, datagram, now);
      }
    });
  }

  void on_tick(Instant now) {
    next_tick_ = now + tick;
    if (sessions_) sessions_->on_timeout(now);
    exchanges_.on_timeout(now, [&](std::size_t i) { send(i, exchanges_.datagram(i), now); });
    if (!watch_.on_progress || now < next_progress_) return;
    next_progress_ = now + progress_interval;
    watch_.on_progress({phase_, share(now), exchanges_.counts().answered, exchanges_.counts().timeouts,
                        report_.latency.quantile(0.5)});
  }

  double share(Instant now) const {
    const auto part = [](nanoseconds done, nanoseconds all) {
      return all.count() <= 0
                 ? 1.0
                 : std::clamp(static_cast<double>(done.count()) / static_cast<double>(all.count()), 0.0, 1.0);
    };
    switch (phase_) {
      case LoadPhase::connecting:
        return static_cast<double>(sessions_->established() + sessions_->failed()) /
               static_cast<double>(plan_.endpoints);
      case LoadPhase::warming_up: return part(plan_.warm_up - (window_start_ - now), plan_.warm_up);
      case LoadPhase::measuring:
        if (plan_.duration) return part(now - window_start_, *plan_.duration);
        return static_cast<double>(counted_started_) / static_cast<double>(*plan_.requests);
      case LoadPhase::draining: break;
    }
    return 1;
  }

  const LoadPlan& plan_;
  net::LoadSockets& sockets_;
  const LoadWatch& watch_;
  SystemClock clock_;
  Exchanges exchanges_;
  std::optional<LoadSessions> sessions_;
  std::optional<Schedule> schedule_;
  LoadPhase phase_ = LoadPhase::connecting;
  Instant window_start_{};
  Instant window_end_{};
  Instant drain_end_{};
  Instant next_tick_{};
  Instant next_progress_{};
  std::uint64_t next_ = 0;           ///< number of the next request
  std::uint64_t first_counted_ = 0;  ///< open loop: number of the first request of the window
  std::uint64_t counted_started_ = 0;
  std::uint64_t answered_before_ = 0;
  nanoseconds processor_time_before_{0};
  LoadReport report_;
};

}  // namespace

std::optional<Objection> objection_to(const LoadPlan& plan) {
  const bool confirmable = plan.exchange.confirmable;
  if (plan.endpoints == 0) return Objection{"--endpoints takes 1 or more", ""};
  if (plan.rate.has_value() == plan.outstanding.has_value()) {
    return Objection{"one of --rate and --outstanding is needed", "--rate is an open loop, --outstanding a closed one"};
  }
  if (plan.requests.has_value() == plan.duration.has_value()) {
    return Objection{"one of --requests and --duration is needed", ""};
  }
  if (plan.requests && *plan.requests == 0) return Objection{"--requests takes 1 or more", ""};
  if (plan.burst == 0) return Objection{"--burst takes 1 or more", ""};
  if (plan.rate) {
    if (!(*plan.rate > 0 && *plan.rate <= 1e8)) return Objection{"--rate takes more than 0 requests a second", ""};
    const std::size_t needed = endpoints_needed(*plan.rate, confirmable, plan.exchange.parameters);
    if (plan.endpoints < needed) {
      return Objection{"an endpoint may send at most " +
                           std::to_string(most_requests_per_second(confirmable, plan.exchange.parameters)) +
                           " requests a second, as Message IDs may not come again sooner (RFC 7252 section 4.4)",
                       "this rate needs --endpoints " + std::to_string(needed) + " or more"};
    }
  }
  if (plan.outstanding && (*plan.outstanding == 0 || *plan.outstanding > plan.endpoints)) {
    return Objection{"an endpoint has one request under way (NSTART, RFC 7252 section 4.7)",
                     "--outstanding takes 1 to as many as there are --endpoints"};
  }
  return std::nullopt;
}

Result<LoadReport> run_load(const LoadPlan& plan, Random& random, const LoadWatch& watch) {
  const auto sockets = ACEWARD_TRY(net::LoadSockets::open(plan.server, plan.endpoints));
  return LoadRun(plan, *sockets, random, watch).run();
}

}  // namespace aceward::app
