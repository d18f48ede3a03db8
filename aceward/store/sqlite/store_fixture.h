// What the tests of this folder share: a directory that goes away, a loop that is turned by hand, and records.
#pragma once

#include <gtest/gtest.h>

#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "aceward/base/random.h"
#include "aceward/store/sqlite/database.h"
#include "aceward/store/sqlite/store.h"

namespace aceward::store {

class TemporaryDirectory {
 public:
  TemporaryDirectory() : path_(testing::TempDir() + "aceward-store-XXXXXX") {
    if (::mkdtemp(path_.data()) == nullptr) ADD_FAILURE() << "no temporary directory";
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  std::filesystem::path operator/(const char* name) const { return std::filesystem::path(path_) / name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// An event loop that a test turns: waits for what is posted, runs it on the calling thread.
class HandTurnedLoop {
 public:
  Poster poster() {
    return [this](std::move_only_function<void()> function) {
      const std::lock_guard lock(mutex_);
      posted_.push_back(std::move(function));
      come_.notify_one();
    };
  }
  void run_until(const std::function<bool()>& reached) {
    while (!reached()) {
      std::move_only_function<void()> next;
      {
        std::unique_lock lock(mutex_);
        if (!come_.wait_for(lock, std::chrono::seconds(60), [this] { return !posted_.empty(); })) {
          ADD_FAILURE() << "nothing was posted for a minute";
          return;
        }
        next = std::move(posted_.front());
        posted_.pop_front();
      }
      next();
    }
  }

 private:
  std::mutex mutex_;
  std::condition_variable come_;
  std::deque<std::move_only_function<void()>> posted_;
};

class StoreTest : public testing::Test {
 protected:
  Options fast() {
    Options options;
    options.durability = Durability::relaxed;  // no test here cuts the power
    options.post = loop_.poster();
    return options;
  }
  std::unique_ptr<Store> open(Options options) {
    auto store = Store::open(file(), std::move(options), random_);
    if (!store) {
      ADD_FAILURE() << store.error().id() << " " << store.error().detail();
      std::abort();
    }
    return std::move(*store);
  }
  std::unique_ptr<Store> open() { return open(fast()); }
  std::filesystem::path file() const { return directory_ / "as.db"; }

  TemporaryDirectory directory_;
  HandTurnedLoop loop_;
  SeededRandom random_{7};
};

inline ace::as::ClientRecord client_record(std::string name) {
  ace::as::ClientRecord client;
  client.name = std::move(name);
  return client;
}

inline ace::as::ServerRecord server_record(std::string name) {
  ace::as::ServerRecord server;
  server.audience = "aud-" + name;
  server.name = std::move(name);
  return server;
}

inline ace::as::ClientRecord full_client() {
  ace::as::ClientRecord client = client_record("thermostat");
  client.public_key = {0xa1, 0x01, 0x02};
  client.key_thumbprint = Bytes(32, 0x11);
  client.psk_identity = {0x00, 0xff};
  client.psk = Secret(Bytes(16, 0x22));
  return client;
}

inline ace::as::ServerRecord full_server() {
  ace::as::ServerRecord server = server_record("lock");
  server.audience = "urn:lock";
  server.public_key = {0xa1};
  server.token_key = Secret(Bytes(16, 0x33));
  server.token_key_id = {0x07};
  server.protection = ace::as::TokenProtection::encrypted_cwt;
  server.scope_format = ace::as::ScopeFormat::aif;
  server.accepts_asymmetric = false;
  server.accepts_symmetric = false;
  server.token_lifetime = std::chrono::seconds(60);
  return server;
}

inline ace::as::PolicyRule rule_record(std::string client, std::string server, std::string scope = "read") {
  ace::as::PolicyRule rule;
  rule.client = std::move(client);
  rule.server = std::move(server);
  rule.text_scope = std::move(scope);
  return rule;
}

inline WallTime at(std::int64_t seconds) { return WallTime(std::chrono::seconds(seconds)); }

/// Issued at 1000, expires at 2000, with the key identified by 0x01.
inline ace::as::IssuedToken token_record(std::int64_t number, std::int64_t client_id = 1, std::int64_t server_id = 1) {
  ace::as::IssuedToken token;
  token.number = ace::as::TokenNumber(number);
  token.client_id = client_id;
  token.server_id = server_id;
  token.client = "c";
  token.server = "s";
  token.scope = {0x64, 'r', 'e', 'a', 'd'};
  token.key_id = {0x01};
  token.key_thumbprint = Bytes(32, 0xab);
  token.pop_key = Secret(Bytes{0xa1, 0x01, 0x04});
  token.issued_at = at(1000);
  token.expires_at = at(2000);
  return token;
}

inline Bytes contents_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline void write_contents(const std::filesystem::path& path, BytesView contents) {
  std::ofstream(path, std::ios::binary).write(as_text(contents).data(), static_cast<std::streamsize>(contents.size()));
  std::filesystem::permissions(path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

/// A connection beside the store's own, as another process has.
inline Database open_beside(const std::filesystem::path& path) {
  auto database = Database::open(path, Database::Mode::write, {});
  if (!database) {
    ADD_FAILURE() << database.error().id();
    std::abort();
  }
  return std::move(*database);
}

}  // namespace aceward::store
