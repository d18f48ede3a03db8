// What an authorization server with a store on disk issues and introspects, with a million tokens behind it; what a
// resource server takes at authz-info; and what a token costs in memory and on disk.
#include <malloc.h>
#include <unistd.h>

#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <mutex>

#include "aceward/ace/as/introspection_endpoint.h"
#include "aceward/ace/as/token_world.h"
#include "aceward/ace/params/introspection.h"
#include "aceward/ace/params/token_hash.h"
#include "aceward/ace/rs/authz_info.h"
#include "aceward/ace/token/test_issuer.h"
#include "aceward/coap/message/content_format.h"
#include "aceward/crypto/openssl/random.h"
#include "aceward/store/sqlite/store.h"
#include "bench/harness.h"

namespace aceward::bench {

namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;

/// A folder of its own on the disk that TMPDIR names, gone at the end.
class Folder {
 public:
  Folder() : path_(fs::temp_directory_path() / ("aceward-bench-" + std::to_string(::getpid()))) {
    fs::create_directories(path_);
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

/// What an event loop does for the store: runs its completions on this thread.
class Turns {
 public:
  store::Poster poster() {
    return [this](std::move_only_function<void()> work) {
      const std::lock_guard lock(mutex_);
      waiting_.push_back(std::move(work));
      there_is_work_.notify_one();
    };
  }
  void take_one() {
    std::move_only_function<void()> work;
    {
      std::unique_lock lock(mutex_);
      there_is_work_.wait(lock, [this] { return !waiting_.empty(); });
      work = std::move(waiting_.front());
      waiting_.pop_front();
    }
    work();
  }

 private:
  std::mutex mutex_;
  std::condition_variable there_is_work_;
  std::deque<std::move_only_function<void()>> waiting_;
};

constexpr WallTime now = ace::as::TokenWorld::now;
/// Requests that wait for the disk at a time: as many clients at once.
constexpr std::size_t at_once = 256;

ace::as::IssuedToken old_token(std::int64_t number, std::int64_t client, std::int64_t server) {
  ace::as::IssuedToken token;
  token.number = ace::as::TokenNumber(number);
  token.client_id = client;
  token.server_id = server;
  token.client = "alice";
  token.server = "thermometer";
  token.audience = "thermometer.example";
  token.scope = from_hex("6a72656164207772697465").value();
  token.key_id = {0x11};
  token.key_thumbprint = Bytes(32, static_cast<std::uint8_t>(number));
  token.pop_key = Secret(Bytes(75, 0x22));
  token.token_digest = Bytes(32, static_cast<std::uint8_t>(number >> 8));
  token.token_hash = Bytes(33, static_cast<std::uint8_t>(number >> 16));
  token.issued_at = now;
  token.expires_at = now + std::chrono::hours(24);
  return token;
}

/// A store with the records of the world and many live tokens.
class FilledStore {
 public:
  FilledStore(ace::as::TokenWorld& world, std::size_t tokens) : file_(folder_.path() / "store.db") {
    {
      store::Options quick;
      quick.durability = store::Durability::relaxed;
      quick.post = turns_.poster();
      quick.number_block = 100'000;
      quick.queue_limit = 2 * at_once;
      auto store = need(store::Store::open(file_, quick, random_), "store");
      for (const auto& client : world.clients) need(store->add_client_now(clone(client)), "client");
      for (const auto& server : world.servers) need(store->add_server_now(clone(server)), "server");
      const auto snapshot = need(store->registry(), "registry");
      // The store gives the rows numbers of its own.
      for (auto& client : world.clients) client.id = snapshot->client_by_name(client.name)->id;
      for (auto& server : world.servers) server.id = snapshot->server_by_name(server.name)->id;
      std::size_t waiting = 0;
      for (std::size_t i = 0; i < tokens; ++i) {
        const auto number = need(store->reserve_number(), "number");
        ++waiting;
        store->record(old_token(number.value, world.clients[0].id, world.servers[0].id), [&waiting](Result<> recorded) {
          need(std::move(recorded), "record");
          --waiting;
        });
        while (waiting >= at_once) turns_.take_one();
      }
      while (waiting > 0) turns_.take_one();
    }
    store::Options durable;
    durable.post = turns_.poster();
    durable.check_at_open = false;
    store_ = need(store::Store::open(file_, durable, random_), "store");
  }

  store::Store& store() { return *store_; }
  Turns& turns() { return turns_; }
  std::uintmax_t octets_on_disk() const { return fs::file_size(file_); }

 private:
  Folder folder_;
  fs::path file_;
  crypto::openssl::SystemRandom random_;
  Turns turns_;
  std::unique_ptr<store::Store> store_;
};

double nanoseconds_each(std::chrono::steady_clock::duration took, std::size_t times) {
  return static_cast<double>(std::chrono::duration_cast<std::chrono::nanoseconds>(took).count()) /
         static_cast<double>(times);
}

/// Wall-clock time, as the disk counts too; the best of a few series beside the best of the primitive in the same run.
void measure_issuing(Report& report, bool brief) {
  ace::as::TokenWorld world;
  const std::size_t stored = brief ? 2'000 : 1'000'000;
  const std::size_t series = brief ? 300 : 5'000;
  FilledStore filled(world, stored);
  const auto registry = need(filled.store().registry(), "registry");
  world.publish();
  ace::as::TokenEndpointConfig config;
  config.issuer = "coaps://as.example.com";
  config.requests.per_client = 0;
  config.live_tokens_per_client = 0;
  auto endpoint = need(ace::as::TokenEndpoint::create(std::move(config), world.as_key, world.random, filled.store()),
                       "token endpoint");
  endpoint.set_registry(world.publish());
  ace::TokenRequest wish;
  wish.audience = "thermometer.example";
  wish.scope = "read";
  wish.req_cnf = cwt::Confirmation(need(world.alice_key.public_part(), "public part"));
  const auto request = ace::as::TokenWorld::post(cbor::serialize(wish));
  const auto client = world.by_raw_key();
  const auto signer = need(crypto::make_signer(need(world.as_key.private_key(), "private key")), "signer");
  const Bytes message(200, 5);

  std::vector<Bytes> tokens;
  std::vector<double> signing, issuing, ratios;
  for (int round = 0; round < (brief ? 1 : 7); ++round) {
    auto began = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i < series; ++i) keep(need(signer->sign(message), "sign"));
    signing.push_back(nanoseconds_each(std::chrono::steady_clock::now() - began, series));
    began = std::chrono::steady_clock::now();
    std::size_t waiting = 0;
    for (std::size_t i = 0; i < series; ++i) {
      ++waiting;
      endpoint.process(client, request, now, [&](coap::Response response) {
        --waiting;
        if (response.code != coap::code::created) give_up("no token: " + response.code.to_string());
        if (tokens.size() < series)
          tokens.push_back(need(cbor::parse<ace::AccessInformation>(response.payload), "answer").access_token);
      });
      while (waiting >= at_once) filled.turns().take_one();
    }
    while (waiting > 0) filled.turns().take_one();
    issuing.push_back(nanoseconds_each(std::chrono::steady_clock::now() - began, series));
    ratios.push_back(issuing.back() / signing.back());
  }
  const std::string note = "wall-clock time; " + std::to_string(stored) + " tokens stored, synced, " +
                           std::to_string(at_once) + " requests at a time";
  report.add({.name = "ES256 signature, wall-clock", .value = median(signing), .compared_with = {}, .goal = {}});
  report.add({.name = "token issued and synced to disk",
              .value = median(issuing),
              .compared_with = "ES256 signature, wall-clock",
              .ratio = median(ratios),
              .goal = 1 / 0.35,
              .note = note});

  ace::as::IntrospectionEndpointConfig asking;
  asking.asks_per_second = 0;
  ace::as::IntrospectionEndpoint introspection(asking, filled.store());
  introspection.set_registry(world.publish());
  const ace::as::IntrospectionAsker server{.client = {},
                                           .server = ace::as::AuthenticationMint::server(world.server("thermometer"))};
  std::vector<double> introspecting, shares;
  std::size_t at = 0;
  for (int round = 0; round < (brief ? 1 : 7); ++round) {
    const auto began = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i < series; ++i) {
      ace::IntrospectionRequest question;
      question.token = tokens[at++ % tokens.size()];
      coap::Request asked = ace::as::TokenWorld::post(cbor::serialize(question));
      const auto answer = introspection.process(server, asked, now);
      if (answer.code != coap::code::content && answer.code != coap::code::created)
        give_up("no introspection: " + answer.code.to_string());
    }
    introspecting.push_back(nanoseconds_each(std::chrono::steady_clock::now() - began, series));
    shares.push_back(introspecting.back() / median(issuing));
  }
  report.add({.name = "token introspected",
              .value = median(introspecting),
              .compared_with = "token issued and synced to disk",
              .ratio = median(shares),
              .goal = 1.0 / 3,
              .note = "wall-clock time"});
  report.add({.name = "a token in the store's file",
              .value = static_cast<double>(filled.octets_on_disk()) / static_cast<double>(stored),
              .compared_with = {},
              .goal = {},
              .unit = "octets"});
}

void measure_authz_info(Report& report, bool brief) {
  ace::testing::TestIssuer issuer;
  // One token for each key, as clients have.
  const std::size_t count = brief ? 50 : 2'000;
  std::vector<coap::Request> uploads;
  for (std::size_t i = 0; i < count; ++i) {
    coap::Request request;
    request.method = coap::code::post;
    request.options.add_path("/authz-info");
    request.options.set_content_format(coap::content_format::cwt);
    request.payload = issuer.sign(issuer.claims_for(ace::testing::p256_public_key(1000 + i)));
    uploads.push_back(std::move(request));
  }
  const auto key = need(issuer.signing_key().private_key(), "private key");
  const Bytes message(200, 5);
  const Bytes signature = need(need(crypto::make_signer(key), "signer")->sign(message), "sign");
  const auto bare = need(crypto::make_verifier(key.public_key()), "verifier");
  auto verifier = need(ace::TokenVerifier::create(ace::testing::verifier_config(issuer)), "verifier");
  ace::rs::AuthzInfoLimits limits;
  limits.per_peer = 1'000'000'000;
  limits.in_all = 1'000'000'000;
  std::optional<ace::rs::TokenStore> store;
  std::optional<ace::rs::AuthzInfo> authz_info;
  const coap::Peer peer{.remote = Address::v4(192, 0, 2, 1, 40'000), .local = {}, .session = 0};
  std::size_t at = 0;
  const auto begin_anew = [&] {
    authz_info.reset();
    store.emplace(ace::rs::TokenStoreLimits{.tokens = 100'000, .tokens_per_issuer = 100'000});
    authz_info.emplace(verifier, *store, limits);
    at = 0;
  };
  begin_anew();
  const auto upload = [&] {
    const auto answer =
        authz_info->handle(peer, uploads[at++ % count], Instant(std::chrono::hours(1)), ace::testing::test_now);
    if (answer.response.code != coap::code::created) give_up("the token was not taken");
  };
  report.measure({{"ES256 verification, for authz-info", [&] { need(bare->verify(message, signature), "verify"); }},
                  {"token taken at authz-info", upload, begin_anew}},
                 {{1, 0, 1 / 0.7}});

  begin_anew();
  const auto before = mallinfo2();
  for (std::size_t i = 0; i < count; ++i) upload();
  const auto after = mallinfo2();
  report.add({.name = "a token in a resource server's memory",
              .value = (static_cast<double>(after.uordblks) - static_cast<double>(before.uordblks)) /
                       static_cast<double>(count),
              .compared_with = {},
              .goal = {},
              .unit = "octets",
              .note = "of the allocator, with what it adds"});
}

}  // namespace

void measure_issuance(Report& report, bool brief) {
  measure_issuing(report, brief);
  measure_authz_info(report, brief);
}

}  // namespace aceward::bench
