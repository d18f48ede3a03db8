// `aceward observe`: every notification of a resource, until enough.
#include <cstdio>
#include <ctime>

#include "aceward/base/time.h"
#include "app/client/client_run.h"
#include "app/commands/commands.h"
#include "app/commands/request.h"
#include "app/response_text.h"

namespace aceward::app {

namespace {

/// `2026-11-21T20:45:31.123Z`.
std::string precise_time_text(std::chrono::sys_time<std::chrono::nanoseconds> time) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(time);
  const std::time_t seconds = whole.time_since_epoch().count();
  std::tm parts{};
  char text[40];
  if (::gmtime_r(&seconds, &parts) == nullptr || std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts) == 0) {
    return std::to_string(seconds);
  }
  char fraction[8];
  const auto milliseconds = std::chrono::floor<std::chrono::milliseconds>(time - whole).count();
  std::snprintf(fraction, sizeof fraction, ".%03dZ", static_cast<int>(milliseconds));
  return std::string(text) + fraction;
}

class NotificationPrinter {
 public:
  NotificationPrinter(const ObserveOptions& options, const Console& console) : options_(options), console_(console) {}

  /// Returns whether more are wanted.
  bool print(const coap::Response& response, std::optional<std::uint64_t> order, bool final) {
    final_ = final ? std::optional(response) : std::nullopt;
    if (final && response.code.is_error() && !console_.json()) return false;  // said in the end
    // A server that keeps no observers answers as to any GET.
    if (final && printed_ == 0) is_plain_answer_ = true;
    ++printed_;
    const std::string time = precise_time_text(SystemClock().precise_wall());
    if (console_.json()) {
      console_.out("{\"time\":" + json_quoted(time) + ",\"sequence\":" + (order ? std::to_string(*order) : "null") +
                   ",\"observing\":" + (final ? "false" : "true") + "," + response_members(response) + "}\n");
    } else {
      std::string text = time + " " + (order ? "#" + std::to_string(*order) : "-");
      if (options_.request.include) text += " " + headers_of(response);
      const std::string payload = shown_payload(response);
      const bool is_one_line = payload.find('\n') + 1 >= payload.size();
      if (!options_.request.include) text += is_one_line ? " " : "\n";
      text += payload;
      if (!text.ends_with('\n')) text += "\n";
      console_.out(text);
    }
    return options_.count == 0 || printed_ < options_.count;
  }

  const std::optional<coap::Response>& last() const { return final_; }
  bool is_plain_answer() const { return is_plain_answer_; }

 private:
  const ObserveOptions& options_;
  const Console& console_;
  std::uint64_t printed_ = 0;
  bool is_plain_answer_ = false;
  std::optional<coap::Response> final_;
};

}  // namespace

int run_observe(const ObserveOptions& options, const Console& console) {
  auto target = parse_target(options.request.uri, options.request.scope);
  if (!target) return console.fail(target.error());
  target->extend_rights = !options.request.no_extend;
  auto operation = operation_of(options.request, target->uri);
  if (!operation) return console.fail(operation.error());
  std::chrono::nanoseconds at_most{0};
  if (options.duration != 0) {
    const auto parsed = parse_seconds(options.duration, "--duration");
    if (!parsed) return console.fail(parsed.error());
    at_most = *parsed;
  }
  auto run = ClientRun::start(std::move(*target), console);
  if (!run) return console.fail(run.error());
  NotificationPrinter printer(options, console);
  const auto observed = (*run)->observe(std::move(*operation), at_most,
                                        [&](const coap::Response& response, std::optional<std::uint64_t> order,
                                            bool final) { return printer.print(response, order, final); });
  if (observed.failure) return console.fail(*observed.failure);
  if (observed.end != ClientRun::ObservationEnd::by_server) return 0;
  if (printer.last()->code.is_error()) {
    return console.json() ? static_cast<int>(exit_code_of(printer.last()->code))
                          : report_error(*printer.last(), (*run)->token() != nullptr, console);
  }
  console.note(printer.is_plain_answer() ? "aceward: this resource cannot be observed: that was its state of now"
                                         : "aceward: the server has ended the observation");
  return 0;
}

}  // namespace aceward::app
