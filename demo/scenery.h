// What the story happens in: the servers with their threads, the keys, the owner's database.
#pragma once

#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <thread>
#include <type_traits>
#include <vector>

#include "aceward/ace/profile/dtls/client/access_client.h"
#include "app/roles/as_role.h"
#include "app/roles/rs_role.h"

namespace aceward::demo {

/// An event loop in a thread of its own.
class LoopThread {
 public:
  LoopThread() : thread_([this] { loop_.run(); }) {}
  ~LoopThread() {
    loop_.stop();
    thread_.join();
  }
  LoopThread(const LoopThread&) = delete;
  LoopThread& operator=(const LoopThread&) = delete;

  net::EventLoop& loop() { return loop_; }
  /// Calls `work` in the loop's thread and waits for what it returns.
  template <class Work>
  auto call(Work work) -> std::invoke_result_t<Work> {
    std::packaged_task<std::invoke_result_t<Work>()> task(std::move(work));
    auto result = task.get_future();
    loop_.post([&task] { task(); });
    return result.get();
  }

 private:
  net::EventLoop loop_;
  std::thread thread_;
};

/// A directory that goes with everything in it.
class TemporaryDirectory {
 public:
  /// Errors: `store_unavailable`.
  static Result<std::unique_ptr<TemporaryDirectory>> make();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  explicit TemporaryDirectory(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

inline constexpr std::string_view audience = "greenhouse";
/// How long client B's tokens live: long enough for a busy machine to use one, short enough to wait for its end.
inline constexpr std::chrono::seconds short_lifetime{4};

/// Servers of client A, and of client B: indices for Device.
inline constexpr std::size_t greenhouse = 0;
inline constexpr std::size_t impostor = 1;     // client A
inline constexpr std::size_t by_identity = 1;  // client B: the greenhouse again, with the token in the psk_identity

/// The servers run from `set` to the end. Everything but the servers belongs to the calling thread.
class Scenery {
 public:
  /// Starts the authorization server on a fresh database, and the resource servers. Registers nobody.
  static Result<std::unique_ptr<Scenery>> set(Random& random);
  ~Scenery();
  Scenery(const Scenery&) = delete;
  Scenery& operator=(const Scenery&) = delete;

  /// The owner's acts, through a connection of the owner's own to the database, as on the command line.
  Result<> register_all();
  Result<> allow_led();
  Result<> take_back_client_b();

  ace::dtls::AccessClientConfig client_a();
  ace::dtls::AccessClientConfig client_b();

  const Address& as() const { return as_address_; }
  const Address& rs_plain() const { return rs_plain_; }
  const Address& rs_secure() const { return rs_secure_; }
  std::string name_of(const Address& address) const;

  /// All secret octets of the scenery: what must never be printed.
  std::vector<Secret> secrets() const;

 private:
  Scenery(Random& random, cose::Key as_channel, cose::Key as_signing, cose::Key rs_channel, cose::Key client);

  Result<> start_as();
  Result<> start_rs();
  app::RsSettings rs_settings(std::string as_uri) const;
  std::string token_uri() const;
  ace::dtls::AsAccess as_access(bool raw_key) const;

  Random& random_;
  cose::Key as_channel_key_;
  cose::Key as_signing_key_;
  cose::Key rs_channel_key_;
  cose::Key client_a_key_;
  Secret token_key_;
  Secret client_b_psk_;
  std::unique_ptr<TemporaryDirectory> directory_;
  std::unique_ptr<store::Store> owner_;
  LoopThread as_thread_;
  LoopThread rs_thread_;
  std::unique_ptr<app::AsRole> as_;
  std::unique_ptr<app::RsRole> rs_;
  std::unique_ptr<app::RsRole> impostor_;
  Address as_address_;
  Address rs_plain_;
  Address rs_secure_;
  Address impostor_address_;
};

}  // namespace aceward::demo
