// `aceward loadgen`: what its command line asked for.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "app/console.h"

namespace CLI {
class App;
}

namespace aceward::app {

struct LoadgenOptions {
  std::string uri;
  std::size_t endpoints = 1;
  // One of the two.
  std::optional<double> rate;
  std::optional<std::size_t> outstanding;
  std::uint64_t burst = 1;
  // One of the two.
  std::optional<std::uint64_t> requests;
  std::optional<double> duration;
  double warm_up = 0;
  double timeout = 10;
  std::string method = "get";
  std::optional<std::string> data;
  std::string content_format;
  bool non = false;
  std::string expect = "2.05";
  std::optional<std::string> expect_payload;
  std::string psk_identity;
  std::string psk;  ///< `file:PATH`
  std::filesystem::path key;
  std::filesystem::path server_key;
};

/// Tells the parser of them; `options` outlives it.
void add_loadgen_options(CLI::App& command, LoadgenOptions& options);
int run_loadgen(const LoadgenOptions& options, const Console& console);

}  // namespace aceward::app
