// Resources found by host and path, /.well-known/core, and the refusals that come before a resource is asked.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "aceward/coap/layer.h"
#include "aceward/coap/links/link.h"
#include "aceward/coap/message/option_check.h"
#include "aceward/coap/resource/answers.h"

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
  /// An empty response that may own memory already (Layer::spare_response): for answers that allocate nothing.
  Response spare() { return layer_.spare_response(); }
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
  /// How /.well-known/core lists the resource: attributes only, the router puts the target in. By default the path
  /// alone; nullopt: not listed.
  virtual std::optional<links::Link> link() const { return links::Link{}; }
  /// Whether handle() evaluates If-Match and If-None-Match. A request that has one gets 4.02 where nobody would.
  virtual bool evaluates_preconditions() const { return false; }
};

using Path = std::vector<std::string>;
/// Segments between slashes; a leading slash is skipped. "" and "/" are the root, which has no segment.
Path path_of(std::string_view text);
/// `/a/b%2Fc`: percent-encoded as RFC 7252 section 6.5 says.
std::string to_reference(const Path& path);

/// Looks a request's resource up and lets it answer. Paths are compared option by option, octet by octet: a Uri-Path
/// option that holds "a/b" is not the two segments a and b. Looking up allocates nothing.
///
/// Virtual servers (RFC 7252 section 5.10.1): a resource added with a host is found only by requests that name it in
/// Uri-Host (in any case of letters), those added without one by all others. A request without Uri-Host names the
/// address that it was sent to.
class Router {
 public:
  /// `layer` must outlive the router.
  explicit Router(Layer& layer) : layer_(layer) {}

  /// The resource must outlive the router or be removed. A second resource at the same path replaces the first.
  void add(Path path, Resource& resource) { add({}, std::move(path), resource); }
  void add(std::string_view path, Resource& resource) { add({}, path_of(path), resource); }
  /// `host` is a name, or an IP literal without brackets, perhaps with `:port` (`a.example:61616`, `[2001:db8::1]:5`),
  /// which then must be that of Uri-Port or of the address that was asked.
  void add(std::string_view host, Path path, Resource& resource);
  void add(std::string_view host, std::string_view path, Resource& resource) { add(host, path_of(path), resource); }
  /// A resource for a path and all below it that have no resource of their own; the longest such path wins.
  void add_tree(Path path, Resource& resource) { add_tree({}, std::move(path), resource); }
  void add_tree(std::string_view host, Path path, Resource& resource);
  void remove(const Path& path) { remove({}, path); }
  void remove(std::string_view host, const Path& path);

  /// What becomes of a Uri-Host that no resource was added for, of which RFC 7252 says nothing but that the options
  /// name the target (section 5.10.1): true (the default) gives it what was added without a host, as a server with one
  /// name does that does not know the name; false gives 4.04, since that target is not here (section 5.9.2.5). A
  /// Uri-Host that is the literal of the address that was asked is always known: it is the option's default value.
  void serve_unknown_hosts(bool serve) { serve_unknown_hosts_ = serve; }

  /// GET on /.well-known/core lists the resources of the host that is asked (RFC 6690 section 4, RFC 7252 section 7.2),
  /// with filters, unless a resource was added there. Off by default.
  void well_known_core(bool on) { well_known_core_ = on; }
  /// Who may see which link (RFC 6690 section 6); all see all by default.
  using Visible = std::function<bool(const Peer& peer, const links::Link& link)>;
  void show_links(Visible visible) { visible_ = std::move(visible); }
  /// Lists a link beside those of the resources: to resources that are served elsewhere, or behind access control.
  void list(links::Link link) { extra_links_.push_back(std::move(link)); }
  /// What /.well-known/core lists, in the order of paths, for the host of the request.
  std::vector<links::Link> listed(const Peer& peer, const Options& options) const;

  /// The resource for a path without a host; nullptr if there is none.
  Resource* find(std::span<const std::string_view> path) const;
  /// The resource for a request: its host and path.
  Resource* find(const Peer& peer, const Options& options) const;

  /// Whether dispatch() would find anything there: a resource, or the list of links.
  bool serves(const Peer& peer, const Options& options) const;

  /// Pulls events from the layer, hands requests to their resources (4.04 if there is none, 4.05 for a method that it
  /// does not take, 4.02 for preconditions that it does not evaluate), and returns the next event that is not a
  /// request.
  std::optional<Event> next_event(Instant now);
  /// The same for one request that came another way.
  void dispatch(const RequestArrived& arrived, Instant now);

  /// For Endpoint::set_known_options: KnownOptions::in_requests() and the preconditions, which the router refuses where
  /// a resource does not evaluate them.
  static KnownOptions known_options();

  Layer& layer() { return layer_; }

 private:
  /// The Uri-Path options of a request, or the segments of a path, compared without copying.
  struct Segments {
    const Options* options = nullptr;
    std::size_t first = 0;
    std::span<const std::string_view> texts;
    std::size_t count = 0;
    std::string_view operator[](std::size_t i) const;
  };
  struct Less {
    using is_transparent = void;
    bool operator()(const Path& a, const Path& b) const { return a < b; }
    bool operator()(const Path& a, const Segments& b) const;
    bool operator()(const Segments& a, const Path& b) const;
  };
  using Table = std::map<Path, Resource*, Less>;
  struct Site {
    std::string host;  // lower case
    std::optional<std::uint16_t> port;
    Table resources;
    Table trees;
  };

  static Segments segments_of(const Options& options);
  bool is_list_of_links(const Segments& path) const;
  static Resource* find(const Site& site, Segments path);
  Site& site_for(std::string_view authority);
  const Site* site_of(const Peer& peer, const Options& options) const;
  std::vector<links::Link> listed(const Site& site, const Peer& peer) const;
  void answer_well_known_core(const Site& site, const RequestArrived& arrived, Responder& responder) const;

  Layer& layer_;
  Site default_site_;
  std::vector<Site> sites_;
  bool serve_unknown_hosts_ = true;
  bool well_known_core_ = false;
  Visible visible_;
  std::vector<links::Link> extra_links_;
};

}  // namespace aceward::coap
