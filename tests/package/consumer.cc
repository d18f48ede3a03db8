#include <string>

#include "aceward/cbor/codec.h"

int main() {
  const aceward::Bytes octets = aceward::cbor::serialize(std::string("read"));
  const auto scope = aceward::cbor::parse<std::string>(octets);
  return aceward::to_hex(octets) == "6472656164" && scope == "read" ? 0 : 1;
}
