// What the fast path promises: reading and writing without the heap.
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <new>

#include "aceward/cbor/schema.h"

namespace {
std::size_t allocations = 0;
}

void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace aceward::cbor_test {
struct Numbers {
  std::int64_t a = 0;
  std::optional<std::int64_t> b;
  std::string_view name;
  BytesView id;
};
}  // namespace aceward::cbor_test

template <>
struct aceward::cbor::Schema<aceward::cbor_test::Numbers> {
  using T = aceward::cbor_test::Numbers;
  static constexpr auto value = declare<T>("numbers", Unknown::ignore, required(1, "a", &T::a), optional(2, "b", &T::b),
                                           required(3, "name", &T::name), required(4, "id", &T::id));
};

namespace aceward::cbor {
namespace {

TEST(CborAllocation, ReadingAMapOfIntegersTakesNothingFromTheHeap) {
  Bytes octets;
  Writer writer(octets);
  writer.map(200);
  for (int i = 0; i < 200; ++i) writer.integer(i).integer(-i);
  const std::size_t before = allocations;
  Reader reader(octets);
  const std::size_t pairs = reader.map().value();
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < pairs; ++i) sum += reader.integer().value() + reader.integer().value();
  EXPECT_TRUE(reader.finish());
  EXPECT_EQ(allocations, before);
  EXPECT_EQ(sum, 0);
}

TEST(CborAllocation, ADeclaredMessageWithBorrowedMembersTakesNothingFromTheHeap) {
  const Bytes octets = from_hex("a60118640263616263036161044101186461621865f6").value_or(Bytes{});
  Bytes message;
  Writer(message)
      .map(5)
      .integer(1)
      .integer(100)
      .integer(2)
      .integer(7)
      .integer(3)
      .text_string("n")
      .integer(4)
      .byte_string(octets);
  Writer(message).integer(99).array(1).null();
  const std::size_t before = allocations;
  const auto numbers = parse<cbor_test::Numbers>(message);
  ASSERT_TRUE(numbers);
  EXPECT_EQ(numbers->b, 7);
  EXPECT_EQ(numbers->name, "n");
  std::array<std::uint8_t, 64> buffer{};
  Writer out(buffer);
  Codec<cbor_test::Numbers>::write(out, *numbers);
  EXPECT_FALSE(out.overflowed());
  EXPECT_EQ(allocations, before);
}

TEST(CborAllocation, SkippingATypicalMessageTakesNothingFromTheHeap) {
  Bytes octets;
  Writer writer(octets);
  writer.map(16);
  for (int i = 16; i > 0; --i) writer.integer(i).map(1).text_string("k").tag(1).integer(i);
  const std::size_t before = allocations;
  EXPECT_TRUE(Reader(octets).skip());
  EXPECT_EQ(allocations, before);
}

}  // namespace
}  // namespace aceward::cbor
