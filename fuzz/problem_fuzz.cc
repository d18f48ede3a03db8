// Concise Problem Details, and error payloads as a person is shown them.
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "aceward/coap/problem/problem_details.h"

namespace {

using namespace aceward;
using namespace aceward::coap;

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "violated: %s\n", what);
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const BytesView input(data, size);
  if (const auto problem = parse_problem_details(input)) {
    const auto written = serialize(*problem);
    const auto again = parse_problem_details(written);
    require(again.has_value() && *again == *problem, "what parses survives the round trip");
    require(serialize(*again) == written, "there is one way to write it");
    require(!problem->empty(), "there is an entry");
  }
  Response response{code::bad_request, {}, to_bytes(input)};
  for (const bool with_format : {false, true}) {
    if (with_format) response.options.set_content_format(content_format::concise_problem_details_cbor);
    for (const auto c : describe(error_payload(response))) {
      require(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f, "nothing reaches the terminal as a control");
    }
  }
  return 0;
}
