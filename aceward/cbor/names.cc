#include "aceward/cbor/names.h"

namespace aceward::cbor {

namespace {

std::shared_ptr<const Names> shared(Names names) { return std::make_shared<const Names>(std::move(names)); }

}  // namespace

Names& Names::key(std::int64_t number, std::string name) {
  keys[number].name = std::move(name);
  return *this;
}

Names& Names::key(std::int64_t number, std::string name, Names value) {
  keys[number] = {std::move(name), shared(std::move(value))};
  return *this;
}

Names& Names::text_key(std::string key, Names value) {
  text_keys[std::move(key)] = {{}, shared(std::move(value))};
  return *this;
}

Names& Names::value(std::int64_t number, std::string name) {
  values[number] = std::move(name);
  return *this;
}

Names& Names::place(std::string name) {
  places.push_back({std::move(name), nullptr});
  return *this;
}

Names& Names::place(std::string name, Names value) {
  places.push_back({std::move(name), shared(std::move(value))});
  return *this;
}

Names& Names::each_is(Names element) {
  each = shared(std::move(element));
  return *this;
}

}  // namespace aceward::cbor
