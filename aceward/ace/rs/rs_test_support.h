// Tests only: a layer without a network, bindings without sessions, and resources that remember.
#pragma once

#include <deque>
#include <map>
#include <utility>
#include <vector>

#include "aceward/ace/rs/reasons.h"
#include "aceward/ace/rs/resource_server.h"
#include "aceward/ace/token/test_issuer.h"
#include "aceward/coap/reasons.h"

namespace aceward::ace::rs::testing {

using ace::testing::must;
using ace::testing::p256_public_key;
using ace::testing::symmetric_key;
using ace::testing::test_now;
using ace::testing::TestIssuer;

inline coap::Peer plain_peer(std::uint8_t host = 1) {
  return {.transport = coap::Transport::udp, .remote = Address::v4(192, 0, 2, host, 40000), .local = {}};
}
inline coap::Peer session_peer(std::uint64_t session) {
  return {
      .transport = coap::Transport::dtls, .remote = Address::v4(192, 0, 2, 1, 40000), .local = {}, .session = session};
}

inline coap::Request make_request(coap::Code method, std::string_view path) {
  coap::Request request{.method = method, .options = {}, .payload = {}};
  request.options.add_path(path);
  return request;
}
inline coap::Request token_post(Bytes token) {
  auto request = make_request(coap::code::post, "/authz-info");
  request.options.set_content_format(coap::content_format::cwt);
  request.payload = std::move(token);
  return request;
}

class FakeBindings final : public ChannelBindings {
 public:
  const Binding* binding_of(const coap::Peer& peer) const override {
    const auto found = bindings.find(peer.session);
    return found == bindings.end() ? nullptr : &found->second;
  }
  std::map<std::uint64_t, Binding> bindings;
};

/// Lives on while resource servers come and go.
class RememberedSequences final : public ExpiredSequences {
 public:
  std::optional<std::uint64_t> highest(const std::string& issuer) const override {
    const auto found = numbers.find(issuer);
    return found == numbers.end() ? std::nullopt : std::optional(found->second);
  }
  Result<> raise(const std::string& issuer, std::uint64_t sequence) override {
    if (fails) return fail(reason::token_store_full);
    ++writes;
    numbers[issuer] = std::max(numbers[issuer], sequence);
    return {};
  }
  std::map<std::string, std::uint64_t> numbers;
  bool fails = false;
  int writes = 0;
};

/// An authorization server that answers when the test says so.
class FakeIntrospector final : public Introspector {
 public:
  const std::string& iss() const override { return name; }
  Result<QueryId> ask(BytesView token, Instant) override {
    if (is_away) return fail(reason::introspection_unavailable);
    asked.push_back(to_bytes(token));
    return QueryId{++last_};
  }
  std::optional<Answer> next_answer() override {
    if (answers_.empty()) return std::nullopt;
    Answer answer = std::move(answers_.front());
    answers_.pop_front();
    return answer;
  }
  /// The answer to the latest question, or to one before it.
  void say(std::optional<cwt::Claims> claims, std::uint64_t before = 0) {
    answers_.push_back({QueryId{last_ - before}, std::move(claims)});
  }
  void say_nothing() { answers_.push_back({QueryId{last_}, fail(reason::introspection_unavailable)}); }

  std::string name = "coaps://as.example";
  bool is_away = false;
  std::vector<Bytes> asked;

 private:
  std::uint64_t last_ = 0;
  std::deque<Answer> answers_;
};

class FakeLayer final : public coap::Layer {
 public:
  struct Sent {
    coap::ExchangeId id;
    coap::Response response;
  };
  coap::ExchangeId arrive(const coap::Peer& peer, coap::Request request) {
    const coap::ExchangeId id{++last_id_};
    events_.push_back(coap::RequestArrived{id, peer, std::move(request)});
    return id;
  }
  void lose(coap::ExchangeId id) { events_.push_back(coap::ExchangeGone{id, Error(reason::coap_reset_by_peer)}); }

  Result<coap::ExchangeId> request(const coap::Peer&, coap::Request, coap::Delivery, Instant) override {
    return coap::ExchangeId{++last_id_};
  }
  void respond(coap::ExchangeId id, coap::Response response, coap::Delivery, Instant) override {
    sent.push_back({id, std::move(response)});
  }
  void cancel(coap::ExchangeId id) override { canceled.push_back(id); }
  std::optional<coap::Event> next_event(Instant) override {
    if (events_.empty()) return std::nullopt;
    coap::Event event = std::move(events_.front());
    events_.pop_front();
    return event;
  }

  std::vector<Sent> sent;
  std::vector<coap::ExchangeId> canceled;

 private:
  std::uint64_t last_id_ = 0;
  std::deque<coap::Event> events_;
};

/// Answers at once with its name, or not at all when told to wait.
class NamedResource final : public GuardedResource {
 public:
  explicit NamedResource(std::string name) : name_(std::move(name)) {}
  void handle(coap::ExchangeId id, const AuthorizedRequest& request, coap::Responder& responder) override {
    ++calls;
    last_entry = request.entry();
    if (waits) {
      waiting.push_back(id);
      return;
    }
    responder.respond(id, coap::make_response(coap::code::content, coap::content_format::text_plain, to_bytes(name_)));
  }

  int calls = 0;
  bool waits = false;
  EntryId last_entry;
  std::vector<coap::ExchangeId> waiting;

 private:
  std::string name_;
};

}  // namespace aceward::ace::rs::testing
