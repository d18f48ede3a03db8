// The reader and the value tree on arbitrary octets.
#include <cstdlib>

#include "aceward/cbor/value.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace aceward;
  const BytesView input(data, size);

  cbor::Reader strict(input);
  const auto item = strict.skip();
  cbor::Reader lenient(input, {}, cbor::Strictness::well_formed);
  const auto lenient_item = lenient.skip();
  // What protocols take is well-formed, and ends at the same place.
  if (item && (!lenient_item || item->size() != lenient_item->size())) std::abort();
  if (!item && item.error().id().empty()) std::abort();

  const auto value = cbor::Value::parse(input);
  if (value.has_value() != (item && strict.at_end())) std::abort();
  if (value) {
    // Preferred serialization leaves only the order of keys open: the deterministic form has the same size, and is
    // its own deterministic form.
    const Bytes again = value->serialize();
    if (again.size() != size) std::abort();
    const auto same = cbor::Value::parse(again);
    if (!same || same->serialize() != again) std::abort();
  }
  if (const auto any = cbor::Value::parse(input, {}, cbor::Strictness::well_formed)) {
    const Bytes again = any->serialize();
    const auto same = cbor::Value::parse(again, {}, cbor::Strictness::well_formed);
    if (!same || *same != *any) std::abort();
  }
  return 0;
}
