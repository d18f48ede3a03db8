// Runs a fuzz target over its seeds without a fuzzer, so that the test suite does it with any compiler. Each seed is
// tried whole and cut off after every octet, each time in a heap block of exactly that size: under AddressSanitizer a
// read past the end is then seen.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

// A seed longer than this is cut at this many places only, so that a large one does not take quadratic time.
constexpr std::size_t max_cuts = 512;

void run(const std::vector<std::uint8_t>& seed, std::size_t size) {
  const auto exact = std::make_unique<std::uint8_t[]>(size);
  std::copy_n(seed.begin(), size, exact.get());
  LLVMFuzzerTestOneInput(exact.get(), size);
}

int replay(const std::filesystem::path& folder) {
  std::size_t seeds = 0;
  std::size_t runs = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file() || entry.path().filename() == "README.md") continue;
    std::ifstream file(entry.path(), std::ios::binary);
    const std::vector<std::uint8_t> seed{std::istreambuf_iterator<char>(file), {}};
    const std::size_t step = 1 + seed.size() / max_cuts;
    for (std::size_t size = 0; size < seed.size(); size += step, ++runs) run(seed, size);
    run(seed, seed.size());
    ++runs;
    ++seeds;
  }
  std::printf("%s: %zu seeds, %zu runs\n", folder.c_str(), seeds, runs);
  return seeds > 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s FOLDER-OF-SEEDS\n", argv[0]);
    return 2;
  }
  try {
    return replay(argv[1]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", argv[1], error.what());
    return 1;
  }
}
