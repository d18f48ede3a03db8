// A response body put together from its blocks, at the client.
#pragma once

#include <cstddef>
#include <optional>

#include "aceward/coap/blockwise/block_option.h"
#include "aceward/coap/layer.h"

namespace aceward::coap {

class ResponseBody {
 public:
  enum class Step : std::uint8_t {
    complete,
    more,
    changed,  ///< this block is of another representation than those before (RFC 7959 section 2.4)
  };

  /// A first response; what was collected before is dropped. `asked` is the block size that the request asked for.
  /// Errors: `coap_block_malformed`, `coap_block_size`, `coap_block_unexpected`, `coap_body_too_large`.
  Result<Step> begin(Response response, std::optional<Szx> asked, std::size_t limit);
  /// The answer to a request for next(). Errors: the same.
  Result<Step> add(const Response& response, std::size_t limit);

  /// Whether this is a further block of what begin() was given, by code, ETag and Content-Format.
  bool is_continued_by(const Response& response) const {
    return response.options.has(option::block2) && matches(response);
  }

  /// The block to ask for; `preferred` if that is smaller than what the server chose. nullopt if no number reaches it.
  std::optional<BlockOption> next(std::optional<Szx> preferred) const;

  /// Octets so far.
  std::size_t size() const { return head_.payload.size(); }
  /// Size2 of the first block, if it had one.
  std::optional<std::uint64_t> announced() const { return head_.options.find_uint(option::size2); }
  /// The whole, without Block2, with the Max-Age of the last block.
  Response take();

 private:
  bool matches(const Response& response) const;

  Response head_;
  Szx szx_;
};

}  // namespace aceward::coap
