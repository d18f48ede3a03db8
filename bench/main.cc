// `aceward-bench`: see README.md beside this file.
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string_view>

#include "bench/harness.h"
#include "bench/serve.h"

namespace {

constexpr std::string_view usage =
    "aceward-bench measures what the project's work costs, each figure beside its bare primitive.\n\n"
    "  --json FILE  also write the figures: name, value, unit, compared_with, ratio, goal\n"
    "  --brief      a fraction of the time, for a look whether everything still runs\n"
    "  --only PART  tokens, issuance, coap, handshakes or servers\n"
    "  --help\n";

}  // namespace

int main(int count, char** values) {
  // The servers that are measured are this program too, in processes of their own.
  if (count == 3 && std::strcmp(values[1], "serve") == 0) return aceward::bench::serve(values[2]);
  const char* json_file = nullptr;
  std::string_view only;
  bool brief = false;
  for (int i = 1; i < count; ++i) {
    if (std::strcmp(values[i], "--json") == 0 && i + 1 < count) {
      json_file = values[++i];
    } else if (std::strcmp(values[i], "--brief") == 0) {
      brief = true;
    } else if (std::strcmp(values[i], "--only") == 0 && i + 1 < count) {
      only = values[++i];
    } else if (std::strcmp(values[i], "--help") == 0) {
      std::fputs(usage.data(), stdout);
      return 0;
    } else {
      std::fputs(usage.data(), stderr);
      return 2;
    }
  }
  aceward::bench::Report report(brief ? 3 : 51, std::chrono::milliseconds(brief ? 2 : 8));
  const auto wanted = [only](std::string_view part) { return only.empty() || only == part; };
  if (wanted("tokens")) measure_tokens(report);
  if (wanted("issuance")) measure_issuance(report, brief);
  if (wanted("coap")) measure_coap(report);
  if (wanted("handshakes")) measure_handshakes(report);
  if (wanted("servers")) measure_servers(report, brief);
  std::fputs(report.table().c_str(), stdout);
  if (json_file == nullptr) return 0;
  std::ofstream file(json_file);
  file << report.json();
  file.close();
  if (!file) aceward::bench::give_up("the report could not be written");
  return 0;
}
