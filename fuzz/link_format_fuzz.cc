// Lists of links, URI references and filters. The first line of the input is a filter, the rest is the document.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>

#include "aceward/coap/links/filter.h"
#include "aceward/coap/links/link.h"
#include "aceward/coap/links/uri_reference.h"

namespace {

using namespace aceward;
using namespace aceward::coap;

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "violated: %s\n", what);
  std::abort();
}

void try_links(std::string_view document, const std::optional<links::Filter>& filter) {
  const auto strict = links::parse(document);
  const auto tolerant = links::parse(document, links::Reading::tolerant);
  if (!tolerant) {
    require(!tolerant.error().id().empty(), "a refusal has a reason");
    require(!strict, "who is strict takes no more than who is tolerant");
    return;
  }
  for (const auto& link : *tolerant) {
    if (filter) (void)filter->matches(link);
    (void)link.size_estimate();
    if (const auto resolved = links::resolve(link, "coap://h.example:61616/a/b?c")) {
      require(links::UriReference::parse(resolved->target).has_value(), "what is resolved is a URI");
      require(links::resolve(resolved->target, "coap://other/x") == resolved->target, "an absolute URI stays");
    }
  }
  if (!strict) return;
  require(*strict == *tolerant, "what is by the grammar reads alike");
  const auto written = links::serialize(*strict);
  require(links::parse(written) == strict, "what is by the grammar survives the round trip");
  require(links::serialize(*links::parse(written)) == written, "there is one way to write it");
  for (const auto& link : *strict) require(links::check(link).has_value(), "what was read passes its check");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto line_end = std::min(input.find('\n'), input.size());
  std::optional<links::Filter> filter;
  if (auto parsed = links::Filter::parse(input.substr(0, line_end))) filter = *std::move(parsed);
  try_links(input.substr(line_end == input.size() ? line_end : line_end + 1), filter);
  try_links(input, filter);
  return 0;
}
