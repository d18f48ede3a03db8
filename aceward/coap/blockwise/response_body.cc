#include "aceward/coap/blockwise/response_body.h"

#include <algorithm>
#include <utility>

#include "aceward/coap/blockwise/reasons.h"

namespace aceward::coap {
namespace {

bool same_option(const Options& a, const Options& b, OptionNumber number) {
  const auto one = a.find(number);
  const auto other = b.find(number);
  return one.has_value() == other.has_value() && (!one || equal(*one, *other));
}

}  // namespace

Result<ResponseBody::Step> ResponseBody::begin(Response response, std::optional<Szx> asked, std::size_t limit) {
  const auto block = ACEWARD_TRY(find_block(response.options, option::block2));
  head_ = std::move(response);
  if (!block) return Step::complete;
  if (block->num != 0) return fail(reason::coap_block_unexpected, "not the first");
  if (!block->more) return Step::complete;
  if (head_.payload.size() != block->szx.size()) return fail(reason::coap_block_size);
  if (asked && block->szx > *asked) return fail(reason::coap_block_unexpected, "larger than asked for");
  if (announced().value_or(0) > limit || size() >= limit) return fail(reason::coap_body_too_large);
  szx_ = block->szx;
  return Step::more;
}

Result<ResponseBody::Step> ResponseBody::add(const Response& response, std::size_t limit) {
  const auto block = ACEWARD_TRY(find_block(response.options, option::block2));
  // Without the option it is a whole body of its own.
  if (!block || !matches(response)) return Step::changed;
  if (block->offset() != size()) return fail(reason::coap_block_unexpected, "another number");
  if (block->more && block->szx > szx_) return fail(reason::coap_block_unexpected, "larger than asked for");
  if (block->more && response.payload.size() != block->szx.size()) return fail(reason::coap_block_size);
  if (response.payload.size() > limit - size()) return fail(reason::coap_body_too_large);
  szx_ = std::min(szx_, block->szx);
  head_.payload.insert(head_.payload.end(), response.payload.begin(), response.payload.end());
  // RFC 7959 section 2.10: a block updates the freshness of the whole.
  head_.options.remove(option::max_age);
  if (const auto age = response.options.find(option::max_age)) head_.options.add(option::max_age, *age);
  return block->more ? Step::more : Step::complete;
}

bool ResponseBody::matches(const Response& response) const {
  return response.code == head_.code && same_option(response.options, head_.options, option::etag) &&
         same_option(response.options, head_.options, option::content_format);
}

std::optional<BlockOption> ResponseBody::next(std::optional<Szx> preferred) const {
  return BlockOption::at(size(), false, preferred ? std::min(*preferred, szx_) : szx_);
}

Response ResponseBody::take() {
  head_.options.remove(option::block2);
  return std::exchange(head_, {});
}

}  // namespace aceward::coap
