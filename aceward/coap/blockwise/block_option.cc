#include "aceward/coap/blockwise/block_option.h"

#include "aceward/coap/blockwise/reasons.h"

namespace aceward::coap {

std::optional<BlockOption> BlockOption::at(std::size_t offset, bool more, Szx szx) {
  const auto num = offset / szx.size();
  if (num > max_num) return std::nullopt;
  return BlockOption{static_cast<std::uint32_t>(num), more, szx};
}

Result<BlockOption> parse_block(BytesView value) {
  if (value.size() > 3) return fail(reason::coap_block_malformed, "length");
  const auto number = static_cast<std::uint32_t>(*parse_uint(value));
  if ((number & 7) == 7) return fail(reason::coap_block_malformed, "SZX 7");
  return BlockOption{number >> 4, (number & 8) != 0, Szx(number & 7)};
}

Result<std::optional<BlockOption>> find_block(const Options& options, OptionNumber number) {
  const auto value = options.find(number);
  if (!value) return std::nullopt;
  if (options.count(number) > 1) return fail(reason::coap_block_malformed, "twice");
  return ACEWARD_TRY(parse_block(*value));
}

void set_block(Options& options, OptionNumber number, const BlockOption& block) {
  options.set_uint(number, block.value());
}

}  // namespace aceward::coap
