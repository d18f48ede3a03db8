#include "aceward/coap/resource/stored_resource.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace aceward::coap {
namespace {

constexpr ContentFormat json_patch{51};

Request request_of(Code method, std::string_view payload = {}, std::optional<ContentFormat> format = std::nullopt) {
  Request request{method, {}, to_bytes(payload)};
  if (format) request.options.set_content_format(*format);
  return request;
}

class CoapStoredResource : public ::testing::Test {
 protected:
  CoapStoredResource() {
    stored.on_change([this](const StoredResource& resource, Instant) {
      changes.emplace_back(resource.representation() ? as_text(resource.representation()->content) : "gone");
    });
  }
  Response ask(const Request& request) { return stored.answer(request, {}); }

  StoredResource stored{"one", {.put = true, .delete_ = true, .max_size = 8}};
  std::vector<std::string> changes;
};

TEST_F(CoapStoredResource, GetHasFormatTagAndContent) {
  const auto response = ask(request_of(code::get));
  EXPECT_EQ(response.code, code::content);
  EXPECT_EQ(response.options.content_format(), content_format::text_plain);
  EXPECT_EQ(ETag::in(response.options), stored.representation()->etag);
  EXPECT_EQ(as_text(response.payload), "one");
  EXPECT_FALSE(response.options.has(option::max_age));

  auto other = request_of(code::get);
  other.options.set_accept(content_format::cbor);
  EXPECT_EQ(ask(other).code, code::not_acceptable);
}

TEST_F(CoapStoredResource, GetWithTheCurrentTagIsValidatedWithMaxAge) {
  StoredResource aged("x", {.max_age = std::chrono::seconds(5)});
  auto request = request_of(code::get);
  request.options.add(option::etag, aged.representation()->etag.view());
  const auto response = aged.answer(request, {});
  EXPECT_EQ(response.code, code::valid);
  EXPECT_EQ(max_age_of(response.options), std::chrono::seconds(5));
  EXPECT_TRUE(response.payload.empty());
}

TEST_F(CoapStoredResource, PutReplacesAndTellsOnlyOfChanges) {
  const auto before = stored.representation()->etag;
  EXPECT_EQ(ask(request_of(code::put, "two")).code, code::changed);
  EXPECT_NE(stored.representation()->etag, before);
  EXPECT_EQ(ask(request_of(code::put, "two", content_format::text_plain)).code, code::changed);
  EXPECT_EQ(changes, std::vector<std::string>{"two"});
  EXPECT_EQ(ask(request_of(code::put, "x", content_format::cbor)).code, code::unsupported_content_format);
  EXPECT_EQ(ask(request_of(code::put, "123456789")).code, code::request_entity_too_large);
  EXPECT_EQ(as_text(stored.representation()->content), "two");
}

TEST_F(CoapStoredResource, DeleteAndPutAgain) {
  EXPECT_EQ(ask(request_of(code::delete_)).code, code::deleted);
  EXPECT_EQ(ask(request_of(code::delete_)).code, code::deleted);
  EXPECT_EQ(ask(request_of(code::get)).code, code::not_found);
  EXPECT_EQ(ask(request_of(code::put, "new")).code, code::created);
  EXPECT_EQ(ask(request_of(code::get)).code, code::content);
  EXPECT_EQ(changes, (std::vector<std::string>{"gone", "new"}));
}

TEST_F(CoapStoredResource, AFailedPreconditionChangesNothing) {
  auto lost_update = request_of(code::put, "mine");
  lost_update.options.add(option::if_match, Bytes{1, 2, 3});
  EXPECT_EQ(ask(lost_update).code, code::precondition_failed);
  auto create = request_of(code::put, "mine");
  create.options.add_empty(option::if_none_match);
  EXPECT_EQ(ask(create).code, code::precondition_failed);
  auto remove = request_of(code::delete_);
  remove.options.add(option::if_match, Bytes{1, 2, 3});
  EXPECT_EQ(ask(remove).code, code::precondition_failed);
  EXPECT_TRUE(changes.empty());
  EXPECT_EQ(as_text(stored.representation()->content), "one");

  auto update = request_of(code::put, "mine");
  update.options.add(option::if_match, stored.representation()->etag.view());
  EXPECT_EQ(ask(update).code, code::changed);
  ask(request_of(code::delete_));
  EXPECT_EQ(ask(create).code, code::created);
}

TEST_F(CoapStoredResource, WhatIsNotAllowedIs405) {
  StoredResource read_only("x");
  for (const auto method : {code::put, code::delete_, code::post, code::fetch, code::patch, code::ipatch}) {
    EXPECT_EQ(read_only.answer(request_of(method), {}).code, code::method_not_allowed) << method.to_string();
  }
  EXPECT_EQ(read_only.methods().size(), 1U);
}

// RFC 8132 section 2
TEST_F(CoapStoredResource, FetchIsAnsweredByTheHandlerOfItsFormat) {
  stored.take_fetches(ContentFormat(65000), [](const Representation& now, const Request& request) {
    if (request.payload.empty()) return make_response(code::unprocessable_entity);
    const auto index = static_cast<std::size_t>(request.payload[0]);
    return make_response(code::content, content_format::text_plain, {now.content.at(index)});
  });
  EXPECT_EQ(as_text(ask(request_of(code::fetch, "\x01", ContentFormat(65000))).payload), "n");
  EXPECT_EQ(ask(request_of(code::fetch, "", ContentFormat(65000))).code, code::unprocessable_entity);
  EXPECT_EQ(ask(request_of(code::fetch, "\x01", content_format::cbor)).code, code::unsupported_content_format);
  // Section 2.3.1: a FETCH says what its payload is.
  EXPECT_EQ(ask(request_of(code::fetch, "\x01")).code, code::bad_request);
  EXPECT_EQ(ask(request_of(code::fetch, "123456789", ContentFormat(65000))).code, code::request_entity_too_large);
  // "Conditional FETCH": judged by the resource, not by the result.
  auto conditional = request_of(code::fetch, "\x01", ContentFormat(65000));
  conditional.options.add(option::if_match, Bytes{9});
  EXPECT_EQ(ask(conditional).code, code::precondition_failed);
  EXPECT_TRUE(changes.empty());
}

// RFC 8132 section 3
TEST_F(CoapStoredResource, APatchIsAppliedWholeOrNotAtAll) {
  stored.take_patches(json_patch,
                      [](const Representation* before, const Request& request) -> std::expected<Bytes, Response> {
                        if (before == nullptr) return std::unexpected(make_response(code::not_found));
                        if (as_text(request.payload) == "conflict")
                          return std::unexpected(make_response(code::conflict, "no such member"));
                        Bytes after = before->content;
                        after.insert(after.end(), request.payload.begin(), request.payload.end());
                        return after;
                      });
  for (const auto method : {code::patch, code::ipatch}) {
    EXPECT_EQ(ask(request_of(method, "+", json_patch)).code, code::changed);
  }
  EXPECT_EQ(as_text(stored.representation()->content), "one++");
  EXPECT_EQ(stored.representation()->format, content_format::text_plain);

  const auto conflict = ask(request_of(code::patch, "conflict", json_patch));
  EXPECT_EQ(conflict.code, code::conflict);
  EXPECT_EQ(as_text(conflict.payload), "no such member");
  EXPECT_EQ(ask(request_of(code::patch, "1234", json_patch)).code, code::request_entity_too_large);
  const auto unsupported = ask(request_of(code::patch, "+", content_format::cbor));
  EXPECT_EQ(unsupported.code, code::unsupported_content_format);
  EXPECT_EQ(as_text(unsupported.payload), "use Content-Format 51");
  auto stale = request_of(code::patch, "+", json_patch);
  stale.options.add(option::if_match, Bytes{1});
  EXPECT_EQ(ask(stale).code, code::precondition_failed);
  EXPECT_EQ(as_text(stored.representation()->content), "one++");
  EXPECT_EQ(changes.size(), 2U);

  stored.erase({});
  EXPECT_EQ(ask(request_of(code::patch, "+", json_patch)).code, code::not_found);
}

TEST_F(CoapStoredResource, APatchMayMakeWhatIsNotThere) {
  StoredResource absent(StoredRules{.formats = {content_format::json}});
  absent.take_patches(json_patch,
                      [](const Representation* before, const Request& request) -> std::expected<Bytes, Response> {
                        EXPECT_EQ(before, nullptr);
                        return request.payload;
                      });
  EXPECT_EQ(absent.answer(request_of(code::get), {}).code, code::not_found);
  EXPECT_FALSE(absent.link());
  auto create = request_of(code::patch, "{}", json_patch);
  create.options.add_empty(option::if_none_match);
  EXPECT_EQ(absent.answer(create, {}).code, code::created);
  EXPECT_EQ(absent.representation()->format, content_format::json);
}

TEST_F(CoapStoredResource, PostIsForItsHandler) {
  stored.take_posts([](StoredResource& resource, const Request& request, Instant now) {
    resource.set(content_format::text_plain, request.payload, now);
    auto response = make_response(code::changed);
    return response;
  });
  EXPECT_EQ(ask(request_of(code::post, "posted")).code, code::changed);
  EXPECT_EQ(changes, std::vector<std::string>{"posted"});
}

}  // namespace
}  // namespace aceward::coap
