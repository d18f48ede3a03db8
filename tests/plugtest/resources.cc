#include "tests/plugtest/resources.h"

#include <algorithm>
#include <array>
#include <deque>
#include <utility>

#include "aceward/coap/resource/location.h"

namespace aceward::plugtest {

namespace code = coap::code;
namespace content_format = coap::content_format;
using coap::make_response;

namespace {

/// application/xml (RFC 7252 section 12.3).
constexpr coap::ContentFormat xml{41};
/// For the lambdas of StoredResource: they may not add resources while one is being asked.
constexpr const char* created_path = "/location1/location2/location3";

coap::Response created_at(std::string_view path, std::string_view query = {}) {
  coap::Response response = make_response(code::created);
  coap::Location location{.path = coap::path_of(path), .query = {}};
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    location.query.emplace_back(query.substr(0, end));
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  // The paths and queries here are constants that fit.
  static_cast<void>(coap::add_location(response.options, location));
  return response;
}

}  // namespace

/// Answers long after it was asked, so that no acknowledgement can carry the answer.
class Resources::Separate final : public coap::Resource {
 public:
  explicit Separate(coap::Layer& layer) : layer_(layer) {}
  void handle(coap::ExchangeId id, const coap::Peer&, const coap::Request&, coap::Responder& responder) override {
    open_.emplace_back(responder.now() + separate_after, id);
  }
  std::span<const coap::Code> methods() const override { return methods_; }
  std::optional<Instant> next_timeout() const {
    return open_.empty() ? std::nullopt : std::optional(open_.front().first);
  }
  void on_timeout(Instant now) {
    while (!open_.empty() && open_.front().first <= now) {
      layer_.respond(open_.front().second,
                     make_response(code::content, content_format::text_plain, to_bytes("It took a while")), {}, now);
      open_.pop_front();
    }
  }

 private:
  coap::Layer& layer_;
  std::array<coap::Code, 1> methods_{code::get};
  std::deque<std::pair<Instant, coap::ExchangeId>> open_;
};

class Resources::Answering final : public coap::Resource {
 public:
  using How = std::function<coap::Response(const coap::Request&)>;
  Answering(coap::Code method, How how) : methods_{method}, how_(std::move(how)) {}
  void handle(coap::ExchangeId id, const coap::Peer&, const coap::Request& request,
              coap::Responder& responder) override {
    responder.respond(id, how_(request));
  }
  std::span<const coap::Code> methods() const override { return methods_; }

 private:
  std::array<coap::Code, 1> methods_;
  How how_;
};

Resources::Resources(coap::Router& router, coap::Observations& observations)
    : router_(router), observations_(observations) {
  const coap::StoredRules changeable{
      .put = true, .delete_ = true, .formats = {content_format::text_plain, content_format::json, xml}, .max_age = {}};
  auto& test = store("/test", coap::StoredResource("The test resource", changeable));
  test.take_posts([](coap::StoredResource&, const coap::Request&, Instant) { return created_at(created_path); });
  coap::StoredRules short_lived = changeable;
  short_lived.max_age = std::chrono::seconds(30);
  store("/validate", coap::StoredResource("First state", short_lived));
  for (const char* path : {"/create1", "/create3"}) store(path, coap::StoredResource(changeable));
  store("/seg1/seg2/seg3", coap::StoredResource("Three segments down"));
  store("/large", coap::StoredResource(large_text()));
  store("/large-update", coap::StoredResource("Small still", changeable));

  answer(code::get, "/query", [](const coap::Request& request) {
    std::string text;
    for (const auto query : request.options.queries()) text.append(query).append("\n");
    return make_response(code::content, content_format::text_plain, to_bytes(text.empty() ? "No query" : text));
  });
  answer(code::post, "/location-query",
         [](const coap::Request&) { return created_at("/location-query", "first=1&second=2"); });
  answer(code::post, "/create2", [](const coap::Request&) { return created_at(created_path); });
  answer(code::get, "/multi-format", [](const coap::Request& request) {
    if (auto refusal = coap::refuse_accept(request, {content_format::text_plain, xml})) return std::move(*refusal);
    if (request.options.accept() == xml) return make_response(code::content, xml, to_bytes("<said>the same</said>"));
    return make_response(code::content, content_format::text_plain, to_bytes("the same"));
  });
  answer(code::post, "/large-create", [this](const coap::Request& request) {
    if (created_ == 100) return make_response(code::service_unavailable);
    const std::string path = "/large-create/" + std::to_string(++created_);
    store(path, coap::StoredResource(content_format::text_plain, request.payload));
    return created_at(path);
  });
  answer(code::post, "/large-post", [](const coap::Request& request) {
    return make_response(code::changed, content_format::text_plain,
                         to_bytes(answer_to(std::string(as_text(request.payload)))));
  });

  store("/obs", coap::StoredResource("State 0", changeable));
  store("/obs-non", coap::StoredResource("State 0", changeable));
  store("/obs-large", coap::StoredResource("State 0\n" + large_text(), changeable));
  observable("/obs", coap::Reliability::confirmable);
  observable("/obs-non", coap::Reliability::non_confirmable);
  observable("/obs-large", coap::Reliability::confirmable);

  auto separate = std::make_unique<Separate>(router.layer());
  separate_ = separate.get();
  router_.add("/separate", *separate);
  others_.push_back(std::move(separate));
}

Resources::~Resources() = default;

coap::StoredResource& Resources::store(const std::string& path, coap::StoredResource resource) {
  auto& kept = stored_.emplace_back(path, std::move(resource));
  router_.add(path, kept.resource);
  return kept.resource;
}

void Resources::answer(coap::Code method, const std::string& path, Answering::How how) {
  others_.push_back(std::make_unique<Answering>(method, std::move(how)));
  router_.add(path, *others_.back());
}

void Resources::observable(const std::string& path, coap::Reliability notifications) {
  coap::ObservableSettings settings;
  settings.notifications = notifications;
  observations_.allow(path, settings);
  for (Stored& stored : stored_) {
    if (stored.path != path) continue;
    stored.resource.on_change(
        [this, path](const coap::StoredResource&, Instant now) { observations_.changed(path, now); });
  }
}

void Resources::tick(Instant now) {
  const std::string state = "State " + std::to_string(++ticks_);
  for (Stored& stored : stored_) {
    if (!stored.path.starts_with("/obs") || stored.resource.representation() == nullptr) continue;
    const bool large = stored.path == "/obs-large";
    stored.resource.set(content_format::text_plain, to_bytes(large ? state + "\n" + large_text() : state), now);
  }
}

std::optional<Instant> Resources::next_timeout() const { return separate_->next_timeout(); }
void Resources::on_timeout(Instant now) { separate_->on_timeout(now); }

const coap::Representation* Resources::held(const std::string& path) const {
  const auto found = std::ranges::find(stored_, path, &Stored::path);
  return found == stored_.end() ? nullptr : found->resource.representation();
}

void Resources::set(const std::string& path, coap::ContentFormat format, const std::string& content, Instant now) {
  const auto found = std::ranges::find(stored_, path, &Stored::path);
  if (found != stored_.end()) found->resource.set(format, to_bytes(content), now);
}

std::string Resources::large_text() {
  std::string text;
  for (int line = 0; text.size() < 2000; ++line) text += "line " + std::to_string(line) + " of a large resource\n";
  return text;
}

std::string Resources::answer_to(std::string body) {
  std::ranges::reverse(body);
  return "Backwards: " + body;
}

}  // namespace aceward::plugtest
