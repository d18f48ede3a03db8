// Resources found by their path, and the answers that every server gives alike.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "aceward/coap/layer.h"

namespace aceward::coap {

/// What a handler answers through: it may do so within handle() or keep the ExchangeId and respond through the layer
/// later. Lives only for the call.
class Responder {
 public:
  Responder(Layer& layer, Instant now) : layer_(layer), now_(now) {}

  Instant now() const { return now_; }
  void respond(ExchangeId id, Response response, Delivery hint = {}) {
    layer_.respond(id, std::move(response), hint, now_);
  }
  /// No answer will come (No-Response, RFC 7967); a confirmable request is acknowledged.
  void stay_silent(ExchangeId id) { layer_.cancel(id); }

 private:
  Layer& layer_;
  Instant now_;
};

/// Something with a path. Called by the router only with a method that methods() allows.
class Resource {
 public:
  virtual ~Resource() = default;
  /// Answers now through `responder`, or keeps `id` and answers later through the layer.
  virtual void handle(ExchangeId id, const Peer& peer, const Request& request, Responder& responder) = 0;
  /// The methods that handle() takes; any other gets 4.05.
  virtual std::span<const Code> methods() const = 0;
};

using Path = std::vector<std::string>;
/// Segments between slashes; a leading slash is skipped. "" and "/" are the root, which has no segment.
Path path_of(std::string_view text);

/// Looks a request's resource up and lets it answer. Paths are compared option by option, octet by octet: a Uri-Path
/// option that holds "a/b" is not the two segments a and b.
class Router {
 public:
  /// `layer` must outlive the router.
  explicit Router(Layer& layer) : layer_(layer) {}

  /// The resource must outlive the router or be removed. A second resource at the same path replaces the first.
  void add(Path path, Resource& resource);
  void add(std::string_view path, Resource& resource) { add(path_of(path), resource); }
  /// A resource for a path and all below it that have no resource of their own; the longest such path wins.
  void add_tree(Path path, Resource& resource);
  void remove(const Path& path);

  /// The resource for a path; nullptr if there is none.
  Resource* find(std::span<const std::string_view> path) const;

  /// Pulls events from the layer, hands requests to their resources (4.04 if there is none, 4.05 for a method that it
  /// does not take), and returns the next event that is not a request.
  std::optional<Event> next_event(Instant now);
  /// The same for one request that came another way.
  void dispatch(const RequestArrived& arrived, Instant now);

  Layer& layer() { return layer_; }

 private:
  struct Less {
    using is_transparent = void;
    bool operator()(const Path& a, const Path& b) const { return a < b; }
    bool operator()(const Path& a, std::span<const std::string_view> b) const;
    bool operator()(std::span<const std::string_view> a, const Path& b) const;
  };
  Layer& layer_;
  std::map<Path, Resource*, Less> resources_;
  std::map<Path, Resource*, Less> trees_;
};

/// A bare response: an error code, perhaps with a diagnostic payload in UTF-8 (RFC 7252 section 5.5.2).
Response make_response(Code code, std::string_view diagnostic = {});
/// A response with a payload of one Content-Format.
Response make_response(Code code, ContentFormat format, Bytes payload);

/// nullopt if the request's Content-Format is `expected`, or if it has none and a missing one is allowed; else the 4.15
/// to answer (RFC 7252 section 5.9.2.11).
std::optional<Response> refuse_content_format(const Request& request, ContentFormat expected,
                                              bool missing_allowed = false);
/// nullopt if the request has no Accept option or one of `offered`; else the 4.06 to answer (section 5.10.4).
std::optional<Response> refuse_accept(const Request& request, std::initializer_list<ContentFormat> offered);

}  // namespace aceward::coap
