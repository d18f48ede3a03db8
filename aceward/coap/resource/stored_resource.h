// A representation held in memory, with all that RFC 7252 and RFC 8132 let a client do to it.
#pragma once

#include <expected>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "aceward/coap/resource/etag.h"
#include "aceward/coap/resource/router.h"

namespace aceward::coap {

/// Content of one format, and its tag.
struct Representation {
  ContentFormat format;
  Bytes content;
  ETag etag;
};

/// What a StoredResource lets its clients do.
struct StoredRules {
  bool put = false;
  bool delete_ = false;
  /// Formats that a PUT may bring; empty: only that of the first representation. A PUT without Content-Format brings
  /// the first of them.
  std::vector<ContentFormat> formats{};
  std::size_t max_size = 64 * 1024;                            ///< octets of the content; more gets 4.13 with Size1
  std::optional<std::chrono::seconds> max_age = std::nullopt;  ///< nullopt: the option is left out, which means 60 s
  std::optional<links::Link> link = links::Link{};             ///< for /.well-known/core; nullopt: not listed
};

/// GET always; PUT, DELETE, POST, FETCH, PATCH and iPATCH as set up. Evaluates Accept, ETag, If-Match and
/// If-None-Match, bounds the content, and answers at once. A deleted resource stays where it is routed and answers 4.04
/// until a PUT (2.01) or set() brings it back. Not thread-safe.
class StoredResource : public Resource {
 public:
  StoredResource(ContentFormat format, Bytes content, StoredRules rules = {});
  StoredResource(std::string_view text, StoredRules rules = {});
  /// One that does not exist yet.
  explicit StoredResource(StoredRules rules);

  /// nullptr while it does not exist.
  const Representation* representation() const { return current_ ? &*current_ : nullptr; }
  /// From the server's side: no rule applies, on_change is called if anything changed.
  void set(ContentFormat format, Bytes content, Instant now);
  void erase(Instant now);

  /// Called after each change of the representation (a PUT of the same content is none), before the answer to the
  /// request that made it is given: to tell observers, or to write it down. Must not change the resource.
  using OnChange = std::function<void(const StoredResource& resource, Instant now)>;
  void on_change(OnChange told) { on_change_ = std::move(told); }

  /// Makes the new content out of the old one, or the answer that says why not (4.00, 4.09, 4.22 …). What it returns
  /// replaces the content whole, so a patch is applied whole or not at all (RFC 8132 section 3). The representation may
  /// be nullptr: it does not exist, and a patch that cannot make it answers 4.04.
  using Patch = std::function<std::expected<Bytes, Response>(const Representation* before, const Request& request)>;
  /// Takes PATCH and iPATCH with that Content-Format; a request with another one gets 4.15.
  void take_patches(ContentFormat format, Patch patch);
  /// Answers FETCH with that Content-Format; the code 2.05 gets the ETag that applies to the query only if `answer`
  /// puts it there. Called only while the resource exists.
  using Fetch = std::function<Response(const Representation& now, const Request& request)>;
  void take_fetches(ContentFormat format, Fetch answer);
  /// Answers POST whole. What it wants changed it does by set() and erase().
  using Post = std::function<Response(StoredResource& resource, const Request& request, Instant now)>;
  void take_posts(Post answer);

  /// The whole answer to a request, for callers that route by themselves. The method is checked too. The memory of
  /// `spare`, which is empty, is used for what is read.
  Response answer(const Request& request, Instant now, Response spare = {});

  // Resource
  void handle(ExchangeId id, const Peer& peer, const Request& request, Responder& responder) override;
  std::span<const Code> methods() const override { return methods_; }
  std::optional<links::Link> link() const override;
  bool evaluates_preconditions() const override { return true; }

 private:
  std::optional<BytesView> current_etag() const;
  Response read(const Request& request, Response spare) const;
  Response fetch(const Request& request) const;
  Response put(const Request& request, Instant now);
  Response remove(Instant now);
  Response patch(const Request& request, Instant now);
  /// True if it did not exist before.
  bool replace(ContentFormat format, Bytes content, Instant now);
  void list_methods();

  StoredRules rules_;
  std::optional<Representation> current_;
  ContentFormat first_format_ = content_format::octet_stream;
  OnChange on_change_;
  std::vector<std::pair<ContentFormat, Patch>> patches_;
  std::vector<std::pair<ContentFormat, Fetch>> fetches_;
  Post post_;
  std::vector<Code> methods_;
};

}  // namespace aceward::coap
