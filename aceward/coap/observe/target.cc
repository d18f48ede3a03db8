#include "aceward/coap/observe/target.h"

#include <algorithm>
#include <functional>
#include <string_view>

#include "aceward/coap/message/cache_key.h"

namespace aceward::coap {

Target target_of(const Peer& peer, const Request& request) {
  const auto payload = request.method == code::fetch ? BytesView(request.payload) : BytesView();
  return {peer, cache_key(request.method, request.options, {option::etag, option::block2}, payload)};
}

std::size_t TargetHash::operator()(const Target& target) const noexcept {
  return std::hash<Peer>{}(target.peer) * 0x9e3779b97f4a7c15U ^ std::hash<std::string_view>{}(as_text(target.key));
}

std::uint32_t max_age_of(const Response& response) {
  const auto seconds = response.options.find_uint(option::max_age);
  return seconds ? static_cast<std::uint32_t>(std::min<std::uint64_t>(*seconds, UINT32_MAX)) : 60;
}

}  // namespace aceward::coap
