#include "app/client/token_files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <thread>

namespace aceward::app {
namespace {

namespace fs = std::filesystem;

class TokenFilesTest : public testing::Test {
 protected:
  TokenFilesTest() {
    std::string path = (fs::temp_directory_path() / "aceward-tokens-XXXXXX").string();
    root_ = ::mkdtemp(path.data());
    folder_ = root_ / "state/tokens";
  }
  ~TokenFilesTest() override { fs::remove_all(root_); }

  static ace::client::CacheBinding binding(std::string_view server = "rs") {
    return {std::string(server), "house", "coaps://as.example.com/token", Bytes(32, 0x11)};
  }
  Secret token(std::uint8_t octet) const {
    ace::client::HeldToken held;
    held.access_token = Bytes(100, octet);
    held.kind = ace::client::PopKind::pre_shared_key;
    held.psk = cose::Key::symmetric(Secret(Bytes(16, octet))).value();
    held.psk->kid = Bytes{octet};
    held.key_id = {octet};
    held.obtained_at = now_;
    held.expires_at = now_ + std::chrono::hours(1);
    return ace::client::serialize_token(binding(), held, {}, true, now_, wall_);
  }
  fs::path only_file() const {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(folder_)) files.push_back(entry.path());
    return files.size() == 1 ? files.front() : fs::path();
  }
  static unsigned mode_of(const fs::path& path) {
    struct stat status{};
    ::stat(path.c_str(), &status);
    return status.st_mode & 07777;
  }

  static GlobalOptions quiet() {
    GlobalOptions options;
    options.quiet = true;
    return options;
  }

  GlobalOptions options_ = quiet();
  Console console_{options_};
  Instant now_{std::chrono::hours(5)};
  WallTime wall_{std::chrono::seconds(1'700'000'000)};
  fs::path root_, folder_;
};

TEST_F(TokenFilesTest, WhatIsSavedIsFoundAgainAndIsItsOwnersAlone) {
  TokenFiles files(folder_, console_);
  EXPECT_FALSE(files.load(binding(), now_, wall_));
  files.save(binding(), token(1).expose());
  EXPECT_EQ(mode_of(folder_), 0700U);
  ASSERT_FALSE(only_file().empty());
  EXPECT_EQ(mode_of(only_file()), 0600U);
  const auto cached = files.load(binding(), now_, wall_);
  ASSERT_TRUE(cached);
  EXPECT_EQ(cached->token.access_token, Bytes(100, 1));
  files.save(binding(), token(2).expose());
  EXPECT_EQ(files.load(binding(), now_, wall_)->token.access_token, Bytes(100, 2));
  EXPECT_FALSE(only_file().empty()) << "nothing is left behind";
}

TEST_F(TokenFilesTest, AFileThatOthersMayReadIsRefused) {
  TokenFiles files(folder_, console_);
  files.save(binding(), token(1).expose());
  ASSERT_EQ(::chmod(only_file().c_str(), 0640), 0);
  EXPECT_FALSE(files.load(binding(), now_, wall_));
  ASSERT_EQ(::chmod(only_file().c_str(), 0600), 0);
  ASSERT_EQ(::chmod(folder_.c_str(), 0755), 0);
  EXPECT_FALSE(files.load(binding(), now_, wall_));
  ASSERT_EQ(::chmod(folder_.c_str(), 0700), 0);
  EXPECT_TRUE(files.load(binding(), now_, wall_));
}

TEST_F(TokenFilesTest, NothingIsWrittenWhereOthersCanRead) {
  fs::create_directories(folder_);
  ASSERT_EQ(::chmod(folder_.c_str(), 0755), 0);
  TokenFiles(folder_, console_).save(binding(), token(1).expose());
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST_F(TokenFilesTest, ADamagedFileIsIgnoredAndReplaced) {
  TokenFiles files(folder_, console_);
  files.save(binding(), token(1).expose());
  fs::resize_file(only_file(), 20);
  EXPECT_FALSE(files.load(binding(), now_, wall_));
  std::ofstream(only_file(), std::ios::trunc) << std::string(100'000, 'x');
  EXPECT_FALSE(files.load(binding(), now_, wall_));
  files.save(binding(), token(2).expose());
  EXPECT_EQ(files.load(binding(), now_, wall_)->token.access_token, Bytes(100, 2));
}

TEST_F(TokenFilesTest, ServersAndKeysHaveFilesOfTheirOwn) {
  TokenFiles files(folder_, console_);
  files.save(binding(), token(1).expose());
  for (auto change : {+[](ace::client::CacheBinding& b) { b.server = "../../etc/passwd"; },
                      +[](ace::client::CacheBinding& b) { b.audience = "garage"; },
                      +[](ace::client::CacheBinding& b) { b.as_uri = "coaps://other/token"; },
                      +[](ace::client::CacheBinding& b) { b.client[0] = 0; }}) {
    ace::client::CacheBinding other = binding();
    change(other);
    EXPECT_FALSE(files.load(other, now_, wall_));
    files.save(other, token(3).expose());
  }
  EXPECT_EQ(files.load(binding(), now_, wall_)->token.access_token, Bytes(100, 1));
  EXPECT_EQ(files.list().size(), 5U);
}

TEST_F(TokenFilesTest, OnlyTheTokenThatIsMeantIsRemoved) {
  TokenFiles files(folder_, console_);
  files.save(binding(), token(2).expose());
  files.remove(binding(), Bytes(100, 1));
  EXPECT_TRUE(files.load(binding(), now_, wall_)) << "another process has stored a newer one";
  files.remove(binding(), Bytes(100, 2));
  EXPECT_FALSE(files.load(binding(), now_, wall_));
  EXPECT_TRUE(files.list().empty());
}

TEST_F(TokenFilesTest, WritersSideBySideLeaveOneWholeToken) {
  TokenFiles first(folder_, console_);
  first.save(binding(), token(1).expose());
  std::vector<std::thread> writers;
  for (std::uint8_t writer = 1; writer <= 4; ++writer) {
    writers.emplace_back([this, writer] {
      TokenFiles files(folder_, console_);
      const Secret octets = token(writer);
      for (int i = 0; i < 50; ++i) files.save(binding(), octets.expose());
    });
  }
  int missing = 0;
  for (int i = 0; i < 200; ++i) missing += first.load(binding(), now_, wall_) ? 0 : 1;
  for (std::thread& writer : writers) writer.join();
  EXPECT_EQ(missing, 0);
  EXPECT_FALSE(only_file().empty());
}

TEST(TokenFolder, IsWhereTheConfigurationSaysOrTheStateOfTheUser) {
  EXPECT_FALSE(token_folder("none"));
  EXPECT_EQ(token_folder("/var/lib/x"), fs::path("/var/lib/x"));
  ::setenv("XDG_STATE_HOME", "/state", 1);
  EXPECT_EQ(token_folder(""), fs::path("/state/aceward/tokens"));
  ::setenv("XDG_STATE_HOME", "relative", 1);
  ::setenv("HOME", "/users/u", 1);
  EXPECT_EQ(token_folder(""), fs::path("/users/u/.local/state/aceward/tokens"));
  ::unsetenv("HOME");
  EXPECT_FALSE(token_folder(""));
}

}  // namespace
}  // namespace aceward::app
