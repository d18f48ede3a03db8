// Requests for access that wait for the owner of a resource server.
#include "aceward/ace/as/reasons.h"
#include "aceward/store/sqlite/store_fixture.h"

namespace aceward::store {
namespace {

using ace::as::AccessRequest;
using ace::as::RequestBookLimits;
using ace::as::RequestNumber;
using ace::as::RequestState;

class StoreRequests : public StoreTest {
 protected:
  StoreRequests() : store_(open()) {
    c_ = store_->add_client_now(client_record("c"))->id;
    d_ = store_->add_client_now(client_record("d"))->id;
    auto server = server_record("s");
    server.owner = "olga";
    s_ = store_->add_server_now(std::move(server))->id;
    t_ = store_->add_server_now(server_record("t"))->id;
  }
  AccessRequest request(std::int64_t client, std::int64_t server, const std::string& scope = "read",
                        std::int64_t asked = 1000) const {
    AccessRequest made;
    made.client_id = client;
    made.server_id = server;
    made.scope = to_bytes(as_bytes(scope));
    made.scope.insert(made.scope.begin(), static_cast<std::uint8_t>(0x60 + scope.size()));
    made.first_asked = made.last_asked = at(asked);
    made.expires_at = at(asked + 1000);
    return made;
  }
  std::int64_t kept(AccessRequest made, RequestBookLimits limits = {}) {
    const auto number = store_->keep_now(std::move(made), limits);
    return number ? number->value : 0;
  }
  std::vector<std::int64_t> listed(const RequestFilter& filter) {
    std::vector<std::int64_t> numbers;
    const auto requests = store_->requests(filter);
    if (!requests) return {-1};
    for (const auto& found : *requests) numbers.push_back(found.number.value);
    return numbers;
  }
  std::unique_ptr<Store> store_;
  std::int64_t c_ = 0, d_ = 0, s_ = 0, t_ = 0;
};

using Listed = std::vector<std::int64_t>;

TEST_F(StoreRequests, OneIsKeptAndFoundAgainAfterReopening) {
  const auto given = request(c_, s_);
  const std::int64_t number = kept(given);
  ASSERT_GT(number, 0);
  store_.reset();
  store_ = open();
  const auto found = store_->find(c_, s_, given.scope, at(1999));
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->number.value, number);
  EXPECT_EQ((*found)->client, "c");
  EXPECT_EQ((*found)->server, "s");
  EXPECT_EQ((*found)->scope, given.scope);
  EXPECT_EQ((*found)->state, RequestState::waiting);
  EXPECT_EQ((*found)->times, 1u);
  EXPECT_EQ((*found)->first_asked, at(1000));
  EXPECT_EQ((*found)->expires_at, at(2000));
  EXPECT_EQ(*store_->find(c_, s_, given.scope, at(2000)), std::nullopt) << "at its end it is forgotten";
  EXPECT_EQ(*store_->find(d_, s_, given.scope, at(1000)), std::nullopt);
  EXPECT_EQ(*store_->find(c_, t_, given.scope, at(1000)), std::nullopt);
  EXPECT_EQ(*store_->find(c_, s_, request(c_, s_, "write").scope, at(1000)), std::nullopt);
}

TEST_F(StoreRequests, AskingAgainIsCountedAndKeepsItWaiting) {
  const std::int64_t number = kept(request(c_, s_));
  EXPECT_EQ(kept(request(c_, s_, "read", 1500)), number);
  const auto found = store_->request(RequestNumber(number));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->times, 2u);
  EXPECT_EQ(found->first_asked, at(1000));
  EXPECT_EQ(found->last_asked, at(1500));
  EXPECT_EQ(found->expires_at, at(2500));
  EXPECT_NE(kept(request(c_, s_, "read", 9000)), number) << "after its end it is another request";
}

TEST_F(StoreRequests, AreBoundedInAllAndPerClientAndTheExpiredMakeWay) {
  const RequestBookLimits limits{.in_all = 3, .per_client = 2};
  EXPECT_GT(kept(request(c_, s_, "a"), limits), 0);
  EXPECT_GT(kept(request(c_, s_, "b"), limits), 0);
  EXPECT_EQ(store_->keep_now(request(c_, s_, "e"), limits).error(), reason::requests_full);
  EXPECT_GT(kept(request(c_, s_, "a"), limits), 0) << "one that is there is counted all the same";
  EXPECT_GT(kept(request(d_, s_, "a"), limits), 0);
  EXPECT_EQ(store_->keep_now(request(d_, s_, "b"), limits).error(), reason::requests_full);
  EXPECT_GT(kept(request(c_, s_, "e", 2000), limits), 0);
  EXPECT_EQ(listed({}).size(), 1u) << "those that ended at 2000 are gone";
}

TEST_F(StoreRequests, AnApprovalIsARuleAndTheRequestIsGone) {
  const std::int64_t number = kept(request(c_, s_));
  ace::as::PolicyRule rule;
  rule.client = "d";  // whatever it says
  rule.server = "t";
  rule.lifetime = std::chrono::seconds(60);
  const auto added = store_->approve_request_now(RequestNumber(number), rule);
  ASSERT_TRUE(added) << added.error().id();
  const auto made = *store_->rule(added->name);
  EXPECT_EQ(made->client, "c");
  EXPECT_EQ(made->server, "s");
  EXPECT_EQ(made->text_scope, "read");
  EXPECT_EQ(made->lifetime, std::chrono::seconds(60));
  EXPECT_EQ(store_->request(RequestNumber(number)).error(), reason::record_missing);
  EXPECT_EQ(store_->approve_request_now(RequestNumber(number), rule).error(), reason::record_missing);
  EXPECT_EQ((*store_->registry())->rules().size(), 1u);
}

TEST_F(StoreRequests, AnApprovalMayGrantLessAndKnowsAif) {
  ace::as::PolicyRule less;
  less.text_scope = "look";
  const auto narrowed = store_->approve_request_now(RequestNumber(kept(request(c_, s_))), less);
  EXPECT_EQ((*store_->rule(narrowed->name))->text_scope, "look");
  auto aif = request(c_, t_);
  aif.scope = {0x42, 0x81, 0x80};
  const auto added = store_->approve_request_now(RequestNumber(kept(aif)), {});
  ASSERT_TRUE(added);
  EXPECT_EQ((*store_->rule(added->name))->aif_scope, (Bytes{0x81, 0x80}));
  auto none = request(d_, t_);
  none.scope.clear();
  const std::int64_t number = kept(none);
  EXPECT_EQ(store_->approve_request_now(RequestNumber(number), {}).error().detail(), "scope");
  EXPECT_TRUE(store_->request(RequestNumber(number))) << "a refused approval leaves it waiting";
}

TEST_F(StoreRequests, ADenialHoldsUntilItsEndHoweverOftenItIsAsked) {
  const auto given = request(c_, s_);
  const std::int64_t number = kept(given);
  ASSERT_TRUE(store_->deny_request_now(RequestNumber(number), at(1600)));
  EXPECT_EQ(kept(request(c_, s_, "read", 1500)), number);
  EXPECT_EQ((*store_->find(c_, s_, given.scope, at(1599)))->state, RequestState::denied);
  EXPECT_EQ(*store_->find(c_, s_, given.scope, at(1600)), std::nullopt);
  EXPECT_EQ(store_->deny_request_now(RequestNumber(77), at(1)).error(), reason::record_missing);
}

TEST_F(StoreRequests, AreListedByWhoOwnsAndWhoAsks) {
  EXPECT_EQ(kept(request(c_, s_)), 1);
  EXPECT_EQ(kept(request(c_, t_)), 2);
  EXPECT_EQ(kept(request(d_, s_)), 3);
  ASSERT_TRUE(store_->deny_request_now(RequestNumber(3), at(5000)));
  EXPECT_EQ(listed({}), (Listed{1, 2, 3}));
  EXPECT_EQ(listed({.client = "c"}), (Listed{1, 2}));
  EXPECT_EQ(listed({.server = "s"}), (Listed{1, 3}));
  EXPECT_EQ(listed({.owner = "olga"}), (Listed{1, 3}));
  EXPECT_EQ(listed({.state = RequestState::waiting}), (Listed{1, 2}));
  EXPECT_EQ(listed({.live_at = at(2000)}), (Listed{3}));
  EXPECT_EQ(listed({.after = RequestNumber(1), .limit = 1}), (Listed{2}));
  EXPECT_EQ(listed({.client = "nobody"}), Listed{-1});
  EXPECT_EQ(store_->requests({.limit = 0}).error(), reason::record_invalid);
}

TEST_F(StoreRequests, GoWithTheirClientAndTheirServer) {
  kept(request(c_, s_));
  kept(request(d_, s_));
  kept(request(d_, t_));
  ASSERT_TRUE(store_->remove_client_now("c"));
  EXPECT_EQ(listed({}), (Listed{2, 3}));
  ASSERT_TRUE(store_->remove_server_now("s"));
  EXPECT_EQ(listed({}), (Listed{3}));
  EXPECT_EQ(store_->keep_now(request(c_, t_), {}).error(), reason::record_missing);
}

TEST_F(StoreRequests, TheBookTellsWhenItIsDurable) {
  ace::as::RequestBook& book = *store_;
  RequestNumber number;
  book.keep(request(c_, s_), {}, [&](Result<RequestNumber> kept_as) { number = *kept_as; });
  EXPECT_EQ(number.value, 0) << "not inside the call";
  loop_.run_until([&] { return number.value != 0; });
  EXPECT_TRUE(store_->request(number));
}

}  // namespace
}  // namespace aceward::store
