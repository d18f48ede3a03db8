// `aceward-bench`: see README.md beside this file.
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string_view>

#include "bench/harness.h"

namespace {

constexpr std::string_view usage =
    "aceward-bench measures what the project's work costs, each figure beside its bare primitive.\n\n"
    "  --json FILE  also write the figures: name, value, unit, compared_with, ratio, goal\n"
    "  --brief      a fraction of the time, for a look whether everything still runs\n"
    "  --help\n";

}  // namespace

int main(int count, char** values) {
  const char* json_file = nullptr;
  bool brief = false;
  for (int i = 1; i < count; ++i) {
    if (std::strcmp(values[i], "--json") == 0 && i + 1 < count) {
      json_file = values[++i];
    } else if (std::strcmp(values[i], "--brief") == 0) {
      brief = true;
    } else if (std::strcmp(values[i], "--help") == 0) {
      std::fputs(usage.data(), stdout);
      return 0;
    } else {
      std::fputs(usage.data(), stderr);
      return 2;
    }
  }
  aceward::bench::Report report(brief ? 3 : 51, std::chrono::milliseconds(brief ? 2 : 8));
  measure_tokens(report);
  measure_coap(report);
  measure_handshakes(report);
  std::fputs(report.table().c_str(), stdout);
  if (json_file == nullptr) return 0;
  std::ofstream file(json_file);
  file << report.json();
  file.close();
  if (!file) aceward::bench::give_up("the report could not be written");
  return 0;
}
