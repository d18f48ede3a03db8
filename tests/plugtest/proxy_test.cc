// TD_COAP_CORE_24 to 29: a reverse proxy between client and server. Aceward has none yet, so the proxy here is one
// resource over our client: what is tested is that our client, cache and server can stand on either side of one.
#include <map>

#include "tests/plugtest/wire.h"

namespace aceward::plugtest {
namespace {

namespace code = coap::code;
namespace option = coap::option;
namespace content_format = coap::content_format;

const Address origin_address = Address::v4(192, 0, 2, 1, 5683);
const Address proxy_address = Address::v4(198, 51, 100, 1, 5683);
const Address asker_address = Address::v4(203, 0, 113, 9, 40000);

/// Sends on what it is asked, as the client of the server behind it, and answers what that answers.
class Forwarding final : public coap::Resource {
 public:
  Forwarding(coap::Client& behind, coap::Server& front) : behind_(behind), front_(front) {}
  void handle(coap::ExchangeId id, const coap::Peer&, const coap::Request& request,
              coap::Responder& responder) override {
    coap::Request forwarded = request;
    forwarded.options.remove(option::uri_host);
    const Instant now = responder.now();
    const auto sent = behind_.request(
        origin_address, std::move(forwarded),
        [this, id, now](Result<coap::Response> outcome) {
          auto answer = outcome ? std::move(*outcome) : coap::make_response(code::gateway_timeout);
          front_.layer().respond(id, std::move(answer), {}, now);
        },
        now);
    if (!sent) responder.respond(id, coap::make_response(code::bad_gateway));
  }
  std::span<const coap::Code> methods() const override { return methods_; }
  bool evaluates_preconditions() const override { return true; }

 private:
  coap::Client& behind_;
  coap::Server& front_;
  std::array<coap::Code, 4> methods_{code::get, code::put, code::post, code::delete_};
};

struct PlugtestProxy : ::testing::Test {
  PlugtestProxy() { proxy.router().add_tree({}, forwarding); }

  static coap::ServerConfig open_config() {
    coap::ServerConfig config;
    config.limits.unverified_answer = 0;
    config.well_known_core = false;
    return config;
  }
  static coap::ClientConfig caching_config() {
    coap::ClientConfig config;
    config.cache = coap::CacheLimits{};
    return config;
  }

  coap::Response ask(coap::Code method, const std::string& path, const std::string& payload = {},
                     const std::function<void(coap::Request&)>& adjust = {}) {
    const auto uri = coap::parse_uri("coap://198.51.100.1" + path).value();
    coap::Request request = coap::make_request(method, uri, proxy_address).value();
    request.payload = to_bytes(payload);
    if (!payload.empty()) request.options.set_content_format(content_format::text_plain);
    if (adjust) adjust(request);
    std::optional<Result<coap::Response>> answer;
    EXPECT_TRUE(client.request(
        proxy_address, std::move(request), [&](Result<coap::Response> outcome) { answer = std::move(outcome); }, now));
    for (bool moved = true; moved;) {
      moved = carry(client, asker_address, proxy) || carry_back(proxy, proxy_address, client);
      moved = carry(gateway, proxy_address, origin) || carry_back(origin, origin_address, gateway) || moved;
      // What the cache of the proxy answers comes without a datagram.
      gateway.on_timeout(now);
    }
    if (answer && *answer) return **answer;
    ADD_FAILURE() << "no answer";
    return {};
  }
  bool carry(coap::Client& from, const Address& address, coap::Server& to) {
    const auto out = from.next_datagram();
    if (!out) return false;
    if (&to == &origin) forwarded.push_back(coap::parse(out->datagram).value());
    to.receive(address, out->to.remote, out->datagram, now);
    return true;
  }
  bool carry_back(coap::Server& from, const Address& address, coap::Client& to) {
    const auto out = from.next_datagram();
    if (!out) return false;
    if (&from == &origin) answered.push_back(coap::parse(out->datagram).value());
    to.receive(address, out->to.remote, out->datagram, now);
    return true;
  }

  SeededRandom random{23};
  Instant now{std::chrono::hours(3)};
  coap::Client client{random};
  coap::Client gateway{random, caching_config()};
  coap::Server proxy{random, open_config()};
  coap::Server origin{random, open_config()};
  Resources resources{origin.router(), origin.observations()};
  Forwarding forwarding{gateway, proxy};
  std::vector<coap::Message> forwarded;  ///< between proxy and server
  std::vector<coap::Message> answered;
};

TEST_F(PlugtestProxy, TdCoapCore24) {
  const auto answer = ask(code::post, "/create2", "make it");
  ASSERT_EQ(forwarded.size(), 1U);
  EXPECT_EQ(forwarded[0].type, coap::Type::confirmable);
  EXPECT_EQ(forwarded[0].code, code::post);
  EXPECT_EQ(as_text(forwarded[0].payload), "make it");
  EXPECT_TRUE(forwarded[0].options.content_format());
  const std::vector<std::string_view> place{"location1", "location2", "location3"};
  EXPECT_EQ(answered[0].options.all_text(option::location_path), place);
  EXPECT_EQ(answer.code, code::created);
  EXPECT_EQ(answer.options.all_text(option::location_path), place);
}

TEST_F(PlugtestProxy, TdCoapCore25) {
  const auto answer = ask(code::post, "/location-query", "make it");
  ASSERT_EQ(forwarded.size(), 1U);
  EXPECT_EQ(forwarded[0].code, code::post);
  EXPECT_EQ(answer.code, code::created);
  EXPECT_EQ(answer.options.all_text(option::location_query), (std::vector<std::string_view>{"first=1", "second=2"}));
}

TEST_F(PlugtestProxy, TdCoapCore26) {
  for (const coap::ContentFormat format : {content_format::text_plain, coap::ContentFormat{41}}) {
    const auto answer = ask(code::get, "/multi-format", {}, [&](coap::Request& r) { r.options.set_accept(format); });
    EXPECT_EQ(forwarded.back().options.accept(), format);
    EXPECT_EQ(answer.code, code::content);
    EXPECT_EQ(answer.options.content_format(), format);
  }
  EXPECT_EQ(forwarded.size(), 2U);
}

TEST_F(PlugtestProxy, TdCoapCore27) {
  const auto first = ask(code::get, "/validate");
  const Bytes tag = to_bytes(first.options.find(option::etag).value());
  const auto if_match = [&](coap::Request& r) { r.options.add(option::if_match, tag); };
  EXPECT_EQ(ask(code::put, "/validate", "Mine", if_match).code, code::changed);
  EXPECT_EQ(to_bytes(forwarded.back().options.find(option::if_match).value()), tag);
  resources.set("/validate", content_format::text_plain, "Theirs", now);
  EXPECT_EQ(ask(code::put, "/validate", "Mine again", if_match).code, code::precondition_failed);
  EXPECT_EQ(answered.back().code, code::precondition_failed);
  EXPECT_EQ(as_text(resources.held("/validate")->content), "Theirs");
}

TEST_F(PlugtestProxy, TdCoapCore28) {
  const auto if_none = [](coap::Request& r) { r.options.add_empty(option::if_none_match); };
  EXPECT_EQ(ask(code::put, "/create3", "one", if_none).code, code::created);
  EXPECT_TRUE(forwarded.back().options.has(option::if_none_match));
  EXPECT_EQ(ask(code::put, "/create3", "two", if_none).code, code::precondition_failed);
  EXPECT_EQ(as_text(resources.held("/create3")->content), "one");
}

TEST_F(PlugtestProxy, TdCoapCore29) {
  const auto first = ask(code::get, "/validate");
  EXPECT_EQ(forwarded.size(), 1U);
  EXPECT_TRUE(answered[0].options.has(option::etag));
  EXPECT_TRUE(answered[0].options.has(option::max_age));
  now += std::chrono::seconds(20);
  const auto second = ask(code::get, "/validate");
  EXPECT_EQ(forwarded.size(), 1U);
  EXPECT_EQ(second.payload, first.payload);
  EXPECT_EQ(second.options.find_uint(option::max_age), 10U);
  now += std::chrono::seconds(20);
  ask(code::get, "/validate");
  EXPECT_EQ(forwarded.size(), 2U);
}

}  // namespace
}  // namespace aceward::plugtest
