#include "aceward/store/file/sequence_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "aceward/store/reasons.h"

namespace aceward::store {
namespace {

namespace fs = std::filesystem;

class SequenceFileTest : public ::testing::Test {
 protected:
  SequenceFileTest() {
    std::string pattern = (fs::temp_directory_path() / "aceward-sequences-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
    path_ = (folder_ / "exi").string();
  }
  ~SequenceFileTest() override { fs::remove_all(folder_); }

  std::string content() const {
    std::ifstream in(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void write(const std::string& octets) const { std::ofstream(path_, std::ios::binary) << octets; }

  fs::path folder_;
  std::string path_;
};

TEST_F(SequenceFileTest, RemembersTheHighestOfEachIssuer) {
  {
    auto file = SequenceFile::open(path_);
    ASSERT_TRUE(file);
    EXPECT_EQ(file->highest("a"), std::nullopt);
    ASSERT_TRUE(file->raise("a", 0));
    EXPECT_EQ(file->highest("a"), 0U);
    ASSERT_TRUE(file->raise("a", 7));
    ASSERT_TRUE(file->raise("a", 5));
    ASSERT_TRUE(file->raise("b", ~std::uint64_t{0}));
  }
  const auto again = SequenceFile::open(path_);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->highest("a"), 7U);
  EXPECT_EQ(again->highest("b"), ~std::uint64_t{0});
  EXPECT_FALSE(fs::exists(path_ + ".new"));
}

TEST_F(SequenceFileTest, IsItsOwnersAlone) {
  ASSERT_TRUE(SequenceFile::open(path_));
  struct stat status{};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  ASSERT_EQ(::chmod(path_.c_str(), 0620), 0);
  EXPECT_EQ(SequenceFile::open(path_).error(), reason::store_exposed);
}

TEST_F(SequenceFileTest, ADamagedFileIsReportedAndLeftAsItIs) {
  {
    auto file = SequenceFile::open(path_);
    ASSERT_TRUE(file->raise("a", 1000));
  }
  const std::string good = content();
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ 1);
    write(bad);
    EXPECT_EQ(SequenceFile::open(path_).error(), reason::store_damaged) << i;
    EXPECT_EQ(content(), bad);
    write(good.substr(0, i));
    EXPECT_EQ(SequenceFile::open(path_).error(), reason::store_damaged) << i;
  }
  write(good + '\0');
  EXPECT_EQ(SequenceFile::open(path_).error(), reason::store_damaged);
}

TEST_F(SequenceFileTest, WhatCannotBeWrittenIsNotTakenForWritten) {
  auto file = SequenceFile::open(path_);
  ASSERT_TRUE(file->raise("a", 1));
  fs::create_directory(path_ + ".new");
  EXPECT_EQ(file->raise("a", 2).error(), reason::store_unavailable);
  EXPECT_EQ(file->highest("a"), 1U);
  fs::remove(path_ + ".new");
  EXPECT_EQ(SequenceFile::open(path_)->highest("a"), 1U);
  EXPECT_TRUE(file->raise("a", 2));
}

TEST_F(SequenceFileTest, WhatACrashLeftBesideDoesNotMatter) {
  {
    ASSERT_TRUE(SequenceFile::open(path_)->raise("a", 3));
  }
  std::ofstream(path_ + ".new", std::ios::binary) << "half";
  auto file = SequenceFile::open(path_);
  ASSERT_TRUE(file);
  EXPECT_EQ(file->highest("a"), 3U);
  EXPECT_TRUE(file->raise("a", 4));
  EXPECT_EQ(SequenceFile::open(path_)->highest("a"), 4U);
}

TEST_F(SequenceFileTest, AFolderThatIsNotThereIsAnError) {
  EXPECT_EQ(SequenceFile::open((folder_ / "no" / "exi").string()).error(), reason::store_unavailable);
}

}  // namespace
}  // namespace aceward::store
