// Diagnostic notation both ways: octets to text and back, and arbitrary text.
#include <cstdlib>

#include "aceward/cbor/diagnostic.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace aceward;
  const BytesView input(data, size);
  const cbor::DiagnosticOptions options;

  cbor::Reader reader(input, options.limits, cbor::Strictness::well_formed);
  bool is_well_formed = true;
  while (is_well_formed && !reader.at_end()) is_well_formed = reader.skip().has_value();
  for (const bool indented : {false, true}) {
    const auto back = cbor::from_diagnostic(cbor::to_diagnostic(input, {.indented = indented}));
    if (is_well_formed && (!back || !equal(*back, input))) std::abort();
  }
  (void)cbor::to_diagnostic(input, {.elide_beyond = 3});

  std::size_t offset = 0;
  const auto octets = cbor::from_diagnostic(as_text(input), &offset);
  if (!octets) {
    if (offset > size || octets.error().detail().empty() != (octets.error() == reason::cbor_too_deep)) std::abort();
    return 0;
  }
  // What the text stands for can be shown, and reads back as the same.
  const auto again = cbor::from_diagnostic(cbor::to_diagnostic(*octets));
  if (!again || *again != *octets) std::abort();
  return 0;
}
