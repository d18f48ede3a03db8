// The list of options against a plain model of it, and the form that OSCORE encrypts.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <utility>
#include <vector>

#include "aceward/coap/message/message.h"
#include "aceward/coap/message/option_check.h"

namespace {

using namespace aceward;
using namespace aceward::coap;

void require(bool holds) {
  if (!holds) std::abort();
}

using Model = std::vector<std::pair<std::uint16_t, Bytes>>;

void compare(const Options& options, const Model& model) {
  require(options.size() == model.size());
  std::size_t octets = 0;
  for (std::size_t i = 0; i < model.size(); ++i) {
    require(options.at(i).number.value == model[i].first);
    require(equal(options.at(i).value, model[i].second));
    octets += model[i].second.size();
  }
  require(options.value_size() == octets);
}

void try_model(BytesView input) {
  Options options;
  Model model;
  const auto octet = [&input] {
    if (input.empty()) return std::uint8_t{0};
    const auto first = input[0];
    input = input.subspan(1);
    return first;
  };
  const auto add = [&](std::uint16_t number, Bytes value) {
    const auto place = std::ranges::upper_bound(model, number, {}, &Model::value_type::first);
    model.insert(place, {number, std::move(value)});
  };
  for (int step = 0; step < 200 && !input.empty(); ++step) {
    const auto operation = octet();
    const auto number = static_cast<std::uint16_t>(octet() % 32);
    const auto value = to_bytes(input.first(std::min<std::size_t>(operation >> 4, input.size())));
    switch (operation & 7U) {
      case 0:
      case 1:
        options.add(OptionNumber(number), value);
        add(number, value);
        break;
      case 2:
        std::erase_if(model, [&](const auto& one) { return one.first == number; });
        options.set(OptionNumber(number), value);
        add(number, value);
        break;
      case 3:
        require(options.remove(OptionNumber(number)) ==
                std::erase_if(model, [&](const auto& one) { return one.first == number; }));
        break;
      case 4:
        if (model.empty()) break;
        options.remove_at(number % model.size());
        model.erase(model.begin() + static_cast<std::ptrdiff_t>(number % model.size()));
        break;
      case 5: {  // a value that lies in the list itself
        if (model.empty()) break;
        const auto own = options.at(octet() % model.size()).value;
        add(number, to_bytes(own));
        options.add(OptionNumber(number), own);
        break;
      }
      case 6: {
        const auto found = options.find(OptionNumber(number));
        const auto expected = std::ranges::find(model, number, &Model::value_type::first);
        require(found.has_value() == (expected != model.end()));
        require(!found || equal(*found, expected->second));
        break;
      }
      default:
        options.clear();
        model.clear();
        break;
    }
    compare(options, model);
  }
  Bytes form;
  serialize_options_and_payload(options, as_bytes("p"), form);
  const auto parsed = parse_options_and_payload(form, {.options = 1000});
  require(parsed.has_value());
  compare(parsed->options, model);
}

void try_parse(BytesView input) {
  auto parsed = parse_options_and_payload(input);
  if (!parsed) return;
  Bytes form;
  serialize_options_and_payload(parsed->options, parsed->payload, form);
  const auto again = parse_options_and_payload(form);
  require(again && again->options == parsed->options && again->payload == parsed->payload);
  const auto before = parsed->options.size();
  if (!check_options(parsed->options, KnownOptions::in_requests())) {
    require(parsed->options.size() <= before);
    require(!check_options(parsed->options, KnownOptions::in_requests()));
    require(parsed->options.path().size() == parsed->options.count(option::uri_path));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try_parse(BytesView(data, size));
  try_model(BytesView(data, size));
  return 0;
}
