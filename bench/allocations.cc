#include "bench/allocations.h"

#include <atomic>
#include <cstdlib>
#include <new>

namespace aceward::bench {

namespace {

std::atomic<std::uint64_t> counted{0};

void* counting_allocate(std::size_t size) {
  // Load and store, not an atomic addition: one thread allocates, and the count must cost nothing.
  counted.store(counted.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  return std::malloc(size == 0 ? 1 : size);
}

void* counting_allocate(std::size_t size, std::align_val_t alignment) {
  counted.store(counted.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  const auto multiple = static_cast<std::size_t>(alignment);
  return std::aligned_alloc(multiple, (size + multiple - 1) / multiple * multiple);
}

}  // namespace

std::uint64_t allocations() { return counted.load(std::memory_order_relaxed); }

}  // namespace aceward::bench

void* operator new(std::size_t size) {
  if (void* memory = aceward::bench::counting_allocate(size)) return memory;
  throw std::bad_alloc();
}
void* operator new[](std::size_t size) { return operator new(size); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  if (void* memory = aceward::bench::counting_allocate(size, alignment)) return memory;
  throw std::bad_alloc();
}
void* operator new[](std::size_t size, std::align_val_t alignment) { return operator new(size, alignment); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return aceward::bench::counting_allocate(size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return aceward::bench::counting_allocate(size);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
