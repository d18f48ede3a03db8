// The options of `aceward loadgen`.
#include <CLI/CLI.hpp>

#include "app/commands/loadgen.h"

namespace aceward::app {

void add_loadgen_options(CLI::App& command, LoadgenOptions& options) {
  command.add_option("URI", options.uri, "What to ask for; coaps:// with keys, see below")->required();
  command.add_option("--endpoints", options.endpoints, "So many clients, each with a port (and a session) of its own")
      ->capture_default_str();
  CLI::Option* rate = command.add_option("--rate", options.rate,
                                         "Requests a second of all together, whatever becomes of them: an open loop");
  command
      .add_option("--outstanding", options.outstanding,
                  "So many requests under way, at most one an endpoint: a closed loop")
      ->excludes(rate);
  command.add_option("--burst", options.burst, "With --rate: so many leave together, the same number a second")
      ->capture_default_str();
  CLI::Option* requests = command.add_option("--requests", options.requests, "Ends after so many");
  command.add_option("--duration", options.duration, "Ends after so many seconds")->excludes(requests);
  command.add_option("--warm-up", options.warm_up, "So many seconds before, which are not measured")
      ->capture_default_str();
  command.add_option("--timeout", options.timeout, "A request is given up after so many seconds")
      ->capture_default_str();
  command.add_option("--method", options.method, "get, post, put, delete, fetch, patch or ipatch")
      ->capture_default_str();
  command.add_option("-d,--data", options.data, "The payload: TEXT, @FILE, or - for standard input, octet by octet")
      ->type_name("TEXT|@FILE|-");
  command.add_option("--content-format", options.content_format, "What the payload is, by name or number");
  command.add_flag("--non", options.non, "Send non-confirmable messages");
  command.add_option("--expect", options.expect, "The response code that is right")
      ->type_name("CODE")
      ->capture_default_str();
  command
      .add_option("--expect-payload", options.expect_payload,
                  "The payload that is right (default: that of the first response)")
      ->type_name("TEXT|@FILE|-");
  command.add_option("--psk-identity", options.psk_identity, "coaps: who the endpoints say they are");
  command.add_option("--psk", options.psk, "coaps: their pre-shared key, in hexadecimal")->type_name("file:PATH");
  command.add_option("--key", options.key, "coaps: their raw key pair (PEM)")->type_name("FILE");
  command.add_option("--server-key", options.server_key, "coaps: the server's raw public key (PEM)")->type_name("FILE");
}

}  // namespace aceward::app
