// Entity-tags (RFC 7252 section 5.10.6).
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>

#include "aceward/base/bytes.h"
#include "aceward/coap/message/content_format.h"
#include "aceward/coap/message/options.h"

namespace aceward::coap {

/// 1 to 8 octets that tell one representation of a resource from another. Opaque; held in place.
class ETag {
 public:
  static constexpr std::size_t max_size = 8;

  /// nullopt unless there are 1 to 8 octets.
  static std::optional<ETag> of(BytesView octets);
  /// The ETag option of a response; nullopt if there is none or its length is wrong.
  static std::optional<ETag> in(const Options& options);

  BytesView view() const { return BytesView(octets_).first(size_); }
  friend auto operator<=>(const ETag&, const ETag&) = default;

 private:
  ETag() = default;
  std::array<std::uint8_t, max_size> octets_{};
  std::uint8_t size_ = 0;
};

/// The tag of a representation: 8 octets of a hash (FNV-1a, 64 bits) over format and content. The same content has the
/// same tag again after a restart, and no state is kept. The hash is not cryptographic, since the tag guards against
/// mistakes only: who may write a resource can choose two contents with one tag, but could write either of them anyway.
ETag etag_of(BytesView content, ContentFormat format = content_format::octet_stream);

}  // namespace aceward::coap
