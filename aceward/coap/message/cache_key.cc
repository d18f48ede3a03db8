#include "aceward/coap/message/cache_key.h"

#include <algorithm>

namespace aceward::coap {

void cache_key(Code method, const Options& options, std::initializer_list<OptionNumber> interpreted, BytesView payload,
               Bytes& out) {
  out.clear();
  out.push_back(method.value);
  for (const auto [number, value] : options) {
    if (is_no_cache_key(number) || number == option::observe) continue;
    if (std::ranges::find(interpreted, number) != interpreted.end()) continue;
    // The length stands before the value, so no two lists of options have one form.
    out.push_back(static_cast<std::uint8_t>(number.value >> 8));
    out.push_back(static_cast<std::uint8_t>(number.value));
    for (const unsigned shift : {16U, 8U, 0U}) out.push_back(static_cast<std::uint8_t>(value.size() >> shift));
    out.insert(out.end(), value.begin(), value.end());
  }
  if (payload.empty()) return;
  // No option has the number 65535 and the greatest length at once: values end at 65804 octets.
  out.insert(out.end(), 5, 0xff);
  out.insert(out.end(), payload.begin(), payload.end());
}

Bytes cache_key(Code method, const Options& options, std::initializer_list<OptionNumber> interpreted,
                BytesView payload) {
  Bytes out;
  cache_key(method, options, interpreted, payload, out);
  return out;
}

}  // namespace aceward::coap
