// `aceward loadgen`: load on a CoAP server.
#include <unistd.h>

#include <cctype>
#include <cmath>
#include <cstdio>

#include "aceward/coap/message/uri.h"
#include "aceward/crypto/encoding.h"
#include "aceward/crypto/openssl/random.h"
#include "aceward/net/resolve.h"
#include "app/commands/commands.h"
#include "app/commands/loadgen.h"
#include "app/config/role_settings.h"
#include "app/key_files.h"
#include "app/loadgen/run.h"

namespace aceward::app {

namespace {

std::unexpected<Failure> load_usage(std::string what, std::string check = {}) {
  return std::unexpected(Failure::usage(std::move(what), std::move(check)));
}

Outcome<std::chrono::nanoseconds> seconds_of(double seconds, const char* flag) {
  if (!(seconds >= 0 && seconds <= 86'400)) return load_usage(std::string(flag) + " takes 0 to 86400 seconds");
  return std::chrono::nanoseconds(std::llround(seconds * 1e9));
}

Outcome<coap::Code> method_named(const std::string& name) {
  using namespace coap::code;
  for (const coap::Code method : {get, post, put, delete_, fetch, patch, ipatch}) {
    std::string own(method.name());
    for (char& letter : own) letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
    if (own == name) return method;
  }
  return load_usage("no method is called \"" + name + "\"", "get, post, put, delete, fetch, patch or ipatch");
}

/// `2.05`.
Outcome<coap::Code> code_of(const std::string& text) {
  unsigned code_class = 0;
  unsigned detail = 0;
  int end = 0;
  if (std::sscanf(text.c_str(), "%1u.%2u%n", &code_class, &detail, &end) != 2 ||
      static_cast<std::size_t>(end) != text.size() || code_class < 2 || code_class > 5 || detail > 31) {
    return load_usage("--expect " + text + " is not a response code", "write it like 2.05");
  }
  return coap::Code(code_class, detail);
}

Outcome<Bytes> load_payload(const std::string& data) {
  if (data != "-" && !data.starts_with("@")) return to_bytes(data);
  auto read = read_input(data == "-" ? data : data.substr(1));
  if (!read) return std::unexpected(read.error());
  return to_bytes(*read);
}

Outcome<Secret> octets_in(const std::filesystem::path& path, Exposure exposure) {
  auto content = read_file(path, exposure);
  if (!content) return load_usage(content.error().what, content.error().check);
  return std::move(*content);
}

Outcome<LoadSessions::Credentials> psk_credentials(const LoadgenOptions& options) {
  if (options.psk_identity.empty() || !options.psk.starts_with("file:")) {
    return load_usage("a pre-shared key needs both of its parts", "--psk-identity ID --psk file:PATH");
  }
  const std::string path = options.psk.substr(5);
  auto content = octets_in(path, Exposure::owner_only);
  if (!content) return std::unexpected(content.error());
  auto key = parse_symmetric_key(*content, path);
  if (!key) return load_usage(key.error().what, key.error().check);
  return [identity = options.psk_identity, key = std::make_shared<Secret>(std::move(*key))] {
    return tls::ClientCredentials(tls::PskClient{to_bytes(identity), key->clone()});
  };
}

Outcome<LoadSessions::Credentials> raw_key_credentials(const LoadgenOptions& options) {
  if (options.key.empty() || options.server_key.empty()) {
    return load_usage("raw public keys need both sides' keys", "--key FILE --server-key FILE");
  }
  const auto own_content = octets_in(options.key, Exposure::owner_only);
  if (!own_content) return std::unexpected(own_content.error());
  const auto server_content = octets_in(options.server_key, Exposure::anybody);
  if (!server_content) return std::unexpected(server_content.error());
  const auto own = parse_private_key(*own_content, options.key.string());
  if (!own) return load_usage(own.error().what, own.error().check);
  const auto server = parse_public_key(as_text(server_content->expose()), options.server_key.string());
  if (!server) return load_usage(server.error().what, server.error().check);
  const auto private_key = own->private_key();
  const auto public_key = server->public_key();
  if (!private_key || !public_key) return load_usage("one of the keys cannot be used", "make it with aceward keygen");
  auto pair = tls::RawKeyPair::from_key(*private_key);
  if (!pair) return std::unexpected(Failure::of(ExitCode::usage, pair.error(), options.key.string()));
  return [pair = std::move(*pair), expected = crypto::spki_der(*public_key)] {
    return tls::ClientCredentials(tls::RawKeyClient{pair, expected});
  };
}

Outcome<LoadSessions::Credentials> credentials_of(const LoadgenOptions& options, bool secure) {
  const bool psk = !options.psk_identity.empty() || !options.psk.empty();
  const bool raw_key = !options.key.empty() || !options.server_key.empty();
  if (!secure) {
    if (psk || raw_key) return load_usage("keys are for coaps:", "write the URI with coaps://");
    return LoadSessions::Credentials();
  }
  if (psk == raw_key) {
    return load_usage("coaps: needs a pre-shared key or raw public keys",
                      "--psk-identity ID --psk file:PATH, or --key FILE --server-key FILE");
  }
  return psk ? psk_credentials(options) : raw_key_credentials(options);
}

Outcome<LoadPlan> plan_of(const LoadgenOptions& options, const coap::Uri& uri) {
  LoadPlan plan;
  plan.endpoints = options.endpoints;
  plan.rate = options.rate;
  plan.burst = options.burst;
  plan.outstanding = options.outstanding;
  plan.requests = options.requests;
  const auto take = [](auto outcome, auto& into) -> Outcome<> {
    if (!outcome) return std::unexpected(outcome.error());
    into = std::move(*outcome);
    return {};
  };
  std::chrono::nanoseconds duration{};
  ExchangeSettings& exchange = plan.exchange;
  Outcome<> taken = take(seconds_of(options.warm_up, "--warm-up"), plan.warm_up);
  if (taken) taken = take(seconds_of(options.timeout, "--timeout"), exchange.timeout);
  if (taken && options.duration) taken = take(seconds_of(*options.duration, "--duration"), duration);
  if (taken) taken = take(method_named(options.method), exchange.request.method);
  if (taken) taken = take(code_of(options.expect), exchange.expected);
  if (taken && options.data) taken = take(load_payload(*options.data), exchange.request.payload);
  if (taken && options.expect_payload) {
    Bytes expected;
    taken = take(load_payload(*options.expect_payload), expected);
    exchange.expected_payload = std::move(expected);
  }
  if (taken) taken = take(credentials_of(options, uri.secure), plan.credentials);
  if (!taken) return std::unexpected(taken.error());
  if (exchange.timeout <= std::chrono::nanoseconds(0)) return load_usage("--timeout takes more than 0 seconds");
  if (options.duration) plan.duration = duration;
  exchange.confirmable = !options.non;
  if (auto added = coap::add_uri_options(uri, uri.port, exchange.request.options); !added) {
    return std::unexpected(Failure::of(ExitCode::usage, added.error(), options.uri));
  }
  if (!options.content_format.empty()) {
    const auto format = parse_content_format(options.content_format);
    if (!format) return load_usage("no Content-Format is called \"" + options.content_format + "\"");
    exchange.request.options.set_content_format(*format);
  }
  if (const auto objection = objection_to(plan)) return load_usage(objection->what, objection->check);
  return plan;
}

std::string duration_text(std::chrono::nanoseconds time) {
  char text[32];
  const auto count = static_cast<double>(time.count());
  if (count < 1e6) {
    std::snprintf(text, sizeof text, "%.1f us", count / 1e3);
  } else if (count < 1e9) {
    std::snprintf(text, sizeof text, "%.2f ms", count / 1e6);
  } else {
    std::snprintf(text, sizeof text, "%.2f s", count / 1e9);
  }
  return text;
}

bool error_is_terminal() { return ::isatty(STDERR_FILENO) == 1; }

/// Redrawn in place; erased at the end.
void draw(const LoadProgress& progress) {
  constexpr int width = 30;
  const char* const phase = progress.phase == LoadPhase::connecting   ? "handshakes"
                            : progress.phase == LoadPhase::warming_up ? "warming up"
                            : progress.phase == LoadPhase::measuring  ? "measuring "
                                                                      : "waiting   ";
  const int done = static_cast<int>(std::lround(progress.share * width));
  const std::string bar =
      std::string(static_cast<std::size_t>(done), '#') + std::string(static_cast<std::size_t>(width - done), '.');
  std::fprintf(stderr, "\r%s [%s] %3.0f %%  %llu answered, %llu missing, p50 %s\x1b[K", phase, bar.c_str(),
               progress.share * 100, static_cast<unsigned long long>(progress.answered),
               static_cast<unsigned long long>(progress.timeouts), duration_text(progress.median).c_str());
  std::fflush(stderr);
}

double in_seconds(std::chrono::nanoseconds time) { return std::chrono::duration<double>(time).count(); }

double per_second(const LoadReport& report) {
  return report.window.count() <= 0 ? 0 : static_cast<double>(report.answered_in_window) / in_seconds(report.window);
}

std::string latency_json(const LatencyHistogram& histogram) {
  std::string text = "{\"count\":" + std::to_string(histogram.count());
  const auto add = [&](const char* name, std::chrono::nanoseconds time) {
    char number[48];
    std::snprintf(number, sizeof number, ",\"%s\":%.3f", name, static_cast<double>(time.count()) / 1e3);
    text += number;
  };
  add("min", histogram.min());
  add("mean", histogram.mean());
  add("p50", histogram.quantile(0.5));
  add("p90", histogram.quantile(0.9));
  add("p99", histogram.quantile(0.99));
  add("p99_9", histogram.quantile(0.999));
  add("max", histogram.max());
  return text + "}";
}

std::string report_json(const LoadReport& report, const LoadgenOptions& options) {
  char head[256];
  std::snprintf(head, sizeof head, ",\"endpoints\":%zu,\"seconds\":%.6f,\"rate\":%.3f,\"own_processor_seconds\":%.6f",
                options.endpoints, in_seconds(report.window), per_second(report),
                in_seconds(report.own_processor_time));
  std::string text = "{\"uri\":" + json_quoted(options.uri) + head;
  const auto add = [&](const char* name, std::uint64_t value) {
    text += ",\"" + std::string(name) + "\":" + std::to_string(value);
  };
  const ExchangeCounts& counts = report.counts;
  add("sent", counts.sent);
  add("answered", counts.answered);
  add("retransmitted", counts.retransmitted);
  add("timeouts", counts.timeouts);
  add("unsent", report.unsent);
  add("resets", counts.resets);
  add("wrong_code", counts.wrong_code);
  add("wrong_payload", counts.wrong_payload);
  add("wrong_token", counts.wrong_token);
  add("wrong_message_id", counts.wrong_message_id);
  add("malformed", counts.malformed);
  add("duplicates", counts.duplicates);
  add("refused", report.datagrams.refused);
  add("octets_out", report.datagrams.octets_out);
  add("octets_in", report.datagrams.octets_in);
  text += std::string(",\"held_back\":") + (report.held_back ? "true" : "false");
  text += ",\"latency_us\":" + latency_json(report.latency);
  if (!report.cipher_suite.empty() || report.sessions_failed != 0) {
    text += ",\"dtls\":{\"sessions\":" + std::to_string(report.sessions) +
            ",\"failed\":" + std::to_string(report.sessions_failed) +
            ",\"lost\":" + std::to_string(report.sessions_lost) +
            ",\"cipher_suite\":" + json_quoted(report.cipher_suite) +
            ",\"handshake_us\":" + latency_json(report.handshakes) + "}";
  }
  return text + "}\n";
}

std::string report_text(const LoadReport& report, const LoadgenOptions& options) {
  const ExchangeCounts& counts = report.counts;
  std::string text;
  const auto line = [&](const std::string& label, const std::string& value) {
    text += label + std::string(label.size() < 14 ? 14 - label.size() : 1, ' ') + value + "\n";
  };
  const auto quantiles = [](const LatencyHistogram& histogram) {
    return "p50 " + duration_text(histogram.quantile(0.5)) + ", p90 " + duration_text(histogram.quantile(0.9)) +
           ", p99 " + duration_text(histogram.quantile(0.99)) + ", p99.9 " + duration_text(histogram.quantile(0.999)) +
           ", max " + duration_text(histogram.max());
  };
  char number[64];
  std::snprintf(number, sizeof number, "%.1f a second over %.2f s", per_second(report), in_seconds(report.window));
  line("answered", std::to_string(counts.answered) + " of " + std::to_string(counts.sent) + " from " +
                       std::to_string(options.endpoints) + " endpoints, " + number);
  line("latency", quantiles(report.latency));
  if (!report.cipher_suite.empty()) {
    line("handshakes",
         std::to_string(report.sessions) + ", " + report.cipher_suite + ", " + quantiles(report.handshakes));
  }
  const std::pair<const char*, std::uint64_t> rest[] = {{"retransmitted", counts.retransmitted},
                                                        {"timeouts", counts.timeouts},
                                                        {"unsent", report.unsent},
                                                        {"resets", counts.resets},
                                                        {"wrong code", counts.wrong_code},
                                                        {"wrong payload", counts.wrong_payload},
                                                        {"wrong token", counts.wrong_token},
                                                        {"wrong id", counts.wrong_message_id},
                                                        {"malformed", counts.malformed},
                                                        {"duplicates", counts.duplicates},
                                                        {"nobody there", report.datagrams.refused},
                                                        {"no session", report.sessions_failed},
                                                        {"lost sessions", report.sessions_lost}};
  for (const auto& [label, count] : rest) {
    if (count != 0) line(label, std::to_string(count));
  }
  std::snprintf(
      number, sizeof number, "%.0f %% of a processor",
      report.window.count() <= 0 ? 0.0 : 100 * in_seconds(report.own_processor_time) / in_seconds(report.window));
  line("itself", number);
  if (report.held_back) {
    line("held back", "by the reuse of Message IDs (RFC 7252 section 4.4): more --endpoints send more");
  }
  return text;
}

/// Done only if every request was answered, and as expected.
ExitCode exit_code_of_load(const LoadReport& report) {
  const ExchangeCounts& counts = report.counts;
  if (counts.answered == 0 && report.sessions_failed != 0) return exit_code_of(*report.session_failure);
  if (counts.wrong_payload + counts.wrong_token + counts.wrong_message_id + counts.malformed != 0) {
    return ExitCode::security;
  }
  if (report.unexpected_code) {
    return report.unexpected_code->is_success() ? ExitCode::security : exit_code_of(*report.unexpected_code);
  }
  if (counts.timeouts + counts.resets + report.unsent + report.sessions_failed != 0 || counts.answered == 0) {
    return ExitCode::no_answer;
  }
  return ExitCode::done;
}

}  // namespace

int run_loadgen(const LoadgenOptions& options, const Console& console) {
  const auto uri = coap::parse_uri(options.uri);
  if (!uri) return console.fail(Failure::of(ExitCode::usage, uri.error(), options.uri));
  auto plan = plan_of(options, *uri);
  if (!plan) return console.fail(plan.error());
  const auto addresses = net::resolve(uri->host, uri->port);
  if (!addresses) return console.fail(Failure::of(ExitCode::no_answer, addresses.error(), uri->host));
  plan->server = addresses->front();
  LoadWatch watch;
  const bool shows_progress = error_is_terminal() && !console.options().quiet;
  if (shows_progress) watch.on_progress = draw;
  crypto::openssl::SystemRandom random;
  const auto report = run_load(*plan, random, watch);
  if (shows_progress) std::fputs("\r\x1b[K", stderr);
  if (!report) return console.fail(Failure::of(ExitCode::configuration, report.error(), options.uri));
  console.out(console.json() ? report_json(*report, options) : report_text(*report, options));
  const ExitCode code = exit_code_of_load(*report);
  if (code != ExitCode::done && !console.json()) {
    if (report->unexpected_code) {
      console.note("aceward: the server answers " + report->unexpected_code->to_string());
    } else if (report->session_failure) {
      console.note("aceward: " + std::string(report->session_failure->reason().what) + " [" +
                   std::string(report->session_failure->id()) + "]");
    } else {
      console.note("aceward: not every request was answered as expected");
    }
  }
  return static_cast<int>(code);
}

}  // namespace aceward::app
